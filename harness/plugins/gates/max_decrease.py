"""The metric may fall by at most `limit` under the baseline, in its own unit."""

from harness.contracts import Evidence, Gate, Status
from harness.plugins.gates._rule import at_least


def check(limit: float, evidence: Evidence) -> Status:
    """A fall of at most 0.1 is a difference of at least -0.1."""
    return at_least(-limit, evidence)


gate = Gate(on="difference", check=check, sign="≥ −", limit_on=lambda limit: -limit, side="lower")
