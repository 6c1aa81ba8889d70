"""WER by utterance: the edits of baseline and candidate, and where the two part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from harness.contracts import Figure, Result
from harness.report import words
from harness.report.drawing import style
from harness.report.markdown import count
from harness.store import queries

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

TEXTS = words.table("figures.utterances")
MOST = 8  # errors; utterances with more share the last row or column


def draw(result: Result, language: str) -> Picture | None:
    """Two panels, None where baseline and candidate were not evaluated on the same utterances."""
    edits, base = queries.edits(result), queries.baseline(result)
    variant = queries.candidate(result)[0]
    if edits.empty or not {base, variant} <= set(edits) or base == variant:
        return None
    pairs = edits[[base, variant]].dropna()
    change = (pairs[variant] - pairs[base]).to_numpy()
    texts = TEXTS[language]
    counts = {
        "worse": (change > 0).sum(),
        "better": (change < 0).sum(),
        "same": (change == 0).sum(),
    }
    title = texts["title"].format(variant=variant, n=len(pairs), **counts)
    figure = style.blank(title, 4.0)
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.55])
    _crossed(left, pairs, language)
    _sorted(right, change, language)
    return figure


def _crossed(axes: Axes, pairs: pd.DataFrame, language: str) -> None:
    base, variant = (str(name) for name in pairs.columns)
    texts = TEXTS[language]
    clipped = pairs.clip(upper=MOST)
    counts = clipped.groupby([base, variant]).size()
    top = int(max(2, clipped.to_numpy().max())) + 0.6
    axes.plot([-0.6, top], [-0.6, top], color=style.MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
    places = counts.index.to_frame().to_numpy(dtype=float)
    for (x, y), n in zip(places.tolist(), counts.tolist(), strict=True):
        side = (
            style.BASELINE if x == y else (style.STATUS["FAIL"] if y > x else style.STATUS["PASS"])
        )
        axes.scatter(
            [x], [y], s=40 + 22 * float(np.sqrt(n)) ** 1.5, color=side, alpha=0.25, linewidth=0
        )
        axes.annotate(
            str(n), (x, y), ha="center", va="center", fontsize=8, color=side, fontweight="bold"
        )
    axes.set(xlim=(-0.6, top), ylim=(-0.6, top), aspect="equal")
    axes.set(xlabel=texts["x"].format(base=base), ylabel=texts["y"].format(variant=variant))
    ticks = range(0, int(top) + 1, 1 if top < 5 else 2)
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)
    axes.set_title(texts["pairs"], loc="left", color=style.MUTED)


def _sorted(axes: Axes, change: np.ndarray, language: str) -> None:
    from matplotlib.ticker import MaxNLocator

    texts = TEXTS[language]
    ordered = np.sort(change)[::-1]
    place = np.arange(len(ordered))
    colours = np.where(ordered > 0, style.STATUS["FAIL"], style.STATUS["PASS"])
    axes.bar(place, ordered, width=1.0, color=colours, edgecolor="white", linewidth=0.3)
    axes.axhline(0, color=style.MUTED, linewidth=0.8)
    reach = max(2.0, float(np.abs(ordered).max(initial=0)))
    added, removed = int(ordered[ordered > 0].sum()), int(-ordered[ordered < 0].sum())
    for key, n, at in (("worse", added, (0.03, 0.93)), ("better", removed, (0.97, 0.07))):
        axes.annotate(
            texts[key].format(n=count(n, language)),
            at,
            xycoords="axes fraction",
            ha="left" if key == "worse" else "right",
            va="center",
            color=style.STATUS["FAIL" if key == "worse" else "PASS"],
            fontweight="bold",
        )
    axes.set(ylim=(-reach - 0.6, reach + 0.6), xlim=(-1, len(ordered)), xlabel=texts["rank"])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        style.numbers(axis, language)
    axes.set_title(texts["sorted"], loc="left", color=style.MUTED)
    style.grid(axes, "y")


figure = Figure(
    title={
        "en": "Edits per utterance of each variant against the baseline",
        "es": "Ediciones por frase de cada variante frente a la base",
    },
    draw=draw,
    section="quality",
)
