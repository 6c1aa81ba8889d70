"""Word error rate of a recogniser on what was synthesised, against the text that was to be said.

It holds the recogniser's own errors too, the same for every variant: compare, and read the level
beside its WER on human speech. What no MOS predictor hears, shows here: gibberish, words left out.
"""

from __future__ import annotations

from harness.contracts import Call, Metric
from harness.speech import text


def measure(call: Call) -> tuple[float, float]:
    """(edits, words of the text) as jiwer counts them."""
    edits, words = text.word_edits(call.reference, call.text)
    return float(edits), float(words)


metric = Metric(
    unit="fraction",
    better="lower",
    measure=measure,
    needs_reference=True,
    judge="round_trip",
    kind="text",
    title={"en": "Round-trip WER", "es": "WER de ida y vuelta"},
    order=11,
)
