"""Time of the first call after loading, in milliseconds: memory is planned and caches are cold."""

from __future__ import annotations

from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    return call.seconds * 1e3, 1.0


metric = Metric(
    unit="ms", better="lower", measure=measure, fold="quantile", operations=("first_call",)
)
