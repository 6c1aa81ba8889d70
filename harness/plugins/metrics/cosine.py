"""Cosine between an output and the baseline's, position by position, on average.

sum over positions of y.r / (|y| |r|), over their number (as torch.nn.functional.cosine_similarity,
dim=-1). It does not see that all numbers are twice as large, which the output error does.
"""

from __future__ import annotations

from harness.plugins.metrics._outputs import lacking, outputs

metric = outputs(
    unit="",
    better="higher",
    measure=lacking("cosine"),
    scale="complement",
    worst=0.0,
    best=1.0,
    title={"en": "Cosine", "es": "Coseno"},
    order=30,
)
