"""Words inside loops per word said: how much of the text is nothing but repetition."""

from __future__ import annotations

from harness.contracts import Call, Metric
from harness.plugins.metrics import _repeats


def measure(call: Call) -> tuple[float, float]:
    """(words in loops by the table of harness/plugins/metrics/_repeats.py, words said)."""
    return float(_repeats.looped_words(call.text, call.reference)), float(len(call.text.split()))


metric = Metric(
    unit="fraction",
    better="lower",
    measure=measure,
    needs_reference=True,
    kind="symptom",
    title={"en": "Repeated words", "es": "Palabras repetidas"},
    order=20,
)
