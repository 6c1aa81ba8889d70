"""A table of text, CSV, TSV or JSON lines: its rows as fields by name, or why a row has none.

What a quotation mark means: in a CSV it holds a field together, and one that does so wrongly costs
its own line. In a TSV it is text, but where a field is written as CSV quotes it, with its inner
marks doubled, or where the whole header is quoted.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import AssetError
from harness.errors.limits import ROW_BYTES
from harness.plugins.datasets._corpus.places import (
    RowPlaces,
    csv_places,
    line_places,
    narrow,
    read_all,
    record_of,
)

JSON = (".json", ".jsonl", ".ndjson")
_DELIMITERS = (",", ";", "\t")
_BY_DELIMITER = {",": "commas", ";": "semicolons", "\t": "tabs"}
_CLIP = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}")
Fields = Mapping[str, Any]


@dataclass(frozen=True)
class AskedColumns:
    """The columns: `needed` must be there, `used` are read where they are; `clip` names a file."""

    needed: tuple[str, ...]
    used: tuple[str, ...] = ()
    clip: str = ""


@dataclass(frozen=True)
class RowTable:
    """Where the rows are, and how the text of one becomes its fields or what is wrong with it."""

    path: Path
    places: RowPlaces
    fields: Callable[[str], Fields | str]

    def rows(self, places: RowPlaces) -> Iterator[Fields]:
        """The fields of each of these rows; none where it is malformed."""
        for text in read_all(self.path, places):
            found = self.fields(text)
            yield {} if isinstance(found, str) else found

    def part(self, column: str, value: str) -> RowTable:
        """The rows that have this value in that column, and those that are malformed: nobody knows
        which part they are of. Raises: AssetError where no row has it."""
        counts: Counter[str] = Counter()
        kept = []
        for at, row in enumerate(self.rows(self.places)):
            found = str(row.get(column) or "") if row else ""
            counts[found] += bool(row)
            if not row or found == value:
                kept.append(at)
        if not counts[value]:
            known = ", ".join(f"{name or 'none'} ({n})" for name, n in counts.most_common(8))
            raise AssetError(
                f"{self.path.name}: no row has {value!r} as its {column}; there is: {known}."
            )
        return replace(self, places=self.places.take(np.array(kept, np.int64)))


def open_table(path: Path, wanted: AskedColumns) -> RowTable:
    """The table by its kind. Raises: AssetError (one line), OSError, UnicodeDecodeError."""
    if path.suffix.lower() in JSON:
        return _json_lines(path)
    delimiter, header = _header(path, wanted)
    if delimiter == "\t" and path.suffix.lower() != ".csv":
        _one_by_one(path, header, wanted)
        names = tuple(_unquoted(cell, True) for cell in header)
        fields = partial(_of_tsv, names, _is_quoted(header))
        places = line_places(path)
    else:
        _one_by_one(path, header, wanted)
        names = tuple(header)
        fields = partial(_of_csv, names, delimiter, bool(wanted.clip))
        places = csv_places(path, delimiter, _row_test(names, wanted.clip))
    return RowTable(path, places.take(np.arange(1, len(places))), fields)


# ------------------------------------------------------------------------------------- the header
def columns(path: Path) -> list[str]:
    """The names of a TSV's columns. Raises: AssetError (one line), OSError, UnicodeDecodeError."""
    return _plain(_header(path, AskedColumns(()))[1])


def _header(path: Path, wanted: AskedColumns) -> tuple[str, list[str]]:
    """What separates the fields, and the first line that is not empty."""
    narrow(path)
    first = _first_line(path)
    if "\r" in first:
        raise AssetError(f"{path.name} holds no row; does it end its lines with LF?")
    tried = _DELIMITERS if path.suffix.lower() == ".csv" else ("\t",)
    for delimiter in tried:
        header = _split(path, first, delimiter)
        if all(name in _plain(header) for name in wanted.needed):
            return delimiter, header
    likely = max(tried, key=first.count)
    header = _split(path, first, likely)
    missing = ", ".join(name for name in wanted.needed if name not in _plain(header))
    other = next((d for d in _DELIMITERS if d not in tried and len(first.split(d)) > 1), "")
    hint = f" Is it separated by {_BY_DELIMITER[other]}? Then name it .csv." if other else ""
    has = ", ".join(name[:60] for name in header[:40]) or "nothing"
    raise AssetError(f"{path.name}: no column {missing}; it has {has}.{hint}")


def _first_line(path: Path) -> str:
    with path.open("rb") as file:
        for line in iter(partial(file.readline, ROW_BYTES + 1), b""):
            if len(line) > ROW_BYTES:
                raise AssetError(f"{path.name}: its first line is longer than {ROW_BYTES:,} bytes.")
            if text := line.decode("utf-8-sig").removesuffix("\n").removesuffix("\r"):
                return text
    return ""


