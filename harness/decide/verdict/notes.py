"""What a check says beside its bounds: what was lost, over what it holds, what it cannot see."""

from __future__ import annotations

import math

import pandas as pd

from harness.decide.scoring.estimates import told, units_of
from harness.plugins import NamedMetric


def lost(failed: int, named: NamedMetric) -> tuple[str, ...]:
    """Of a quantile: calls that gave nothing are its worst ones."""
    if math.isnan(named.quantile) or not failed:
        return ()
    return (f"{failed} without a result count as worse than every other one",)


def counts(cell: pd.DataFrame, stage: str) -> tuple[str, ...]:
    """Of a time: in how many blocks, clips and processes it was measured."""
    timed = cell[cell["round"] >= 0]
    if stage != "latency" or timed.empty:
        return ()
    return (f"over {told(units_of(timed))}",)


def unseen(cell: pd.DataFrame, named: NamedMetric) -> tuple[str, ...]:
    """Of texts: what so many utterances cannot exclude, though not one of them shows it."""
    if not named.metric.needs_reference or named.metric.fold != "ratio" or cell.empty:
        return ()
    return (
        f"{len(cell)} utterances cannot exclude what befalls up to"
        f" {min(-math.log(0.05) / len(cell), 1.0):.1%} of them (a loop, say)",
    )
