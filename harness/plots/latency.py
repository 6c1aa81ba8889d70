"""Every warm call of the pipeline per cell, and its median against the length of the audio."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from harness import measures, noise, reading, stats, wording
from harness.contracts import Result
from harness.markdown import NBSP, given, quantity
from harness.plots import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]

TEXTS = {
    "es": {
        "cells": "Con {workload} de audio, {line} tarda {value} (P50) y {tail} (P99)",
        "median": "Con {workload} de audio, {line} tarda {value} (P50)",
        "cells_sub": (
            "Cada punto es una llamada; barra: mitad central; raya: P50; rombo: P99 (desde 299 "
            "llamadas)"
        ),
        "noise": "\nAspa: llamada de un bloque medido con ruido",
        "axis": "Latencia, {way} (escala logarítmica)",
        "lengths": "{line} tarda entre un {low} y un {high} menos que {base}, según la duración",
        "lengths_sub": "P50 y su intervalo del 95 % según la duración del audio",
        "noisy": "; hueco: más de un bloque de cada diez, con ruido",
        "length_axis": "Duración del audio (escala logarítmica)",
        "y_axis": "Latencia P50",
        "unclear": "{line} y {base} se distinguen en {n} de {all} duraciones",
        "slower": "{line} no es más rápido que {base} en todas las duraciones",
    },
    "en": {
        "cells": "With {workload} of audio, {line} takes {value} (P50) and {tail} (P99)",
        "median": "With {workload} of audio, {line} takes {value} (P50)",
        "cells_sub": (
            "Each dot is one call; bar: middle half; dash: P50; diamond: P99 (from 299 calls on)"
        ),
        "noise": "\nCross: a call of a block measured under noise",
        "axis": "Latency, {way} (logarithmic scale)",
        "lengths": "{line} takes {low} to {high} less time than {base}, depending on the length",
        "lengths_sub": "P50 and its 95% interval by audio length",
        "noisy": "; hollow: more than one block in ten under noise",
        "length_axis": "Audio length (logarithmic scale)",
        "y_axis": "Latency P50",
        "unclear": "{line} and {base} can be told apart at {n} of {all} lengths",
        "slower": "{line} is not faster than {base} at every length",
    },
}
JITTER = 0.27


# ---------------------------------------- all calls, by cell
def cells(result: Result, language: str) -> Figure | None:
    """Rows: lengths, and within each the lines that were measured there. None without calls."""
    groups = reading.timed(result)
    if not groups:
        return None
    texts = TEXTS[language]
    rows = sum(len(found) for _, found in groups)
    figure, axes = style.new(
        _cells_title(result, language), texts["cells_sub"], 1.4 + 0.3 * rows + 0.2 * len(groups)
    )
    place, ticks = 0.0, []
    noisy = False
    for workload, found in groups:
        top = place
        for line, calls in found:
            marked = noise.marked(result, calls)
            noisy |= bool(marked.any())
            _strip(axes, calls, marked, place, style.colour(result, line.variant, line.session))
            ticks.append((place, f"{line.label}   {wording.workload(workload, language)}"))
            place += 1
        _limits(axes, result, workload, (top - 0.5, place - 0.5), language)
        place += 0.45
    way = measures.way(result, language)
    _frame(axes, ticks, texts["axis"].format(way=way[0].lower() + way[1:]), language)
    if noisy:
        style.reads(axes, texts["cells_sub"] + texts["noise"])
    return figure


def _cells_title(result: Result, language: str) -> str:
    """With the P99 only where there were calls enough to bound it."""
    line, at = reading.lines(result)[-1], reading.main_length(result)
    p50, p99 = (
        reading.bounds(reading.latency(result, line, f"latency_{q}_ms", at)) for q in ("p50", "p99")
    )
    return TEXTS[language]["cells" if math.isfinite(p99[2]) else "median"].format(
        workload=wording.workload(at, language),
        line=line.label,
        value=quantity(p50[0], "ms", language),
        tail=quantity(p99[0], "ms", language),
    )


def _strip(axes: Axes, calls: pd.DataFrame, noisy: Flags, place: float, ink: str) -> None:
    """Dots spread by a fixed sequence (the golden ratio's), so that no generator is needed."""
    milliseconds = calls["seconds"].to_numpy(dtype=np.float64) * 1000
    spread = (np.arange(len(milliseconds)) * 0.6180339887) % 1 * 2 - 1
    heights = place + spread * JITTER
    dots: dict[str, Any] = {"color": ink, "alpha": 0.28, "markersize": 2.6, "markeredgewidth": 0}
    axes.plot(milliseconds[~noisy], heights[~noisy], "o", **dots)
    axes.scatter(milliseconds[noisy], heights[noisy], **style.CROSS)
    ordered = np.sort(milliseconds)
    left, middle, right, tail = np.quantile(ordered, (0.25, 0.5, 0.75, 0.99), method="inverted_cdf")
    axes.plot([left, right], [place, place], color=ink, linewidth=6, solid_capstyle="butt")
    axes.plot([middle, middle], [place - 0.3, place + 0.3], color="white", linewidth=3.4)
    axes.plot([middle, middle], [place - 0.3, place + 0.3], color=style.INK, linewidth=1.6)
    if len(ordered) >= stats.needed_calls(0.99):
        axes.plot([tail], [place], "D", color=ink, markersize=4.5, markeredgecolor="white")


def _limits(
    axes: Axes, result: Result, workload: str, span: tuple[float, float], language: str
) -> None:
    checks = reading.rows(result.checks, operation="pipeline", workload=workload, kind="max")
    for check in reading.records(checks[checks["metric"].str.startswith("latency")]):
        limit = float(check["limit"])
        axes.plot([limit, limit], span, color=style.LIMIT, linewidth=1.4)
        digits = wording.metric(check["metric"], language).rpartition(" ")[2]
        text = f"{digits} ≤ {quantity(limit, 'ms', language)}"
        how = {"color": style.LIMIT, "ha": "center", "fontsize": 8}
        style.shown(axes, text, (limit, span[0]), offset=(0, 5), **how)


def _frame(axes: Axes, ticks: list[tuple[float, str]], label: str, language: str) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator

    axes.set_xscale("log")
    low, high = axes.get_xlim()
    scale = [10.0**power * step for power in range(-2, 7) for step in (1, 1.5, 2, 3, 5, 7)]
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in scale if low <= tick <= high]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(low, high)
    style.numbers(axes.xaxis, language, f"{NBSP}ms")
    axes.set(xlabel=label, ylim=(ticks[-1][0] + 0.7, -0.95))
    axes.set_yticks([place for place, _ in ticks])
    axes.set_yticklabels([text for _, text in ticks], color=style.INK)
    axes.spines["left"].set_visible(False)
    style.grid(axes)


