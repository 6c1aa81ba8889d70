"""The median of each variant and session against the length of the audio."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.contracts import Figure, Result
from harness.decide import measures
from harness.report import noise, wording, words
from harness.report.drawing import style
from harness.report.markdown import NBSP, given, quantity
from harness.store import queries

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

TEXTS = words.table("figures.latency_lengths")
APART = 1.035  # from one point to the next of those that share a length
P50 = "latency_p50_ms"


def draw(result: Result, language: str) -> Picture | None:
    """One line per variant and session over the lengths; with one length, a row each. None without
    a latency stage."""
    stage = queries.rows(result.summary, stage="latency", operation="pipeline")
    known = queries.lengths(queries.rows(stage, metric="latency_p50_ms"))
    if not known:
        return None
    if len(known) == 1:
        return _one_length(result, known, language)
    texts = TEXTS[language]
    figure, axes = style.new(_lengths_title(result, known, language), texts["lengths_sub"], 4.3)
    alone = [line for line in queries.lines(result) if not _curve(axes, result, line, known)]
    noisy = _points(axes, result, alone, known)
    if _hollow(axes, result, known) or noisy:
        style.reads(axes, texts["lengths_sub"] + texts["noisy"])
    _level(axes, result, known, language)
    axes.set(xlabel=texts["length_axis"], ylabel=texts["y_axis"])
    axes.set_ylim(bottom=0)
    axes.set_xscale("log")
    axes.set_xticks([queries.seconds(name) for name in known])
    axes.set_xticks([], minor=True)
    style.numbers(axes.xaxis, language, f"{NBSP}s")
    style.numbers(axes.yaxis, language, f"{NBSP}ms")
    style.grid(axes, "y")
    return figure


def _curve(axes: Axes, result: Result, line: queries.Line, known: list[str]) -> bool:
    """Whether the line was measured at more than one length, and so drawn."""
    found = [(n, queries.latency(result, line, "latency_p50_ms", n)) for n in known]
    points = [(queries.seconds(name), *queries.bounds(row)) for name, row in found if row]
    if len(points) < 2:
        return False
    x, y, low, high = (np.array(column) for column in zip(*points, strict=True))
    ink = style.colour(result, line.variant, line.session)
    errors = [np.where(np.isfinite(low), y - low, 0), np.where(np.isfinite(high), high - y, 0)]
    how = {"fmt": "o-", "color": ink, "capsize": 3, "linewidth": 2, "markersize": 5}
    axes.errorbar(x, y, yerr=np.abs(errors), **how)  # type: ignore[arg-type]
    style.shown(axes, line.label, (x[-1], y[-1]), offset=(9, 0), color=ink, fontweight="bold")
    return True


def _points(axes: Axes, result: Result, alone: list[queries.Line], known: list[str]) -> bool:
    """Lines measured at the main length only: beside each other, their labels one over the other;
    to the left of that length, or to its right where it is the shortest. Whether one is hollow."""
    at = queries.main_length(result)
    found = [(line, queries.bounds(queries.latency(result, line, P50, at))) for line in alone]
    kept = [(bounds, line) for line, bounds in found if not math.isnan(bounds[0])]
    points = sorted(kept, key=lambda pair: pair[0])
    hollow = {line: _noisy(result, line, at) for _, line in points}
    apart = APART if at == known[0] else 1 / APART
    edge, gap, free = (
        queries.seconds(at) * apart ** (len(points) + 2),
        0.05 * axes.get_ylim()[1],
        0.0,
    )
    for place, (bounds, line) in enumerate(points):
        x, free = queries.seconds(at) * apart ** (len(points) - place), max(bounds[0], free)
        ink = style.colour(result, line.variant, line.session)
        how: dict[str, Any] = {"fmt": "o", "color": ink, "capsize": 3, "markersize": 5, "zorder": 4}
        axes.errorbar([x], [bounds[0]], yerr=_errors(bounds), **how)
        axes.plot([edge, x], [free, bounds[0]], color=ink, linewidth=0.7, alpha=0.5)
        if hollow[line]:
            axes.plot([x], [bounds[0]], "o", color="white", markersize=2.6, zorder=5)
        side: dict[str, Any] = {"offset": (4 if apart > 1 else -4, 0), "color": ink}
        style.shown(axes, line.label, (edge, free), ha="left" if apart > 1 else "right", **side)
        free += gap
    return any(hollow.values())


def _errors(bounds: tuple[float, float, float]) -> list[list[float]]:
    """How far an interval reaches down and up; not at all on a side without a bound."""
    value, low, high = bounds
    return [[abs(end - value) if math.isfinite(end) else 0.0] for end in (low, high)]


def _one_length(result: Result, known: list[str], language: str) -> Picture | None:
    """A row for each variant and session: nothing can be told of other lengths."""
    rows = [(line, queries.latency(result, line, P50, known[0])) for line in queries.lines(result)]
    measured = [(line, queries.bounds(row)) for line, row in rows if row]
    texts, at = TEXTS[language], wording.workload(known[0], language)
    title, noisy = _lengths_title(result, known, language), False
    subtitle, height = texts["one_sub"].format(workload=at), 1.45 + 0.34 * len(measured)
    figure, axes = style.new(title, subtitle, height)
    for place, (line, bounds) in enumerate(measured):
        ink = style.colour(result, line.variant, line.session)
        hollow = _noisy(result, line, known[0])
        how: dict[str, Any] = {"fmt": "o", "color": ink, "capsize": 3, "markersize": 6}
        axes.errorbar([bounds[0]], [place], xerr=_errors(bounds), **how)
        if hollow:
            axes.plot([bounds[0]], [place], "o", color="white", markersize=3, zorder=5)
        noisy |= hollow
        shown = quantity(bounds[0], "ms", language)
        style.shown(axes, shown, (bounds[0], place - 0.3), ha="center", color=ink)
    limit = measures.most(result, P50, known[0])
    if limit == limit:
        axes.axvline(limit, color=style.LIMIT, linewidth=1.4)
        text = f"P50 ≤ {quantity(limit, 'ms', language)}"
        style.shown(axes, text, (limit, -0.65), offset=(4, 0), color=style.LIMIT)
    style.reads(axes, subtitle + (texts["noisy"] if noisy else ""))
    axes.set(xlabel=texts["y_axis"], ylim=(len(measured) - 0.5, -0.8))
    axes.set_xlim(left=0)
    axes.set_yticks(range(len(measured)))
    axes.set_yticklabels([line.label for line, _ in measured], color=style.INK)
    axes.spines["left"].set_visible(False)
    style.numbers(axes.xaxis, language, f"{NBSP}ms")
    style.grid(axes)
    return figure


def _noisy(result: Result, line: queries.Line, name: str) -> bool:
    """Whether more than one block in ten of the line's cell was measured under noise."""
    blocks = queries.rows(noise.blocks(result), stage="latency")
    cell = {"variant": line.variant, "session": line.session}
    return noise.counted(blocks, **cell, audio_seconds=queries.seconds(name)).much


