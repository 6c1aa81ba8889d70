"""Word error rate where accents do not count (esta is está, si is sí); ñ and ü still do."""

from __future__ import annotations

from harness import text
from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    """(edits, reference words) of the normalised texts, their accents folded."""
    if call.reference == call.text:
        edits, words = text.word_edits(call.reference, call.text)
    else:
        edits, words = text.word_edits(*map(text.strip_accents, (call.reference, call.text)))
    return float(edits), float(words)


metric = Metric(unit="fraction", better="lower", measure=measure, needs_reference=True)
