"""Time of the first call at a length in a fresh process, in milliseconds: its memory is planned.

The process may have been called at other lengths before; loading is load_ms.
"""

from __future__ import annotations

from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    return call.seconds * 1e3, 1.0


metric = Metric(
    unit="ms",
    better="lower",
    measure=measure,
    fold="quantile",
    operations=("first_call",),
    kind="time",
    title={"en": "First call", "es": "Primera llamada"},
)
