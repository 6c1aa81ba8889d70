"""What somebody stated against what was measured: confirmed, refuted, undecided, not measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from harness.contracts.experiment import Claim
from harness.decide.stats import Interval
from harness.decide.verdict.case import AskedFigure, Case, find
from harness.decide.verdict.reasons import sentence, unmeasured
from harness.store import tables

BOTH_SIDES = 0.975  # of each bound, where both may miss a true value
ONE_SIDED_95 = 1.645


def claims(case: Case, data: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The claims table. Both bounds hold with 95 % each, so that confirming is an equivalence test
    (Schuirmann's two one-sided tests) and refuting errs in at most 5 % of the cases: a true value
    lies at one end of the tolerance at most, unless that is narrower than what sampling moves.
    Then both bounds may miss it, and each holds with 97.5 %."""
    return tables.frame("claims", _rows(case, data))


def _rows(case: Case, data: Mapping[str, pd.DataFrame]) -> Iterator[dict[str, Any]]:
    for claim in case.experiment.claims:
        variant = claim.variant or case.candidate
        figure = AskedFigure(
            claim.metric,
            variant,
            case.session_of(variant),
            claim.operation,
            claim.at,
            claim.over,
        )
        found = find(case, data, figure)
        if _narrow(claim, found.interval):
            found = find(replace(case, least_level=BOTH_SIDES), data, figure)
        code = unmeasured(found)
        status = "not measured" if code else _status(claim, found.interval)
        named = case.metrics.get(figure.metric)
        yield {
            "metric": figure.metric,
            "variant": variant,
            "workload": figure.workload,
            "claimed": claim.value,
            "tolerance": claim.tolerance,
            "source": claim.source,
            "observed": found.interval.estimate,
            "low": found.interval.low,
            "high": found.interval.high,
            "unit": named.metric.unit if named else "",
            "status": status,
            "reason": sentence(code or status, found),
        }


def _narrow(claim: Claim, interval: Interval) -> bool:
    """Whether the tolerance is under a standard error: half the width over 1.645."""
    return claim.tolerance < (interval.high - interval.low) / 2 / ONE_SIDED_95


def _status(claim: Claim, interval: Interval) -> str:
    lowest, highest = claim.value - claim.tolerance, claim.value + claim.tolerance
    if lowest <= interval.low and interval.high <= highest:
        return "confirmed"
    if interval.low > highest or interval.high < lowest:
        return "refuted"
    return "undecided"
