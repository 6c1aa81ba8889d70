"""Word error rate: substitutions + deletions + insertions per reference word, pooled."""

from __future__ import annotations

from harness.contracts import Call, Metric
from harness.speech import text


def measure(call: Call) -> tuple[float, float]:
    """(edits, reference words) as jiwer counts them; an empty reference counts its insertions."""
    edits, words = text.word_edits(call.reference, call.text)
    return float(edits), float(words)


metric = Metric(
    unit="fraction",
    better="lower",
    measure=measure,
    needs_reference=True,
    kind="text",
    title={"en": "WER", "es": "WER"},
    order=10,
    beside=("wer_no_accents", "wer_basic", "wer_raw"),
)
