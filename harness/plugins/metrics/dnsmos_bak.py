"""Predicted P.835 quality of the background (DNSMOS): how little noise; says nothing of the voice.

From 1 to 5, the mean over the pieces; what harness/plugins/judges/dnsmos says holds.
"""

from __future__ import annotations

from harness.contracts import Metric
from harness.plugins.metrics._figures import figure

metric = Metric(
    unit="MOS",
    better="higher",
    measure=figure("bak"),
    judge="dnsmos",
    kind="opinion",
    title={"en": "DNSMOS BAK", "es": "DNSMOS BAK"},
    table="parts",
    order=22,
)
