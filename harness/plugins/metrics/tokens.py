"""Decoder steps per call, on average: loops and longer answers show here."""

from __future__ import annotations

from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    return call.tokens, 1.0


metric = Metric(
    unit="tokens",
    better="lower",
    measure=measure,
    kind="symptom",
    title={"en": "Tokens", "es": "Tokens"},
    table="quality",  # of any model that counts them: no speech need have been made
)
