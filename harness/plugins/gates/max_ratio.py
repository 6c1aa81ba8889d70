"""The metric may be at most `limit` times that of the baseline."""

from harness.contracts import Gate
from harness.plugins.gates._rule import at_most

gate = Gate(on="ratio", check=at_most, sign="≤ ×", side="upper")
