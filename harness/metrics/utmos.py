"""Predicted naturalness of synthetic speech (UTMOS22), learned from English; not what is said.

From 1 to 5, the mean over the pieces. In another language it may rank variants of one voice, not
tell how good they are; what harness/judges/utmos says holds.
"""

from __future__ import annotations

import math

from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    """A piece that the judge gave no figure for makes all of it unknown: it may be the worst."""
    score = call.figures.get("utmos")
    return (math.nan, math.nan) if score is None else (score, 1.0)


metric = Metric(unit="MOS", better="higher", measure=measure, judge="utmos")
