"""The metric may rise by at most `limit` over the baseline, in its own unit."""

from harness.contracts import Gate
from harness.plugins.gates._rule import at_most

gate = Gate(on="difference", check=at_most, sign="≤ +", side="upper")
