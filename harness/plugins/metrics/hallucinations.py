"""Share of clips without speech (an empty reference) that got a text all the same."""

from __future__ import annotations

from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    """Clips with speech are left out, also where its transcript is nothing but signs."""
    if call.reference or call.raw_reference.strip():
        return 0.0, 0.0
    return float(bool(call.text)), 1.0


metric = Metric(
    unit="fraction",
    better="lower",
    measure=measure,
    fold="share",
    needs_reference=True,
    needs_transcript=True,
    kind="symptom",
    title={"en": "Text where nobody speaks", "es": "Texto donde nadie habla"},
    table="silence",
    order=10,
)
