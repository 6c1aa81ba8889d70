"""Metrics that are a judge's figure as it is."""

from __future__ import annotations

import math
from collections.abc import Callable

from harness.contracts import Call


def figure(name: str) -> Callable[[Call], tuple[float, float]]:
    """A metric's `measure`: the figure of that name with weight 1. NaN where the judge gave none,
    so that all of it is unknown: the piece may be the worst one."""

    def measure(call: Call) -> tuple[float, float]:
        found = call.figures.get(name)
        return (math.nan, math.nan) if found is None else (found, 1.0)

    return measure
