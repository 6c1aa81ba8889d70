"""Bounds: exact where books give values, honest for blocks and clusters, none when broken."""

from __future__ import annotations

import math

import numpy as np
import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats as reference

from harness.decide import stats
from harness.decide.stats import Resampling, Sums, Timed
from harness.decide.stats.spread import Spread, widening_of_difference, widening_of_rate

QUICK = Resampling(draws=2000)
LATENCIES = arrays.arrays(
    np.float64, st.integers(20, 80), elements=st.floats(1, 1000, allow_nan=False), unique=True
)


# ------------------------------------------------------------------------------------- quantiles
@pytest.mark.parametrize(
    ("values", "q", "expected"),
    [
        ([3, 1, 2], 0.5, 2),
        ([1, 2, 3, 4], 0.5, 2),  # type 1: the value at rank ceil(n q), no average of the middle
        (range(1, 101), 0.99, 99),
        (range(1, 21), 0.99, 20),  # numpy's default would interpolate to 19.81
        (range(1, 101), 0.07, 7),  # 0.07 * 100 is 7.000000000000001 in floating point
        ([], 0.5, math.nan),
        ([1, math.nan], 0.5, math.nan),
    ],
)
def test_a_quantile_is_a_value_that_was_seen(values, q, expected):
    assert stats.quantile(list(values), q) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("q", "level", "over", "calls"),
    [
        (0.99, 0.95, 0, 299),  # 0.99^298 = 0.0500, 0.99^299 = 0.0495
        (0.99, 0.99, 0, 459),  # 0.99^459 = 0.0099
        (0.99, 0.95, 1, 473),  # the second row of Wilks's tolerance table (95/99)
        (0.95, 0.95, 0, 59),  # Wilks 1941: 59 samples for 95/95
        (0.95, 0.95, 1, 93),
        (0.95, 0.95, 2, 124),
        (0.90, 0.95, 0, 29),
        (0.50, 0.95, 0, 5),  # 0.5^5 = 0.031
    ],
)
def test_the_fewest_calls_are_those_of_the_tolerance_tables(q, level, over, calls):
    assert stats.needed_calls(q, level, over) == calls


def spread_evenly(values):
    """Sorted values in an order in which neighbours are unlike and every stretch is like the rest:
    the van der Corput sequence."""
    n = len(values)
    bits = max(1, (n - 1).bit_length())
    order = sorted(range(n), key=lambda i: int(f"{i:0{bits}b}"[::-1], 2))
    out = np.empty(n)
    out[order] = np.sort(values)
    return out


@pytest.mark.parametrize(
    ("n", "lower", "upper"),
    [
        # distribution-free limits of the median that each hold with 97.5 % (Conover, section 3.2;
        # Hollander and Wolfe, table of the sign test): the sums of b(k; n, 1/2)
        (6, 1, 6),  # 2 * 0.5^6 = 0.031
        (10, 2, 9),
        (20, 6, 15),
        (25, 8, 18),
    ],
)
def test_bounds_of_independent_calls_are_the_tabled_order_statistics(n, lower, upper):
    values = spread_evenly(np.arange(1.0, n + 1))  # slow and fast calls take turns: nothing drifts
    found = stats.quantile_bounds(values, np.arange(n), 0.5, 0.975)
    assert (found.low, found.high) == (lower, upper)


def test_one_call_is_too_few_and_not_a_clock_that_stands_still():
    assert stats.quantile_bounds([3.0], [0], 0.5).why == "few"
    assert stats.quantile_bounds([3.0, 3.0], [0, 1], 0.5).why == "constant"


def test_a_p99_of_298_calls_has_no_upper_bound_and_of_299_it_is_the_largest():
    values = spread_evenly(np.random.default_rng(0).lognormal(size=299))
    values = np.roll(values, -int(values.argmax()))  # the largest is among the first 298
    assert stats.quantile_bounds(values[:298], np.arange(298), 0.99).high == math.inf
    assert stats.quantile_bounds(values, np.arange(299), 0.99).high == values.max()


def test_a_drift_that_blocks_of_one_call_cannot_see_widens_the_bound():
    rng = np.random.default_rng(3)
    steady = rng.normal(300, 15, 400)
    drifting = steady + np.linspace(-30, 30, 400)  # each block alone looks independent
    shuffled = rng.permutation(drifting)
    seen, hidden = (stats.quantile_bounds(v, np.arange(400), 0.5) for v in (drifting, shuffled))
    assert seen.high - seen.low > 1.5 * (hidden.high - hidden.low)


