"""Ratios of sums (WER, RTF) and their paired differences, by a bootstrap over clusters.

What is resampled is the cluster (a speaker, a sentence, a round), never a part of it, and two
systems are resampled together (Bisani and Ney, ICASSP 2004; Field and Welsh, JRSS B 69, 2007). The
bounds are those of spread.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.decide.stats.bounds import Interval, Numbers, broken, codes
from harness.decide.stats.resampling import Resampling, expanded_bounds, resamples
from harness.decide.stats.spread import Spread, widening_of_difference, widening_of_rate

GROUPS = 2000  # more clusters than this are put together at random: independent they stay


@dataclass(frozen=True)
class Sums:
    """Values and weights of one system, shape (n,): its ratio is sum(values) / sum(weights)."""

    values: Numbers
    weights: Numbers

    @classmethod
    def of(cls, values: ArrayLike, weights: ArrayLike) -> Sums:
        return cls(np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64))

    @property
    def sound(self) -> bool:
        """Whether a ratio can be had from them: finite, not empty, weights that add up."""
        return bool(
            self.values.size
            and np.isfinite(self.values).all()
            and np.isfinite(self.weights).all()
            and (self.weights >= 0).all()
            and self.weights.sum() > 0
        )

    @property
    def constant(self) -> bool:
        """Whether every row has the same rate over 0, as no clock and no speech gives."""
        rate = self.values * self.weights.sum() - self.weights * self.values.sum()
        size = float(np.abs(self.values).max() * self.weights.sum())
        return bool(self.values.size > 1 and size > 0 and np.abs(rate).max() <= 1e-12 * size)

    @property
    def ratio(self) -> float:
        return float(self.values.sum() / self.weights.sum()) if self.sound else math.nan


def ratio(values: ArrayLike, weights: ArrayLike) -> float:
    """Pooled rate, as WER is defined: long utterances count for more than short ones.

    NaN where there is nothing, a number is not finite, or no weight.
    """
    return Sums.of(values, weights).ratio


def ratio_of_sums(system: Sums, clusters: ArrayLike, how: Resampling | None = None) -> Interval:
    """The pooled rate with bounds over clusters (labels, shape (n,))."""
    how = how or Resampling()
    n, rate = system.values.size, system.ratio
    if not system.sound:
        return broken(n, "bootstrap")
    table, units = _by_cluster([system.values, system.weights], np.asarray(clusters), how.seed)
    sums = _resample(table, how)
    total = float(system.weights.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = Spread(rate, sums[:, 0] / sums[:, 1], _parts(table, rate) / total)
    low, high = spread.bounds(how.level)
    if how.quantum:
        wide = widening_of_rate(rate * total, spread.half(how.level) * total)
        high = rate + wide * (high - rate)
    if (system.values >= 0).all():
        low = max(low, 0.0) if math.isfinite(low) else low
    if not (system.values > 0).any():
        high = max(high, rate + how.unseen(units) / total)
    why = "constant" if system.constant else ""
    return Interval(rate, low, high, n, units, "bootstrap", why=why)


def compare_ratios(
    ours: Sums, theirs: Sums, clusters: ArrayLike, how: Resampling | None = None
) -> tuple[Interval, Interval]:
    """(difference ours - theirs, ratio ours / theirs) of two pooled rates over the same utterances.

    Row i of both is the same utterance, in cluster i of `clusters` (labels, shape (n,)). `p` is
    two-sided, against no difference, by inverting the same bounds.
    """
    how = how or Resampling()
    n, method = ours.values.size, "paired bootstrap"
    if not (ours.sound and theirs.sound):
        return broken(n, method), broken(n, method)
    columns = [ours.values, ours.weights, theirs.values, theirs.weights]
    table, units = _by_cluster(columns, np.asarray(clusters), how.seed)
    sums = _resample(table, how)
    with np.errstate(divide="ignore", invalid="ignore"):
        mine, other = sums[:, 0] / sums[:, 1], sums[:, 2] / sums[:, 3]
    change, base = ours.ratio - theirs.ratio, theirs.ratio
    spread = Spread(change, mine - other, _moved(table, ours.ratio, base))
    down, up = _hidden(table, units, how)
    low, high = _widened(spread, ours, theirs, how)
    low, high, p = min(low, change - down), max(high, change + up), spread.p()
    why = "constant" if ours.constant and theirs.constant else ""
    difference = Interval(change, low, high, n, units, method, p, why)
    if base == 0:
        return difference, broken(n, method)
    low, high = _of_ratio(table, mine, other, how)
    low, high = min(low, max(ours.ratio - down, 0.0) / base), max(high, (ours.ratio + up) / base)
    return difference, Interval(ours.ratio / base, low, high, n, units, method, p, why)


def _parts(table: Numbers, rate: float) -> Numbers:
    """What each cluster has beyond the pooled rate, in the unit of the values."""
    parts: Numbers = table[:, 0] - rate * table[:, 1]
    return parts


def _moved(table: Numbers, mine: float, other: float) -> Numbers:
    """The linear part of each cluster in the difference of two rates."""
    totals = table.sum(axis=0)
    parts: Numbers = (
        _parts(table[:, :2], mine) / totals[1] - _parts(table[:, 2:], other) / totals[3]
    )
    return parts


def _widened(spread: Spread, ours: Sums, theirs: Sums, how: Resampling) -> tuple[float, float]:
    """Bounds of the difference, each with the variance that counts would have if it were true."""
    low, high = spread.bounds(how.level)
    if not how.quantum or not (math.isfinite(low) and math.isfinite(high)):
        return low, high
    total = float(ours.weights.sum())
    moves = ours.values - theirs.values * (total / float(theirs.weights.sum()))
    ups, downs = float(moves[moves > 0].sum()), float(-moves[moves < 0].sum())
    half = spread.half(how.level) * total
    return (
        spread.estimate - widening_of_difference(downs, ups, half) * (spread.estimate - low),
        spread.estimate + widening_of_difference(ups, downs, half) * (high - spread.estimate),
    )


def _of_ratio(
    table: Numbers, mine: Numbers, other: Numbers, how: Resampling
) -> tuple[float, float]:
    """Bounds of the ratio of two rates: those of its logarithm."""
    totals = table.sum(axis=0)
    rates = totals[0] / totals[1], totals[2] / totals[3]
    with np.errstate(divide="ignore", invalid="ignore"):
        if rates[0] <= 0 or (mine < 0).any() or (other < 0).any():
            return expanded_bounds(mine / other, len(table), how.level)
        logs = np.log(mine / other)
    parts = _parts(table[:, :2], rates[0]) / totals[0] - _parts(table[:, 2:], rates[1]) / totals[2]
    low, high = Spread(math.log(rates[0] / rates[1]), logs, parts).bounds(how.level)
    return (math.exp(low), math.exp(high)) if math.isfinite(high) else (low, high)


def _hidden(table: Numbers, units: int, how: Resampling) -> tuple[float, float]:
    """What may hide on a side (down, up) on which no cluster has moved; 0 where one has."""
    totals = table.sum(axis=0)
    moved = table[:, 0] / totals[1] - table[:, 2] / totals[3]
    hidden = how.unseen(units) / float(totals[1])
    return (0.0 if (moved < 0).any() else hidden), (0.0 if (moved > 0).any() else hidden)


def _by_cluster(
    columns: list[Numbers], clusters: NDArray[np.generic], seed: int
) -> tuple[Numbers, int]:
    """Sums of each column by cluster, shape (clusters or GROUPS, columns); how many clusters."""
    unit, units = codes(clusters)
    if units > GROUPS:
        unit = (np.random.default_rng(seed).permutation(units) % GROUPS)[unit]
    size = min(units, GROUPS)
    return np.column_stack([np.bincount(unit, weights=c, minlength=size) for c in columns]), units


def _resample(table: Numbers, how: Resampling) -> Numbers:
    """Column sums of `draws` resamples of the table's rows, shape (draws, columns)."""
    return np.concatenate([w @ table for w in resamples(len(table), how.draws, how.seed)])
