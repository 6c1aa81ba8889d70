"""Labels beside bubbles: each where it covers no other bubble, line or label."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.report.drawing import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LETTER, LINE = 6.0, 10.5  # points that a bold letter and a line of 8.5 points take
EDGE = 2  # points that are kept free along a line
NEAR, FAR = 4, 40  # points between a bubble and its label

Box = tuple[float, float, float, float]  # left, bottom, right, top, in points


@dataclass(frozen=True)
class Bubble:
    """A mark at (x, y) in the units of the data; `radius` in points; `left`: where its label goes
    if there is room."""

    x: float
    y: float
    radius: float
    text: str
    ink: str
    left: bool = False


def place(axes: Axes, bubbles: Sequence[Bubble]) -> None:
    """Write the labels. The axes' limits must be final."""
    figure = axes.figure
    figure.draw_without_rendering()  # type: ignore[union-attr]
    scale = 72 / figure.dpi
    centres = [axes.transData.transform((b.x, b.y)) * scale for b in bubbles]
    frame = axes.get_window_extent()
    inside = (frame.x0 * scale, frame.y0 * scale, frame.x1 * scale, frame.y1 * scale)
    drawn = (artist.get_window_extent() for artist in (*axes.lines, *axes.texts))
    taken = [
        (e.x0 * scale - EDGE, e.y0 * scale - EDGE, e.x1 * scale + EDGE, e.y1 * scale + EDGE)
        for e in drawn
    ]
    taken += [
        (x - b.radius, y - b.radius, x + b.radius, y + b.radius)
        for b, (x, y) in zip(bubbles, centres, strict=True)
    ]
    for bubble, (x, y) in zip(bubbles, centres, strict=True):
        size = _size(bubble.text)
        found = [(dx, dy, _box(x + dx, y + dy, size)) for dx, dy in _offsets(bubble, size)]
        dx, dy, box = min(
            found, key=lambda one: _cost(one[2], taken, inside) + math.hypot(one[0], one[1])
        )
        taken.append(box)
        how = {"offset": (dx, dy), "ha": "center", "color": bubble.ink, "zorder": 6}
        style.shown(axes, bubble.text, (bubble.x, bubble.y), fontweight="bold", **how)


def _size(text: str) -> tuple[float, float]:
    lines = text.split("\n")
    return LETTER * max(len(line) for line in lines), LINE * len(lines)


def _offsets(bubble: Bubble, size: tuple[float, float]) -> Iterator[tuple[float, float]]:
    """From the bubble's centre to the label's: above and below its error bars on the side that is
    wanted, then on the other, then further away."""
    sides = (-1, 1) if bubble.left else (1, -1)
    for away in (NEAR, FAR / 2, FAR):
        reach = bubble.radius * math.sqrt(0.5) + away
        for side in sides:
            for height in (1, -1):
                yield side * (reach + size[0] / 2), height * (reach + size[1] / 2)
            yield side * (reach + size[0] / 2), 0.0


def _box(x: float, y: float, size: tuple[float, float]) -> Box:
    return x - size[0] / 2, y - size[1] / 2, x + size[0] / 2, y + size[1] / 2


def _cost(box: Box, taken: Sequence[Box], inside: Box) -> float:
    """Points squared that lie over something else or outside."""
    area = (box[2] - box[0]) * (box[3] - box[1])
    return area - _shared(box, inside) + sum(_shared(box, other) for other in taken)


def _shared(one: Box, other: Box) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, wide) * max(0.0, high)