# ---------------------------------------- median, by length
def lengths(result: Result, language: str) -> Figure | None:
    """One line per variant and session over the lengths. None without a latency stage."""
    stage = reading.rows(result.summary, stage="latency", operation="pipeline")
    known = reading.lengths(reading.rows(stage, metric="latency_p50_ms"))
    if not known:
        return None
    texts = TEXTS[language]
    figure, axes = style.new(_lengths_title(result, known, language), texts["lengths_sub"], 4.3)
    alone = [line for line in reading.lines(result) if not _curve(axes, result, line, known)]
    _points(axes, result, alone)
    if _hollow(axes, result, known):
        style.reads(axes, texts["lengths_sub"] + texts["noisy"])
    _level(axes, result, known, language)
    axes.set(xlabel=texts["length_axis"], ylabel=texts["y_axis"])
    axes.set_ylim(bottom=0)
    axes.set_xscale("log")
    axes.set_xticks([reading.seconds(name) for name in known])
    axes.set_xticks([], minor=True)
    style.numbers(axes.xaxis, language, f"{NBSP}s")
    style.numbers(axes.yaxis, language, f"{NBSP}ms")
    style.grid(axes, "y")
    return figure


def _curve(axes: Axes, result: Result, line: reading.Line, known: list[str]) -> bool:
    """Whether the line was measured at more than one length, and so drawn."""
    found = [(n, reading.latency(result, line, "latency_p50_ms", n)) for n in known]
    points = [(reading.seconds(name), *reading.bounds(row)) for name, row in found if row]
    if len(points) < 2:
        return False
    x, y, low, high = (np.array(column) for column in zip(*points, strict=True))
    ink = style.colour(result, line.variant, line.session)
    errors = [np.where(np.isfinite(low), y - low, 0), np.where(np.isfinite(high), high - y, 0)]
    how = {"fmt": "o-", "color": ink, "capsize": 3, "linewidth": 2, "markersize": 5}
    axes.errorbar(x, y, yerr=np.abs(errors), **how)  # type: ignore[arg-type]
    style.shown(axes, line.label, (x[-1], y[-1]), offset=(9, 0), color=ink, fontweight="bold")
    return True


