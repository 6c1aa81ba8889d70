"""Samples: drawn by the seed, balanced over lengths, so many or so long."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import AssetError
from harness.plugins.datasets import _sampling
from harness.plugins.datasets._sampling import Wanted

SOME = st.lists(st.one_of(st.floats(0.1, 60), st.just(float("nan"))), min_size=1, max_size=80)


def lengths(*seconds: float) -> np.ndarray:
    return np.array(seconds, float)


@given(SOME, st.integers(1, 100), st.integers(0, 5))
def test_a_sample_has_its_size_no_item_twice_and_the_sets_own_order(
    known: list[float], limit: int, seed: int
) -> None:
    rows = _sampling.draw(lengths(*known), Wanted(limit=limit, seed=seed)).rows
    assert len(rows) == min(limit, len(known))
    assert (np.diff(rows) > 0).all()
    assert not len(rows) or (rows[0] >= 0 and rows[-1] < len(known))


@given(st.integers(20, 200), st.integers(1, 200), st.integers(0, 5))
def test_every_sample_is_balanced_over_the_strata_to_within_one(
    total: int, limit: int, seed: int
) -> None:
    limit, strata = min(limit, total), min(10, limit)
    drawn = _sampling.draw(np.arange(1.0, total + 1), Wanted(limit=limit, seed=seed)).rows
    counts = np.bincount(drawn * strata // total, minlength=strata)
    full = np.bincount(np.arange(total) * strata // total, minlength=strata)
    # rounds over the strata: one is behind another by more than one only where it is used up
    assert all(n >= counts.max() - 1 or n == size for n, size in zip(counts, full, strict=True))


@given(SOME, st.floats(0.01, 20), st.integers(0, 5))
def test_minutes_are_not_exceeded_but_by_a_first_item(
    known: list[float], minutes: float, seed: int
) -> None:
    seconds = lengths(*known)
    if not np.isfinite(seconds).any():
        with pytest.raises(AssetError):
            _sampling.draw(seconds, Wanted(minutes=minutes, seed=seed))
        return
    rows = _sampling.draw(seconds, Wanted(minutes=minutes, seed=seed)).rows
    filled = np.where(np.isfinite(seconds), seconds, np.nanmean(seconds))
    assert len(rows) == 1 or filled[rows].sum() <= minutes * 60 + 1e-6


def test_the_same_seed_draws_the_same_and_another_one_others() -> None:
    seconds = np.random.default_rng(0).uniform(1, 10, 500)
    first = _sampling.draw(seconds, Wanted(limit=50, seed=1)).rows
    assert np.array_equal(first, _sampling.draw(seconds, Wanted(limit=50, seed=1)).rows)
    assert not np.array_equal(first, _sampling.draw(seconds, Wanted(limit=50, seed=2)).rows)


@pytest.mark.simulation
def test_each_item_has_the_same_chance() -> None:
    seconds = np.random.default_rng(0).uniform(1, 10, 40)
    seen = np.zeros(40)
    for seed in range(2000):
        seen[_sampling.draw(seconds, Wanted(limit=10, seed=seed)).rows] += 1
    # 2000 draws of 10 of 40: mean 500, binomial deviation sqrt(2000 * 0.25 * 0.75) = 19.4
    assert np.abs(seen - 500).max() < 5 * 19.4


@pytest.mark.simulation
def test_strata_make_the_mean_length_of_samples_vary_less() -> None:
    seconds = np.random.default_rng(0).uniform(1, 10, 500)

    def spread(known: np.ndarray) -> float:
        draws = (_sampling.draw(known, Wanted(limit=50, seed=s)).rows for s in range(200))
        return float(np.std([seconds[rows].mean() for rows in draws]))

    # within ten strata of a uniform length the deviation is a tenth of the whole one
    assert spread(seconds) < 0.2 * spread(np.full(500, np.nan))


def test_without_lengths_the_draw_is_numpys_own_choice() -> None:
    drawn = _sampling.draw(np.full(100, np.nan), Wanted(limit=12, seed=4))
    expected = np.sort(np.random.default_rng(4).choice(100, 12, replace=False))
    assert np.array_equal(drawn.rows, expected)
    assert drawn.how == "at_random"


def test_a_set_that_is_used_whole_is_not_drawn() -> None:
    for wanted in (Wanted(), Wanted(limit=3), Wanted(limit=9), Wanted(minutes=1)):
        drawn = _sampling.draw(lengths(1, 2, 3), wanted)
        assert drawn.rows.tolist() == [0, 1, 2]
        assert drawn.notes(wanted, 3) == {"rows": "3", "used": "3"}
    assert not len(_sampling.draw(lengths(), Wanted(limit=3, minutes=1)).rows)


def test_unknown_lengths_are_named_in_the_notes_and_count_as_the_mean() -> None:
    seconds = lengths(*[30.0] * 15, *[float("nan")] * 5)
    wanted = Wanted(minutes=4)
    drawn = _sampling.draw(seconds, wanted)
    assert len(drawn.rows) == 8  # 240 s / 30 s
    assert drawn.notes(wanted, 20) == {
        "rows": "20",
        "used": "8",
        "seed": "0",
        "drawn": "stratified strata=10; lengths_unknown unknown=5 all=20",
    }
