"""Predicted P.835 quality of the background (DNSMOS): how little noise; says nothing of the voice.

From 1 to 5, the mean over the pieces; what harness/judges/dnsmos says holds.
"""

from __future__ import annotations

import math

from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    """A piece that the judge gave no figure for makes all of it unknown: it may be the worst."""
    score = call.figures.get("bak")
    return (math.nan, math.nan) if score is None else (score, 1.0)


metric = Metric(unit="MOS", better="higher", measure=measure, judge="dnsmos")
