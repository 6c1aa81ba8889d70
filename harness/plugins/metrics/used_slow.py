"""Share of calls in which a two-speed system needed its slow recogniser (families/two_speed.py)."""

from __future__ import annotations

from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    """Calls of other systems are left out."""
    if "used_slow" not in call.figures:
        return 0.0, 0.0
    return call.figures["used_slow"], 1.0


metric = Metric(
    unit="fraction",
    better="lower",
    measure=measure,
    fold="share",
    needs_reference=True,
    kind="symptom",
    title={"en": "Needed the slow one", "es": "Hizo falta el lento"},
    table="quality",
)
