"""Estimates with bounds that hold for what latencies and utterances are: numpy and scipy only.

Knows no metric and no table. Everywhere: `level` is the confidence of *each* bound on its own, so
0.95 gives two one-sided 95 % bounds (gates) and 0.975 a two-sided 95 % interval (tables); too few
data for a bound gives -inf or inf; data that are no numbers give NaN everywhere.
"""

from harness.stats.bounds import FEWEST, Interval, exactly, needed_for_bound
from harness.stats.quantiles import (
    design_effect,
    needed_calls,
    needed_for_quantile,
    quantile,
    quantile_bounds,
)
from harness.stats.resampling import Resampling
from harness.stats.rounds import Timed, paired_medians, paired_quantiles
from harness.stats.sums import Sums, compare_ratios, ratio, ratio_of_sums

__all__ = [
    "FEWEST",
    "Interval",
    "Resampling",
    "Sums",
    "Timed",
    "compare_ratios",
    "design_effect",
    "exactly",
    "needed_calls",
    "needed_for_bound",
    "needed_for_quantile",
    "paired_medians",
    "paired_quantiles",
    "quantile",
    "quantile_bounds",
    "ratio",
    "ratio_of_sums",
]
