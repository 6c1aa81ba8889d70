"""A reduced run of docs/trust.md: what `make trust` measures by the thousand, by dozens here."""

from __future__ import annotations

import numpy as np
import pytest
from trust import betting, latency
from trust.generators import AR, DRIFT, IID, SPIKES

from harness.contracts import Status
from harness.decide import stats

pytestmark = pytest.mark.simulation

EXPERIMENTS = 120
ALLOWED = 0.05 + 3 * (0.05 * 0.95 / EXPERIMENTS) ** 0.5  # 11 %: three Monte-Carlo errors over 5 %


@pytest.mark.parametrize("generator", [IID, AR, SPIKES, DRIFT], ids=lambda g: g.name)
@pytest.mark.parametrize(("q", "calls"), [(0.5, 600), (0.99, 1500)])
def test_a_quantile_at_its_limit_is_seldom_approved_though_the_run_may_stop_early(
    generator, q, calls
):
    outcomes = latency.simulate(latency.Cell(generator, q, 0.0, calls), EXPERIMENTS, seed=1)
    assert sum(o.status is Status.PASS for o in outcomes) / EXPERIMENTS <= ALLOWED


@pytest.mark.parametrize("generator", [IID, AR, DRIFT], ids=lambda g: g.name)
@pytest.mark.parametrize(("q", "calls"), [(0.5, 1500), (0.99, 3000)])
def test_a_quantile_well_under_its_limit_is_approved_and_early(generator, q, calls):
    outcomes = latency.simulate(latency.Cell(generator, q, 0.25, calls), 20, seed=2)
    assert sum(o.status is Status.PASS for o in outcomes) >= 16
    assert np.mean([o.calls for o in outcomes]) < 0.75 * calls


def test_these_simulations_notice_a_rule_that_approves_too_easily():
    """The rule of most tools, "the percentile of the sample is under the limit", errs every second
    time; a bet that takes blocks for independent is carried off by a drift."""
    random = np.random.default_rng(3)
    limit = IID.true_quantile(0.5, 600)
    naive = [stats.quantile(IID.calls(600, random), 0.5) <= limit for _ in range(EXPERIMENTS)]
    assert np.mean(naive) > 0.3
    limit = DRIFT.true_quantile(0.5, 600)
    bets = [betting.approved_after(DRIFT.calls(600, random) > limit, 0.5) for _ in range(20)]
    assert sum(bet is not None for bet in bets) >= 18


@pytest.mark.parametrize(
    ("generator", "q", "expected"),
    [
        (IID, 0.5, 1.0),  # the median of a lognormal around 1
        (IID, 0.99, np.exp(0.08 * 2.3263)),
        (AR, 0.99, np.exp((0.08**2 + 0.04**2) ** 0.5 * 2.3263)),  # both spreads add up
        (DRIFT, 0.5, 1.05),  # halfway up the drift
    ],
)
def test_the_true_quantiles_of_the_generators_are_those_of_their_distributions(
    generator, q, expected
):
    assert generator.true_quantile(q, 3000) == pytest.approx(expected, rel=1e-3)


def test_the_autocorrelation_of_the_generator_is_the_one_asked_for():
    logs = np.log(AR.calls(200_000, np.random.default_rng(4)))
    lag = np.corrcoef(logs[:-1], logs[1:])[0, 1]
    # (0.08^2 0.76 + 0.04^2 2/3) / (0.08^2 + 0.04^2): two of three neighbours share their block
    assert lag == pytest.approx((0.0064 * 0.76 + 0.0016 * 2 / 3) / 0.008, abs=0.01)
