"""The rule that every gate decides by: the whole bound on one side of the limit, or no decision."""

from __future__ import annotations

import math

from harness.contracts import Evidence, Status


def at_most(limit: float, evidence: Evidence) -> Status:
    """PASS if even the upper bound keeps the limit, FAIL if even the lower one is beyond it."""
    return _rule(limit, (evidence.low, evidence.observed, evidence.high))


def at_least(limit: float, evidence: Evidence) -> Status:
    """`at_most`, seen in a mirror."""
    return _rule(-limit, (-evidence.high, -evidence.observed, -evidence.low))


def _rule(limit: float, bounds: tuple[float, float, float]) -> Status:
    low, observed, high = bounds
    if math.isfinite(observed) and low <= observed <= high <= limit < math.inf:
        return Status.PASS
    if math.isfinite(observed) and limit < low <= observed <= high:
        return Status.FAIL
    return Status.INCONCLUSIVE  # also for every NaN: no comparison with one is true
