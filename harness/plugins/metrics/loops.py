"""Share of transcripts with a loop: words said over and over, beyond what people say.

The table of `_repeats.py` says from how many times on a block of words is a loop; what the
reference says just as often is none. WER pooled over a corpus hides loops, and a model may be sure
of itself in them: they need a limit of their own.
"""

from __future__ import annotations

from harness.contracts import Call, Metric
from harness.plugins.metrics import _repeats


def measure(call: Call) -> tuple[float, float]:
    return float(bool(_repeats.loops(call.text, call.reference))), 1.0


metric = Metric(
    unit="fraction",
    better="lower",
    measure=measure,
    fold="share",
    needs_reference=True,
    kind="symptom",
    title={"en": "Utterances with a loop", "es": "Frases con bucle"},
    order=10,
)