def _hollow(axes: Axes, result: Result, known: list[str]) -> bool:
    """A white middle in the curves' dots whose cells had many noisy blocks; whether there are any.

    A line with one point alone has it beside its length, not in it."""
    found = False
    for line in queries.lines(result):
        values = {n: queries.bounds(queries.latency(result, line, P50, n))[0] for n in known}
        there = {name: value for name, value in values.items() if not math.isnan(value)}
        for name, value in there.items() if len(there) > 1 else ():
            if _noisy(result, line, name):
                at = queries.seconds(name)
                axes.plot([at], [value], "o", color="white", markersize=2.6, zorder=5)
                found = True
    return found


def _level(axes: Axes, result: Result, known: list[str], language: str) -> None:
    at = queries.main_length(result)
    limit = measures.most(result, "latency_p50_ms", at)
    if limit != limit or at not in known:
        return
    x = queries.seconds(at)
    axes.plot([x / 1.15, x * 1.15], [limit, limit], color=style.LIMIT, linewidth=1.8)
    text = f"P50 ≤ {quantity(limit, 'ms', language)}"
    style.shown(axes, text, (x * 1.15, limit), offset=(5, -6), color=style.LIMIT)


def _lengths_title(result: Result, known: list[str], language: str) -> str:
    """What was saved, by the paired ratios; only where every one is beyond the machine's noise."""
    texts, one = TEXTS[language], "one_" if len(known) == 1 else ""
    base, best = queries.lines(result)[0], measures.chosen(result)
    found = [queries.change(result, best, P50, name) for name in known]
    changes = [change for change in found if change]
    names = {"line": best.label, "base": base.label}
    names["workload"] = wording.workload(known[0], language)
    if best == base or not changes:
        return texts["one_sub" if one else "lengths_sub"].format(**names)
    if not all(change["resolved"] for change in changes):
        told = sum(change["resolved"] for change in changes)
        return texts[f"{one}unclear"].format(**names, n=told, all=len(changes))
    saved = [1 - change["ratio"] for change in changes]
    if min(saved) <= 0:
        return texts[f"{one}slower"].format(**names)
    low, high = (given(round(share, 2), "share", language) for share in (min(saved), max(saved)))
    key = "lengths" if low != high else "one_length" if one else "alike"
    return texts[key].format(**names, low=low, high=high)


figure = Figure(
    title={
        "en": "Latency P50 by audio length",
        "es": "Latencia P50 según la duración del audio",
    },
    draw=draw,
    section="latency",
)