def test_neighbouring_blocks_that_resemble_each_other_are_worth_less():
    # AR(1) at 0.76: the effect on a mean is (1 + r) / (1 - r) = 7.3, on "slower than the median" by
    # the arcsine law 1 + 2 sum (2 / pi) asin(r^k) = 5.4; such batches see most of it
    rng = np.random.default_rng(4)
    noise, series = rng.normal(size=4000), np.zeros(4000)
    for t in range(1, 4000):
        series[t] = 0.76 * series[t - 1] + noise[t]
    worth = 4000 / stats.effective_calls(series, np.arange(4000), 0.5, 0.95)
    assert 4 < worth < 8


def test_calls_of_one_block_count_as_one():
    rng = np.random.default_rng(1)
    blocks = np.repeat(np.arange(10), 30)
    same = np.repeat(rng.normal(300, 15, 10), 30) + rng.normal(0, 1e-3, 300)
    assert stats.design_effect(same, blocks, 0.5) > 20
    alone = stats.quantile_bounds(rng.normal(300, 15, 300), blocks, 0.5)
    shifted = stats.quantile_bounds(same, blocks, 0.5)
    assert shifted.high - shifted.low > 3 * (alone.high - alone.low)
    assert stats.quantile_bounds(same, np.zeros(300), 0.5).why == "few"


def _autocorrelated(rng, blocks, calls):
    """AR(1) 0.76 within blocks that shift by 4.5 %: what latencies were measured to be."""
    noise = rng.standard_normal((blocks, calls))
    series = noise.copy()
    for i in range(1, calls):
        series[:, i] = 0.76 * series[:, i - 1] + math.sqrt(1 - 0.76**2) * noise[:, i]
    return np.exp(0.06 * series + 0.045 * rng.standard_normal((blocks, 1)))


@pytest.mark.simulation
@pytest.mark.parametrize(("q", "blocks", "calls"), [(0.5, 10, 10), (0.5, 6, 30), (0.9, 20, 20)])
def test_bounds_hold_for_autocorrelated_blocks(q, blocks, calls):
    true = math.exp(math.hypot(0.06, 0.045) * reference.norm.ppf(q))
    unit = np.repeat(np.arange(blocks), calls)
    found = [
        stats.quantile_bounds(
            _autocorrelated(np.random.default_rng(i), blocks, calls).ravel(), unit, q
        )
        for i in range(300)
    ]
    # 5 % each, Monte-Carlo error 1.3 %
    assert np.mean([f.high < true for f in found]) < 0.08
    assert np.mean([f.low > true for f in found]) < 0.08


@given(LATENCIES, st.sampled_from([0.1, 0.5, 0.9, 0.99]), st.integers(1, 6))
@settings(max_examples=examples(60), deadline=None)
def test_quantile_bounds_hold_the_estimate_widen_with_the_level_and_ignore_order(values, q, calls):
    blocks = np.arange(values.size) // calls
    narrow, wide = (stats.quantile_bounds(values, blocks, q, level) for level in (0.9, 0.99))
    assert wide.low <= narrow.low <= narrow.estimate <= narrow.high <= wide.high
    mixed = np.random.default_rng(0).permutation(values.size)
    again = stats.quantile_bounds(values[mixed], blocks[mixed], q, 0.9)
    assert repr(again) == repr(narrow)  # p is NaN, which does not equal itself


@given(LATENCIES, st.floats(0.1, 10))
@settings(max_examples=examples(30), deadline=None)
def test_quantile_bounds_scale_with_the_unit(values, factor):
    blocks = np.arange(values.size) // 4
    one, other = (stats.quantile_bounds(v, blocks, 0.5) for v in (values, values * factor))
    assert [other.low, other.high] == pytest.approx([one.low * factor, one.high * factor])


def test_what_would_settle_a_p99_is_of_the_right_size():
    values = np.random.default_rng(3).lognormal(sigma=0.07, size=200)
    needs = stats.needed_for_quantile(values, np.arange(200), 0.99, 2.0)  # none over, deff 1
    assert 299 <= needs <= 3 * 299
    assert math.isnan(stats.needed_for_quantile([], [], 0.99, 2.0))


def test_with_no_slow_call_among_six_a_p99_takes_at_least_what_the_binomial_asks():
    assert stats.needed_for_quantile(np.arange(1.0, 7), np.arange(6), 0.99, 10.0) >= 299


