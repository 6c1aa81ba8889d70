"""Shares (of calls that loop, that hallucinate) with exact bounds, and their paired difference.

- One share: Clopper and Pearson, Biometrika 26, 1934. None of n is evidence too: its upper bound p
  solves (1 - p)^n = 1 - level, 3 % for none of 100 at 95 %.
- The difference of two shares of the same calls: the score interval of Tango (Statistics in
  Medicine 17, 1998), its counts moved by a quarter of a call towards the safe side, since as it
  stands it errs in up to 8 % where 5 % are asked for (enumerated for 20 to 100 calls and shares of
  0 to 20 %; moved, in at most 5 %). Where not one call differs it is the exact bound of none of n.

Calls of one cluster resemble each other, so n of them count as n / deff, and less where deff is
known from few clusters (Korn and Graubard, Survey Methodology 24, 1998). deff = 1 + (m - 1) rho,
with m the mean size of the cluster that a call is in and rho the intraclass correlation (analysis
of variance: Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, 3rd ed., 15.2).
What hardly ever occurs cannot show how it clusters: rho is taken as UNSEEN at least where no
cluster has a call with a 1, and as less the more there are, down to LIKENESS. (Beta-binomial calls
with rho up to 0.6, 20 to 200 clusters, shares of 1 to 30 %: wrong in at most 5 % within the error
of 400 draws; with LIKENESS alone in up to 25 %.)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from harness.decide.stats.bounds import FEWEST, Interval, Numbers, broken, codes, unbounded

LIKENESS = 0.1  # rho, however many clusters have shown less
UNSEEN = 0.6  # rho where none has shown any,
SHOWN = 6  # and half of that after so many
MOVED = 0.25  # calls, by which Tango's counts are moved
STEPS = 60  # of a bisection: to the last digit of a float
EXACT, PAIRED = "Clopper-Pearson", "Tango score interval"


def share(values: ArrayLike, clusters: ArrayLike, level: float = 0.975) -> Interval:
    """The share of calls with the value 1 (others 0), with bounds that each hold with `level`.

    values, clusters: shape (n,); clusters are the labels of what is independent. Bounds are
    infinite where the calls are of fewer than five clusters of more than one call.
    """
    data = np.asarray(values, dtype=np.float64)
    if not data.size or not np.isin(data, (0.0, 1.0)).all():
        return broken(data.size, EXACT)
    estimate, n = float(data.mean()), data.size
    worth, units = _worth(data, np.asarray(clusters), level)
    if worth == 0:
        return unbounded(estimate, n, units, EXACT)

    within, hit = _within(data, np.asarray(clusters))

    def bounds(times: float) -> tuple[float, float]:
        calls, many = n * worth * times, units * times
        high = exact_high(estimate * calls, calls, level)
        high = max(high, exact_high(hit * times, many, level) * within)
        return exact_low(estimate * calls, calls, level), high

    return Interval(estimate, *bounds(1.0), n, units, EXACT, grown=bounds)


def difference_of_shares(
    ours: ArrayLike, theirs: ArrayLike, clusters: ArrayLike, level: float = 0.975
) -> Interval:
    """Share of ours minus share of theirs over the same calls; call i of both in cluster i.

    `p` is two-sided, against no difference: the exact test of McNemar (Psychometrika 12, 1947).
    """
    pair = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    n = pair[0].size
    if not n or not all(np.isin(side, (0.0, 1.0)).all() for side in pair):
        return broken(n, PAIRED)
    moves: Numbers = pair[0] - pair[1]
    estimate = float(moves.mean())
    worth, units = _worth(moves, np.asarray(clusters), level)
    if worth == 0:
        return unbounded(estimate, n, units, PAIRED)
    up, down = (float(np.mean(moves == sign)) for sign in (1, -1))

    def bounds(times: float) -> tuple[float, float]:
        calls = n * worth * times
        return -_tango(_Moved(down, up, calls), level), _tango(_Moved(up, down, calls), level)

    p = _mcnemar(up * n * worth, down * n * worth)
    return Interval(estimate, *bounds(1.0), n, units, PAIRED, p, grown=bounds)


def exact_high(hits: float, calls: float, level: float) -> float:
    """Upper bound of a share after `hits` of `calls`, which need not be whole."""
    return 1.0 if hits >= calls else float(special.betaincinv(hits + 1, calls - hits, level))


def exact_low(hits: float, calls: float, level: float) -> float:
    """Lower bound of a share after `hits` of `calls`."""
    return 1.0 - exact_high(calls - hits, calls, level)


@dataclass(frozen=True)
class _Moved:
    """Shares of the calls that became 1, and that became 0, among so many."""

    up: float
    down: float
    calls: float

    def score(self, difference: float) -> float:
        """Tango's statistic at a difference: the observed one minus it, in standard errors of it.

        The share of calls that became 0 is the likeliest one under that difference.
        """
        half = self.up + self.down - difference * (2 - self.up + self.down)
        root = half * half + 8 * self.down * difference * (1 - difference)
        became_0 = (half + math.sqrt(max(root, 0.0))) / 4
        variance = (2 * became_0 + difference * (1 - difference)) / self.calls
        away = self.up - self.down - difference
        return away / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, away)


def _tango(seen: _Moved, level: float) -> float:
    """Upper bound of the difference."""
    if seen.up == seen.down == 0:
        return exact_high(0.0, seen.calls, level)
    quarter = MOVED / seen.calls
    moved = _Moved(min(seen.up + quarter, 1.0), max(seen.down - quarter, 0.0), seen.calls)
    z = float(special.ndtri(level))
    return _last(lambda d: moved.score(d) >= -z, moved.up - moved.down, 1.0)


def _last(holds: Callable[[float], bool], low: float, high: float) -> float:
    """The largest number between `low`, where it holds, and `high` for which it still holds."""
    if high <= low or holds(math.nextafter(high, low)):
        return high
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return high


def _mcnemar(up: float, down: float) -> float:
    """Two-sided: twice the smaller tail of the binomial distribution with one half."""
    if up == down:
        return 1.0
    more, less = max(up, down), min(up, down)
    return min(1.0, 2 * float(special.betainc(more, less + 1, 0.5)))


def _within(values: Numbers, labels: NDArray[np.generic]) -> tuple[float, int]:
    """(share among the clusters that have a hit, how many those are): where a cluster has hits or
    has none, what is counted is clusters, and Clopper and Pearson's bound is one on them."""
    unit, units = codes(labels)
    hits, sizes = np.bincount(unit, weights=values), np.bincount(unit)
    some = hits > 0
    if not some.any() or units == values.size:
        return 0.0, 0
    mean, count = float((hits[some] / sizes[some]).mean()), int(some.sum())
    # what few clusters with hits say of the next one, the more alike its calls the less
    alike = max(_likeness(values, unit, sizes.astype(np.float64)), _least_likeness(count))
    return mean + alike * (1 - mean) / (count + 1), count


