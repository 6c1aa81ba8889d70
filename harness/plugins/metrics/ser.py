"""Sentence error rate: the share of utterances with at least one wrong word."""

from __future__ import annotations

from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    return float(call.text != call.reference), 1.0


metric = Metric(
    unit="fraction",
    better="lower",
    measure=measure,
    needs_reference=True,
    needs_transcript=True,
    kind="text",
    useless=0.95,
    title={"en": "SER (utterances with errors)", "es": "SER (frases con error)"},
    order=30,
)
