"""Every warm call of the pipeline per cell: length, and variant and session within it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.contracts import Figure, Result
from harness.decide import measures, stats
from harness.report import noise, row_text, wording, words
from harness.report.drawing import style
from harness.report.markdown import NBSP, quantity
from harness.store import queries

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]

TEXTS = words.table("figures.latency_cells")
JITTER = 0.27


def draw(result: Result, language: str) -> Picture | None:
    """Rows: lengths, and within each the lines that were measured there. None without calls."""
    groups = queries.timed(result)
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
    way = row_text.way(result, language)
    _frame(axes, ticks, texts["axis"].format(way=way[0].lower() + way[1:]), language)
    if noisy:
        style.reads(axes, texts["cells_sub"] + texts["noise"])
    return figure


def _cells_title(result: Result, language: str) -> str:
    """With the P99 only where there were calls enough to bound it."""
    line, at = measures.chosen(result), queries.main_length(result)
    p50, p99 = (
        queries.bounds(queries.latency(result, line, f"latency_{q}_ms", at)) for q in ("p50", "p99")
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
    checks = queries.rows(result.checks, operation="pipeline", workload=workload)
    for check in queries.records(checks[checks["metric"].str.startswith("latency")]):
        limit = measures.maximum(result, check)
        if math.isnan(limit):
            continue
        axes.plot([limit, limit], span, color=style.LIMIT, linewidth=1.4)
        digits = wording.metric(check["metric"], language).rpartition(" ")[2]
        text = f"{digits} ≤ {quantity(limit, 'ms', language)}"
        how = {"color": style.LIMIT, "ha": "center", "fontsize": 8}
        style.shown(axes, text, (limit, span[0]), offset=(0, 5), **how)


def _frame(axes: Axes, ticks: list[tuple[float, str]], label: str, language: str) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator

    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(FixedLocator(style.ticks(low, high)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(low, high)
    style.numbers(axes.xaxis, language, f"{NBSP}ms")
    axes.set(xlabel=label, ylim=(ticks[-1][0] + 0.7, -0.95))
    axes.set_yticks([place for place, _ in ticks])
    axes.set_yticklabels([text for _, text in ticks], color=style.INK)
    axes.spines["left"].set_visible(False)
    style.grid(axes)


figure = Figure(
    title={
        "en": "Latency distribution per cell, on a logarithmic scale",
        "es": "Distribución de la latencia por celda, en escala logarítmica",
    },
    draw=draw,
    section="latency",
)
