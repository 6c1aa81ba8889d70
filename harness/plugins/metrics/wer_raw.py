"""Word error rate of the texts as they came: case, punctuation and digits all count."""

from __future__ import annotations

from functools import lru_cache

from harness.contracts import Call, Metric
from harness.speech import text


def measure(call: Call) -> tuple[float, float]:
    """(edits, reference words), words being what white space separates."""
    return _counted(call.raw_reference, call.raw_text)


@lru_cache(maxsize=1 << 12)  # variants mostly hear the same, and come one after the other
def _counted(reference: str, said: str) -> tuple[float, float]:
    edits, words = text.word_edits(reference, said)
    return float(edits), float(words)


metric = Metric(
    unit="fraction",
    better="lower",
    measure=measure,
    needs_reference=True,
    kind="text",
    useless=0.8,
    title={"en": "WER, not normalised", "es": "WER sin normalizar"},
    table="rules",
    order=30,
)
