"""Metrics of an output beside the baseline's: sums over the positions of each utterance
(run/worker/nearness.py has the formulas), so that all utterances pool."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

from harness.contracts import Call, Metric
from harness.plugins.metrics._figures import figure

__all__ = ["figure", "lacking", "outputs", "sums"]

Pair = tuple[float, float]
outputs = functools.partial(Metric, kind="fidelity", table="fidelity", compares="outputs")


def sums(value: str, weight: str) -> Callable[[Call], Pair]:
    """A metric's `measure`: two sums of the utterance, NaN where there is none."""

    def measure(call: Call) -> Pair:
        return call.figures.get(value, math.nan), call.figures.get(weight, math.nan)

    return measure


def lacking(value: str) -> Callable[[Call], Pair]:
    """What a sum of at most 1 a position lacks of all its positions, and these."""

    def measure(call: Call) -> Pair:
        positions = call.figures.get("positions", math.nan)
        return positions - call.figures.get(value, math.nan), positions

    return measure
