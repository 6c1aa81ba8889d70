"""Characters written per second of audio: loops write faster than anyone speaks.

Pooled; `output_rate_p95` is the rate that one utterance in twenty exceeds. The project's sample of
read Spanish speech has about 12 characters a second.
"""

from __future__ import annotations

from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    """(characters of the normalised text, spaces included; seconds of audio)."""
    return float(len(call.text)), call.audio_seconds


metric = Metric(
    unit="characters/s",
    better="lower",
    measure=measure,
    needs_reference=True,
    kind="symptom",
    title={"en": "Output rate", "es": "Ritmo de salida"},
    order=40,
)
