"""The metric must be at least `limit`, with its whole lower bound."""

from harness.contracts import Gate
from harness.plugins.gates._rule import at_least

gate = Gate(on="value", check=at_least, sign="≥", side="lower")
