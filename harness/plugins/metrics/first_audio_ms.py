"""Time from the start of a call to the first sound that could be played, in milliseconds.

A synthesiser that says piece by piece is heard before it has finished; for one that does not, the
first sound comes with the last, as in latency_ms. Not measured where the model does not say when.
"""

from __future__ import annotations

import math

from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    return call.figures.get("first_audio_seconds", math.nan) * 1e3, 1.0


metric = Metric(
    unit="ms",
    better="lower",
    measure=measure,
    fold="quantile",
    kind="time",
    title={"en": "First sound", "es": "Primer sonido"},
    table="spoken",
    order=30,
)
