"""P99 of the KL divergence over the positions of an utterance, on average over utterances.

By nearest rank: the largest one where an utterance has fewer than 100 positions. A mean hides the
one token in thirty at which a model goes astray; this does not.
"""

from __future__ import annotations

from harness.plugins.metrics._outputs import figure, outputs

metric = outputs(
    unit="nat",
    better="lower",
    measure=figure("kl_p99"),
    compares="logits",
    title={"en": "KL divergence, P99", "es": "Divergencia KL, P99"},
    order=61,
)
