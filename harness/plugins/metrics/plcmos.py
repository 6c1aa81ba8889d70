"""Predicted quality after packet loss concealment (PLCMOS v2): gaps, artefacts; not naturalness.

From 1 to 5, the mean over the pieces; what harness/plugins/judges/plcmos says holds.
"""

from __future__ import annotations

from harness.contracts import Metric
from harness.plugins.metrics._figures import figure

metric = Metric(
    unit="MOS",
    better="higher",
    measure=figure("plcmos"),
    judge="plcmos",
    kind="opinion",
    title={"en": "PLCMOS", "es": "PLCMOS"},
    order=40,
)
