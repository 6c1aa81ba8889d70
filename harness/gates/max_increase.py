"""The metric may rise by at most `limit` over the baseline, in its own unit."""

import math

from harness.contracts import Evidence, Gate, Status


def check(limit: float, evidence: Evidence) -> Status:
    low, observed, high = evidence.low, evidence.observed, evidence.high
    if math.isfinite(observed) and low <= observed <= high <= limit < math.inf:
        return Status.PASS
    if math.isfinite(observed) and limit < low <= observed <= high:
        return Status.FAIL
    return Status.INCONCLUSIVE  # also for every NaN: no comparison with one is true


gate = Gate(on="difference", check=check, sign="≤ +")
