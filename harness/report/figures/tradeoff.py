"""Quality against latency, each variant's size as its bubble; recorded rows hollow."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.contracts import Figure, Result
from harness.contracts.experiment import Recorded
from harness.decide import gate_rules, measures
from harness.report import wording, words
from harness.report.drawing import labels, style
from harness.report.drawing.labels import Bubble
from harness.report.markdown import NBSP, quantity, symbol
from harness.store import queries

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

NAN = float("nan")
Traded = tuple[measures.Measure, measures.Measure]  # speed, quality
TEXTS = words.table("figures.tradeoff")


def draw(result: Result, language: str) -> Picture | None:
    """A bubble per variant and session, None where none has both a quality and a time."""
    traded = measures.both(result)
    if traded is None:
        return None
    speed, quality = traded
    texts = TEXTS[language]
    how = texts["subtitle" if quality.better == "lower" else "higher"]
    figure, axes = style.new(_title(result, traded, language), how, 4.6)
    limit = measures.most(result, speed.metric, speed.workload)
    axes.set_xscale("log" if _positive(result, speed, limit) else "linear")
    found = [
        (line, _bubble(axes, result, line, traded, language)) for line in queries.lines(result)
    ]
    drawn = [(line, bubble) for line, bubble in found if bubble]
    how += texts["loops"] if any(measures.loops(result, line) for line, _ in drawn) else ""
    bubbles = [bubble for _, bubble in drawn]
    how += _recorded(axes, result, traded, bubbles, language)
    style.reads(axes, how)
    if limit == limit:
        axes.axvline(limit, color=style.LIMIT, linewidth=1.4)
        axes.annotate(
            f"{_short(speed, language)} ≤ {quantity(limit, speed.unit, language)}",
            (limit, 0.97),
            xycoords=("data", "axes fraction"),
            color=style.LIMIT,
            fontsize=8.5,
            xytext=(-4, 0),
            textcoords="offset points",
            ha="right",
            va="top",
        )
    _ceiling(axes, result, quality, language)
    _frame(axes, traded, language)
    labels.place(axes, bubbles)
    return figure


def _positive(result: Result, speed: measures.Measure, limit: float) -> bool:
    """Whether each can stand on a logarithmic axis: times do, a metric of one's own may not."""
    here = [queries.bounds(speed.of(result, line))[0] for line in queries.lines(result)]
    there = [_figure(entry, speed.metric) for entry in result.experiment.recorded]
    return not any(value <= 0 for value in (*here, *there, limit))


def _short(speed: measures.Measure, language: str) -> str:
    name = wording.metric(speed.metric, language)
    return name.rpartition(" ")[2] if speed.stage == "latency" else name


def _bubble(
    axes: Axes, result: Result, line: queries.Line, traded: Traded, language: str
) -> Bubble | None:
    """Draw a line's bubble with its error bars, with a cross where its transcripts loop."""
    time, scored = (measure.of(result, line) for measure in traded)
    x, y = queries.bounds(time), queries.bounds(scored)
    if math.isnan(x[0]) or math.isnan(y[0]):
        return None
    ink = style.colour(result, line.variant, line.session)
    size = queries.bounds(queries.row(result.summary, variant=line.variant, metric="size_mb"))[0]
    for ends, other in ((x, y), (y, x)):
        inner = [end for end in ends[1:] if math.isfinite(end)]
        if len(inner) == 2:
            pair = (inner, [other[0]] * 2) if ends is x else ([other[0]] * 2, inner)
            axes.plot(*pair, color=ink, linewidth=1.6, alpha=0.7)
    area = 3.2 * size if size == size else 60
    axes.scatter([x[0]], [y[0]], s=area, color=ink, alpha=0.55, edgecolor="white", zorder=3)
    if measures.loops(result, line):
        axes.scatter([x[0]], [y[0]], s=70, marker="x", color=style.INK, linewidths=2, zorder=5)
    else:
        axes.scatter([x[0]], [y[0]], s=9, color=ink, zorder=4)
    text = line.label + (f"\n{quantity(size, 'MB', language)}" if size == size else "")
    return Bubble(x[0], y[0], math.sqrt(area / math.pi), text, ink, line.role == "candidate")


