"""Largest difference of a single number of an output from the baseline's: max |y - r|.

In the output's own unit, so that a limit is of one model. What was seen and no bound: an utterance
that was not tried may have a larger one.
"""

from __future__ import annotations

from harness.plugins.metrics._outputs import figure, outputs

metric = outputs(
    unit="",
    better="lower",
    measure=figure("largest"),
    fold="max",
    title={"en": "Largest error", "es": "Error máximo"},
    order=40,
)
