"""Each block's median against its cell's, in the order measured, with the noisy ones marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.contracts import Figure, Result
from harness.report import noise, words
from harness.report.drawing import style
from harness.report.markdown import count

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

TEXTS = words.table("figures.noise")


def draw(result: Result, language: str) -> Picture | None:
    """A dot or cross per block, stage by stage; None without blocks."""
    blocks, texts = noise.blocks(result), TEXTS[language]
    stages = [name for name in ("sweep", "latency") if (blocks["stage"] == name).any()]
    if not stages:
        return None
    marks = int(blocks["noisy"].sum())
    title = texts["title" if marks else "quiet"]
    shown = {"n": count(marks, language), "all": count(len(blocks), language)}
    figure = style.blank(title.format(**shown), 3.7)
    panels = figure.subplots(1, len(stages), sharey=True, squeeze=False)[0]
    shaded = False
    for axes, stage in zip(panels, stages, strict=True):
        mine = blocks[blocks["stage"] == stage]
        shaded |= _shade(axes, mine)
        _dots(axes, mine)
        axes.set(xlabel=f"{texts[stage]}: {texts['x'].lower()}")
        axes.yaxis.set_major_formatter(style.percent(language))
        style.grid(axes, "y")
    how = {"cause": noise.cause(result, language), "shaded": texts["shaded"] if shaded else ""}
    style.reads(panels[0], texts["subtitle"].format(**how))
    return figure


def _shade(axes: Axes, mine: pd.DataFrame) -> bool:
    """Whether there was a stretch to shade."""
    found = noise.stretches(mine)
    for first, last in found:
        axes.axvspan(first + 0.5, last + 1.5, color=style.NOISE, alpha=0.1, linewidth=0)
    return bool(found)


def _dots(axes: Axes, mine: pd.DataFrame) -> None:
    """Rounds are counted from 1; dots of one round are spread by the golden ratio's sequence."""
    from matplotlib.ticker import MaxNLocator

    spread = (mine.reset_index(drop=True).index.to_numpy() * 0.6180339887) % 1 - 0.5
    x = mine["round"].to_numpy() + 1 + 0.7 * spread
    y, noisy = mine["relative"].to_numpy(), mine["noisy"].to_numpy()
    axes.scatter(x[~noisy], y[~noisy], s=10, color=style.BASELINE, alpha=0.35, linewidth=0)
    axes.scatter(x[noisy], y[noisy], **style.CROSS)
    axes.axhline(1, color=style.INK, linewidth=0.9)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


figure = Figure(
    title={
        "en": "Median of each block against its cell's, round by round",
        "es": "Mediana de cada bloque respecto a la de su celda, ronda a ronda",
    },
    draw=draw,
    section="noise",
)
