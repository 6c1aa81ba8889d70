"""Share of calls that were cut off: by the token budget or the repetition guard.

Models that count no tokens have no budget: their calls are left out, so that a limit on this says
NOT MEASURED of them and not 0 %.
"""

from __future__ import annotations

import math

from harness.contracts import Call, Metric, notes

STOPS = ("budget_spent", "repetition_guard")
OLDER = ("token budget", "repetition guard")  # as notes began before they were codes


def measure(call: Call) -> tuple[float, float]:
    if math.isnan(call.tokens):
        return 0.0, 0.0
    return float(any(map(_stopped, notes.read(call.note)))), 1.0


def _stopped(note: notes.Note | str) -> bool:
    if isinstance(note, notes.Note):
        return note.code in STOPS
    return note.startswith(OLDER)


metric = Metric(
    unit="fraction",
    better="lower",
    measure=measure,
    fold="share",
    needs_reference=True,
    kind="symptom",
    title={"en": "Cut off by budget or repetition", "es": "Cortadas por tope o repetición"},
    order=30,
)
