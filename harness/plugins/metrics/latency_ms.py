"""Time of one call in milliseconds, for each operation; `latency_p99_ms` is its 0.99 quantile."""

from __future__ import annotations

from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    return call.seconds * 1e3, 1.0


metric = Metric(
    unit="ms",
    better="lower",
    measure=measure,
    fold="quantile",
    operations=("*",),
    kind="time",
    title={"en": "Latency", "es": "Latencia"},
    order=10,
)
