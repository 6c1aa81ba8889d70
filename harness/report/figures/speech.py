"""Synthesised speech: opinion per variant, its difference per sentence, and the round trip."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from harness.contracts import Figure, Result
from harness.decide import measures
from harness.decide.measures import Measure
from harness.report import wording, words
from harness.report.drawing import style
from harness.report.markdown import number, quantity
from harness.store import queries

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

    Row = tuple[queries.Line, float]  # a variant and its height

TEXTS = words.table("figures.speech")
JITTER = 0.26


def draw(result: Result, language: str) -> Picture | None:
    """A row per variant, a panel for each of what was measured; None without speech."""
    liked, heard = measures.judged(result)
    lines = [line for line in _lines(result) if any(_has(result, line, m) for m in (liked, heard))]
    if not lines:
        return None
    rows = [(line, float(place)) for place, line in enumerate(lines)]
    differs = liked is not None and len(rows) > 1 and _paired(result, liked).shape[1] > 1
    panels = [liked is not None, differs, heard is not None]
    figure = style.blank(_title(result, lines, language), 1.7 + 0.42 * len(rows))
    drawn = figure.subplots(1, sum(panels), sharey=True, squeeze=False)[0]
    places = iter(drawn)
    if liked is not None:
        _opinions(next(places), result, liked, rows, language)
        if differs:
            _differences(next(places), result, liked, rows, language)
    if heard is not None:
        _understood(next(places), result, heard, rows, language)
    drawn[0].set_yticks([place for _, place in rows])
    drawn[0].set_yticklabels([line.variant for line, _ in rows], color=style.INK)
    drawn[0].set_ylim(len(rows) - 0.5, -0.5)
    for axes in drawn:
        axes.spines["left"].set_visible(False)
        style.grid(axes)
    return figure


def _lines(result: Result) -> list[queries.Line]:
    """Each variant once: what is said is the same in every session."""
    return list({line.variant: line for line in queries.lines(result)}.values())


def _has(result: Result, line: queries.Line, measure: Measure | None) -> bool:
    return measure is not None and measure.of(result, line) is not None


def _scores(result: Result, measure: Measure) -> pd.DataFrame:
    """Item -> one column per variant, the value of each call (the mean over raters)."""
    where = {"stage": "quality", "workload": measure.workload, "metric": measure.metric}
    scores = queries.rows(result.scores, **where, replica=0)
    scores = scores[scores["weight"] > 0]
    scores = scores.assign(each=scores["value"] / scores["weight"])
    return scores.pivot_table(index="item", columns="variant", values="each").sort_index()


def _paired(result: Result, measure: Measure) -> pd.DataFrame:
    """The same, minus the baseline; empty where that has no scores."""
    wide, base = _scores(result, measure), queries.baseline(result)
    return wide.sub(wide[base], axis=0) if base in wide else pd.DataFrame()


def _dots(axes: Axes, values: np.ndarray, place: float, ink: str) -> None:
    """Spread by a fixed sequence (the golden ratio's), so that no generator is needed."""
    spread = (np.arange(len(values)) * 0.6180339887) % 1 * 2 - 1
    look: dict[str, Any] = {"color": ink, "alpha": 0.3, "markersize": 3, "markeredgewidth": 0}
    axes.plot(values, place + spread * JITTER, "o", **look)


def _mean(axes: Axes, bounds: tuple[float, float, float], place: float, ink: str) -> None:
    value, low, high = bounds
    ends = [end for end in (low, high) if math.isfinite(end)]
    if len(ends) == 2:
        axes.plot(ends, [place, place], color=ink, linewidth=3, solid_capstyle="butt")
    axes.plot([value], [place], "D", color=ink, markersize=6, markeredgecolor="white", zorder=4)


def _opinions(axes: Axes, result: Result, liked: Measure, rows: list[Row], language: str) -> None:
    name = wording.metric(liked.metric, language)
    axes.set_title(TEXTS[language]["opinion"].format(metric=name), loc="left", color=style.MUTED)
    wide = _scores(result, liked)
    for line, place in rows:
        ink = style.colour(result, line.variant)
        if line.variant in wide:
            _dots(axes, wide[line.variant].dropna().to_numpy(), place, ink)
        row = liked.of(result, line)
        if row:
            _mean(axes, queries.bounds(row), place, ink)
            at = (float(row["value"]), place - 0.34)
            style.shown(axes, number(at[0], language, 2), at, ha="center", color=ink)
    style.numbers(axes.xaxis, language)


def _differences(
    axes: Axes, result: Result, liked: Measure, rows: list[Row], language: str
) -> None:
    told = TEXTS[language]["paired"].format(base=queries.baseline(result))
    axes.set_title(told, loc="left", color=style.MUTED)
    axes.axvline(0, color=style.MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    wide = _paired(result, liked)
    for line, place in rows:
        change = liked.change(result, line)
        if not change:
            continue
        ink = style.colour(result, line.variant)
        if line.variant in wide:
            _dots(axes, wide[line.variant].dropna().to_numpy(), place, ink)
        bounds = (change["delta"], change["delta_low"], change["delta_high"])
        _mean(axes, bounds, place, ink)
        sign = "+" if bounds[0] > 0 else ""
        text = sign + number(float(bounds[0]), language, 2)
        style.shown(axes, text, (float(bounds[0]), place - 0.34), ha="center", color=ink)
    style.numbers(axes.xaxis, language)


def _understood(axes: Axes, result: Result, heard: Measure, rows: list[Row], language: str) -> None:
    name = wording.metric(heard.metric, language)
    axes.set_title(TEXTS[language]["heard"].format(metric=name), loc="left", color=style.MUTED)
    for line, place in rows:
        row = heard.of(result, line)
        if not row:
            continue
        ink = style.colour(result, line.variant)
        value = float(row["value"])
        axes.barh(place, value, height=0.5, color=ink, alpha=0.25)
        _mean(axes, queries.bounds(row), place, ink)
        text = quantity(value, heard.unit, language)
        style.shown(axes, text, (value, place - 0.34), ha="center", color=ink)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(style.percent(language))


def _title(result: Result, lines: list[queries.Line], language: str) -> str:
    """What the candidate's speech lost or gained, or that the predictor is fooled by it."""
    texts, (liked, heard) = TEXTS[language], measures.judged(result)
    best = queries.candidate(result)[0]
    line = next((line for line in lines if line.variant == best), lines[-1])
    if liked is None:
        return texts["plain"]
    metric = wording.metric(liked.metric, language)
    row = heard.of(result, line) if heard else None
    people = measures.is_listeners(result, liked.metric)
    if row and heard and row["value"] >= measures.GIBBERISH and not people:
        share = quantity(float(row["value"]), heard.unit, language)
        key = "fooled" if measures.approves(result, line, (liked, heard)) else "lost"
        return texts[key].format(metric=metric, line=line.variant, heard=share)
    change = liked.change(result, line)
    if not change:
        return texts["plain"]
    names = {"line": line.variant, "base": queries.baseline(result), "metric": metric}
    if change["delta_low"] <= 0 <= change["delta_high"]:
        return texts["same"].format(**names)
    key = "better" if change["delta"] > 0 else "worse"
    return texts[key].format(**names, delta=number(abs(change["delta"]), language, 2))


figure = Figure(
    title={
        "en": "MOS of each variant, its difference from the baseline, and its round-trip WER",
        "es": "MOS de cada variante, su diferencia con la base y su WER de ida y vuelta",
    },
    draw=draw,
    section="speech",
)
