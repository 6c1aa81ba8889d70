"""Decoder steps per second of the whole call."""

from __future__ import annotations

from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    return call.tokens, call.seconds


metric = Metric(
    unit="tokens/s",
    better="higher",
    measure=measure,
    kind="time",
    title={"en": "Tokens per second", "es": "Tokens por segundo"},
)
