"""Predicted P.835 overall quality (DNSMOS) after noise suppression; not naturalness, not words.

From 1 to 5, the mean over the pieces. It cannot confirm what listeners are said to have given ("MOS
4.3"): read it as a paired difference between variants. What the judge `dnsmos` says holds.
"""

from __future__ import annotations

from harness.contracts import Metric
from harness.plugins.metrics._figures import figure

metric = Metric(
    unit="MOS",
    better="higher",
    measure=figure("ovrl"),
    judge="dnsmos",
    kind="opinion",
    title={"en": "DNSMOS OVRL", "es": "DNSMOS OVRL"},
    order=20,
)
