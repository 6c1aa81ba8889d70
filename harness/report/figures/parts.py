"""Where the time goes at each length: each part that was timed on its own, and all the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.contracts import Figure, Result
from harness.decide import measures
from harness.report import wording, words
from harness.report.drawing import style
from harness.report.markdown import NBSP, number
from harness.store import queries

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

STEP = "decoder_step"
SHADES = (0.6, 1.0, 0.33)  # of each part in turn
TEXTS = words.table("figures.parts")

Bar = tuple[queries.Line, str, list[float]]  # length, then P50 of each part and the rest, in ms


def draw(result: Result, language: str) -> Picture | None:
    """One bar per length and line that has all its parts; None where no cell has."""
    whole = [name for name in queries.parts(result) if name != STEP]
    bars = _bars(result, whole)
    if not whole or not bars:
        return None
    texts = TEXTS[language]
    height = 1.85 + 0.3 * len(bars)
    subtitle, rest = ("subtitle", "rest") if _decodes(result) else ("parts", "left")
    figure, axes = style.new(_title(result, bars, whole, language), texts[subtitle], height)
    names = [*(wording.operation(name, language) for name in whole), texts[rest]]
    place, ticks, before = 0.0, [], bars[0][1]
    for line, workload, values in bars:
        place += 0.4 if workload != before else 0.0
        before = workload
        _bar(axes, values, place, style.colour(result, line.variant, line.session))
        ticks.append((place, f"{line.label}   {wording.workload(workload, language)}"))
        place += 1
    _legend(figure, names)
    axes.set(xlabel=texts["axis"], ylim=(ticks[-1][0] + 0.6, -0.7))
    axes.set_yticks([at for at, _ in ticks])
    axes.set_yticklabels([text for _, text in ticks], color=style.INK)
    axes.spines["left"].set_visible(False)
    style.numbers(axes.xaxis, language, f"{NBSP}ms")
    style.grid(axes)
    return figure


def _decodes(result: Result) -> bool:
    """Whether what no part accounts for is a decoder's steps."""
    family = measures.family(result)
    return STEP in (family.operations if family else queries.parts(result))


def _bars(result: Result, whole: list[str]) -> list[Bar]:
    stage = queries.rows(result.summary, stage="latency", operation="pipeline")
    bars = []
    for workload in queries.lengths(stage):
        for line in queries.lines(result):
            found = [
                queries.bounds(queries.latency(result, line, "latency_p50_ms", workload, name))[0]
                for name in [*whole, "pipeline"]
            ]
            if not np.isnan(found).any():
                bars.append((line, workload, [*found[:-1], max(0.0, found[-1] - sum(found[:-1]))]))
    return bars


def _bar(axes: Axes, values: list[float], place: float, ink: str) -> None:
    left = 0.0
    for order, value in enumerate(values):
        axes.barh(
            place,
            value,
            left=left,
            height=0.78,
            color=ink,
            alpha=SHADES[order % 3],
            edgecolor="white",
        )
        left += value


def _legend(figure: Picture, names: list[str]) -> None:
    """Below the axes, where no bar is."""
    from matplotlib.patches import Patch

    shades = [SHADES[order % 3] for order in range(len(names))]
    marks = [
        Patch(facecolor=style.INK, alpha=shade, label=name)
        for name, shade in zip(names, shades, strict=True)
    ]
    how = {"frameon": False, "fontsize": 8.5, "labelcolor": style.MUTED}
    figure.legend(handles=marks, loc="outside lower center", ncols=len(marks), **how)


def _title(result: Result, bars: list[Bar], whole: list[str], language: str) -> str:
    texts, at, best = TEXTS[language], queries.main_length(result), measures.chosen(result)
    if "encoder" not in whole:
        return texts["plain"]
    shown = [bar for bar in bars if bar[1] == at] or bars
    mine = [bar for bar in shown if bar[0] == best] or shown
    line, workload, values = mine[-1]
    part = values[whole.index("encoder")] / sum(values) * 100
    said = wording.workload(workload, language)
    return texts["title"].format(share=number(part, language, 0), workload=said, line=line.label)


figure = Figure(
    title={
        "en": "Where the time goes, by audio length",
        "es": "En qué se va el tiempo según la duración del audio",
    },
    draw=draw,
    section="parts",
)
