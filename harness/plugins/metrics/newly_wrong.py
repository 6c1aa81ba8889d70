"""Share of utterances that the baseline has right, word by word, and this variant has not.

With newly_right the two counts of McNemar's test (Psychometrika 12, 1947): their difference is what
the sentence error rate rises by.
"""

from __future__ import annotations

import math

from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    """NaN where the baseline gave no transcript to compare with."""
    if call.baseline_text is None:
        return math.nan, math.nan
    return float(call.baseline_text == call.reference != call.text), 1.0


metric = Metric(
    unit="fraction",
    better="lower",
    measure=measure,
    fold="share",
    needs_reference=True,
    needs_transcript=True,
    compares="texts",
    kind="fidelity",
    table="fidelity",
    title={"en": "Newly wrong", "es": "Mal y antes bien"},
    order=90,
)
