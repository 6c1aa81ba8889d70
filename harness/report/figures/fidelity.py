"""How far each utterance is from the baseline's: a line per variant, the worst utterance first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from harness.contracts import Figure, Result
from harness.decide import nearness
from harness.plugins import unit_of
from harness.plugins.kinds import SHARES
from harness.report import markdown, wording, words
from harness.report.drawing import style
from harness.store import queries

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

TEXTS = words.table("figures.fidelity")


def draw(result: Result, language: str) -> Picture | None:
    """Utterances in the order of the metric, with its figure over all as a dashed line; None where
    no output was compared."""
    from matplotlib.ticker import MaxNLocator

    main = nearness.main(result)
    if main is None:
        return None
    texts, (dataset, metric) = TEXTS[language], main
    named, unit = wording.metric(metric, language), unit_of(metric)
    every = nearness.by_utterance(result, dataset, metric)
    found = [row for row in every if math.isfinite(row["value"])]
    variants = [name for name in queries.variants(result) if name in {r["variant"] for r in found}]
    if not variants:
        return None
    base = queries.baseline(result)
    title = texts["title"].format(metric=named, baseline=base, dataset=dataset)
    figure, axes = style.new(title, texts["subtitle"], 3.2)
    for name in variants:
        values = [float(row["value"]) for row in found if row["variant"] == name]
        colour = style.colour(result, name)
        place = np.arange(1, len(values) + 1)
        axes.plot(place, values, color=colour, linewidth=1.3, marker="o", markersize=3, label=name)
        where = {"stage": "quality", "workload": dataset, "metric": metric, "variant": name}
        row = queries.row(result.summary, **where, replica=0)
        if row is not None:
            axes.axhline(float(row["value"]), color=colour, linewidth=0.8, linestyle="--")
    share = unit in SHARES
    told = "" if share else markdown.symbol(unit)
    axes.set(xlabel=texts["x"], ylabel=f"{named} {told}".strip())
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if share:
        axes.yaxis.set_major_formatter(style.percent(language))
    else:
        style.numbers(axes.yaxis, language)
    style.grid(axes, "y")
    if len(variants) > 1:
        axes.legend(frameon=False, fontsize=8)
    return figure


figure = Figure(
    title={
        "en": "Distance of each utterance from the baseline, the worst one first",
        "es": "Distancia de cada frase a la base, la peor primero",
    },
    draw=draw,
    section="fidelity",
    tables=("fidelity", "summary"),
)