def _split(path: Path, text: str, delimiter: str) -> list[str]:
    if delimiter == "\t" and path.suffix.lower() != ".csv":
        return text.split("\t") if text else []
    try:
        return record_of(text, delimiter)
    except csv.Error as error:
        raise AssetError(f"{path.name}: its first line is no well-formed CSV: {error}.") from error


def _plain(header: Sequence[str]) -> list[str]:
    return [_unquoted(cell, True) for cell in header]


def _is_quoted(header: Sequence[str]) -> bool:
    return all(len(cell) > 1 and cell[0] == cell[-1] == '"' for cell in header)


def _one_by_one(path: Path, header: Sequence[str], wanted: AskedColumns) -> None:
    """Raises: AssetError for a column that is read and is there twice."""
    counts = Counter(_plain(header))
    twice = [name for name in (*wanted.needed, *wanted.used) if name and counts[name] > 1]
    if twice:
        raise AssetError(f"{path.name}: {counts[twice[0]]} columns are called {twice[0]!r}.")


# --------------------------------------------------------------------------------------- the rows
def unfit(text: str) -> str:
    """Why a row of any table has no fields, "" where it may have."""
    if not text:  # as `read_one` gives it
        return f"is longer than {ROW_BYTES:,} bytes"
    return "holds a NUL character" if "\0" in text else ""


def _of_tsv(header: tuple[str, ...], quoted: bool, text: str) -> Fields | str:
    if wrong := unfit(text):
        return wrong
    if "\r" in text:
        return "holds a line end (CR) in its middle"
    cells = [_unquoted(cell, quoted) if '"' in cell else cell for cell in text.split("\t")]
    return _named(header, cells)


def _unquoted(cell: str, always: bool) -> str:
    """What a field says that is written as CSV quotes it. A pair of marks around a text without any
    is as likely the text's own, unless the table quotes all of its fields (`always`)."""
    inner = cell[1:-1]
    if len(cell) < 2 or not cell[0] == cell[-1] == '"' or '"' in inner.replace('""', ""):
        return cell
    return inner.replace('""', '"') if always or '"' in inner else cell


def _of_csv(header: tuple[str, ...], delimiter: str, split: bool, text: str) -> Fields | str:
    if wrong := unfit(text):
        return wrong
    try:
        cells = record_of(text.replace("\r\n", "\n"), delimiter)
    except csv.Error as error:
        return _wrong_mark(str(error))
    if not split and _swallows(text, delimiter, len(header)):
        lines = text.count("\n") + 1
        return f"opens a quotation mark that ends {lines} lines below, over what look like rows"
    return _named(header, cells)


def _wrong_mark(error: str) -> str:
    if "unexpected end" in error:
        return "opens a quotation mark that its line does not close; write a mark of the text twice"
    if "expected after" in error:
        return "goes on after a closing quotation mark; write a mark of the text twice"
    return f"is no well-formed CSV: {error}"


def _swallows(text: str, delimiter: str, columns: int) -> bool:
    """Whether a line inside of the record could be a row by itself."""
    return any(line.count(delimiter) + 1 == columns for line in text.split("\n")[1:])


def _row_test(header: tuple[str, ...], clip: str) -> Callable[[Sequence[str], Sequence[str]], bool]:
    """Whether a line is a row by itself: as many fields as the header, and a file where one is."""
    place = header.index(clip) if clip else -1

    def is_row(fields: Sequence[str], first: Sequence[str]) -> bool:
        if place < 0 or len(fields) != len(header) or len(header) < 2:
            return False
        named = place >= len(first) or not _CLIP.fullmatch(Path(first[place]).suffix)
        return named or _CLIP.fullmatch(Path(fields[place]).suffix) is not None

    return is_row


def _named(header: tuple[str, ...], cells: list[str]) -> Fields | str:
    if len(cells) != len(header):
        return f"has {len(cells)} fields instead of {len(header)}"
    return dict(zip(header, cells, strict=True))


# ------------------------------------------------------------------------------------- JSON lines
def _json_lines(path: Path) -> RowTable:
    places = line_places(path)
    first = next(read_all(path, places.take(np.arange(min(1, len(places))))), "")
    if first.lstrip().startswith("["):
        raise AssetError(f"{path.name} is one JSON array; a manifest has one object per line.")
    return RowTable(path, places, _object)


def _object(text: str) -> Fields | str:
    if wrong := unfit(text):
        return wrong
    try:
        found = json.loads(text, object_pairs_hook=_pairs)
    except json.JSONDecodeError as error:
        return f"is no JSON: {error.msg}"
    except RecursionError:
        return "is no JSON: it is nested too deeply"
    except _TwiceError as error:
        return f"has the key {str(error)[:60]!r} twice"
    except ValueError:  # Python reads no integer of more than 4300 digits
        return "is no JSON: a number in it is too long"
    if not isinstance(found, dict):
        return "is no JSON object"
    return found or "is an empty object"


class _TwiceError(ValueError):
    """A key that an object has twice."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _TwiceError(name.encode("utf-8", "replace").decode())
            seen.add(name)
    return found