def test_calls_that_never_ended_are_the_tail_and_a_bound_may_land_on_them():
    values = np.random.default_rng(0).lognormal(size=600)
    blocks = np.arange(600)
    good = stats.quantile_bounds(values, blocks, 0.99)
    assert good.high < math.inf
    hung = np.append(values[5:], np.full(5, math.inf))  # 5 of 600: under 1 %
    found = stats.quantile_bounds(hung, blocks, 0.99)
    assert found.estimate < found.high == math.inf
    assert stats.quantile_bounds(hung, blocks, 0.5).high < math.inf
    low = stats.quantile_bounds(np.append(values, -math.inf), np.arange(601), 0.5)
    assert math.isfinite(low.low)
    assert stats.needed_for_quantile(hung, blocks, 0.99, 1e9) > 600  # 5 exceed every limit


# --------------------------------------------------------------------------------- ratios of sums
def test_a_rate_is_pooled_and_an_empty_reference_counts_its_insertions():
    # 4 edits over 0 words beside 1 edit over 9: 5 / 9, not the mean of utterance rates
    assert stats.ratio([4, 1], [0, 9]) == pytest.approx(5 / 9)
    assert math.isnan(stats.ratio([1], [0]))
    assert math.isnan(stats.ratio([], []))


def _utterances(rng, speakers, each):
    words = rng.integers(4, 10, size=(speakers, each))
    rate = np.clip(0.12 + 0.04 * rng.standard_normal((speakers, 1)), 0.01, 1)
    change = np.clip(0.03 + 0.01 * rng.standard_normal((speakers, 1)), 0, 1)
    base = rng.binomial(words, np.broadcast_to(rate, words.shape))
    return base, base + rng.binomial(words, np.broadcast_to(change, words.shape)), words


@pytest.mark.simulation
@pytest.mark.parametrize(("speakers", "each"), [(20, 5), (100, 1)])
def test_intervals_of_wer_differences_cover_what_they_should(speakers, each):
    clusters = np.repeat(np.arange(speakers), each)
    big = _utterances(np.random.default_rng(99), 200_000, 1)
    true = (big[1].sum() - big[0].sum()) / big[2].sum()
    how = Resampling(draws=600)
    covered = []
    for i in range(400):
        base, ours, words = (
            x.ravel().astype(float) for x in _utterances(np.random.default_rng(i), speakers, each)
        )
        found = stats.compare_ratios(Sums(ours, words), Sums(base, words), clusters, how)[0]
        covered.append(found.low <= true <= found.high)
    assert 0.92 <= np.mean(covered) <= 0.985  # 93 to 97 %, Monte-Carlo error 1.1 %


def test_the_standard_error_is_that_of_the_linearised_ratio():
    # Cochran, Sampling Techniques, 3rd ed., section 2.11: se of a ratio of two sums
    rng = np.random.default_rng(0)
    words = rng.integers(4, 10, 400).astype(float)
    edits = rng.binomial(words.astype(int), 0.15).astype(float)
    found = stats.ratio_of_sums(Sums(edits, words), np.arange(400))
    left = edits - found.estimate * words
    error = math.sqrt(400 / 399 * np.sum(left**2)) / words.sum()
    assert (found.high - found.low) / 2 == pytest.approx(1.966 * error, rel=0.04)


def test_a_side_on_which_nothing_moved_is_not_taken_for_impossible():
    words = np.full(100, 5.0)
    none = Sums(np.zeros(100), words)
    alone = stats.ratio_of_sums(none, np.arange(100), Resampling(level=0.95))
    # 1 - 0.05^(1/100) = 0.02951 of the utterances, one edit each, five words each
    assert (alone.low, alone.high) == (0, pytest.approx(0.02951 / 5, rel=1e-3))
    same = stats.compare_ratios(Sums(words / 5, words), Sums(words / 5, words), np.arange(100))[0]
    assert same.low < 0 < same.high
    few = stats.ratio_of_sums(Sums(np.zeros(2), words[:2]), np.arange(2), Resampling(level=0.95))
    assert few.high == math.inf


@pytest.mark.parametrize(("errors", "z"), [(4, 1.645), (40, 1.645), (400, 1.96)])
def test_counts_are_steadier_at_few_errors_than_where_the_truth_may_be(errors, z):
    # the score interval of a Poisson count: x + z^2 / 2 + z sqrt(x + z^2 / 4)
    half = z * math.sqrt(errors)
    high = errors + half * widening_of_rate(errors, half)
    assert high == pytest.approx(errors + z * z / 2 + z * math.sqrt(errors + z * z / 4))
    assert widening_of_difference(errors, 0, half) == pytest.approx(widening_of_rate(errors, half))


