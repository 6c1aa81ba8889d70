"""Shares: exact where books give values, honest for clusters, and none of n is evidence."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as reference

from harness.decide import stats
from harness.decide.stats import shares

HITS = st.lists(st.booleans(), min_size=1, max_size=60)


def of(hits: int, n: int) -> np.ndarray:
    return np.arange(n) < hits


def alone(n: int) -> np.ndarray:
    return np.arange(n)


# -------------------------------------------------------------------------------------- one share
@pytest.mark.parametrize(
    ("hits", "n", "level", "low", "high"),
    [
        (0, 100, 0.95, 0.0, 1 - 0.05**0.01),  # 2.95 %: (1 - p)^100 = 0.05
        (0, 59, 0.95, 0.0, 0.0495),  # Wilks: 59 without one are under 5 %
        (100, 100, 0.95, 0.05**0.01, 1.0),
        (1, 20, 0.975, 0.0013, 0.2487),  # R: binom.test(1, 20)
        (10, 20, 0.975, 0.2720, 0.7280),
    ],
)
def test_bounds_are_the_exact_ones_of_clopper_and_pearson(hits, n, level, low, high):
    found = stats.share(of(hits, n), alone(n), level)
    assert (found.low, found.high) == (pytest.approx(low, abs=6e-5), pytest.approx(high, abs=6e-5))
    assert (found.estimate, found.n, found.units, found.why) == (hits / n, n, n, "")


@given(HITS, st.sampled_from([0.9, 0.95, 0.975]))
def test_bounds_are_scipys_where_each_call_stands_alone(hits, level):
    found = stats.share(hits, alone(len(hits)), level)
    exact = reference.binomtest(sum(hits), len(hits)).proportion_ci(2 * level - 1, "exact")
    assert (found.low, found.high) == (pytest.approx(exact.low), pytest.approx(exact.high))


@given(HITS)
def test_a_share_and_its_complement_mirror_each_other(hits):
    ones, zeros = (stats.share(x, alone(len(hits)), 0.95) for x in (hits, np.logical_not(hits)))
    assert (ones.low, ones.high) == (pytest.approx(1 - zeros.high), pytest.approx(1 - zeros.low))


@pytest.mark.parametrize("values", [[], [0.5, 1], [0, math.nan], [0, math.inf]])
def test_what_is_no_share_is_broken(values):
    found = stats.share(values, alone(len(values)))
    assert math.isnan(found.estimate)
    assert math.isnan(found.high)
    assert found.why == "broken"


def test_calls_of_one_cluster_count_for_less_also_where_none_shows_it():
    speakers = np.repeat(np.arange(10), 10)
    together, apart = (stats.share(np.zeros(100), by, 0.95) for by in (speakers, alone(100)))
    # rho 0.6, ten each: deff 6.4; t with 99 and 9 degrees of freedom 1.6604 and 1.8331
    worth = 100 / 6.4 * (1.6604 / 1.8331) ** 2
    assert together.high == pytest.approx(1 - 0.05 ** (1 / worth), rel=1e-4)
    assert apart.high < 0.03
    assert together.units == 10


def test_the_more_clusters_show_how_alike_their_calls_are_the_less_is_assumed():
    """One hit in each of some clusters of ten: nothing is alike, and 60 of them show it."""
    speakers = np.repeat(np.arange(100), 10)
    found = []
    for shown in (0, 1, 6, 60):
        hits = (np.arange(1000) % 10 == 0) & (speakers < shown)
        n, high = hits.sum(), stats.share(hits, speakers, 0.95).high
        found.append(high / shares.exact_high(n, 1000, 0.95))
    assert found == sorted(found, reverse=True)
    assert found[0] == pytest.approx(6.4, rel=0.1)
    assert found[-1] < 1.4


def test_clusters_that_are_all_or_nothing_count_as_one_call_each():
    speakers = np.repeat(np.arange(20), 25)
    hits = speakers % 4 == 0
    found = stats.share(hits, speakers, 0.95)
    twenty = stats.share(of(5, 20), alone(20), 0.95)
    # the few clusters cost a little more: (t with 499 / t with 19 degrees of freedom)^2 = 0.91
    assert twenty.high < found.high < twenty.high + 0.03


def test_four_clusters_are_too_few_and_four_calls_are_not():
    clustered = stats.share(np.zeros(40), np.repeat(np.arange(4), 10))
    assert (clustered.low, clustered.high, clustered.why) == (-math.inf, math.inf, "few")
    assert stats.share(np.zeros(4), alone(4), 0.95).high == pytest.approx(1 - 0.05**0.25)


@pytest.mark.simulation
@pytest.mark.parametrize("share", [0.02, 0.05, 0.1])
@pytest.mark.parametrize("likeness", [0.1, 0.3, 0.6])
def test_bounds_hold_for_speakers_who_differ(likeness, share):
    # beta-binomial speakers, 30 with 4 clips each; 5 % each, Monte-Carlo error 1 %
    random = np.random.default_rng(0)
    shape = share * (1 - likeness) / likeness, (1 - share) * (1 - likeness) / likeness
    speakers = np.repeat(np.arange(30), 4)
    found = [
        stats.share(random.random(120) < random.beta(*shape, 30)[speakers], speakers, 0.95)
        for _ in range(400)
    ]
    assert np.mean([f.high < share for f in found]) < 0.08
    assert np.mean([f.low > share for f in found]) < 0.08


# -------------------------------------------------------------------------------- paired difference
def pairs(up: int, down: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """(ours, theirs): `up` calls are 1 in ours only, `down` in theirs only."""
    place = np.arange(n)
    return place < up, (up <= place) & (place < up + down)


@pytest.mark.parametrize(
    ("up", "down", "n", "low", "high"),
    [
        # Bentur et al. 2009 in Fagerland, Lydersen and Laake, Statistical Analysis of Contingency
        # Tables, 2017, chapter 8: Tango's interval, -0.517 to -0.026
        (1, 7, 21, -0.517, -0.026),
    ],
)
def test_without_the_quarter_it_is_tangos_published_interval(monkeypatch, up, down, n, low, high):
    monkeypatch.setattr(shares, "MOVED", 0.0)
    found = stats.difference_of_shares(*pairs(up, down, n), alone(n), 0.975)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-4), pytest.approx(high, abs=5e-4))


def test_where_no_call_differs_the_bound_is_that_of_none_of_n():
    found = stats.difference_of_shares(np.zeros(100), np.zeros(100), alone(100), 0.95)
    assert (found.low, found.high) == (-found.high, pytest.approx(1 - 0.05**0.01))
    assert (found.estimate, found.p, found.why) == (0.0, 1.0, "")


@given(st.integers(0, 12), st.integers(0, 12), st.sampled_from([0.9, 0.95, 0.975]))
def test_swapping_the_systems_mirrors_the_bounds(up, down, level):
    ours, theirs = pairs(up, down, 30)
    here = stats.difference_of_shares(ours, theirs, alone(30), level)
    there = stats.difference_of_shares(theirs, ours, alone(30), level)
    assert (here.low, here.high, here.p) == pytest.approx((-there.high, -there.low, there.p))
    assert -1 <= here.low <= here.estimate <= here.high <= 1


@given(st.integers(0, 15), st.integers(0, 15))
def test_p_is_the_exact_test_of_mcnemar(up, down):
    found = stats.difference_of_shares(*pairs(up, down, 40), alone(40))
    exact = reference.binomtest(up, up + down).pvalue if up + down else 1.0
    assert found.p == pytest.approx(exact)


@pytest.mark.parametrize(("up", "down"), [(0.2, 0.0), (0.1, 0.2), (0.01, 0.1), (0.03, 0.1)])
def test_the_upper_bound_errs_in_at_most_five_of_a_hundred(up, down):
    """Every outcome of 50 calls with its probability; unmoved it errs in 8 % of the third."""
    n, error = 50, 0.0
    for ups in range(n + 1):
        for downs in range(n + 1 - ups):
            chance = reference.multinomial.pmf(
                [ups, downs, n - ups - downs], n, [up, down, 1 - up - down]
            )
            if chance > 1e-7:
                found = shares._tango(shares._Moved(ups / n, downs / n, n), 0.95)
                error += chance * (found < up - down - 1e-12)
    assert error < 0.05


def test_clusters_widen_the_difference_too():
    ours, theirs = pairs(6, 2, 100)
    mixed = np.random.default_rng(1).permutation(100)
    wide, narrow = (
        stats.difference_of_shares(ours[mixed], theirs[mixed], by, 0.95)
        for by in (np.repeat(np.arange(10), 10), alone(100))
    )
    assert wide.low < narrow.low < narrow.high < wide.high


def test_a_difference_of_what_is_no_share_is_broken():
    assert stats.difference_of_shares([0, 2], [0, 1], [0, 1]).why == "broken"
    assert stats.difference_of_shares([], [], []).why == "broken"


# ------------------------------------------------------------------------- how many it would take
@pytest.mark.parametrize(
    ("hits", "n", "limit", "needed"),
    [
        (0, 20, 0.05, 59),  # 0.95^59 < 0.05 <= 0.95^58
        (0, 100, 0.01, 299),  # 0.99^299
        (0, 20, 0.2, 14),  # settled already, and 0.8^14 = 0.044 would have done
    ],
)
def test_none_of_n_needs_as_many_calls_as_wilks_has(hits, n, limit, needed):
    assert stats.needed_for_bound(stats.share(of(hits, n), alone(n), 0.95), limit) == needed


@pytest.mark.parametrize(("hits", "n", "limit"), [(2, 40, 0.1), (8, 40, 0.1), (1, 30, 0.2)])
def test_after_so_many_calls_like_these_the_bound_is_past_the_limit(hits, n, limit):
    found = stats.share(of(hits, n), alone(n), 0.95)
    needed = stats.needed_for_bound(found, limit)

    def past(calls: float) -> bool:
        low, high = found.grown(calls / n)
        return high <= limit if hits / n <= limit else low > limit

    assert past(needed)
    assert not past(needed - 1)


def test_a_share_on_its_limit_is_never_settled():
    assert math.isnan(stats.needed_for_bound(stats.share(of(2, 40), alone(40), 0.95), 0.05))


def test_a_difference_of_nothing_needs_what_none_of_n_needs():
    same = stats.difference_of_shares(np.zeros(20), np.zeros(20), alone(20), 0.95)
    assert stats.needed_for_bound(same, 0.05) == 59
