"""Largest resident memory that the cell's process reached, in MB (10^6 bytes)."""

from __future__ import annotations

from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    return call.rss_bytes / 1e6, 1.0


metric = Metric(unit="MB", better="lower", measure=measure, fold="max")
