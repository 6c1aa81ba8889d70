"""Relative L2 error of an output against the baseline's: |y - r| / |r|, over all utterances.

The square root of the pooled sum (y - r)^2 / sum r^2: 0 for the same output, 1 for one that is as
far from the baseline's as nothing (zeros) is.
"""

from __future__ import annotations

from harness.plugins.metrics._outputs import outputs, sums

metric = outputs(
    unit="fraction",
    better="lower",
    measure=sums("noise", "signal"),
    scale="root",
    title={"en": "Output error", "es": "Error de la salida"},
    order=10,
)
