"""Which part of a file a row means, by the columns that corpora use for it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# column -> seconds in its unit
STARTS = {
    "offset": 1.0, "start": 1.0, "start_time": 1.0, "begin": 1.0, "begin_time": 1.0,
    "offset_ms": 1e-3, "start_ms": 1e-3, "begin_ms": 1e-3,
    "start_time_ms": 1e-3, "begin_time_ms": 1e-3,
}  # fmt: skip
STOPS = {
    "stop": 1.0, "end": 1.0, "stop_time": 1.0, "end_time": 1.0,
    "stop_ms": 1e-3, "end_ms": 1e-3, "stop_time_ms": 1e-3, "end_time_ms": 1e-3,
}  # fmt: skip
SAME_SECONDS = 0.05  # by which two columns that say the same may differ: they are rounded
LONGEST_SECONDS = 1e8  # of a file, three years: no start lies behind it


@dataclass(frozen=True)
class Segment:
    """`part`: from and to in seconds, None for the whole file; `seconds`: how long what is heard
    lasts by the row, NaN where it does not say."""

    part: tuple[float, float] | None
    seconds: float


def segment(
    row: Mapping[str, Any], seconds: float, not_these: tuple[str, ...] = ()
) -> Segment | str:
    """What a row means whose length column says `seconds` (NaN: nothing), or what is wrong with it.

    A start without an end reaches as far as the length says, and to the end of the file without
    one. A length alone is the whole file's. `not_these`: columns that mean something else.
    """
    starts, stops = (_found(row, names, not_these) for names in (STARTS, STOPS))
    if wrong := _wrong(starts) or _wrong(stops):
        return wrong
    start = next(iter(starts.values()), 0.0)
    stop = next(iter(stops.values()), start + seconds if starts else math.nan)
    if stop <= start:
        return f"ends at {stop:g} s, where it starts ({start:g} s) or before"
    if abs(stop - start - seconds) > SAME_SECONDS + 0.01 * seconds:
        return f"lasts {seconds:g} s by its length, {stop - start:g} s by its start and end"
    if math.isfinite(stop):
        return Segment((start, stop), stop - start)
    return Segment((start, math.inf) if start else None, math.nan if start else seconds)


def _wrong(found: Mapping[str, float]) -> str:
    """What is wrong with the columns of one end; "" for nothing."""
    for column, value in found.items():
        if not 0 <= value < LONGEST_SECONDS:
            return f"has {_an(column)} that is no number of {_unit(column)}"
    return _apart(found)


def _found(
    row: Mapping[str, Any], names: Mapping[str, float], not_these: tuple[str, ...]
) -> dict[str, float]:
    """Column -> seconds, of those that hold something; NaN where that is no number."""
    told = {name: row[name] for name in names if name in row and name not in not_these}
    told = {name: value for name, value in told.items() if value is not None and value != ""}
    return {name: _number(value) * names[name] for name, value in told.items()}


def _apart(found: Mapping[str, float]) -> str:
    """Two columns of one end that say different things; "" where none do."""
    if not found:
        return ""
    low, high = min(found, key=lambda k: found[k]), max(found, key=lambda k: found[k])
    if found[high] - found[low] <= SAME_SECONDS:
        return ""
    return f"says {found[low]:g} s by its {low} and {found[high]:g} s by its {high}"


def _an(column: str) -> str:
    return f"an {column}" if column[0] in "aeiou" else f"a {column}"


def _unit(column: str) -> str:
    return "milliseconds" if column.endswith("_ms") else "seconds"


def _number(value: Any) -> float:
    """NaN where it is none."""
    try:
        return math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan
