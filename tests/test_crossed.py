"""Means over raters and items: the textbook's variance, and bounds that hold for both samples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats as reference

from harness.decide import stats
from harness.decide.stats import RatingPlaces


def grid(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(scores, raters, items) of a table with a row per rater and a column per item."""
    raters, items = np.indices(scores.shape)
    return scores.ravel(), raters.ravel(), items.ravel()


def drawn(random: np.random.Generator, raters: int, items: int, kept: float = 1.0):
    """Scores of 1 to 5 around 3 with raters, items and noise; some of them missing."""
    parts = (random.normal(0, 0.5, (raters, 1)), random.normal(0, 0.3, (1, items)))
    table = np.clip(np.rint(3 + sum(parts) + random.normal(0, 0.8, (raters, items))), 1, 5)
    rows = random.random(table.size) < kept
    return tuple(column[rows] for column in grid(table))


def test_the_variance_of_a_full_table_is_that_of_the_two_way_analysis_of_variance():
    # Searle, Casella and McCulloch, Variance Components, 1992, section 4.3: with mean squares MA,
    # MB and ME of an a x b table, Var(mean) is estimated by (MA + MB - ME) / (a b)
    table = np.random.default_rng(5).normal(3, 1, (6, 9)) + np.arange(6)[:, None] * 0.5
    a, b = table.shape
    rows, columns = table.mean(axis=1) - table.mean(), table.mean(axis=0) - table.mean()
    left = table - table.mean() - rows[:, None] - columns
    ma, mb = b * (rows @ rows) / (a - 1), a * (columns @ columns) / (b - 1)
    me = (left**2).sum() / ((a - 1) * (b - 1))
    half = reference.t.ppf(0.95, 5) * math.sqrt((ma + mb - me) / (a * b))
    found = stats.crossed_mean(*grid(table), 0.95)
    assert (found.low, found.high) == pytest.approx((table.mean() - half, table.mean() + half))
    assert (found.n, found.units, found.why) == (54, 6, "")
    assert math.isnan(found.p)


def test_labels_and_order_do_not_matter():
    scores, raters, items = drawn(np.random.default_rng(1), 8, 12, 0.7)
    mixed = np.random.default_rng(2).permutation(scores.size)
    names = np.array([f"rater {r}" for r in raters], dtype=object)
    one = stats.crossed_mean(scores, raters, items)
    other = stats.crossed_mean(scores[mixed], names[mixed], items[mixed])
    assert (one.low, one.high, one.units) == pytest.approx((other.low, other.high, other.units))


@pytest.mark.parametrize(("raters", "items"), [(1, 30), (30, 1)])
def test_one_rater_or_one_item_stands_for_no_others(raters, items):
    found = stats.crossed_mean(*drawn(np.random.default_rng(3), raters, items))
    assert (found.low, found.high, found.why) == (-math.inf, math.inf, "few")


@pytest.mark.parametrize("scores", [[], [3.0, math.nan], [3.0, math.inf]])
def test_scores_that_are_no_numbers_are_broken(scores):
    place = np.arange(len(scores))
    assert stats.crossed_mean(scores, place, place).why == "broken"


def test_scores_that_never_vary_do_not_tell_how_they_vary():
    assert stats.crossed_mean(*grid(np.full((5, 5), 4.0))).why == "constant"


def test_many_items_do_not_make_up_for_few_raters():
    few, many = (drawn(np.random.default_rng(4), 4, items) for items in (20, 2000))
    wide = [f.high - f.low for f in (stats.crossed_mean(*few), stats.crossed_mean(*many))]
    assert wide[1] > 0.6 * wide[0]  # a hundred times the scores: pooled they would be 0.1


@pytest.mark.simulation
@pytest.mark.parametrize(("raters", "items", "kept"), [(8, 20, 1.0), (24, 16, 0.4)])
def test_bounds_hold_over_raters_and_items(raters, items, kept):
    # by symmetry the true mean is 3; 5 % each, 5.8 % at most in 2,000 experiments a cell,
    # Monte-Carlo error here 1.1 %
    random = np.random.default_rng(6)
    found = [stats.crossed_mean(*drawn(random, raters, items, kept), 0.95) for _ in range(400)]
    assert np.mean([f.high < 3 for f in found]) < 0.085
    assert np.mean([f.low > 3 for f in found]) < 0.085


def test_a_difference_is_that_of_pairs_so_what_raters_have_in_common_goes():
    random = np.random.default_rng(8)
    scores, raters, items = drawn(random, 10, 20)
    severe = scores + 3 * (raters - 4.5)  # raters who differ by far more than the systems
    better = severe + 0.5 + random.normal(0, 0.3, scores.size)
    places = RatingPlaces.of(raters, items)
    difference, ratio = stats.compare_crossed(better, severe, places, 0.95)
    assert 0.3 < difference.low < 0.5 < difference.high < 0.7
    assert difference.p < 1e-4
    assert ratio.estimate == pytest.approx(better.mean() / severe.mean())
    assert ratio.low < ratio.estimate < ratio.high
    assert ratio.p == difference.p
    assert stats.crossed_mean(severe, raters, items, 0.95).low < severe.mean() - 4


def test_a_ratio_to_nothing_is_broken_and_its_difference_is_not():
    places = RatingPlaces.of([0, 0, 1, 1], [0, 1, 0, 1])
    difference, ratio = stats.compare_crossed([1, 2, 3, 4], [0, 0, 0, 0], places)
    assert difference.estimate == 2.5
    assert ratio.why == "broken"


def test_one_rater_of_both_systems_is_too_few():
    places = RatingPlaces.of([0, 0, 0], [0, 1, 2])
    for found in stats.compare_crossed([4, 3, 4], [3, 3, 3], places):
        assert (found.low, found.high, found.why) == (-math.inf, math.inf, "few")
