"""A few of the simulations behind docs/trust.md: intervals of WER differences, and gates on them.

Bounds are four Monte-Carlo standard errors wide of what the full run measures (docs/trust.md), so
that they fail for what is wrong by design and not for bad luck.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from trust import quality

pytestmark = pytest.mark.simulation

EXPERIMENTS = 250


def wide(share: float) -> float:
    return 4 * math.sqrt(share * (1 - share) / EXPERIMENTS)


@pytest.mark.parametrize("cell", [quality.SPEAKERS[2], quality.ALONE[1]], ids=lambda c: c.case)
def test_intervals_of_wer_differences_hold_the_truth_and_gates_at_it_seldom_approve(cell):
    tally = quality.run(cell, EXPERIMENTS, 7)
    assert 0.93 - wide(0.96) < tally.covered / tally.n  # 0.96: so it fails under 89 %
    assert tally.approved / tally.n < 0.05 + wide(0.05)
    assert tally.approved_wer / tally.n < 0.05 + wide(0.05)


def test_intervals_are_not_wide_for_nothing():
    """A gate is of use: equal systems pass a margin of 4 points on 100 utterances."""
    assert quality.power(quality.ALONE[0], 0.04, 100, 3) >= 90  # 98 % in the full run


@pytest.mark.parametrize("cell", [quality.SPEAKERS[1], quality.ALONE[1]], ids=lambda c: c.case)
def test_transcripts_through_scores_and_checks_decide_as_the_simulated_counts(cell):
    random = np.random.default_rng(1)
    assert all(quality.agree(cell, quality.draw(cell, random)) for _ in range(2))


def test_the_generator_has_the_error_rates_that_it_states():
    cell = quality.Cell("large", 400, 100, 2.0)
    sample = quality.draw(cell, np.random.default_rng(0))
    total = sample.words.sum()
    assert sample.theirs.sum() / total == pytest.approx(0.13, abs=0.012)  # 400 speakers, sd 50 %
    assert (sample.ours - sample.theirs).sum() / total == pytest.approx(0.02, abs=0.003)
    assert (sample.words.mean(), sample.words.std()) == pytest.approx((10, 3), abs=0.1)
