"""Calls of a cell that gave no result, among how many, and why: of gates and of comparisons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.decide.scoring.scores import workload


@dataclass(frozen=True)
class Failures:
    """The calls of one cell that gave no result, among how many."""

    failed: pd.DataFrame
    planned: int

    @property
    def share(self) -> float:
        return len(self.failed) / self.planned if self.planned else 0.0


def of_cell(calls: pd.DataFrame, operation: str, place: str, **cell: object) -> Failures:
    """Failed and planned calls of an operation in a cell (stage, variant, session) at a workload;
    one that could not load counts too."""
    keep = calls["replica"] == 0
    for column, value in cell.items():
        keep &= calls[column] == value
    places = np.flatnonzero(keep)
    mine = calls[["dataset", "audio_seconds", "operation", "warm", "error"]].iloc[places]
    failed = mine["error"] != ""
    here = pd.Series(workload(mine), index=mine.index, dtype=object) == place
    here &= (mine["operation"] == operation) & (mine["warm"] | failed)
    counted = here | ((mine["operation"] == "load") & failed)
    return Failures(calls.iloc[places[counted & failed]], int(counted.sum()))


def why(variants: pd.DataFrame, variant: str, failed: pd.DataFrame) -> str:
    """Why the variant could not be built or opened, else what most of its calls failed with."""
    built = variants[variants["variant"] == variant]["error"].tolist()
    called = failed["error"].value_counts(sort=True).index.tolist()
    return " ".join(str(next(filter(None, [*built, *called[:1]]), "")).split())
