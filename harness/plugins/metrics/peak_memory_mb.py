"""Largest resident memory of the process up to its last call here, in MB (10^6 bytes).

A process's peak never falls, so what ran in it before counts too: at one length this is the peak
after all the lengths that were measured earlier, and the largest over the lengths is the whole.
"""

from __future__ import annotations

from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    return call.rss_bytes / 1e6, 1.0


metric = Metric(
    unit="MB",
    better="lower",
    measure=measure,
    fold="max",
    kind="peak",
    title={"en": "Peak memory", "es": "Memoria máxima"},
)
