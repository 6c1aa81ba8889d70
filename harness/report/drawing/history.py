"""One metric over the runs of a folder; runs that cannot be compared with the newest are hollow."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import store
from harness.decide import gate_rules
from harness.errors import HarnessError
from harness.io.escaping.results import drawable
from harness.plugins.kinds import SHARES
from harness.report import wording, words
from harness.report.drawing import style
from harness.report.markdown import behind, symbol
from harness.report.runs import cells, figure
from harness.store.history import PastFigure, PastRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WHOLE = ("pipeline", "load", "first_call", "")  # parts of the pipeline are in the table only
MOST_PANELS = 6
MADE_BY = "harness history --plot"  # stands in the file: what tells ours from another picture
TEXTS = words.table("drawing.history")


def draw(entries: Sequence[PastRun], metric: str, path: Path, language: str = "en") -> None:
    """Write the figure as PNG: a panel per workload, a line per variant and session.

    Raises: HarnessError where no run has the metric, or the file is to be no PNG.
    """
    if path.suffix.lower() != ".png":
        raise HarnessError(f"{path}: a plot is written as PNG; give a name that ends in .png.")
    import matplotlib
    import matplotlib.style

    with matplotlib.rc_context(), matplotlib.style.context(["default", dict(style.SETTINGS)]):
        picture = _picture([_drawable(entry) for entry in entries], metric, language)
        data = io.BytesIO()
        picture.savefig(data, format="png", dpi=style.DPI, metadata={"Software": MADE_BY})
    store.write_outside(path, data.getvalue(), MADE_BY.encode())


def _drawable(entry: PastRun) -> PastRun:
    """The run with its names in letters that the font has, the names of metrics as they are."""
    names = ("variant", "session", "operation", "workload")
    written: Any = [{name: drawable(getattr(one, name)) for name in names} for one in entry.figures]
    figures = [replace(one, **said) for one, said in zip(entry.figures, written, strict=True)]
    gates = [{**gate, "workload": drawable(str(gate["workload"]))} for gate in entry.gates]
    known: Any = {name: drawable(getattr(entry, name)) for name in ("day", "commit", "baseline")}
    return replace(entry, figures=figures, gates=gates, **known)


def _picture(entries: Sequence[PastRun], metric: str, language: str) -> Figure:
    texts = TEXTS[language]
    found = [cell for cell in cells(entries, metric) if cell.operation in WHOLE]
    found = found or cells(entries, metric)
    panels = list(dict.fromkeys((cell.operation, cell.workload) for cell in found))[:MOST_PANELS]
    names = list(dict.fromkeys((cell.variant, cell.session) for cell in found))
    names.sort(key=lambda name: name[0] != entries[-1].baseline)
    columns = min(2, len(panels))
    rows = math.ceil(len(panels) / columns)
    title = texts["title"].format(metric=drawable(wording.metric(metric, language)), n=len(entries))
    picture = style.blank(title, 1.3 + 2.4 * rows)
    grid = picture.subplots(rows, columns, squeeze=False, sharex=True).ravel()
    for axes, panel in zip(grid, panels, strict=False):
        mine = [cell for cell in found if (cell.operation, cell.workload) == panel]
        _panel(axes, entries, mine, names, language)
        where = wording.workload(panel[1], language)
        axes.set_title(where, loc="left", color=style.INK, pad=6)
    for place, axes in enumerate(grid):
        axes.set_visible(place < len(panels))
        axes.tick_params(labelbottom=place + columns >= len(panels))
    said = texts["subtitle"]
    if any(entry.unlike(entries[-1]) for entry in entries):
        said += f"; {texts['unlike']}"
    _legend(picture, names, said)
    return picture


def _panel(
    axes: Axes,
    entries: Sequence[PastRun],
    mine: Sequence[PastFigure],
    names: Sequence[tuple[str, str]],
    language: str,
) -> None:
    unit = mine[0].unit
    scale = 100 if unit in SHARES and unit != "%" else 1
    for cell in mine:
        ink = _ink(names.index((cell.variant, cell.session)))
        shift = 0.12 * (names.index((cell.variant, cell.session)) - (len(names) - 1) / 2)
        _line(axes, entries, cell, (ink, shift, scale))
    for limit in sorted(_limits(entries[-1], mine[0])):
        axes.axhline(limit * scale, color=style.LIMIT, linewidth=1, linestyle=(0, (4, 3)))
        end = (len(entries) - 0.4, limit * scale)
        style.shown(axes, TEXTS[language]["limit"], end, color=style.LIMIT, offset=(4, 0))
    axes.set_xlim(-0.6, len(entries) - 0.4)
    axes.set_xticks(range(len(entries)), [_label(entry) for entry in entries])
    if len(entries) > 4:
        axes.tick_params(axis="x", rotation=40)
    axes.set_ylim(bottom=0)
    style.numbers(axes.yaxis, language, behind(symbol(unit), language))
    style.grid(axes, "y")


def _line(
    axes: Axes, entries: Sequence[PastRun], cell: PastFigure, look: tuple[str, float, float]
) -> None:
    """Points with their intervals; a line only between runs that can be compared."""
    ink, shift, scale = look
    alike: list[tuple[float, float]] = []
    for place, entry in enumerate(entries):
        one = figure(entry, cell)
        if one is None or math.isnan(one.value):
            continue
        unlike = bool(entry.unlike(entries[-1]))
        x, y = place + shift, one.value * scale
        ends = [y - one.low * scale, one.high * scale - y]
        bars: Any = [[0.0 if math.isnan(end) else max(end, 0.0)] for end in ends]
        how: dict[str, Any] = {"color": ink, "markersize": 5, "elinewidth": 1.2, "capsize": 0}
        axes.errorbar(x, y, yerr=bars, fmt="o", mfc="white" if unlike else ink, **how, zorder=3)
        alike += [] if unlike else [(x, y)]
    if len(alike) > 1:
        axes.plot(*zip(*alike, strict=True), color=ink, linewidth=1.1, alpha=0.6)


def _ink(place: int) -> str:
    """Neutral for the first, which is the baseline; then a hue each, strong ones first."""
    hues = [style.BASELINE, *(strong for strong, _ in style.HUES), *(h for _, h in style.HUES)]
    return hues[place % len(hues)]


def _limits(newest: PastRun, cell: PastFigure) -> set[float]:
    """What the newest run's gates ask of this metric at this workload, as values."""
    same = ("metric", "workload")
    return {
        rule.bound
        for gate in newest.gates
        if gate["limit"] is not None
        and (rule := gate_rules.of_kind({}, str(gate["kind"]), float(gate["limit"])))
        and rule.on == "value"
        and all(gate[name] == getattr(cell, name) for name in same)
    }


def _label(entry: PastRun) -> str:
    return f"{entry.day}\n{entry.commit[:7]}" if entry.commit else entry.day


def _legend(picture: Figure, names: Sequence[tuple[str, str]], said: str) -> None:
    """Colours below the panels, and how to read the marks above them."""
    from matplotlib.lines import Line2D

    marks = [
        Line2D([], [], color=_ink(place), marker="o", markersize=5, linewidth=1.1)
        for place in range(len(names))
    ]
    texts = [
        variant if session in ("", "default") else f"{variant} · {session}"
        for variant, session in names
    ]
    legend = picture.legend(marks, texts, loc="outside lower left", ncols=4, frameon=False)
    legend.set_title(said)
    legend.get_title().set(color=style.MUTED, fontsize=8.5)
    legend.set_alignment("left")
