"""Bounds that hold over blocks, clips and processes: the widest of the three, and what it costs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats as reference

from harness.decide import stats
from harness.decide.stats import Resampling, Timed, Units


def units(blocks: int, calls: int, clips: int, processes: int) -> Units:
    block = np.repeat(np.arange(blocks), calls)
    return Units.of(block, block % clips, block * processes // blocks)


def test_without_likeness_by_clip_or_process_the_bound_is_near_the_one_over_blocks():
    random = np.random.default_rng(1)
    values, where = random.lognormal(0, 0.08, 600), units(200, 3, 200, 6)
    plain = stats.quantile_bounds(values, where.blocks, 0.5)
    wide = stats.widest_quantile(values, where, 0.5)
    assert wide.estimate == plain.estimate
    assert plain.high <= wide.high <= plain.high * 1.02


@pytest.mark.parametrize("kind", ["clips", "processes"])
def test_what_clips_or_processes_share_widens_the_bound(kind):
    random = np.random.default_rng(2)
    where = units(240, 1, 12, 6)
    label = getattr(where, kind)
    shared = 0.10 * random.standard_normal(label.max() + 1)
    values = np.exp(0.03 * random.standard_normal(240) + shared[label])
    plain = stats.quantile_bounds(values, where.blocks, 0.5)
    wide = stats.widest_quantile(values, where, 0.5)
    assert wide.high - wide.estimate > 2 * (plain.high - plain.estimate)


@pytest.mark.parametrize(
    ("where", "kinds"),
    [
        (units(60, 1, 60, 1), []),  # a new clip in each block, one process (a server)
        (units(60, 1, 60, 6), [6]),
        (units(60, 1, 4, 6), [4, 6]),
        (units(60, 1, 1, 1), []),
    ],
)
def test_a_kind_of_which_there_is_one_or_as_many_as_blocks_adds_nothing(where, kinds):
    assert [count for _, count in where.kinds()] == kinds


@pytest.mark.parametrize(("sd", "clips"), [(0.02, 300), (0.08, 300), (0.08, 4), (0.3, 300)])
@pytest.mark.parametrize("q", [0.5, 0.9])
def test_a_bound_over_six_processes_errs_in_at_most_five_per_cent_at_any_spread(sd, clips, q):
    random = np.random.default_rng(3)
    where, wrong, runs = units(150, 2, clips, 6), 0, 250
    true = math.exp(math.hypot(0.08, sd) * reference.norm.ppf(q))
    for _ in range(runs):
        process = sd * random.standard_normal(6)
        values = np.exp(0.08 * random.standard_normal(300) + process[where.processes])
        wrong += stats.widest_quantile(values, where, q).high < true
    assert wrong / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)


def test_half_a_bound_by_process_is_the_t_interval_over_their_means():
    random = np.random.default_rng(4)
    where = units(60, 1, 60, 6)
    values = random.standard_normal(60) + 5 * random.standard_normal(6)[where.processes]
    half, count = stats.widest_half((values - values.mean()) / 60, where, 0.975)
    means = values.reshape(6, 10).mean(axis=1)
    expected = reference.t.ppf(0.975, 5) * means.std(ddof=1) / math.sqrt(6)
    assert count == 6
    assert half == pytest.approx(expected)


def test_ratios_are_widened_for_processes_as_quantiles_are():
    random = np.random.default_rng(5)
    number = np.arange(60)
    process = number // 10
    drawn = 0.05 * random.standard_normal((2, 6))
    times = [
        np.exp(0.02 * random.standard_normal(60) + one[process]) * level
        for one, level in zip(drawn, (0.9, 1.0), strict=True)
    ]
    how = Resampling(0.95, draws=500)
    together = [Timed.of(t, number, number, process) for t in times]
    alone = [Timed.of(t, number, number) for t in times]
    for compared in (
        lambda pair: stats.paired_quantiles(*pair, 0.5, how)[1],
        lambda pair: stats.paired_medians(*pair, 0.95)[1],
        lambda pair: stats.paired_medians(*pair, 0.95)[0],
    ):
        wide, narrow = compared(together), compared(alone)
        assert wide.estimate == narrow.estimate
        assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


@pytest.mark.parametrize("seed", range(4))
def test_a_clip_that_is_slow_for_both_sides_does_not_widen_their_comparison(seed):
    """The slowest of eight clips make the tail of both: what they share is no difference."""
    random = np.random.default_rng(seed)
    number, clip = np.repeat(np.arange(20), 8), np.tile(np.arange(8), 20)
    times = [(1 + 0.3 * clip) * np.exp(0.25 * random.standard_normal(160)) for _ in range(2)]
    how = Resampling(0.95, draws=500)
    apart, alone = (
        stats.paired_quantiles(*(Timed.of(t, number, items) for t in times), 0.8, how)[1]
        for items in (clip, None)
    )
    assert apart.estimate == alone.estimate
    assert math.log(apart.high / apart.low) < 2.5 * math.log(alone.high / alone.low)


def test_the_ratio_of_medians_and_the_mean_of_ratios_are_two_figures():
    """A baseline of 1 that takes 1.5 in a third of its calls: the medians are alike, and
    exp(-log(1.5) / 3) = 0.874."""
    rounds = np.arange(30)
    ours = Timed.of(np.ones(30) + 1e-6 * rounds, rounds)
    theirs = Timed.of(np.where(rounds % 3 == 0, 1.5, 1.0) + 1e-6 * rounds, rounds)
    assert stats.paired_quantiles(ours, theirs, 0.5)[1].estimate == pytest.approx(1, abs=1e-4)
    assert stats.paired_medians(ours, theirs)[1].estimate == pytest.approx(0.874, abs=1e-3)


def test_two_blocks_are_the_fewest_that_tell_how_blocks_vary():
    """Sums of 1 and -1 have the variance 2 / (2 - 1) x 2 = 4; t(0.975, 1) = 12.706."""
    half, blocks = stats.widest_half(np.array([1.0, -1.0]), Units.of(np.array([0, 1])), 0.975)
    assert (half, blocks) == (pytest.approx(2 * 12.706, rel=1e-4), 2)
    one = stats.widest_half(np.array([1.0, -1.0]), Units.of(np.array([0, 0])), 0.975)
    assert one == (math.inf, 1)


def test_values_that_say_nothing_have_no_bound():
    where = units(40, 1, 40, 4)
    assert stats.widest_quantile(np.ones(40), where, 0.5).why == "constant"
    assert stats.widest_quantile(np.full(40, np.nan), where, 0.5).why == "broken"
    assert stats.widest_quantile([], Units.of([]), 0.5).why == "broken"
    one = Units.of(np.zeros(40))
    assert stats.widest_quantile(np.arange(40.0), one, 0.5).why == "few"


def test_what_is_needed_is_a_range_that_holds_what_is_there_where_that_is_just_enough():
    """A P99 a fifth under its limit takes hundreds of calls, no thousands."""
    random = np.random.default_rng(6)
    values = random.lognormal(0, 0.08, 200)
    where = units(200, 1, 200, 6)
    few, many = stats.needed_for_widest(values, where, 0.99, 1.4, 0.95)
    assert 299 <= few <= many < 3000
    near = stats.needed_for_widest(values, where, 0.5, float(np.median(values)) * 1.001, 0.95)
    assert near[1] == math.inf