def test_a_paired_difference_widens_where_it_takes_more_moves_than_were_seen():
    # Tango (1998): at a difference of d, the expected moves m solve
    # ups / (d + x) + downs / x = 2 with m = d + 2 x; d is where (d - d0)^2 = half^2 m / moves
    ups, downs, half = 40.0, 20.0, 13.0
    d = ups - downs + half * widening_of_difference(ups, downs, half)
    moves = (ups + downs) * ((d - ups + downs) / half) ** 2
    x = (moves - d) / 2
    assert ups / (d + x) + downs / x == pytest.approx(2)
    assert widening_of_difference(downs, ups, half) == 1.0  # fewer: never narrower
    assert widening_of_difference(0, 0, half) == widening_of_rate(0, half) == 1.0


@pytest.mark.parametrize("seed", range(8))
def test_p_is_under_5_percent_where_the_interval_excludes_no_difference(seed):
    rng = np.random.default_rng(seed)
    words = rng.integers(4, 12, 60).astype(float)
    base = rng.binomial(words.astype(int), 0.1).astype(float)
    ours = base + rng.binomial(words.astype(int), 0.01 + 0.004 * seed) * rng.integers(0, 3, 60)
    ours -= rng.binomial(base.astype(int), 0.3)
    found = stats.compare_ratios(Sums(ours, words), Sums(base, words), np.arange(60))[0]
    assert (found.p < 0.05) == (found.low > 0 or found.high < 0)


def test_heavy_tails_cost_degrees_of_freedom():
    even = Spread(0.0, np.zeros(1), np.array([-1.0, 1.0] * 10))
    assert even.freedom == 19  # lighter tails than the normal's earn none
    one = np.array([19.0] + [-1.0] * 19)
    # excess kurtosis by hand: (19^4 + 19) / 20 / ((19^2 + 19) / 20)^2 - 3 = 15.05
    assert Spread(0.0, np.zeros(1), one).freedom == pytest.approx(2 / (2 / 19 + 15.052632 / 20))


@pytest.mark.parametrize("clusters", [1, 2, 3, 4])
def test_under_five_clusters_there_are_no_bounds(clusters):
    rng = np.random.default_rng(0)
    system = Sums(rng.integers(0, 3, 50).astype(float), np.full(50, 6.0))
    found = stats.ratio_of_sums(system, np.arange(50) % clusters)
    assert (found.low, found.high, found.why) == (-math.inf, math.inf, "few")


COUNTS = arrays.arrays(np.int64, 24, elements=st.integers(0, 6))


@given(COUNTS, COUNTS, st.integers(5, 24))
@settings(max_examples=examples(40), deadline=None)
def test_bootstrap_intervals_hold_the_estimate_widen_and_ignore_order(ours, base, clusters):
    words, labels = np.full(24, 7.0), np.arange(24) % clusters
    pair = Sums.of(ours, words), Sums.of(base, words)
    narrow, wide = (
        stats.compare_ratios(*pair, labels, Resampling(level, 500))[0] for level in (0.9, 0.975)
    )
    assert wide.low <= narrow.low <= narrow.estimate <= narrow.high <= wide.high
    mixed = np.random.default_rng(1).permutation(24)
    moved = Sums(pair[0].values[mixed], words), Sums(pair[1].values[mixed], words)
    again = stats.compare_ratios(*moved, labels[mixed], Resampling(0.9, 500))[0]
    assert [again.low, again.high, again.p] == pytest.approx(
        [narrow.low, narrow.high, narrow.p], nan_ok=True
    )


def test_the_same_seed_gives_the_same_bounds_and_many_clusters_are_grouped():
    rng = np.random.default_rng(0)
    words = rng.integers(4, 10, 9000).astype(float)
    system = Sums(rng.binomial(words.astype(int), 0.1).astype(float), words)
    one, two = (stats.ratio_of_sums(system, np.arange(9000), QUICK) for _ in range(2))
    assert repr(one) == repr(two)
    assert one.units == 9000
    left = system.values - one.estimate * words
    assert (one.high - one.low) / 2 == pytest.approx(
        1.96 * math.sqrt(np.sum(left**2)) / words.sum(), rel=0.12
    )


# ------------------------------------------------------------------------------------------ rounds
def _pair(rng, rounds, calls, factor):
    drift = np.repeat(np.cumprod(1 + 0.03 * rng.standard_normal(rounds)), calls)
    number = np.repeat(np.arange(rounds), calls)
    ours, theirs = (
        Timed.of(300 * f * drift * rng.lognormal(0, 0.03, rounds * calls), number)
        for f in (factor, 1.0)
    )
    return ours, theirs


