"""Word error rate where accents do not count (esta is está, si is sí); ñ and ü still do."""

from __future__ import annotations

from functools import lru_cache

from harness.contracts import Call, Metric
from harness.speech import text


def measure(call: Call) -> tuple[float, float]:
    """(edits, reference words) of the normalised texts, their accents folded."""
    return _counted(call.reference, call.text)


@lru_cache(maxsize=1 << 12)  # variants mostly hear the same, and come one after the other
def _counted(reference: str, said: str) -> tuple[float, float]:
    if reference != said:
        reference, said = text.strip_accents(reference), text.strip_accents(said)
    edits, words = text.word_edits(reference, said)
    return float(edits), float(words)


metric = Metric(
    unit="fraction",
    better="lower",
    measure=measure,
    needs_reference=True,
    kind="text",
    title={"en": "WER without accents", "es": "WER sin tildes"},
    table="rules",
    order=10,
)
