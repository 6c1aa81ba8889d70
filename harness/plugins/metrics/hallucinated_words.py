"""Words written per minute of audio without speech (an empty reference)."""

from __future__ import annotations

from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    """(words, minutes of audio); clips with speech are left out, also where its transcript is
    nothing but signs."""
    if call.reference or call.raw_reference.strip():
        return 0.0, 0.0
    return float(len(call.text.split())), call.audio_seconds / 60


metric = Metric(
    unit="words/min",
    better="lower",
    measure=measure,
    needs_reference=True,
    needs_transcript=True,
    kind="symptom",
    title={"en": "Words where nobody speaks", "es": "Palabras donde nadie habla"},
    table="silence",
    order=20,
)
