"""Share of transcripts that are another than the baseline's, once normalised.

Needs no transcript of what was said. It does not say which of the two is right: newly_wrong and
newly_right do.
"""

from __future__ import annotations

import math

from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    """NaN where the baseline gave no transcript to compare with."""
    if call.baseline_text is None:
        return math.nan, math.nan
    return float(call.text != call.baseline_text), 1.0


metric = Metric(
    unit="fraction",
    better="lower",
    measure=measure,
    fold="share",
    needs_reference=True,
    compares="texts",
    kind="fidelity",
    table="fidelity",
    title={"en": "Changed transcripts", "es": "Transcripciones cambiadas"},
    order=80,
)
