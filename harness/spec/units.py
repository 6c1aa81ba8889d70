"""Figures with their unit, as a person writes them: `2 pp`, `5 %`, `300 ms`, `110 MB`, `1.2x`.

A bare number is in the metric's own unit, as ever. What a unit means depends on what the number is
for: a limit on a share may be in percent, one on its rise in points too, a ratio in times or
percent.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping

from harness.plugins.kinds import SHARES

WRITTEN = r"^\s*[+−-]?(\d+([.,]\d+)?|[.,]\d+)([eE][+-]?\d+)?\s*[^\s\d].*$"
"""A number and then a unit, for editors."""
_FIGURE = re.compile(
    r"\s*([+−-]?(?:\d+(?:[.,]\d+)?|[.,]\d+)(?:[eE][+-]?\d+)?)\s*([^\W\d_].*?|[%×])?\s*"
)

# unit of the metric -> unit as written, without case -> how many of the metric's it is
_SECONDS = {"s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "min": 60.0}
_BYTES = {"mb": 1.0, "kb": 1e-3, "gb": 1e3, "b": 1e-6, "bytes": 1e-6, "mib": 2**20 / 1e6,
          "gib": 2**30 / 1e6, "kib": 2**10 / 1e6}  # fmt: skip
_SCALES: Mapping[str, Mapping[str, float]] = {
    "s": _SECONDS,
    "ms": {name: 1e3 * size for name, size in _SECONDS.items()},
    "MB": _BYTES,
}
_POINTS = ("pp", "points", "point", "puntos", "%")
_TIMES = ("x", "×", "times", "ratio")


class UnfitUnitError(ValueError):
    """The line that a person is told: what was written, and what would fit."""


def figure(raw: object, unit: str, on: str = "value") -> float:
    """A number, or a text with a number and its unit, in the metric's unit (`on` ratio: in times).

    Raises: UnfitUnitError for what is neither, and for a unit that the metric does not have.
    """
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        return _finite(float(raw), raw)
    found = _FIGURE.fullmatch(raw) if isinstance(raw, str) else None
    if found is None:
        shown = "nothing" if raw is None else json.dumps(raw, ensure_ascii=False, default=str)
        raise UnfitUnitError(f"should be a number, not {shown}")
    number = _finite(float(found[1].replace(",", ".").replace("−", "-")), raw)
    scales = _scales(unit, on)
    written = (found[2] or "").casefold()
    if not written:  # a text by its quotation marks alone
        return number
    if written not in scales:
        known = ", ".join(dict.fromkeys(scales)) or "no unit"
        raise UnfitUnitError(f"{raw!r}: {found[2]} is no unit of this figure; it takes {known}")
    return number * scales[written]


def _scales(unit: str, on: str) -> dict[str, float]:
    """Unit as written -> by what its number is multiplied."""
    if on == "ratio":
        return {**dict.fromkeys(_TIMES, 1.0), "%": 0.01}
    if unit in SHARES:
        whole = 1.0 if unit == "%" else 0.01
        return {"%": whole} if on == "value" else dict.fromkeys(_POINTS, whole)
    if unit in _SCALES:
        return dict(_SCALES[unit])
    if unit in _TIMES:
        return dict.fromkeys(_TIMES, 1.0)
    return {unit.casefold(): 1.0} if unit else {}


def _finite(value: float, raw: object) -> float:
    if not math.isfinite(value):
        raise UnfitUnitError(f"should be a finite number, not {raw}")
    return value
