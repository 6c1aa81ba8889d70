"""Time from the start of a call to the first words that came, in milliseconds.

Of a server that streams its answer (`http` with `api: chat`): the network, the audio's way there
and what the model does before it writes. Not measured where the answer came as a whole.
"""

from __future__ import annotations

import math

from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    return call.figures.get("first_token_seconds", math.nan) * 1e3, 1.0


metric = Metric(
    unit="ms",
    better="lower",
    measure=measure,
    fold="quantile",
    kind="time",
    title={"en": "First token", "es": "Primer token"},
)
