"""Each block's median against its cell's, in the order measured, with stolen time marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import reading
from harness.contracts import Result
from harness.markdown import count, given
from harness.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEXTS = {
    "es": {
        "title": "{n} de {all} bloques se midieron con tiempo de CPU robado por el hipervisor",
        "quiet": "Ningún bloque se midió con tiempo de CPU robado por el hipervisor",
        "subtitle": (
            "Mediana de cada bloque respecto a la de su celda; en naranja, más del {limit} robado"
        ),
        "sweep": "Barrido",
        "latency": "Latencia",
        "x": "Ronda",
    },
    "en": {
        "title": "{n} of {all} blocks were measured with CPU time stolen by the hypervisor",
        "quiet": "No block was measured with CPU time stolen by the hypervisor",
        "subtitle": "Median of each block against its cell's; in orange, more than {limit} stolen",
        "sweep": "Sweep",
        "latency": "Latency",
        "x": "Round",
    },
}


def draw(result: Result, language: str) -> Figure | None:
    """A dot per block, stage by stage; None without blocks."""
    from matplotlib.ticker import MaxNLocator

    blocks, texts = reading.blocks(result), TEXTS[language]
    stages = [name for name in ("sweep", "latency") if (blocks["stage"] == name).any()]
    if not stages:
        return None
    noisy = int(blocks["noisy"].sum())
    title = texts["title" if noisy else "quiet"]
    shown = {"n": count(noisy, language), "all": count(len(blocks), language)}
    figure = style.blank(title.format(**shown), 3.6)
    panels = figure.subplots(1, len(stages), sharey=True, squeeze=False)[0]
    for axes, stage in zip(panels, stages, strict=True):
        mine = blocks[blocks["stage"] == stage]
        spread = (mine.reset_index(drop=True).index.to_numpy() * 0.6180339887) % 1 - 0.5
        x = mine["round"].to_numpy() + 0.7 * spread
        for flag, ink, size in ((False, style.BASELINE, 10), (True, style.LIMIT, 22)):
            keep = (mine["noisy"] == flag).to_numpy()
            y = mine["relative"].to_numpy()[keep]
            axes.scatter(x[keep], y, s=size, color=ink, alpha=0.9 if flag else 0.35, linewidth=0)
        axes.axhline(1, color=style.INK, linewidth=0.9)
        axes.set(xlabel=f"{texts[stage]}: {texts['x'].lower()}")
        axes.yaxis.set_major_formatter(style.percent(language))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        style.grid(axes, "y")
    limit = given(reading.NOISY_STEAL, "share", language)
    subtitle = texts["subtitle"].format(limit=limit)
    panels[0].set_title(subtitle, loc="left", color=style.MUTED, pad=8)
    return figure
