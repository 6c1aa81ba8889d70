"""Geometric mean of the time of a call in milliseconds; `max_ratio` on it is the geometric mean of
the ratios of paired calls, where one on `latency_p50_ms` is the ratio of the two medians."""

from __future__ import annotations

from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    return call.seconds * 1e3, 1.0


metric = Metric(
    unit="ms",
    better="lower",
    measure=measure,
    fold="geometric",
    operations=("*",),
    kind="time",
    title={"en": "Latency, geometric mean", "es": "Latencia, media geométrica"},
    order=11,
)
