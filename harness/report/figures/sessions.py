"""Each session's time against the default one, with intervals, and the band of the A/A twin."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.contracts import Figure, Result
from harness.decide import resolution
from harness.report import words
from harness.report.drawing import style
from harness.report.markdown import quantity
from harness.store import queries

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

TEXTS = words.table("figures.sessions")


def draw(result: Result, language: str) -> Picture | None:
    """Rows: sessions, fastest first; None where none but the default one was swept."""
    table = result.sessions
    if table["session"].nunique() < 2:
        return None
    texts, today = TEXTS[language], resolution.of_sweep(result)
    order = list(_order(result))
    figure, axes = style.new(
        _title(result, today, language), texts["subtitle"], 1.7 + 0.4 * len(order)
    )
    names = list(dict.fromkeys(table["variant"]))
    for place, session in enumerate(order):
        for at, variant in enumerate(names):
            row = queries.row(table, session=session, variant=variant)
            shift = (at - (len(names) - 1) / 2) * 0.3
            if row:
                _mark(axes, row, place + shift, style.colour(result, variant), language)
    _frame(axes, order, today.band, language)
    for at, variant in enumerate(names):
        how = {"color": style.colour(result, variant), "fontweight": "bold", "offset": (6, 0)}
        style.shown(axes, variant, (axes.get_xlim()[1], -0.75 + 0.42 * at), **how)
    return figure


def _order(result: Result) -> list[str]:
    mine = queries.rows(result.sessions, variant=queries.candidate(result)[0])
    shown = mine if len(mine) else result.sessions
    ordered = shown.sort_values("ratio", na_position="last", kind="stable")
    return list(dict.fromkeys([*ordered["session"], *result.sessions["session"]]))


def _mark(axes: Axes, row: Mapping[str, Any], place: float, ink: str, language: str) -> None:
    if row["error"] or row["ratio"] != row["ratio"]:
        how = {"color": style.MUTED, "offset": (4, 0)}
        style.shown(axes, f"✕ {row['variant']}: {TEXTS[language]['failed']}", (1, place), **how)
        return
    axes.plot([row["low"], row["high"]], [place, place], color=ink, linewidth=3, alpha=0.45)
    axes.plot([row["ratio"]], [place], "o", color=ink, markersize=5.5, markeredgecolor="white")
    if row["confirmed"] == row["confirmed"]:
        below = place + 0.24
        ends = [row["confirmed_low"], row["confirmed_high"]]
        axes.plot(ends, [below, below], color=ink, linewidth=1.6)
        axes.plot(
            [row["confirmed"]], [below], "D", color=ink, markersize=6, markeredgecolor="white"
        )
        text = quantity(row["confirmed"], "share", language)
        left = min(row["low"], ends[0])
        style.shown(
            axes, text, (left, below), offset=(-7, 0), ha="right", color=ink, fontweight="bold"
        )


def _frame(axes: Axes, order: list[str], band: tuple[float, float], language: str) -> None:
    texts = TEXTS[language]
    axes.axvline(1, color=style.INK, linewidth=1)
    low, high = axes.get_xlim()
    if math.isfinite(band[0]):
        low, high = min(low, band[0]), max(high, band[1])
        axes.axvspan(*band, color=style.MUTED, alpha=0.16, linewidth=0, zorder=0)
        inside = band[1] > low + 0.8 * (high - low)  # no room to the right of the band
        how = {"color": style.MUTED, "fontsize": 7.5, "ha": "right" if inside else "left"}
        style.shown(axes, texts["band"], (band[1], -0.72), offset=(-4 if inside else 4, 0), **how)
    axes.set(
        xlim=(min(low - 0.1 * (high - low), 0.88), max(high, 1.1)), ylim=(len(order) - 0.4, -1.1)
    )
    axes.set(xlabel=texts["axis"])
    axes.set_yticks(range(len(order)))
    axes.set_yticklabels(order, color=style.INK)
    axes.xaxis.set_major_formatter(style.percent(language))
    axes.spines["left"].set_visible(False)
    style.grid(axes)


def _title(result: Result, today: resolution.Resolution, language: str) -> str:
    texts, (variant, session) = TEXTS[language], queries.candidate(result)
    mine = queries.rows(result.sessions, variant=variant)
    row = queries.row(mine, session=session)
    if row is None or session in ("", "default"):
        return texts["plain"]
    if row["confirmed"] != row["confirmed"]:
        return texts["swept"].format(session=session)
    if not row["holds"]:
        return texts["lost"].format(session=session)
    others = [r for r in queries.records(mine) if r["session"] not in (session, "default")]
    same = [r for r in others if not r["error"] and resolution.speed_of(r, today) == "same"]
    saved = quantity(1 - row["confirmed"], "share", language)
    return texts["won"].format(session=session, saved=saved, same=len(same))


figure = Figure(
    title={
        "en": "Time of each session against the default one, with intervals and the A/A band",
        "es": "Tiempo de cada sesión respecto a la sesión por defecto, con intervalos y banda A/A",
    },
    draw=draw,
    section="sessions",
)
