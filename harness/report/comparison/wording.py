"""The words of a comparison in each language."""

from __future__ import annotations

from harness.report import words

OUTCOMES = words.table("comparison.wording", "outcomes")

# why a row is undecided, whatever the size of its change
WHY = words.table("comparison.wording", "why")

TEXTS = words.table("comparison.wording")
