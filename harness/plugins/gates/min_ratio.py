"""The metric must be at least `limit` times that of the baseline."""

from harness.contracts import Gate
from harness.plugins.gates._rule import at_least

gate = Gate(on="ratio", check=at_least, sign="≥ ×", side="lower")
