"""One look for all figures: colours per variant, sober axes, titles that say what was found."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness import reading
from harness.contracts import Result
from harness.markdown import NBSP, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 160
WIDTH = 8.2  # inches
INK, MUTED, FAINT = "#1F2933", "#66717E", "#E4E8EC"
LIMIT = "#C2410C"  # gates' limits, in every figure
BASELINE = "#5B6470"
NOISE = "#7C3AED"  # blocks measured under noise: a colour of no variant, and a shape too
CROSS: Mapping[str, Any] = {"marker": "x", "s": 16, "color": NOISE, "linewidths": 1.1}
# Okabe and Ito's palette, told apart by colour-blind readers: (strong, light) per variant
HUES = (
    ("#0072B2", "#6FB1DA"),
    ("#009E73", "#73CDB4"),
    ("#CC79A7", "#E5BCD3"),
    ("#B8860B", "#E0C477"),
    ("#56B4E9", "#ABD9F4"),
)
STATUS = {
    "PASS": "#15803D",
    "WAIVED": "#B7791F",
    "FAIL": "#B91C1C",
    "INCONCLUSIVE": "#66717E",
}
SETTINGS: Mapping[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": "#B6BEC7",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "text.parse_math": False,
}


def new(title: str, subtitle: str, height: float) -> tuple[Figure, Axes]:
    """A figure with one pair of axes, its finding as the heading and how to read it below that."""
    figure = blank(title, height)
    axes = figure.add_subplot()
    reads(axes, subtitle)
    return figure, axes


def reads(axes: Axes, subtitle: str) -> None:
    """Another text on how to read the figure, where that is known after drawing only."""
    axes.set_title(subtitle, loc="left", color=MUTED, pad=8)


def blank(title: str, height: float) -> Figure:
    """A figure with its heading and no axes yet."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    room = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1)
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, layout=room, facecolor="white")
    FigureCanvasAgg(figure)
    heading = "\n".join(textwrap.wrap(title, 82))
    figure.suptitle(heading, x=0.012, ha="left", fontsize=12, fontweight="bold")
    return figure


def colour(result: Result, variant: str, session: str = "") -> str:
    """One hue per variant; the light one for the candidate in a session that was not chosen."""
    if variant == reading.baseline(result):
        return BASELINE
    best = reading.candidate(result)
    names = [name for name in reading.variants(result) if name != reading.baseline(result)]
    names.sort(key=lambda name: name != best[0])
    strong, light = HUES[names.index(variant) % len(HUES) if variant in names else -1]
    other = variant == best[0] and bool(session) and session != (best[1] or "default")
    return light if other else strong


def numbers(axis: Any, language: str, unit: str = "") -> None:
    """Tick labels as the language writes them, e.g. "1,5 s" (es) and "1.5 s" (en)."""
    from matplotlib.ticker import FuncFormatter

    def written(value: float, _: int | None) -> str:
        decimals = len(f"{value:.6f}".rstrip("0").partition(".")[2])
        return number(value, language, decimals) + unit

    axis.set_major_formatter(FuncFormatter(written))


def percent(language: str) -> Any:
    """Ticks of shares: "50 %" (es), "50%" (en)."""
    from matplotlib.ticker import PercentFormatter

    return PercentFormatter(1, decimals=0, symbol="%" if language == "en" else f"{NBSP}%")


def grid(axes: Axes, axis: str = "x") -> None:
    """Thin lines along one axis."""
    axes.grid(axis=axis, color=FAINT, linewidth=0.8)  # type: ignore[arg-type]


def shown(axes: Axes, text: str, at: tuple[float, float], **how: Any) -> None:
    """A direct label beside a mark, with a white edge that keeps it legible over lines."""
    from matplotlib.patheffects import withStroke

    settings = {"fontsize": 8.5, "va": "center", "ha": "left", "color": INK, **how}
    offset = settings.pop("offset", (0, 0))
    axes.annotate(
        text,
        at,
        xytext=offset,
        textcoords="offset points",
        path_effects=[withStroke(linewidth=2.5, foreground="white")],
        annotation_clip=False,
        **settings,
    )
