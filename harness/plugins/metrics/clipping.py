"""Share of the samples of what was said that reach full scale or beyond: they are cut off.

Pooled over all samples, before the audio was written in 16 bits. MOS predictors hear little of it.
"""

from __future__ import annotations

from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    """(seconds at full scale, seconds said)."""
    share, seconds = call.figures.get("clipped_share"), call.figures.get("spoken_seconds")
    return (0.0, 0.0) if share is None or seconds is None else (share * seconds, seconds)


metric = Metric(
    unit="fraction",
    better="lower",
    measure=measure,
    kind="symptom",
    title={"en": "Clipped audio", "es": "Audio saturado"},
    order=20,
)