def test_a_ratio_within_rounds_sees_through_drift():
    difference, ratio = stats.paired_medians(*_pair(np.random.default_rng(0), 12, 3, 0.9))
    assert ratio.high < 0.95
    assert ratio.low < 0.9 < ratio.high
    assert difference.high < 0
    assert ratio.p < 0.001


def test_the_interval_of_the_ratio_is_the_paired_t_interval_of_the_logarithms():
    ours, theirs = _pair(np.random.default_rng(4), 8, 1, 0.97)
    test = reference.ttest_rel(np.log(ours.values), np.log(theirs.values))
    bounds = test.confidence_interval(0.95)
    _, ratio = stats.paired_medians(ours, theirs)
    assert [ratio.low, ratio.high] == pytest.approx([math.exp(bounds.low), math.exp(bounds.high)])
    assert ratio.p == pytest.approx(test.pvalue)


@pytest.mark.simulation
def test_equal_cells_are_rarely_told_apart():
    found = [
        stats.paired_medians(*_pair(np.random.default_rng(i), 6, 3, 1.0))[1] for i in range(300)
    ]
    assert np.mean([f.low > 1 or f.high < 1 for f in found]) < 0.09  # 5 %, error 1.3 %


def test_only_shared_rounds_count():
    ours = Timed.of([1.0, 2.0, 9.0], [0, 1, 7])
    theirs = Timed.of([2.0, 4.1, 1.0], [0, 1, 3])
    _, ratio = stats.paired_medians(ours, theirs)
    assert ratio.units == 2
    assert ratio.estimate == pytest.approx(math.sqrt(0.5 * 2 / 4.1))


CLIPS = np.array([0.5, 0.5, 0.52, 0.8])  # seconds that two equal systems take for each


def _walk(rounds, calls, level=1.0):
    """Blocks that begin at the round's clip and go on from there, 0.1 % of noise."""
    rng = np.random.default_rng(calls)
    turn = np.repeat(np.arange(rounds), calls)
    clip = (turn + np.tile(np.arange(calls), rounds)) % 4
    return Timed.of(level * CLIPS[clip] * rng.lognormal(0, 1e-3, turn.size), turn, clip)


@pytest.mark.parametrize(("ours", "theirs"), [(4, 1), (1, 4), (7, 2), (16, 3)])
def test_cells_with_unequal_blocks_are_compared_on_the_clips_that_they_share(ours, theirs):
    pair = _walk(20, ours), _walk(20, theirs)
    difference, ratio = stats.paired_medians(*pair)
    assert ratio.estimate == pytest.approx(1, abs=1e-3)
    assert difference.estimate == pytest.approx(0, abs=1e-3)
    assert ratio.units == 20
    tail = stats.paired_quantiles(*pair, 0.9, QUICK)[1]
    assert tail.estimate == pytest.approx(1, abs=5e-3)
    assert tail.n == 20 * min(ours, theirs)  # both walk the same way from the same clip


def test_rounds_without_a_common_item_and_rounds_under_0_pair_with_nothing():
    ours = Timed.of([1.0, 2.0, 3.0, 9.0], [0, 1, 2, -1], ["a", "b", "c", "a"])
    theirs = Timed.of([2.0, 4.2, 8.0, 1.0], [0, 1, 2, -1], ["a", "b", "x", "a"])
    _, ratio = stats.paired_medians(ours, theirs)
    assert (ratio.n, ratio.units) == (2, 2)
    assert ratio.estimate == pytest.approx(math.sqrt(0.5 * 2 / 4.2))
    none = stats.paired_medians(ours[ours.rounds < 0], theirs)[1]
    assert (none.n, none.why) == (0, "broken")
    assert stats.paired_quantiles(ours[ours.rounds < 0], theirs, 0.9)[1].why == "broken"


def test_a_paired_tail_holds_the_calls_that_never_ended():
    ours, theirs = _pair(np.random.default_rng(0), 12, 20, 0.8)
    ours.values[::40] = math.inf  # 6 of 240
    _, ratio = stats.paired_quantiles(ours, theirs, 0.975, QUICK)
    assert ratio.high == math.inf
    assert stats.paired_quantiles(theirs, ours, 0.975, QUICK)[1].why == "broken"


