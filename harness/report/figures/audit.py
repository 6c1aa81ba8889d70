"""Each configuration by another's protocol, repeat by repeat, beside its paired time our way."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.contracts import Figure, Result
from harness.decide import protocol
from harness.decide.protocol import Configuration, Replayed
from harness.report import words
from harness.report.drawing import style
from harness.report.markdown import quantity

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

# times beyond the widest are an arrow with the figure, so that small differences can be seen
NARROWEST, WIDEST = 0.4, 1.35
BESIDE = 0.24  # our mark stands below the protocol's
NEAR, ABOVE = 0.02, 0.3  # circles nearer than this are drawn above each other
TEXTS = words.table("figures.audit")


def draw(result: Result, language: str) -> Picture | None:
    """Rows: configurations in the protocol's order; None where nothing was replayed."""
    replayed = protocol.read(result)
    if replayed is None or not replayed.winners:
        return None
    texts, count = TEXTS[language], len(replayed.configurations)
    figure, axes = style.new(_title(replayed, language), texts["subtitle"], 1.8 + 0.55 * count)
    unit = next((r.pooled.p50 for r in replayed.first.repeats if r.pooled.n), math.nan)
    for place, one in enumerate(replayed.configurations):
        ink = style.BASELINE if one is replayed.first else style.HUES[0][0]
        ratios = [protocol.over(repeat.pooled.p50, unit) for repeat in one.repeats]
        times = {n: time for n, time in enumerate(ratios, 1) if not math.isnan(time)}
        _repeats(axes, times, place, ink)
        _ours(axes, one, place + BESIDE, language)
        if not times:
            style.shown(axes, f"✕ {texts['failed']}", (1, place), offset=(4, 0), color=style.MUTED)
        beyond = [quantity(t, "share", language) for t in times.values() if t > WIDEST]
        if beyond:
            _beyond(axes, place, f"○ {', '.join(beyond)}", ink)
    _frame(axes, replayed, language)
    return figure


def _repeats(axes: Axes, times: Mapping[int, float], place: float, ink: str) -> None:
    """A circle for each repeat, with its number in it."""
    inside = {n: time for n, time in times.items() if time <= WIDEST}
    axes.plot(list(inside.values()), [place] * len(inside), color=ink, linewidth=1.2, alpha=0.6)
    drawn: list[tuple[float, float]] = []
    for n, time in inside.items():
        near = [at for other, at in drawn if abs(time - other) < NEAR]
        at = min(near, default=place + ABOVE) - ABOVE
        drawn.append((time, at))
        axes.plot([time], [at], "o", color="white", markersize=11, markeredgecolor=ink)
        how = {"ha": "center", "color": ink, "fontsize": 7.5, "fontweight": "bold"}
        style.shown(axes, str(n), (time, at), **how)


def _ours(axes: Axes, one: Configuration, place: float, language: str) -> None:
    (ratio, low, high), ink = one.ours.ratio, style.INK
    if math.isnan(ratio):
        return
    if ratio > WIDEST:
        _beyond(axes, place, f"◆ {quantity(ratio, 'share', language)}", ink)
        return
    ends = [max(low, NARROWEST), min(high, WIDEST)]
    axes.plot(ends, [place, place], color=ink, linewidth=1.8)
    axes.plot([ratio], [place], "D", color=ink, markersize=5.5, markeredgecolor="white")


def _beyond(axes: Axes, place: float, text: str, ink: str) -> None:
    axes.plot([WIDEST], [place], ">", color=ink, markersize=6, clip_on=False)
    style.shown(axes, text, (WIDEST, place), offset=(9, 0), color=ink)


def _frame(axes: Axes, replayed: Replayed, language: str) -> None:
    texts, band, count = TEXTS[language], replayed.resolution.band, len(replayed.configurations)
    axes.axvline(1, color=style.INK, linewidth=1)
    low, high = axes.get_xlim()
    if math.isfinite(band[0]):
        low, high = min(low, band[0]), max(high, band[1])
        axes.axvspan(*band, color=style.MUTED, alpha=0.16, linewidth=0, zorder=0)
        wide = band[1] > 1.2  # no room to the right of the band
        how = {"color": style.MUTED, "fontsize": 7.5, "ha": "right" if wide else "left"}
        at = min(band[1], WIDEST), -0.72
        style.shown(axes, texts["band"], at, offset=(-4 if wide else 4, 0), **how)
    ends = max(min(low, 0.9), NARROWEST), min(max(high, 1.1), WIDEST)
    axes.set(xlim=ends, ylim=(count - 0.4, -1.1))
    axes.set(xlabel=texts["axis"])
    axes.set_yticks(range(count))
    axes.set_yticklabels([one.name for one in replayed.configurations], color=style.INK)
    axes.xaxis.set_major_formatter(style.percent(language))
    axes.spines["left"].set_visible(False)
    style.grid(axes)


def _title(replayed: Replayed, language: str) -> str:
    texts, named = TEXTS[language], list(dict.fromkeys(replayed.winners.values()))
    names = {"names": ", ".join(one.name for one in named), "name": named[0].name}
    ratio = quantity(named[0].ours.ratio[0], "share", language)
    key = "other" if len(named) > 1 else "first" if named[0] is replayed.first else "same"
    if len(replayed.winners) < 2:
        key = "once"
    return texts[key].format(**names, ratio=ratio, first=replayed.first.name)


figure = Figure(
    title={
        "en": "Each configuration by the protocol in each repeat, and our way",
        "es": "Cada configuración según el protocolo en cada repetición, y a nuestro modo",
    },
    draw=draw,
    section="audit",
)
