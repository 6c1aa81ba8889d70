"""Time to open a model in a fresh process, in milliseconds (the median of what was seen)."""

from __future__ import annotations

from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    return call.seconds * 1e3, 1.0


metric = Metric(
    unit="ms",
    better="lower",
    measure=measure,
    fold="quantile",
    operations=("load",),
    kind="time",
    title={"en": "Model load", "es": "Carga del modelo"},
)
