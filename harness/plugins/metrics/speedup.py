"""How many times as fast as the baseline: its median latency over the variant's."""

from __future__ import annotations

from harness.contracts import Metric

metric = Metric(
    unit="x",
    better="higher",
    ratio_of="latency_p50_ms",
    kind="time",
    title={"en": "Speed-up", "es": "Aceleración"},
)
