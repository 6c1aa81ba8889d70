"""Share of utterances that the baseline has wrong and this variant has right, word by word."""

from __future__ import annotations

import math

from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    """NaN where the baseline gave no transcript to compare with."""
    if call.baseline_text is None:
        return math.nan, math.nan
    return float(call.text == call.reference != call.baseline_text), 1.0


metric = Metric(
    unit="fraction",
    better="higher",
    measure=measure,
    fold="share",
    needs_reference=True,
    needs_transcript=True,
    compares="texts",
    kind="fidelity",
    table="fidelity",
    title={"en": "Newly right", "es": "Bien y antes mal"},
    order=91,
)
