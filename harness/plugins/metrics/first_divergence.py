"""Positions before the first at which the models choose another class, mean per utterance.

Counted along the tokens that the baseline wrote (or frame by frame); an utterance without such a
position counts with all that it has, so that long utterances allow larger figures.
"""

from __future__ import annotations

from harness.plugins.metrics._outputs import figure, outputs

metric = outputs(
    unit="tokens",
    better="higher",
    measure=figure("first"),
    compares="logits",
    title={"en": "First other choice", "es": "Primera elección distinta"},
    order=70,
)
