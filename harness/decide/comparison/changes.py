"""Two cells of two runs -> by how much the second differs, with an interval.

Texts pair by utterance. Times do not pair: the runs were measured on different days. What divides
the machine out is the baseline, if both runs measured the same one: then a ratio of ratios is
compared, variant over baseline within each round, and between the runs.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.decide import stats
from harness.decide.scoring.estimates import NEIGHBOURS
from harness.decide.scoring.scales import SCALES
from harness.decide.stats import Folded, Interval, Logs, Resampling, Timed
from harness.plugins import NamedMetric

QUALITY = "quality"


@dataclass(frozen=True)
class CellScores:
    """The scores of one cell as arrays, shape (n,)."""

    values: NDArray[np.float64]
    weights: NDArray[np.float64]
    rounds: NDArray[np.int64]
    items: NDArray[np.str_]
    quality: bool

    @classmethod
    def of(cls, frame: pd.DataFrame) -> CellScores:
        values, weights = (frame[n].to_numpy(dtype=np.float64) for n in ("value", "weight"))
        rounds = frame["round"].to_numpy(dtype=np.int64)
        items = frame["item"].to_numpy().astype(str)
        quality = bool(len(frame)) and frame["stage"].iloc[0] == QUALITY
        return cls(values, weights, rounds, items, quality)

    def __getitem__(self, rows: NDArray[np.generic]) -> CellScores:
        return CellScores(
            self.values[rows],
            self.weights[rows],
            self.rounds[rows],
            self.items[rows],
            self.quality,
        )

    @property
    def timed(self) -> Timed:
        with np.errstate(divide="ignore", invalid="ignore"):
            return Timed.of(self.values / self.weights, self.rounds, self.items)

    def fold(self, named: NamedMetric) -> float:
        """The cell's figure, as the summary has it."""
        if named.metric.fold == "max":
            return float(self.values.max()) if self.values.size else math.nan
        if named.metric.fold == "geometric":
            return stats.geometric_mean(self.values, stats.Units.of(self.rounds)).estimate
        if math.isnan(named.quantile):
            ratio = stats.ratio(self.values, self.weights)
            return SCALES[named.metric.scale](ratio) if math.isfinite(ratio) else ratio
        return stats.quantile(self.timed.values, named.quantile)


@dataclass(frozen=True)
class Side:
    """A cell of one run, and the baseline's cell that it is divided by, if it is."""

    cell: CellScores
    base: CellScores | None = None

    @property
    def cells(self) -> list[CellScores]:
        return [self.cell] if self.base is None else [self.cell, self.base]


def log_change(after: Side, before: Side, named: NamedMetric, how: Resampling) -> Interval:
    """log(after / before) of what each cell folds to, each over its own baseline if it has one.

    Medians of the latency stage: Welch's t over rounds. Other quantiles, ratios of sums: a
    bootstrap over rounds, of each run on its own. On data sets both runs have the same utterances,
    one after the other: stretches of ten are resampled, the same in both. Cells without rounds
    (loading) have a figure and no bounds. A clip that gives the same in both runs each time (steps
    of a decoder) leaves nothing to estimate.
    """
    plain = after.cell.fold(named), before.cell.fold(named)
    n = after.cell.values.size + before.cell.values.size
    if not all(value > 0 and math.isfinite(value) for value in plain):
        return stats.exactly(math.nan, n, "ratio")
    if _same_by_item(after.cell, before.cell):
        return Interval(0.0, 0.0, 0.0, n, 1, "equal on each clip", 1.0)
    if after.cell.quality:
        found = _on_data(after, before, named, how)
    elif named.quantile == 0.5:
        one, other = (Logs.of(*(cell.timed for cell in side.cells)) for side in (after, before))
        found = stats.unpaired_means(one, other, how.level)
    else:
        found = _over_rounds(after, before, named, how)
    if found.why != "broken":
        return found
    return stats.unbounded(math.log(plain[0] / plain[1]), n, 0, found.method)


def _on_data(after: Side, before: Side, named: NamedMetric, how: Resampling) -> Interval:
    cells = [replace(c, rounds=c.rounds * 0) for c in (*after.cells, *before.cells)]
    rows = _aligned(cells)
    stretch = after.cell.rounds[rows[0]] // NEIGHBOURS
    signs = [1, -1][: len(after.cells)] + [-1, 1][: len(before.cells)]
    folded = [_folded(c[r], stretch) for c, r in zip(cells, rows, strict=True)]
    found = stats.signed_logs([list(zip(folded, signs, strict=True))], named.quantile, how)
    return replace(found, method="bootstrap over tens of utterances")


def _over_rounds(after: Side, before: Side, named: NamedMetric, how: Resampling) -> Interval:
    shared = np.intersect1d(after.cell.items, before.cell.items)
    groups = []
    for side, sign in ((after, 1), (before, -1)):
        cells = [c[(c.rounds >= 0) & np.isin(c.items, shared)] for c in side.cells]
        cells = [c[rows] for c, rows in zip(cells, _aligned(cells), strict=True)]
        folded = [_folded(c, c.rounds) for c in cells]
        groups.append(list(zip(folded, (sign, -sign), strict=False)))
    return stats.signed_logs(groups, named.quantile, how)


def _aligned(cells: list[CellScores]) -> list[NDArray[np.intp]]:
    """Row numbers of as many calls from each cell at each round and item, in the same order."""
    names, item = np.unique(np.concatenate([c.items for c in cells]), return_inverse=True)
    ends = np.cumsum([c.items.size for c in cells])[:-1]
    places = [c.rounds * names.size + i for c, i in zip(cells, np.split(item, ends), strict=True)]
    most = max((c.items.size for c in cells), default=0) + 1
    keys = [place * most + _turn(place) for place in places]
    shared = functools.reduce(np.intersect1d, keys)
    return [np.flatnonzero(np.isin(k, shared))[np.argsort(k[np.isin(k, shared)])] for k in keys]


def _turn(place: NDArray[np.int64]) -> NDArray[np.int64]:
    """0 for the first row of each place, 1 for the second, ... in the order they are in."""
    order = np.argsort(place, kind="stable")
    ordered = place[order]
    starts = np.searchsorted(ordered, ordered, side="left")
    turn = np.empty(place.size, dtype=np.int64)
    turn[order] = np.arange(place.size) - starts
    return turn


def _folded(cell: CellScores, units: NDArray[np.int64]) -> Folded:
    return Folded(cell.values, cell.weights, units)


def _same_by_item(one: CellScores, other: CellScores) -> bool:
    """Whether each clip that both have gave one and the same value, however often, in both."""
    shared = np.intersect1d(one.items, other.items)
    kept = [cell[np.isin(cell.items, shared)] for cell in (one, other)]
    item = np.searchsorted(shared, np.concatenate([cell.items for cell in kept]))
    if not shared.size:
        return False
    for column in ("values", "weights"):
        numbers = np.concatenate([getattr(cell, column) for cell in kept])
        first = np.empty(shared.size)
        first[item] = numbers
        if not np.array_equal(first[item], numbers):
            return False
    return True
