"""Ratios of sums (WER, RTF) and their paired differences, by a bootstrap over clusters.

What is resampled is the cluster (a speaker, a sentence, a round), never a part of it, and two
systems are resampled together (Bisani and Ney, ICASSP 2004; Field and Welsh, JRSS B 69, 2007).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.stats.bounds import Interval, Numbers, broken, codes
from harness.stats.resampling import Resampling, expanded_bounds, resamples, two_sided_p

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
    n = system.values.size
    if not system.sound:
        return broken(n, "bootstrap")
    table, units = _by_cluster([system.values, system.weights], np.asarray(clusters), how.seed)
    sums = _resample(table, how)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = expanded_bounds(sums[:, 0] / sums[:, 1], len(table), how.level)
    if not (system.values > 0).any():
        high = max(high, system.ratio + how.unseen(units) / float(system.weights.sum()))
    why = "constant" if system.constant else ""
    return Interval(system.ratio, low, high, n, units, "bootstrap", why=why)


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
        differences, ratios = mine - other, mine / other
    change, base = ours.ratio - theirs.ratio, theirs.ratio
    down, up = _hidden(table, units, how)
    p = two_sided_p(differences, len(table), 0.0)
    low, high = expanded_bounds(differences, len(table), how.level)
    low, high = min(low, change - down), max(high, change + up)
    why = "constant" if ours.constant and theirs.constant else ""
    difference = Interval(change, low, high, n, units, method, p, why)
    if base == 0:
        return difference, broken(n, method)
    low, high = expanded_bounds(ratios, len(table), how.level)
    low, high = min(low, max(ours.ratio - down, 0.0) / base), max(high, (ours.ratio + up) / base)
    return difference, Interval(ours.ratio / base, low, high, n, units, method, p, why)


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
