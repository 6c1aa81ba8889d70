"""Kullback-Leibler divergence of the model's distribution from the baseline's, mean per position.

sum p ln(p / q) in nats, p the baseline's softmax and q this model's (S. Kullback and R. Leibler,
Ann. Math. Stat. 22, 1951). Of a decoder along the tokens that the baseline wrote.
"""

from __future__ import annotations

from harness.plugins.metrics._outputs import outputs, sums

metric = outputs(
    unit="nat",
    better="lower",
    measure=sums("kl", "positions"),
    compares="logits",
    title={"en": "KL divergence", "es": "Divergencia KL"},
    order=60,
    beside=("kl_p99",),
)
