"""Share of positions (tokens, frames) at which both models think the same class the likeliest.

Of a decoder along the tokens that the baseline wrote, so that one early difference does not make
all that follows another sentence.
"""

from __future__ import annotations

from harness.plugins.metrics._outputs import lacking, outputs

metric = outputs(
    unit="fraction",
    better="higher",
    measure=lacking("agreeing"),
    scale="complement",
    compares="logits",
    title={"en": "Same choice", "es": "Misma elección"},
    order=50,
)
