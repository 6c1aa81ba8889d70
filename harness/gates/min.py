"""The metric must be at least `limit`, with its whole lower bound."""

import math

from harness.contracts import Evidence, Gate, Status


def check(limit: float, evidence: Evidence) -> Status:
    low, observed, high = evidence.low, evidence.observed, evidence.high
    if math.isfinite(observed) and -math.inf < limit <= low <= observed <= high:
        return Status.PASS
    if math.isfinite(observed) and low <= observed <= high < limit:
        return Status.FAIL
    return Status.INCONCLUSIVE  # also for every NaN: no comparison with one is true


gate = Gate(on="value", check=check, sign="≥")
