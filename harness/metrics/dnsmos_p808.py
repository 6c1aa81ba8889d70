"""Predicted P.808 crowdsourced overall quality (DNSMOS), for noise suppression; not naturalness.

From 1 to 5, the mean over the pieces. It hears distortion (quantized vocoders lose here), not what
is said: gibberish keeps its score. What harness/judges/dnsmos says holds.
"""

from __future__ import annotations

import math

from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    """A piece that the judge gave no figure for makes all of it unknown: it may be the worst."""
    score = call.figures.get("p808")
    return (math.nan, math.nan) if score is None else (score, 1.0)


metric = Metric(unit="MOS", better="higher", measure=measure, judge="dnsmos")
