"""Character error rate: edits per reference character, spaces included, pooled."""

from __future__ import annotations

from harness.contracts import Call, Metric
from harness.speech import text


def measure(call: Call) -> tuple[float, float]:
    """(edits, reference characters) as jiwer counts them."""
    edits, characters = text.character_edits(call.reference, call.text)
    return float(edits), float(characters)


metric = Metric(
    unit="fraction",
    better="lower",
    measure=measure,
    needs_reference=True,
    kind="text",
    title={"en": "CER", "es": "CER"},
    order=20,
)
