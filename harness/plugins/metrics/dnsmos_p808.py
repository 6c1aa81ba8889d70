"""Predicted P.808 crowdsourced overall quality (DNSMOS), for noise suppression; not naturalness.

From 1 to 5, the mean over the pieces. It hears distortion (quantized vocoders lose here), not what
is said: gibberish keeps its score. What harness/plugins/judges/dnsmos says holds.
"""

from __future__ import annotations

from harness.contracts import Metric
from harness.plugins.metrics._figures import figure

metric = Metric(
    unit="MOS",
    better="higher",
    measure=figure("p808"),
    judge="dnsmos",
    kind="opinion",
    useless=2.5,  # white, pink and speech-shaped noise, hums and tones get 2.0 to 2.4
    title={"en": "DNSMOS P.808", "es": "DNSMOS P.808"},
    table="parts",
    order=23,
)
