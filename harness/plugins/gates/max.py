"""The metric may be at most `limit`, with its whole upper bound."""

from harness.contracts import Gate
from harness.plugins.gates._rule import at_most

gate = Gate(on="value", check=at_most, sign="≤", side="upper")
