"""Many comparisons at once: p values that reach far enough, and Holm's correction of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import special  # not scipy.stats, which takes a second to import

from harness.decide.stats.bounds import Interval


def p_of_bound(interval: Interval, level: float = 0.975) -> float:
    """Two-sided p against 0 of a difference whose bounds hold with `level` each.

    That of the t distribution whose bound is the interval's own on the side of 0: it is 0.05 where
    that bound touches 0. Counting resamples tells no p values apart below some per mille, and a
    correction for many comparisons asks for just those. NaN where there are no bounds.
    """
    estimate, units = interval.estimate, interval.units
    bound = interval.low if estimate > 0 else interval.high
    if units < 2 or not (math.isfinite(estimate) and math.isfinite(bound)):
        return math.nan
    width = abs(estimate - bound)
    if estimate == 0 or width == 0:
        return 1.0 if estimate == 0 else 0.0
    error = width / float(special.stdtrit(units - 1, level))
    return float(2 * special.stdtr(units - 1, -abs(estimate) / error))


def holm(p_values: Sequence[float]) -> list[float]:
    """Each p value made good for how many there are: 5 % hold for all of them together.

    Holm, Scandinavian Journal of Statistics 6, 1979; holds however the comparisons depend on each
    other. NaN (nothing was tested) stays NaN and does not count.
    """
    p = np.asarray(p_values, dtype=np.float64)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    scaled = p[order] * np.arange(len(order), 0, -1)
    p[order] = np.minimum(np.maximum.accumulate(scaled), 1.0) if len(order) else scaled
    return [float(x) for x in p]
