"""Means of scores that raters gave to items, where others could have been asked about others.

Both raters and items are samples, so the variance of the mean is taken over raters and over items
(cluster-robust in two ways: Cameron, Gelbach and Miller, Journal of Business and Economic
Statistics 29, 2011). What the two have in common, the noise of a single score, counts once: its
variance is that of the residuals after both effects (the usual two-way analysis of variance; theirs
also takes the effects' own share away, and so errs a little more often). Never less than the larger
of the two. Bounds are Student's with as many degrees of freedom as the fewer of raters and items
less one. Simulated on scores of 1 to 5 with 3 to 30 raters and 8 to 40 items, also a fifth of them
rated, a bound that should err in 5 % did so in 2.1 to 5.8 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from harness.decide.stats.bounds import Codes, Interval, Numbers, broken, codes, unbounded

METHOD, PAIRED = "t over raters and items", "paired t over raters and items"
SWEEPS = 30  # over raters and items in turn, until the residuals have neither effect


@dataclass(frozen=True)
class RatingPlaces:
    """Which rater (0 .. raters - 1) and which item gave each score, shape (n,)."""

    rater: Codes
    raters: int
    item: Codes
    items: int

    @classmethod
    def of(cls, raters: ArrayLike, items: ArrayLike) -> RatingPlaces:
        return cls(*codes(np.asarray(raters)), *codes(np.asarray(items)))

    @property
    def fewer(self) -> int:
        return min(self.raters, self.items)


def crossed_mean(
    scores: ArrayLike, raters: ArrayLike, items: ArrayLike, level: float = 0.975
) -> Interval:
    """The mean score with bounds that each hold with `level`; `units` is the fewer of raters and
    items. scores, raters, items: shape (n,), the latter two labels of any kind.

    One rater or one item stands for no others: infinite bounds.
    """
    data = np.asarray(scores, dtype=np.float64)
    if not data.size or not np.isfinite(data).all():
        return broken(data.size, METHOD)
    places = RatingPlaces.of(raters, items)
    found = _around(float(data.mean()), data - data.mean(), places, level)
    return replace(found, p=math.nan)


def compare_crossed(
    ours: ArrayLike, theirs: ArrayLike, places: RatingPlaces, level: float = 0.975
) -> tuple[Interval, Interval]:
    """(mean of ours - mean of theirs, mean of ours / mean of theirs); score i of both is of the
    same rater and item. `p` is two-sided, against no difference.

    The ratio's bounds are those of its logarithm; there is none where a mean is not over 0.
    """
    mine, other = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    if not mine.size or not (np.isfinite(mine).all() and np.isfinite(other).all()):
        return broken(mine.size, PAIRED), broken(mine.size, PAIRED)
    moved, means = mine - other, (float(mine.mean()), float(other.mean()))
    difference = _around(float(moved.mean()), moved - moved.mean(), places, level)
    difference = replace(difference, method=PAIRED)
    if min(means) <= 0:
        return difference, broken(mine.size, PAIRED)
    logs = _around(math.log(means[0] / means[1]), mine / means[0] - other / means[1], places, level)
    low, high = (math.exp(end) if end < math.inf else end for end in (logs.low, logs.high))
    low = -math.inf if logs.low == -math.inf else low
    return difference, replace(
        difference, estimate=means[0] / means[1], low=low, high=high, why=logs.why
    )


def _around(mean: float, parts: Numbers, places: RatingPlaces, level: float) -> Interval:
    """A figure and its bounds from the linear part of each score in it, which add up to 0."""
    n, units = parts.size, places.fewer
    if units < 2:
        return unbounded(mean, n, units, METHOD)
    error = math.sqrt(_variance(parts, places))
    if error == 0:
        return Interval(mean, mean, mean, n, units, METHOD, why="constant")
    half = float(special.stdtrit(units - 1, level)) * error
    p = float(2 * special.stdtr(units - 1, -abs(mean) / error))
    return Interval(mean, mean - half, mean + half, n, units, METHOD, p)


def _variance(parts: Numbers, places: RatingPlaces) -> float:
    """Of the mean of scores with these deviations from it."""
    n = parts.size
    over_raters = _over(parts, places.rater, places.raters)
    over_items = _over(parts, places.item, places.items)
    freedom = n - places.raters - places.items + 1
    residual = _residual(parts, places)
    noise = float(residual @ residual) / freedom / n if freedom > 0 else 0.0
    return max(over_raters + over_items - noise, over_raters, over_items)


def _over(parts: Numbers, unit: Codes, units: int) -> float:
    sums = np.bincount(unit, weights=parts, minlength=units) / parts.size
    return units / (units - 1) * float(sums @ sums)


def _residual(parts: Numbers, places: RatingPlaces) -> Numbers:
    """What is left of each score without the effects of its rater and its item."""
    left = parts
    for _ in range(SWEEPS):
        left = left - _means(left, places.rater)[places.rater]
        left = left - _means(left, places.item)[places.item]
    return left


def _means(values: Numbers, unit: Codes) -> Numbers:
    means: Numbers = np.bincount(unit, weights=values) / np.bincount(unit)
    return means
