"""Quality against latency, each variant's size as its bubble; recorded rows hollow."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness import reading, wording
from harness.contracts import Result
from harness.markdown import NBSP, quantity
from harness.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAN = float("nan")
TEXTS = {
    "es": {
        "title": "{line}: {times} del tiempo de {base}, {size} de su tamaño y {delta}",
        "delta": "{delta} de WER",
        "same": "un WER que no se distingue",
        "plain": "Calidad, latencia y tamaño de cada variante",
        "subtitle": (
            "Abajo y a la izquierda, mejor; el área es el tamaño; hueco: registrado en otro lugar"
        ),
        "x": "Latencia P50 con {workload} de audio",
        "y": "WER",
        "elsewhere": "sin WER publicado: {names}",
    },
    "en": {
        "title": "{line}: {times} of the time of {base}, {size} of its size and {delta}",
        "delta": "{delta} of WER",
        "same": "a WER that cannot be told apart",
        "plain": "Quality, latency and size of each variant",
        "subtitle": "Lower left is better; the area is the size; hollow: recorded elsewhere",
        "x": "Latency P50 with {workload} of audio",
        "y": "WER",
        "elsewhere": "no WER stated: {names}",
    },
}


def draw(result: Result, language: str) -> Figure | None:
    """A bubble per variant and session, None where none has both a WER and a latency."""
    if not reading.can_trade(result):
        return None
    texts, workload = TEXTS[language], reading.main_length(result)
    figure, axes = style.new(_title(result, language), texts["subtitle"], 4.6)
    axes.set_xscale("log")
    for line in reading.lines(result):
        _bubble(axes, result, line, language)
    _recorded(axes, result, language)
    limit = reading.limit(result, "latency_p50_ms", workload)
    if limit == limit:
        axes.axvline(limit, color=style.LIMIT, linewidth=1.4)
        text = f"P50 ≤ {quantity(limit, 'ms', language)}"
        at = (limit, 0.97)
        axes.annotate(
            text,
            at,
            xycoords=("data", "axes fraction"),
            color=style.LIMIT,
            fontsize=8.5,
            xytext=(-4, 0),
            textcoords="offset points",
            ha="right",
            va="top",
        )
    _ceiling(axes, result, language)
    _frame(axes, texts, workload, language)
    return figure


def _bubble(axes: Axes, result: Result, line: reading.Line, language: str) -> None:
    time = reading.latency(result, line, "latency_p50_ms", reading.main_length(result))
    wer = reading.quality(result, line.variant, "wer")
    if not time or not wer:
        return
    x, y = reading.bounds(time), reading.bounds(wer)
    ink = style.colour(result, line.variant, line.session)
    size = reading.bounds(reading.row(result.summary, variant=line.variant, metric="size_mb"))[0]
    for ends, other in ((x, y), (y, x)):
        inner = [end for end in ends[1:] if math.isfinite(end)]
        if len(inner) == 2:
            pair = (inner, [other[0]] * 2) if ends is x else ([other[0]] * 2, inner)
            axes.plot(*pair, color=ink, linewidth=1.6, alpha=0.7)
    area = 3.2 * size if size == size else 60
    axes.scatter([x[0]], [y[0]], s=area, color=ink, alpha=0.55, edgecolor="white", zorder=3)
    axes.scatter([x[0]], [y[0]], s=9, color=ink, zorder=4)
    text = line.label + (f"\n{quantity(size, 'MB', language)}" if size == size else "")
    _label(axes, text, (x[0], y[0]), (area, ink, line.role == "candidate"))


def _label(axes: Axes, text: str, at: tuple[float, float], look: tuple[float, str, bool]) -> None:
    area, ink, left = look
    reach = math.sqrt(area / math.pi) + 4
    how: dict[str, Any] = {"offset": (-reach if left else reach, 0), "color": ink}
    style.shown(axes, text, at, ha="right" if left else "left", fontweight="bold", **how)


def _recorded(axes: Axes, result: Result, language: str) -> None:
    missing = []
    for entry in result.experiment.get("recorded") or []:
        time, wer, size = (_figure(entry, name) for name in ("latency_p50_ms", "wer", "size_mb"))
        if time == time and wer == wer:
            area = 3.2 * size if size == size else 60
            axes.scatter(
                [time], [wer], s=area, facecolor="none", edgecolor=style.MUTED, linewidth=1.4
            )
            at = (time, wer)
            style.shown(
                axes,
                entry["name"],
                at,
                offset=(math.sqrt(area / math.pi) + 4, 0),
                color=style.MUTED,
            )
        elif time == time:
            missing.append(f"{entry['name']} ({quantity(time, 'ms', language)})")
    if missing:
        text = TEXTS[language]["elsewhere"].format(names=", ".join(missing))
        axes.annotate(
            text, (0.995, 0.02), xycoords="axes fraction", ha="right", color=style.MUTED, fontsize=8
        )


def _figure(entry: Mapping[str, Any], metric: str) -> float:
    return float(entry.get(metric, NAN))


def _ceiling(axes: Axes, result: Result, language: str) -> None:
    """The WER gate's limit: absolute, or the baseline's own WER plus the allowed increase."""
    base = reading.quality(result, reading.baseline(result), "wer")
    for check in reading.records(reading.rows(result.checks, metric="wer")):
        rise = check["kind"] == "max_increase"
        if rise and not base:
            continue
        level = float(check["limit"]) + (float(base["value"]) if rise and base else 0.0)
        axes.axhline(level, color=style.LIMIT, linewidth=1.4, linestyle=(0, (5, 3)))
        text = f"WER {wording.gate_limit(check, language)}"
        axes.annotate(
            text,
            (0.995, level),
            xycoords=("axes fraction", "data"),
            color=style.LIMIT,
            fontsize=8.5,
            xytext=(0, 3),
            textcoords="offset points",
            ha="right",
        )


def _frame(axes: Axes, texts: Mapping[str, str], workload: str, language: str) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator

    low, high = axes.get_xlim()
    low, high = low / 1.25, high * 1.25
    scale = [10.0**power * step for power in range(-2, 7) for step in (1, 1.5, 2, 3, 4, 5, 7)]
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in scale if low <= tick <= high]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(low, high)
    axes.set_ylim(bottom=0, top=axes.get_ylim()[1] * 1.08)
    style.numbers(axes.xaxis, language, f"{NBSP}ms")
    axes.yaxis.set_major_formatter(style.percent(language))
    at = wording.workload(workload, language)
    axes.set(xlabel=texts["x"].format(workload=at), ylabel=texts["y"])
    style.grid(axes, "both")


def _title(result: Result, language: str) -> str:
    texts, every = TEXTS[language], reading.lines(result)
    base, best = every[0], every[-1]
    pairs = []
    for line in (base, best):
        time = reading.latency(result, line, "latency_p50_ms", reading.main_length(result))
        size = reading.row(result.summary, variant=line.variant, metric="size_mb")
        wer = reading.quality(result, line.variant, "wer")
        pairs.append([reading.bounds(row)[0] for row in (time, size, wer)])
    if not reading.told_at(result, best, reading.main_length(result)) or any(
        math.isnan(value) for pair in pairs for value in pair
    ):
        return texts["plain"]
    shares = [quantity(pairs[1][i] / pairs[0][i], "share", language) for i in (0, 1)]
    found = reading.change(result, best, "latency_p50_ms", reading.main_length(result))
    shares[0] = quantity(found["ratio"] if found else NAN, "share", language)
    other = reading.row(result.changes, stage="quality", variant=best.variant, metric="wer")
    delta = quantity(pairs[1][2] - pairs[0][2], "share", language, difference=True)
    told = texts["delta" if other and other["resolved"] else "same"].format(delta=delta)
    return texts["title"].format(
        line=best.label, base=base.label, times=shares[0], size=shares[1], delta=told
    )
