"""Word error rate of the raw texts under Whisper's basic rule, as many papers state it.

Digits stay digits, what stands in brackets is deleted, and the entry's normaliser has no say.
"""

from __future__ import annotations

from functools import lru_cache

from harness.contracts import Call, Metric
from harness.speech import text


def measure(call: Call) -> tuple[float, float]:
    """(edits, reference words) of the texts as they came, after BasicTextNormalizer's rule."""
    return _counted(call.raw_reference, call.raw_text)


@lru_cache(maxsize=1 << 12)  # variants mostly hear the same, and come one after the other
def _counted(reference: str, said: str) -> tuple[float, float]:
    edits, words = text.word_edits(text.basic(reference), text.basic(said))
    return float(edits), float(words)


metric = Metric(
    unit="fraction",
    better="lower",
    measure=measure,
    needs_reference=True,
    kind="text",
    title={"en": "WER, Whisper's basic normaliser", "es": "WER, normalizador básico de Whisper"},
    table="rules",
    order=20,
)