def _points(axes: Axes, result: Result, alone: list[reading.Line]) -> None:
    """Lines measured at one length only: a dot, its label to the left, no label over another."""
    at = reading.main_length(result)
    found = [(line, reading.latency(result, line, "latency_p50_ms", at)) for line in alone]
    known = sorted(((row["value"], line) for line, row in found if row), key=lambda pair: pair[0])
    gap, free = 0.045 * axes.get_ylim()[1], 0.0
    for value, line in known:
        ink = style.colour(result, line.variant, line.session)
        x, free = reading.seconds(at), max(value, free)
        axes.plot([x], [value], "o", color=ink, markersize=6, markeredgecolor="white", zorder=4)
        style.shown(axes, line.label, (x, free), offset=(-9, 0), ha="right", color=ink)
        free += gap


def _hollow(axes: Axes, result: Result, known: list[str]) -> bool:
    """A white middle in the dots whose cells had many noisy blocks; whether there are any."""
    blocks = reading.rows(noise.blocks(result), stage="latency")
    found = False
    for line, name in itertools.product(reading.lines(result), known):
        value = reading.bounds(reading.latency(result, line, "latency_p50_ms", name))[0]
        at, cell = reading.seconds(name), {"variant": line.variant, "session": line.session}
        if noise.counted(blocks, **cell, audio_seconds=at).much and not math.isnan(value):
            axes.plot([at], [value], "o", color="white", markersize=2.6, zorder=5)
            found = True
    return found


def _level(axes: Axes, result: Result, known: list[str], language: str) -> None:
    at = reading.main_length(result)
    limit = reading.limit(result, "latency_p50_ms", at)
    if limit != limit or at not in known:
        return
    x = reading.seconds(at)
    axes.plot([x / 1.15, x * 1.15], [limit, limit], color=style.LIMIT, linewidth=1.8)
    text = f"P50 ≤ {quantity(limit, 'ms', language)}"
    style.shown(axes, text, (x * 1.15, limit), offset=(5, -6), color=style.LIMIT)


def _lengths_title(result: Result, known: list[str], language: str) -> str:
    """What was saved, by the paired ratios; only where every one is beyond the machine's noise."""
    texts, every = TEXTS[language], reading.lines(result)
    base, best = every[0], every[-1]
    found = [reading.change(result, best, "latency_p50_ms", name) for name in known]
    changes = [change for change in found if change]
    names = {"line": best.label, "base": base.label}
    if best == base or not changes:
        return texts["lengths_sub"]
    if not all(change["resolved"] for change in changes):
        told = sum(change["resolved"] for change in changes)
        return texts["unclear"].format(**names, n=told, all=len(changes))
    saved = [1 - change["ratio"] for change in changes]
    if min(saved) <= 0:
        return texts["slower"].format(**names)
    low, high = (given(round(share, 2), "share", language) for share in (min(saved), max(saved)))
    return texts["lengths"].format(**names, low=low, high=high)
