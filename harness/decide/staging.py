"""What one latency stage asks for, and its layout: the same for runner and forecast. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.decide import layout
from harness.decide.layout import Layout, lay_out
from harness.decide.schedule import Clips, Costs, StillOpen, Task

PROCESS_SECONDS = 1.0  # until a new process begins to load its model


@dataclass(frozen=True)
class StageLimits:
    """`seconds`: what the stage may take; `once`: variants whose process cannot be opened anew."""

    stage: str
    clips: Clips
    warmup: int
    seconds: float
    seed: int
    still_open: StillOpen = lambda _rows, _stops: lambda task: True
    once: frozenset[str] = frozenset()


def plan_of(
    tasks: Sequence[Task],
    costs: Costs,
    how: StageLimits,
    open_seconds: Mapping[str, float] | None = None,
) -> Layout:
    """The layout of a stage, for runner and forecast alike: pure. `open_seconds` by variant."""
    processes = {entry: at for at, entry in enumerate(dict.fromkeys(t.entry for t in tasks))}
    loading = open_seconds or {}
    cells = []
    for task in tasks:
        one = layout.Cell(
            costs.get(task.cell, 0.0),
            rounds=task.rounds,
            clips=len(how.clips.get(task.audio_seconds, ())) or 1,
            process=processes[task.entry],
            open_seconds=PROCESS_SECONDS + loading.get(task.entry.variant, 0.0),
            warmup=how.warmup,
            gated=task.must,
            once=task.entry.variant in how.once,
            fixed=task.calls,
        )
        if task.calls_wanted:  # so many for the most demanding gate, in as many blocks as it takes
            rounds = max(task.rounds, math.ceil(task.calls_wanted / one.calls))
            one = replace(one, rounds=min(rounds, layout.MOST_ROUNDS))
        cells.append(one)
    return lay_out(cells, how.seconds, how.seed)