def _worth(values: Numbers, labels: NDArray[np.generic], level: float) -> tuple[float, int]:
    """(what a call is worth in independent ones, clusters); 0 where that cannot be told."""
    unit, units = codes(labels)
    n = values.size
    sizes = np.bincount(unit, minlength=units).astype(np.float64)
    if units == n:
        return 1.0, units
    if units < FEWEST:
        return 0.0, units
    size = float((sizes**2).sum()) / n
    shown = int(np.count_nonzero(np.bincount(unit, weights=values != 0)))
    effect = 1 + (size - 1) * max(_likeness(values, unit, sizes), _least_likeness(shown))
    few = special.stdtrit(n - 1, level) / special.stdtrit(units - 1, level)
    return float(few**2) / effect, units


def _least_likeness(shown: int) -> float:
    """Of calls in one cluster, after so many clusters that have one to count."""
    return max(LIKENESS, UNSEEN / (1 + shown / SHOWN))


def _likeness(values: Numbers, unit: NDArray[np.intp], sizes: Numbers) -> float:
    """The intraclass correlation, estimated by analysis of variance; 0 where nothing varies."""
    n, units = values.size, sizes.size
    means = np.bincount(unit, weights=values, minlength=units) / sizes
    between = float((sizes * (means - values.mean()) ** 2).sum()) / (units - 1)
    within = float(((values - means[unit]) ** 2).sum()) / (n - units)
    size = (n - float((sizes**2).sum()) / n) / (units - 1)
    total = between + (size - 1) * within
    return max((between - within) / total, 0.0) if total > 0 else 0.0
