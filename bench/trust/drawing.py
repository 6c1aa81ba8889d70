"""The figure of docs/trust.md: each promised share with two Monte-Carlo errors and its target."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.report.drawing import style
from trust.page import bounds
from trust.rows import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# group -> (heading, the part of the axis that is worth seeing)
PANELS = {
    "false approvals, against the run": (
        "Latency: false approvals",
        (0, 0.08),
    ),
    "non-inferiority": ("False approvals: WER increase exactly at the limit", (0, 0.08)),
    "A/A": ("A/A: a real model called different from itself", (0, 0.2)),
    "power, whatever the noise": ("Latency: power at 10 % under", (0, 1)),
    "end to end": ("Whole product: false approvals", (0, 0.2)),
    "sweeps of 16": ("Sweeps: a gain that is named, and one that is none", (0, 1)),
    "non-inferiority, corpora": ("False approvals over many corpora", (0, 0.08)),
    "A/B": ("A/B: real slow-downs found", (0, 1)),
    "coverage": ("Coverage of 95 % intervals of WER differences", (0.9, 1)),
}
TITLE = (
    "What a verdict gets wrong: share of experiments, bars of two Monte-Carlo errors, what was"
    " promised in orange or grey"
)
GOOD, BAD = "#0072B2", "#B91C1C"
LINE = 0.21  # inches
MOST = 24  # rows of a panel: those that are nearest to being missed; the page has every figure


def draw(rows: Sequence[Row], path: Path) -> None:
    """Write the figure; nothing where no group of it has rows."""
    import matplotlib
    import matplotlib.style

    shown = {group: _shown(rows, group) for group in PANELS}
    shown = {group: mine for group, mine in shown.items() if mine}
    every = {group: len(mine) for group, mine in shown.items()}
    shown = {group: _worst(mine) for group, mine in shown.items()}
    path.unlink(missing_ok=True)
    if not shown:
        return
    with matplotlib.rc_context(), matplotlib.style.context(["default", dict(style.SETTINGS)]):
        heights = [len(mine) + 2.4 for mine in shown.values()]
        figure = style.blank(TITLE, 0.8 + LINE * sum(heights))
        axes = figure.subplots(len(shown), 1, squeeze=False, height_ratios=heights)[:, 0]
        for (group, mine), on in zip(shown.items(), axes, strict=True):
            title, span = PANELS[group]
            many = every[group]
            title += f" (worst {len(mine)} of {many})" if many > len(mine) else ""
            _panel(on, mine, title, span)
        figure.savefig(path, dpi=style.DPI, metadata={"Software": None})


def _shown(rows: Sequence[Row], group: str) -> list[Row]:
    return [r for r in rows if r.group == group and r.target not in ("", ">= 1")]


def _worst(rows: Sequence[Row]) -> list[Row]:
    """The rows nearest to being missed, or missed, in the order of the page."""
    ranked = sorted(rows, key=lambda row: (bool(row.met), _spare(row)))[:MOST]
    return [row for row in rows if row in ranked]


def _spare(row: Row) -> float:
    """How far a figure is on the right side of its target."""
    ends = _ends(row)
    if len(ends) == 2:
        return min(row.value - ends[0], ends[1] - row.value)
    return row.value - ends[0] if row.target.startswith(">") else ends[0] - row.value


def _ends(row: Row) -> list[float]:
    return [float(word) for word in row.target.split() if word[0].isdigit()]


def _panel(axes: Axes, rows: Sequence[Row], title: str, span: tuple[float, float]) -> None:
    axes.set_title(title, loc="left", color=style.INK, fontweight="bold", pad=5)
    for place, row in enumerate(rows):
        ends = _ends(row)
        if len(ends) == 2:
            axes.fill_betweenx([place - 0.5, place + 0.5], *ends, color=style.FAINT, linewidth=0)
        else:
            axes.plot([ends[0]] * 2, [place - 0.5, place + 0.5], color=style.LIMIT, linewidth=1.4)
        ink = GOOD if row.met else BAD
        axes.plot(bounds(row), [place, place], color=ink, linewidth=2.4, alpha=0.5)
        axes.plot([row.value], [place], "o" if row.met else "X", color=ink, markersize=5,
                  markeredgecolor="white", clip_on=False)  # fmt: skip
    nearest, furthest = min(bounds(r)[0] for r in rows), max(bounds(r)[1] for r in rows)
    width = span[1] - span[0]
    axes.set_xlim(min(span[0], nearest) - 0.01 * width, max(span[1], furthest) + 0.02 * width)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)))
    axes.set_yticklabels([_label(row) for row in rows], color=style.INK, fontsize=7.5)
    axes.xaxis.set_major_formatter(style.percent("en"))
    axes.spines["left"].set_visible(False)
    style.grid(axes)


def _label(row: Row) -> str:
    text = row.case
    if text.endswith(" calls planned"):
        text = text.rpartition(",")[0]
    text = text.removesuffix(": increase exactly at the limit")
    met = "" if row.met else "NOT MET  "
    return met + textwrap.shorten(text, 68, placeholder=" …")
