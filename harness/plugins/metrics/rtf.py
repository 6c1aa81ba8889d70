"""Real-time factor: seconds of compute per second of audio."""

from __future__ import annotations

from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    return call.seconds, call.audio_seconds


metric = Metric(
    unit="",
    better="lower",
    measure=measure,
    kind="time",
    title={"en": "RTF", "es": "RTF"},
    order=20,
)
