"""Which part of a file a row means, by the columns that corpora use for it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from harness.speech.audio import same_seconds

# column -> what its lengths are counted in
LENGTHS = {
    "duration": 1.0, "audio_length_s": 1.0, "audio_duration": 1.0, "seconds": 1.0,
    "duration_ms": 1e3, "audio_length_ms": 1e3, "audio_duration_ms": 1e3, "milliseconds": 1e3,
}  # fmt: skip
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

    @property
    def shown(self) -> str:
        """As an id has it: `@1.5-3`; "" for what begins with its file."""
        if self.part is None or not self.part[0]:
            return ""
        start, stop = self.part
        return f"@{start:.10g}-" + ("" if math.isinf(stop) else f"{stop:.10g}")


WHOLE = Segment(None, math.nan)


def names_parts(columns: Collection[str]) -> bool:
    """Whether a table with these columns may name parts of its files."""
    return not {*STARTS, *STOPS}.isdisjoint(columns)


def length(row: Mapping[str, Any]) -> float:
    """Seconds of what the row means by the first column for it that it has; NaN for none."""
    column = next((name for name in LENGTHS if name in row), "")
    seconds = _number(row[column]) / LENGTHS[column] if column else math.nan
    return seconds if 0 < seconds < LONGEST_SECONDS else math.nan


def segment(
    row: Mapping[str, Any], seconds: float, not_these: tuple[str, ...] = ()
) -> Segment | str:
    """What a row means whose length column says `seconds` (NaN: nothing), or what is wrong with it.

    A start without an end reaches as far as the length says, and to the end of the file without
    one. A length alone is the whole file's. `not_these`: columns that mean something else.
    """
    ends = _ends(row, not_these)
    if isinstance(ends, str):
        return ends
    start, stop = ends[0] or 0.0, ends[1]
    if math.isnan(stop) and ends[0] is not None:
        stop = start + seconds
    if stop <= start:
        return f"ends at {stop:g} s, where it starts ({start:g} s) or before"
    if abs(stop - start - seconds) > SAME_SECONDS + 0.01 * seconds:
        return f"lasts {seconds:g} s by its length, {stop - start:g} s by its start and end"
    if math.isfinite(stop):
        return Segment((start, stop), stop - start)
    return Segment((start, math.inf) if start else None, math.nan if start else seconds)


def own_segment(row: Mapping[str, Any], seconds: float, clip_seconds: float) -> Segment | str:
    """What a row means that holds a clip of its own, of `clip_seconds`; or what is wrong with it.

    Such a clip was mostly cut out already, and its start and end are places in a recording that is
    not here: a clip as long as they are apart (in seconds or milliseconds) is meant whole. One that
    is longer, and has both places, is cut; any other length is a contradiction.
    """
    ends, whole = _ends(row, ()), Segment(None, seconds)
    if isinstance(ends, str):
        return ends
    start, stop = ends[0] or 0.0, ends[1]
    if math.isnan(stop) or math.isnan(clip_seconds):
        return whole
    slack = same_seconds(clip_seconds)
    if any(abs((stop - start) / unit - clip_seconds) <= slack for unit in (1.0, 1e3)):
        return whole
    if stop <= clip_seconds + slack:
        return segment(row, seconds)
    if abs(seconds - clip_seconds) <= slack:
        return whole
    return f"lasts {clip_seconds:.4g} s; its row names {start:g} s to {stop:g} s"


def _ends(row: Mapping[str, Any], not_these: tuple[str, ...]) -> tuple[float | None, float] | str:
    """(start, None where there is none; stop, NaN where there is none), or what is wrong."""
    starts, stops = (_found(row, names, not_these) for names in (STARTS, STOPS))
    if wrong := _wrong(starts) or _wrong(stops):
        return wrong
    return next(iter(starts.values()), None), next(iter(stops.values()), math.nan)


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
    told = {name: value for name, value in told.items() if not _is_nothing(value)}
    return {name: _number(value) * names[name] for name, value in told.items()}


def _is_nothing(value: Any) -> bool:
    """Whether a cell is empty; a table of floats has NaN there."""
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


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
