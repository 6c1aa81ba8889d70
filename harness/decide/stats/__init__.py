"""Estimates with bounds that hold for what latencies and utterances are: numpy and scipy only.

Knows no metric and no table. Everywhere: `level` is the confidence of *each* bound on its own, so
0.95 gives two one-sided 95 % bounds (gates) and 0.975 a two-sided 95 % interval (tables); too few
data for a bound gives -inf or inf; data that are no numbers give NaN everywhere.
"""

from harness.decide.stats.bounds import (
    FEWEST,
    Interval,
    allowing,
    broken,
    exactly,
    needed_for_bound,
    unbounded,
)
from harness.decide.stats.crossed import RatingPlaces, compare_crossed, crossed_mean
from harness.decide.stats.looks import Look, early, last, looks
from harness.decide.stats.mapsswe import Errors, MatchedPairs, matched_pairs, segment_errors
from harness.decide.stats.multiple import holm, p_of_bound
from harness.decide.stats.paired import Timed, paired_medians, paired_quantiles, ratio_over_pairs
from harness.decide.stats.processes import EqualCells, equal_cells
from harness.decide.stats.quantiles import (
    design_effect,
    effective_calls,
    needed_calls,
    needed_for_quantile,
    quantile,
    quantile_bounds,
)
from harness.decide.stats.resampling import Resampling
from harness.decide.stats.shares import difference_of_shares, share
from harness.decide.stats.sums import Sums, compare_ratios, ratio, ratio_of_sums
from harness.decide.stats.unpaired import Folded, Logs, signed_logs, unpaired_means
from harness.decide.stats.widest import (
    Units,
    geometric_mean,
    needed_for_widest,
    rarest_kind,
    widest_half,
    widest_quantile,
)

__all__ = [
    "FEWEST",
    "EqualCells",
    "Errors",
    "Folded",
    "Interval",
    "Logs",
    "Look",
    "MatchedPairs",
    "RatingPlaces",
    "Resampling",
    "Sums",
    "Timed",
    "Units",
    "allowing",
    "broken",
    "compare_crossed",
    "compare_ratios",
    "crossed_mean",
    "design_effect",
    "difference_of_shares",
    "early",
    "effective_calls",
    "equal_cells",
    "exactly",
    "geometric_mean",
    "holm",
    "last",
    "looks",
    "matched_pairs",
    "needed_calls",
    "needed_for_bound",
    "needed_for_quantile",
    "needed_for_widest",
    "p_of_bound",
    "paired_medians",
    "paired_quantiles",
    "quantile",
    "quantile_bounds",
    "rarest_kind",
    "ratio",
    "ratio_of_sums",
    "ratio_over_pairs",
    "segment_errors",
    "share",
    "signed_logs",
    "unbounded",
    "unpaired_means",
    "widest_half",
    "widest_quantile",
]
