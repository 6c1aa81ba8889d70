"""Latencies of two cells that were measured next to each other: compared round by round.

Drift and neighbours hit both cells of a round alike: what is left is their ratio within the round.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats as distributions

from harness.stats.bounds import Interval, Numbers, broken, codes, unbounded
from harness.stats.quantiles import quantile
from harness.stats.resampling import Resampling, expanded_bounds, resamples, two_sided_p

MEDIANS = "paired t over rounds"
QUANTILES = "paired bootstrap over rounds"
BEYOND = 5  # calls beyond a quantile under which its comparison is a comparison of luck
MOST_WEIGHTS = 100_000_000  # draws x calls: a second


@dataclass(frozen=True)
class Timed:
    """Values of one cell, shape (n,), and the number of the round each was measured in."""

    values: Numbers
    rounds: NDArray[np.int64]

    @classmethod
    def of(cls, values: ArrayLike, rounds: ArrayLike) -> Timed:
        return cls(np.asarray(values, dtype=np.float64), np.asarray(rounds, dtype=np.int64))

    def within(self, rounds: NDArray[np.int64]) -> Timed:
        keep = np.isin(self.rounds, rounds)
        return Timed(self.values[keep], self.rounds[keep])

    def medians(self) -> Numbers:
        """One median per round, rounds ascending."""
        order = np.argsort(self.rounds, kind="stable")
        starts = np.unique(self.rounds[order], return_index=True)[1]
        return np.array([np.median(part) for part in np.split(self.values[order], starts[1:])])


def paired_medians(ours: Timed, theirs: Timed, level: float = 0.975) -> tuple[Interval, Interval]:
    """(difference ours - theirs, ratio ours / theirs) of the medians, over the shared rounds.

    A t interval on the differences, and one on the logarithms of the ratios, of the medians within
    each round. A bootstrap of the 5 to 20 rounds that a run has is too narrow; medians within a
    round are near normal, and a round that went wrong widens the interval. The ratio is the
    geometric mean over rounds. Values that are not positive (a clock that goes
    backwards) give NaN.
    """
    ours, theirs, _ = _shared(ours, theirs)
    n = ours.values.size
    if not _sound(ours, theirs):
        return broken(n, MEDIANS), broken(n, MEDIANS)
    mine, other = ours.medians(), theirs.medians()
    difference = _t_interval(mine - other, n, level)
    logs = _t_interval(np.log(mine / other), n, level)
    if logs.why:
        return difference, replace(logs, estimate=math.exp(logs.estimate))
    low, high = math.exp(logs.low), math.exp(logs.high)
    return difference, replace(logs, estimate=math.exp(logs.estimate), low=low, high=high)


def paired_quantiles(
    ours: Timed, theirs: Timed, q: float, how: Resampling | None = None
) -> tuple[Interval, Interval]:
    """(difference, ratio) of the q-quantiles of all calls, by a bootstrap over the shared rounds.

    No bounds where fewer than 5 calls of a cell lie beyond the quantile.
    """
    how = how or Resampling()
    ours, theirs, shared = _shared(ours, theirs)
    n = ours.values.size
    method = QUANTILES
    if not _sound(ours, theirs):
        return broken(n, method), broken(n, method)
    one, two = quantile(ours.values, q), quantile(theirs.values, q)
    if np.ptp(ours.values) == 0 and np.ptp(theirs.values) == 0:
        still = unbounded(one - two, n, shared, method, "constant")
        return still, replace(still, estimate=one / two)
    if min(n, theirs.values.size) * min(q, 1 - q) < BEYOND:
        return unbounded(one - two, n, shared, method), unbounded(one / two, n, shared, method)
    mine, other = _resampled_quantiles(ours, theirs, q, how)
    p = two_sided_p(mine - other, shared, 0.0)
    difference = expanded_bounds(mine - other, shared, how.level)
    ratio = expanded_bounds(mine / other, shared, how.level)
    return (
        Interval(one - two, *difference, n, shared, method, p),
        Interval(one / two, *ratio, n, shared, method, p),
    )


def _shared(ours: Timed, theirs: Timed) -> tuple[Timed, Timed, int]:
    shared = np.intersect1d(ours.rounds, theirs.rounds)
    return ours.within(shared), theirs.within(shared), shared.size


def _sound(ours: Timed, theirs: Timed) -> bool:
    both = np.concatenate([ours.values, theirs.values])
    return bool(both.size and np.isfinite(both).all() and (both > 0).all())


def _t_interval(x: Numbers, n: int, level: float) -> Interval:
    rounds, mean = x.size, float(x.mean())
    method = MEDIANS
    if rounds < 2:
        return unbounded(mean, n, rounds, method)
    error = float(x.std(ddof=1)) / math.sqrt(rounds)
    # rounds that agree to the last digits do not tell how rounds vary
    if error <= 1e-12 * max(1.0, float(np.abs(x).max())):
        return unbounded(mean, n, rounds, method, "constant")
    half = float(distributions.t.ppf(level, rounds - 1)) * error
    p = float(2 * distributions.t.sf(abs(mean) / error, rounds - 1))
    return Interval(mean, mean - half, mean + half, n, rounds, method, p)


def _resampled_quantiles(
    ours: Timed, theirs: Timed, q: float, how: Resampling
) -> tuple[Numbers, Numbers]:
    calls = ours.values.size + theirs.values.size
    draws = min(how.draws, max(1000, MOST_WEIGHTS // calls))
    sides = []
    for side in (ours, theirs):
        order = np.argsort(side.values, kind="stable")
        unit, units = codes(side.rounds[order])
        sides.append((side.values[order], unit))
    found: list[list[Numbers]] = [[], []]
    for times in resamples(units, draws, how.seed, width=max(1, calls // units)):
        for (ordered, unit), into in zip(sides, found, strict=True):
            reached = np.cumsum(times[:, unit], axis=1)
            wanted = q * reached[:, -1:] - 1e-9
            into.append(ordered[np.argmax(reached >= wanted, axis=1)])
    return np.concatenate(found[0]), np.concatenate(found[1])
