"""How quiet the machine was: the spread of blocks, and those measured under stolen time or load."""

from __future__ import annotations

import pandas as pd

from harness.contracts import Result, Section
from harness.decide import measures
from harness.report import captions, markdown, noise, words

TEXTS = words.table("sections.noise")


def render(result: Result, language: str) -> str:
    if not measures.times_audio(result):
        return ""
    texts = TEXTS[language]
    blocks = noise.blocks(result)
    if blocks.empty:
        return texts["none"]
    low, high = (float(blocks["relative"].quantile(share)) for share in (0.25, 0.75))
    spread = {"low": low, "high": high, "top": float(blocks["relative"].max())}
    shown = {name: markdown.quantity(value, "share", language) for name, value in spread.items()}
    noisy = blocks[blocks["noisy"]]
    marked = texts["quiet" if noisy.empty else "noisy"].format(
        n=markdown.count(len(noisy), language),
        all=markdown.count(len(blocks), language),
        share=markdown.quantity(len(noisy) / len(blocks), "share", language),
        cause=noise.cause(result, language),
        median=markdown.quantity(float(noisy["relative"].median()), "share", language),
        sign=noise.SIGN,
    )
    source = markdown.source(language, "calls", operation="pipeline", warm="True")
    return markdown.paragraphs(
        texts["spread"].format(n=markdown.count(len(blocks), language), **shown) + " " + marked,
        _stretches(blocks, language),
        captions.shown(result, "noise", language, source),
    )


def _stretches(blocks: pd.DataFrame, language: str) -> str:
    texts, found = TEXTS[language], []
    for stage in ("sweep", "latency"):
        for first, last in noise.stretches(blocks[blocks["stage"] == stage]):
            rounds = str(first + 1) if first == last else f"{first + 1}–{last + 1}"
            found.append(texts[stage].format(rounds=rounds))
    return texts["stretches"].format(all=", ".join(found)) if found else ""


section = Section(order=120, title={"es": "Ruido de la medida", "en": "Noise"}, render=render)
