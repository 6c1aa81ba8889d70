"""Word error rate of the raw texts under Whisper's basic rule, as many papers state it.

Digits stay digits, what stands in brackets is deleted, and the entry's normaliser has no say.
"""

from __future__ import annotations

from harness import text
from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    """(edits, reference words) of the texts as they came, after BasicTextNormalizer's rule."""
    edits, words = text.word_edits(text.basic(call.raw_reference), text.basic(call.raw_text))
    return float(edits), float(words)


metric = Metric(unit="fraction", better="lower", measure=measure, needs_reference=True)
