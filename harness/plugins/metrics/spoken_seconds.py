"""Length of what was said, in seconds per item: drift against the baseline is hurry or drawl.

Neither direction is better: gate its ratio to the baseline on both sides (`max_ratio: 1.05`,
`min_ratio: 0.95`). RTF divides by this length, so it moves too.
"""

from __future__ import annotations

from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    seconds = call.figures.get("spoken_seconds")
    return (0.0, 0.0) if seconds is None else (seconds, 1.0)


metric = Metric(
    unit="s",
    better="neither",
    measure=measure,
    kind="symptom",
    title={"en": "Length of what was said", "es": "Duración de lo dicho"},
    order=10,
)
