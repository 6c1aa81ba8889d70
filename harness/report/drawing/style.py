"""One look for all figures: colours per variant, sober axes, titles that say what was found."""

from __future__ import annotations

import colorsys
import math
import textwrap
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from harness.contracts import Result
from harness.report.markdown import behind, number
from harness.store import queries

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 160
ROOM = 0.085  # of a logarithmic axis: what the label of a tick takes
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
    ("#7A4A21", "#C3A58C"),
    ("#A39B00", "#D6D17A"),
    ("#26418F", "#94A3CC"),
    ("#C2407E", "#E39DBF"),
    ("#14665B", "#86BDB5"),
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
    heading = "\n".join(textwrap.wrap(title, 82, break_on_hyphens=False))
    figure.suptitle(heading, x=0.012, ha="left", fontsize=12, fontweight="bold")
    return figure


def colour(result: Result, variant: str, session: str = "") -> str:
    """One hue per variant; the light one for the candidate in a session that was not chosen."""
    if variant == queries.baseline(result):
        return BASELINE
    best = queries.candidate(result)
    names = [name for name in queries.variants(result) if name != queries.baseline(result)]
    names.sort(key=lambda name: name != best[0])
    if variant not in names:
        return MUTED
    strong, light = _hue(names.index(variant))
    other = variant == best[0] and bool(session) and session != (best[1] or "default")
    return light if other else strong


def _hue(place: int) -> tuple[str, str]:
    """(strong, light); beyond the palette by the golden angle, so that no two are the same."""
    if place < len(HUES):
        return HUES[place]
    beyond = place - len(HUES)
    turn, level = beyond * 0.6180339887 % 1, (0.34, 0.48)[beyond % 2]
    pair = (colorsys.hls_to_rgb(turn, lightness, 0.55) for lightness in (level, 0.78))
    strong, light = ("#" + "".join(f"{round(255 * part):02X}" for part in rgb) for rgb in pair)
    return strong, light


def ticks(low: float, high: float) -> list[float]:
    """Round values for a logarithmic axis, the roundest first, none nearer to another than the
    width of its label (about a tenth of the axis)."""
    room, found = ROOM * math.log10(high / low), list[float]()
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (3,), (1.5, 7), (4,)):
        here = (10.0**power * step for power in powers for step in steps)
        for tick in here:
            clear = all(abs(math.log10(tick / other)) >= room for other in found)
            if low <= tick <= high and clear:
                found.append(tick)
    return sorted(found)


def numbers(axis: Any, language: str, unit: str = "") -> None:
    """Tick labels as the language writes them, e.g. "1,5 s" (es) and "1.5 s" (en)."""
    from matplotlib.ticker import FuncFormatter

    def written(value: float, _: int | None) -> str:
        return number(value, language, _decimals(value)) + unit

    axis.set_major_formatter(FuncFormatter(written))


def percent(language: str) -> Any:
    """Ticks of shares, all with as many decimals as their step needs: "2,5 %" (es), "2.5%" (en)."""
    from matplotlib.ticker import Formatter

    sign = behind("%", language)

    class Percent(Formatter):
        """Knows the other ticks, which a function of one value does not."""

        def format_ticks(self, values: Iterable[float]) -> list[str]:
            shares = [100 * float(value) for value in values]
            decimals = max(map(_decimals, shares), default=0)
            return [number(share, language, decimals) + sign for share in shares]

        def __call__(self, x: float, pos: int | None = None) -> str:
            return self.format_ticks([x])[0]

    return Percent()


def _decimals(value: float) -> int:
    return len(f"{value:.6f}".rstrip("0").partition(".")[2])


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
