"""Quantiles as order statistics, bounded by the exact binomial tail test made honest for blocks.

A bound on the q-quantile is the observed value at which a test of "a share 1 - q of the calls is
slower" just rejects (Conover, Practical Nonparametric Statistics, 3rd ed., section 3.2). The test
is exact for independent calls. Calls near each other in time are not independent: they are worth
n / deff calls, deff being the design effect of the indicator "slower than x" between blocks, and
less where deff comes from few blocks (Korn and Graubard, Survey Methodology 24, 1998; for turning
a bound on a share into one on a quantile: Woodruff, JASA 47, 1952). Neighbouring blocks are not
quite independent either, so they are merged by two, four, ... up to about sqrt(blocks) batches
(batch means: Law, Simulation Modeling and Analysis, 5th ed., section 9.5.3), and the scale at which
the calls are worth least counts: what has died out within a batch, and a drift, are then paid for.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from harness.decide.stats.bounds import Interval, Numbers, broken, codes, unbounded

METHOD = "binomial tail over blocks"
TAIL_CALLS = 20  # calls beyond a threshold under which its design effect is noise
FEWEST_BATCHES = 12


def quantile(values: ArrayLike, q: float) -> float:
    """The smallest observed value that at least a share q of the values does not exceed.

    Hyndman and Fan's type 1: always a value that was seen, never interpolated below the maximum.
    NaN where there are no values or one is NaN.
    """
    data = np.sort(np.asarray(values, dtype=np.float64))
    if data.size == 0 or np.isnan(data).any():
        return math.nan
    return float(data[_rank(data.size, q) - 1])


def quantile_bounds(
    values: ArrayLike, blocks: ArrayLike, q: float, level: float = 0.95
) -> Interval:
    """The q-quantile of `values` with a lower and an upper bound that each hold with `level`.

    values, blocks: shape (n,); blocks are the labels of what is independent. An infinite value is a
    call that gave none: beyond every limit, and a bound may land on it. A bound is infinite as well
    where there are too few calls for it, where there is one block, or where the values never vary
    (a clock that stands still must not approve).
    """
    data, labels = np.asarray(values, dtype=np.float64), np.asarray(blocks)
    n = data.size
    if n == 0 or np.isnan(data).any():
        return broken(n, METHOD)
    _, units = codes(labels)
    ordered = np.sort(data)
    estimate = float(ordered[_rank(n, q) - 1])
    seen = ordered[np.isfinite(ordered)]
    if n == 1 or seen.size == 0:
        return unbounded(estimate, n, units, METHOD)
    if seen[0] == seen[-1]:
        return unbounded(estimate, n, units, METHOD, "constant")
    found = bounds_at(data, effective_calls(data, labels, q, level), q, level)
    assert found is not None
    return Interval(estimate, *found, n, units, METHOD)


def bounds_at(data: Numbers, worth: float, q: float, level: float) -> tuple[float, float] | None:
    """The bounds of calls that are worth so many independent ones; None where there can be none."""
    n, ordered = data.size, np.sort(data)
    seen = ordered[np.isfinite(ordered)]
    if n == 1 or seen.size == 0 or seen[0] == seen[-1]:
        return None
    worth = min(worth, float(n))
    upper = _upper_rank(n, worth, q, level)
    lower = n + 1 - _upper_rank(n, worth, 1 - q, level)
    return (
        float(ordered[lower - 1]) if lower > 0 else -math.inf,
        float(ordered[upper - 1]) if upper <= n else math.inf,
    )


def effective_calls(values: ArrayLike, blocks: ArrayLike, q: float, level: float) -> float:
    """How many independent calls these are worth for a bound on the q-quantile; 0 for one block.

    values, blocks: shape (n,); labels of blocks sort in the order of time.
    """
    data = np.asarray(values, dtype=np.float64)
    deff, batches = _worst_scale(data, np.asarray(blocks), q)
    return data.size / deff * _few_blocks(data.size, batches, level)


def design_effect(values: ArrayLike, blocks: ArrayLike, q: float) -> float:
    """How many calls are worth one independent call, for "slower than the q-quantile"; at least 1.

    Variance of the pooled share between blocks over its variance if calls were independent; inf
    for one block. Where fewer than 20 calls lie beyond the quantile, the nearest threshold that
    has so many counts: block shifts move the body at least as much as the tail.
    """
    data = np.asarray(values, dtype=np.float64)
    unit, units = codes(np.asarray(blocks))
    n = data.size
    if units < 2:
        return math.inf
    inner = min(max(q, min(TAIL_CALLS / n, 0.5)), max(1 - TAIL_CALLS / n, 0.5))
    rank = _rank(n, inner)
    threshold = float(np.partition(data, rank - 1)[rank - 1])
    return max(1.0, _design_effect_at(data, unit, units, threshold))


def needed_calls(q: float, level: float = 0.95, over: int = 0) -> int:
    """The fewest independent calls that can bound the q-quantile from above if `over` of them
    exceed the bound: 299 for q = 0.99 and level = 0.95 with none over, as 0.99^299 = 0.0495.
    """
    q = max(q, 1 - q)

    def enough(n: int) -> bool:
        return _tail(n, over, q) <= 1 - level

    high = over + 2
    while not enough(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def needed_for_quantile(
    values: ArrayLike, blocks: ArrayLike, q: float, limit: float, level: float = 0.95
) -> float:
    """Calls in all (as many per block as now) that would settle "q-quantile <= limit" either way.

    The usual sample size for one share against 1 - q (Fleiss, Statistical Methods for Rates and
    Proportions, section 2.5) times what the calls are worth less than independent ones, and at
    least what no slower call at all takes. For a power of one half, not of 0.8: a gate that is open
    has its limit seen nearer than it is, by about as much. NaN where the share that is slower
    cannot be told from 1 - q, or nothing is known.
    """
    data, labels = np.asarray(values, dtype=np.float64), np.asarray(blocks)
    n = data.size
    if n == 0 or np.isnan(data).any() or not math.isfinite(limit):
        return math.nan
    _, units = codes(labels)
    deff = _worst_scale(data, labels, q)[0] if units > 1 else 1.0
    asked, seen = 1 - q, float(np.mean(data > limit))
    spread = special.ndtri(level) * math.sqrt(asked * q)
    if abs(seen - asked) * math.sqrt(n) < 1e-3 * spread:
        return math.nan
    least = needed_calls(q, level) if seen < asked else 1
    calls = deff * max((spread / (seen - asked)) ** 2, least)
    then = max(units * calls / n, units, 2)
    return float(math.ceil(calls / _few_blocks(math.ceil(calls) + 2, int(then), level)))


def _rank(n: int, q: float) -> int:
    # 1e-9: 0.07 * 100 is 7.000000000000001 in floating point, and its rank is 7
    return min(max(math.ceil(n * q - 1e-9), 1), n)


def _worst_scale(data: Numbers, blocks: NDArray[np.generic], q: float) -> tuple[float, int]:
    """The largest design effect over the scales, and how many batches it was had from.

    From single blocks to batches of which at least max(12, sqrt(blocks)) are left.
    """
    unit, units = codes(blocks)
    found, size = [(design_effect(data, unit, q), units)], 2
    while math.ceil(units / size) >= max(FEWEST_BATCHES, math.sqrt(units)):
        found.append((design_effect(data, unit // size, q), math.ceil(units / size)))
        size *= 2
    return max(found)


def _few_blocks(n: int, units: int, level: float) -> float:
    """Korn and Graubard's (t_{n-1} / t_{units-1})^2: what knowing deff from few blocks costs."""
    if units < 2 or n < 2:
        return 0.0
    wide = special.stdtrit(min(units, n) - 1, level)
    return float((special.stdtrit(n - 1, level) / wide) ** 2)


def _upper_rank(n: int, effective: float, q: float, level: float) -> int:
    """The smallest rank whose value is an upper bound of the q-quantile; n + 1 where none is."""
    low, high = 0, n + 1  # the tail shrinks with the rank
    while high - low > 1:
        middle = (low + high) // 2
        fits = _tail(effective, (n - middle) * (effective / n), q) <= 1 - level
        low, high = (low, middle) if fits else (middle, high)
    return high


def _tail(calls: float, over: float, q: float) -> float:
    """P(at most `over` of `calls` independent calls exceed the q-quantile), also for fractions."""
    return float(special.betainc(calls - over, over + 1, q)) if calls > 0 else 1.0


def _design_effect_at(data: Numbers, unit: NDArray[np.intp], units: int, x: float) -> float:
    over = np.bincount(unit, weights=data > x, minlength=units)
    calls = np.bincount(unit, minlength=units)
    share = over.sum() / data.size
    if share in (0.0, 1.0):
        return 1.0
    between = units / (units - 1) * np.sum((over - share * calls) ** 2)
    return float(between * (data.size - 1) / data.size**2 / (share * (1 - share)))
