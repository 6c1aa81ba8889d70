"""From a pooled ratio to what a metric says: its square root, decibels, or what it lacks of 1.

Bounds go through the same function, since it never turns back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from harness.decide import stats
from harness.decide.stats import Interval

# of noise over signal: the square of half the spacing of float32 at 1, under which both are equal
FINEST = 2.0**-48


def _root(ratio: float) -> float:
    return math.sqrt(max(ratio, 0.0))


def _decibels(ratio: float) -> float:
    """Of signal over noise, from noise over signal."""
    return -10 * math.log10(max(ratio, FINEST)) if ratio < math.inf else -math.inf


def _complement(ratio: float) -> float:
    return 1 - ratio


SCALES: Mapping[str, Callable[[float], float]] = {
    "": float,
    "root": _root,
    "decibels": _decibels,
    "complement": _complement,
}


def scaled(interval: Interval, scale: str) -> Interval:
    """The interval of a pooled ratio as the metric says it."""
    if not scale or math.isnan(interval.estimate):
        return interval
    ends = sorted(_end(x, scale) for x in (interval.low, interval.high))
    estimate = SCALES[scale](interval.estimate)
    return replace(interval, estimate=estimate, low=ends[0], high=ends[1])


def compared(
    difference: Interval, ratio: Interval, scale: str, figures: tuple[float, float]
) -> tuple[Interval, Interval]:
    """(difference, ratio) of what the metric says of two variants, from those of their pooled
    ratios, which `figures` are.

    a^(1/2) - b^(1/2) is (a - b) / (a^(1/2) + b^(1/2)), whose bounds are those of a - b with the
    denominator as it was measured (the delta method); a difference of decibels is the ratio's
    decibels. Where one of the two is no function of theirs, nothing is said of it.
    """
    none = stats.broken(difference.n, difference.method)
    if scale == "root":
        return _times(difference, 1 / (sum(map(_root, figures)) or 1)), scaled(ratio, "root")
    if scale == "decibels":
        return scaled(ratio, "decibels"), none
    if scale == "complement":
        return _times(difference, -1.0), none
    return difference, ratio


def _times(interval: Interval, factor: float) -> Interval:
    ends = sorted(factor * x for x in (interval.low, interval.high))
    return replace(interval, estimate=factor * interval.estimate, low=ends[0], high=ends[1])


def _end(bound: float, scale: str) -> float:
    """An infinite bound stays one, on the side where it is then."""
    if math.isfinite(bound) or scale == "decibels":
        return SCALES[scale](bound) if bound > -math.inf else math.inf
    return -bound if scale == "complement" else bound