def test_other_quantiles_are_compared_by_rounds_and_only_with_calls_beyond_them():
    rng = np.random.default_rng(0)
    pair = _pair(rng, 12, 20, 0.8)
    _, ratio = stats.paired_quantiles(*pair, 0.9, QUICK)
    assert ratio.low < 0.8 < ratio.high < 0.95
    assert stats.paired_quantiles(*pair, 0.99, QUICK)[1].why == "few"


# ---------------------------------------------------------------------------------- broken numbers
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_gives_no_bound(bad):
    values, rounds = np.append(np.arange(1.0, 400), bad), np.arange(400)
    ones = Sums(np.ones(400), np.ones(400))
    broken = Sums(values, np.ones(400))
    good = Timed.of(np.arange(1.0, 401), rounds)
    results = [
        stats.quantile_bounds(np.where(np.isinf(values), np.nan, values), rounds, 0.5),
        stats.ratio_of_sums(broken, rounds, QUICK),
        stats.ratio_of_sums(Sums(np.ones(400), values), rounds, QUICK),
        *stats.compare_ratios(broken, ones, rounds, QUICK),
        *stats.compare_ratios(ones, broken, rounds, QUICK),
        *stats.paired_medians(Timed.of(values, rounds), good),
        *stats.paired_quantiles(good, Timed.of(values, rounds), 0.9, QUICK),
        stats.exactly(bad, 1, "exact"),
    ]
    for found in results:
        assert math.isnan(found.low)
        assert math.isnan(found.high)
        assert found.why == "broken"


def test_nothing_gives_no_bound():
    none = Timed.of([], [])
    for found in (
        stats.quantile_bounds([], [], 0.5),
        stats.ratio_of_sums(Sums.of([], []), []),
        *stats.paired_medians(none, none),
    ):
        assert (found.why, found.n) == ("broken", 0)


def test_one_call_and_values_that_never_vary_give_no_bound():
    one = stats.quantile_bounds([3.0], [0], 0.5)
    assert (one.high, one.why) == (math.inf, "few")  # a value alone does not stand still
    alone = Timed.of([3.0], [0])
    assert stats.paired_quantiles(alone, alone, 0.9)[1].why == "few"
    still = stats.quantile_bounds(np.full(400, 3.0), np.arange(400), 0.5)
    assert (still.high, still.why) == (math.inf, "constant")
    assert stats.ratio_of_sums(Sums(np.ones(50), np.full(50, 2.0)), np.arange(50)).why == "constant"
    same = Timed.of(np.full(50, 3.0), np.arange(50))
    assert stats.paired_medians(same, same)[1].why == "constant"
    assert stats.paired_quantiles(same, same, 0.9)[1].why == "constant"


def test_a_clock_that_goes_backwards_gives_no_ratio():
    rounds = np.arange(6)
    back = Timed.of([1, 2, -1, 2, 1, 2], rounds)
    assert stats.paired_medians(back, Timed.of(np.ones(6), rounds))[1].why == "broken"


def test_more_samples_are_asked_for_by_the_square_of_the_distance():
    interval = stats.Interval(1.0, 0.8, 1.2, 100, 100, "")
    assert stats.needed_for_bound(interval, 1.1) == 400  # 100 (0.2 / 0.1)^2
    assert stats.needed_for_bound(interval, 1.01) == 40_000  # a tenth of the distance: 100 times
    few = stats.Interval(1.0, -math.inf, math.inf, 30, 3, "")
    assert stats.needed_for_bound(few, 2.0) == 50


@pytest.mark.parametrize(
    ("first", "planned", "likely"),
    [(6, 500, 0), (10, 1000, 206), (10, 12, 0), (6, 6, 0), (9, 7, 3)],
)
def test_all_looks_together_err_in_at_most_five_percent(first, planned, likely):
    taken = stats.looks(first, planned, likely)
    assert all(first <= look < planned for look in taken)
    assert list(taken) == sorted(set(taken))
    errs = sum(1 - stats.early().level for _ in taken)
    errs += 1 - stats.last(len(taken)).level
    assert errs == pytest.approx(0.05)


def test_looks_lie_where_the_most_demanding_quantile_can_be_decided():
    # 0.99^597 = 0.0025: before 199 rounds of 3 calls no early look can bound a P99
    taken = stats.looks(10, 1000, 199)
    assert sum(look < 199 for look in taken) == 3
    assert 199 in taken


def test_no_look_allows_for_what_it_has_not_seen():
    """What is approved is approved when its plan is through: there is nothing to allow for."""
    assert stats.early().allowance == stats.last(3).allowance == 0
