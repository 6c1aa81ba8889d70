"""Character error rate of a recogniser on what was synthesised, against the text to be said.

Spaces included; finer than round_trip_wer where the recogniser spells a name in its own way.
"""

from __future__ import annotations

from harness.contracts import Call, Metric
from harness.speech import text


def measure(call: Call) -> tuple[float, float]:
    """(edits, characters of the text) as jiwer counts them."""
    edits, characters = text.character_edits(call.reference, call.text)
    return float(edits), float(characters)


metric = Metric(
    unit="fraction",
    better="lower",
    measure=measure,
    needs_reference=True,
    judge="round_trip",
    kind="text",
    title={"en": "Round-trip CER", "es": "CER de ida y vuelta"},
    order=21,
)
