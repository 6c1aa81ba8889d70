"""The metric may be at most `limit`, with its whole upper bound."""

import math

from harness.contracts import Evidence, Gate, Status


def check(limit: float, evidence: Evidence) -> Status:
    low, observed, high = evidence.low, evidence.observed, evidence.high
    if math.isfinite(observed) and low <= observed <= high <= limit < math.inf:
        return Status.PASS
    if math.isfinite(observed) and limit < low <= observed <= high:
        return Status.FAIL
    return Status.INCONCLUSIVE  # also for every NaN: no comparison with one is true


gate = Gate(on="value", check=check, sign="≤")
