"""Predicted naturalness of synthetic speech (UTMOS22), learned from English; not what is said.

From 1 to 5, the mean over the pieces. In another language it may rank variants of one voice, not
tell how good they are; what harness/plugins/judges/utmos says holds.
"""

from __future__ import annotations

from harness.contracts import Metric
from harness.plugins.metrics._figures import figure

metric = Metric(
    unit="MOS",
    better="higher",
    measure=figure("utmos"),
    judge="utmos",
    kind="opinion",
    title={"en": "UTMOS", "es": "UTMOS"},
    order=30,
)
