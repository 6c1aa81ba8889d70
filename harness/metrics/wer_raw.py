"""Word error rate of the texts as they came: case, punctuation and digits all count."""

from __future__ import annotations

from harness import text
from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    """(edits, reference words), words being what white space separates."""
    edits, words = text.word_edits(call.raw_reference, call.raw_text)
    return float(edits), float(words)


metric = Metric(unit="fraction", better="lower", measure=measure, needs_reference=True)
