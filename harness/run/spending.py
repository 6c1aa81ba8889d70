"""What the stages of a run took of its budget, remembered with what they measured."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.store import Unit

TAKEN = "taken_seconds"
STAGES = ("sweep", "latency", "quality", "fidelity")  # an audit is beyond the budget


def note(unit: Unit, seconds: float) -> None:
    """What measuring the unit took by the clock on the wall; written when it is finished."""
    unit.environment[TAKEN] = round(seconds, 3)


def by_stage(units: Iterable[Unit]) -> dict[str, float]:
    """Stage -> seconds; of units that were measured before anybody wrote it down, nothing."""
    found: dict[str, float] = {}
    for unit in units:
        stage = unit.name.partition("-")[0]
        seconds = unit.facts().get(TAKEN)
        if stage in STAGES and seconds is not None:
            found[stage] = round(found.get(stage, 0.0) + float(seconds), 3)
    return found


def since(began: float, units: Sequence[Unit]) -> float:
    """When a run began, or would have: one that goes on after a kill has spent what its units took
    before it."""
    taken = sum(float(unit.table()["seconds"].sum()) for unit in units)
    return min(began, time.monotonic() - taken)


def machine(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a unit's machine, without what is the unit's own."""
    return {name: value for name, value in facts.items() if name != TAKEN}
