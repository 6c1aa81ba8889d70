"""Makes the table `twins`: what was measured twice as if it were two, and how far apart it lies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from harness.decide import stats
from harness.decide.scoring.cells import cells
from harness.decide.stats import Timed
from harness.store import tables

CELL = ("stage", "variant", "session", "operation", "audio_seconds")


def table(calls: pd.DataFrame) -> pd.DataFrame:
    """A row for each cell of the latency stage that has an A/A twin."""
    return tables.frame("twins", _rows(calls))


def _rows(calls: pd.DataFrame) -> Iterator[dict[str, Any]]:
    timed = calls[(calls["stage"] == "latency") & calls["warm"] & (calls["round"] >= 0)]
    timed = timed[timed["error"] == ""]
    for key, cell in cells(timed, CELL):
        ours, theirs = (cell[cell["replica"] == replica] for replica in (0, 1))
        if ours.empty or theirs.empty:
            continue
        found = stats.equal_cells(_timed(ours), _timed(theirs))
        yield {
            **dict(zip(CELL, key, strict=True)),
            "generations": found.generations,
            "equal": found.equal,
            "between": found.between,
        }


def _timed(cell: pd.DataFrame) -> Timed:
    return Timed.of(*(cell[name] for name in ("seconds", "round", "item", "generation")))