def _recorded(
    axes: Axes, result: Result, traded: Traded, bubbles: list[Bubble], language: str
) -> str:
    """Hollow bubbles, added to `bubbles`; in words those that have a time and no quality."""
    speed, quality = traded
    missing = []
    for entry in result.experiment.recorded:
        names = (speed.metric, quality.metric, "size_mb")
        time, scored, size = (_figure(entry, name) for name in names)
        if time == time and scored == scored:
            area = 3.2 * size if size == size else 60
            axes.scatter(
                [time], [scored], s=area, facecolor="none", edgecolor=style.MUTED, linewidth=1.4
            )
            radius = math.sqrt(area / math.pi)
            bubbles.append(Bubble(time, scored, radius, entry.name, style.MUTED))
        elif time == time:
            missing.append(f"{entry.name} ({quantity(time, speed.unit, language)})")
    if not missing:
        return ""
    name = wording.metric(quality.metric, language)
    return "\n" + TEXTS[language]["elsewhere"].format(names=", ".join(missing), metric=name)


def _figure(entry: Recorded, metric: str) -> float:
    return entry.metrics.get(metric, NAN)


def _ceiling(axes: Axes, result: Result, quality: measures.Measure, language: str) -> None:
    """Limits on the quality: absolute, or what the baseline's own makes of them."""
    base = quality.of(result, queries.Line(queries.baseline(result), "default", "baseline"))
    here = queries.rows(queries.own_checks(result), metric=quality.metric)
    for check in gate_rules.records(result, queries.rows(here, workload=quality.workload)):
        rule = gate_rules.of_check(result, check)
        level = rule.level(float(base["value"]) if base else NAN) if rule else NAN
        if not math.isfinite(level):
            continue
        axes.axhline(level, color=style.LIMIT, linewidth=1.4, linestyle=(0, (5, 3)))
        name = wording.metric(quality.metric, language)
        axes.annotate(
            f"{name} {wording.gate_limit(check, language)}",
            (0.995, level),
            xycoords=("axes fraction", "data"),
            color=style.LIMIT,
            fontsize=8.5,
            xytext=(0, 3),
            textcoords="offset points",
            ha="right",
        )


def _frame(axes: Axes, traded: Traded, language: str) -> None:
    (speed, quality), texts = traded, TEXTS[language]
    if axes.get_xscale() == "log":
        _widen(axes)
    style.numbers(axes.xaxis, language, f"{NBSP}{speed.unit}" if speed.unit else "")
    if symbol(quality.unit) == "%":
        axes.set_ylim(bottom=0, top=axes.get_ylim()[1] * 1.08)
        axes.yaxis.set_major_formatter(style.percent(language))
    else:
        style.numbers(axes.yaxis, language)
    at = {
        "workload": wording.workload(speed.workload, language),
        "metric": wording.metric(speed.metric, language),
    }
    of = {"workload": quality.workload, "metric": wording.metric(quality.metric, language)}
    key = "x" if speed.stage == "latency" else "x_set"
    axes.set(xlabel=texts[key].format(**at), ylabel=texts["x_set"].format(**of))
    style.grid(axes, "both")


def _widen(axes: Axes) -> None:
    """Room for the labels, and round values on a logarithmic axis."""
    from matplotlib.ticker import FixedLocator, NullLocator

    low, high = axes.get_xlim()
    low, high = low / 1.25, high * 1.25
    axes.xaxis.set_major_locator(FixedLocator(style.ticks(low, high)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(low, high)


def _title(result: Result, traded: Traded, language: str) -> str:
    """What was gained and at what price; only where the gain is beyond this machine's noise."""
    (speed, quality), texts = traded, TEXTS[language]
    base, best = queries.lines(result)[0], measures.chosen(result)
    pairs = []
    for line in (base, best):
        size = queries.row(result.summary, variant=line.variant, metric="size_mb")
        rows = (speed.of(result, line), size, quality.of(result, line))
        pairs.append([queries.bounds(row)[0] for row in rows])
    found = speed.change(result, best)
    if (
        not found
        or not found["resolved"]
        or any(math.isnan(value) for pair in pairs for value in pair)
        or not pairs[0][1]  # a model behind a server has no files here
    ):
        return texts["plain"]
    part = quantity(pairs[1][1] / pairs[0][1], "share", language)
    other = quality.change(result, best)
    delta = quantity(pairs[1][2] - pairs[0][2], quality.unit, language, difference=True)
    name = wording.metric(quality.metric, language)
    told = texts["delta" if other and other["resolved"] else "same"].format(
        delta=delta.removesuffix(f"{NBSP}{name}"), metric=name
    )
    times = quantity(found["ratio"], "share", language)
    return texts["title"].format(
        line=best.label, base=base.label, times=times, size=part, delta=told
    )


figure = Figure(
    title={
        "en": "Trade-off between quality, latency and size",
        "es": "Compromiso entre calidad, latencia y tamaño",
    },
    draw=draw,
    section="quality",
)
