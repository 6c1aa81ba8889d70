"""Predicted P.835 quality of the speech itself (DNSMOS): its distortion; not naturalness.

From 1 to 5, the mean over the pieces; what harness/plugins/judges/dnsmos says holds.
"""

from __future__ import annotations

from harness.contracts import Metric
from harness.plugins.metrics._figures import figure

metric = Metric(
    unit="MOS",
    better="higher",
    measure=figure("sig"),
    judge="dnsmos",
    kind="opinion",
    title={"en": "DNSMOS SIG", "es": "DNSMOS SIG"},
    table="parts",
    order=21,
)
