"""A manifest (JSON lines, CSV or TSV, as NeMo writes them): audio_filepath, text, duration ..."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, MinLen

from harness import sampling
from harness.contracts import Dataset, Locate, Source, Utterance
from harness.corpus import (
    Listing,
    Places,
    csv_places,
    is_there,
    key,
    line_places,
    not_utf8,
    read_all,
    read_one,
    stock,
    times,
)
from harness.corpus.segments import LONGEST_SECONDS, Segment, segment
from harness.errors import AssetError
from harness.sampling import Wanted

_JSON = (".json", ".jsonl", ".ndjson")


@dataclass(frozen=True)
class Params:
    path: Annotated[str, MinLen(1)]
    """The manifest: .jsonl (or .json) with an object per line, .csv or .tsv with a header. Paths of
    clips are relative to its folder."""
    audio: str = "audio_filepath"
    """The column with the clip's path."""
    text: str = "text"
    """The column with the transcript."""
    duration: str = "duration"
    """The column with the clip's length in seconds; it may be missing. With a column `offset` (or
    start, end, stop, start_ms ...) a row is that part of its file; without one, its length is held
    against the file's."""
    speaker: str = "speaker"
    """The column that says who speaks; it may be missing."""
    limit: Annotated[int, Ge(1)] | None = None
    """Evaluate a sample of so many utterances; all of them when left out."""
    minutes: Annotated[float, Gt(0)] | None = None
    """Evaluate a sample of so many minutes of audio at most."""
    seed: int = 0
    """Draws the sample; the same seed gives the same utterances."""


def load(params: Params, locate: Locate) -> Dataset:
    """The manifest's utterances in its order; a row that cannot be used keeps its reason.

    Raises: AssetError (one line) where the file is no manifest, holds no row or lacks a needed
    column (of JSON lines: a key that no row has).
    """
    path = locate(params.path)
    if not path.is_file():
        raise AssetError(f"{path.name} is not a file; a manifest is .jsonl, .csv or .tsv.")
    try:
        wanted = Wanted(params.limit, params.minutes, params.seed)
        table, places = _table(path, params)
        if not len(places):
            raise AssetError(f"{path.name} holds no row.")
        return _read(table, places, wanted)
    except UnicodeDecodeError as error:
        raise AssetError(not_utf8(path, error)) from error
    except csv.Error as error:
        raise AssetError(f"{path.name} is no well-formed CSV: {error}.") from error


@dataclass(frozen=True)
class _Format:
    """How the text of a row becomes its fields (or says what is wrong with it)."""

    path: Path
    names: Params
    fields: Callable[[str], Mapping[str, Any] | str]

    def rows(self, places: Places) -> Iterator[Mapping[str, Any]]:
        """The fields of each row; none where it is malformed."""
        for text in read_all(self.path, places):
            found = self.fields(text)
            yield {} if isinstance(found, str) else found

    def lengths(self, places: Places) -> np.ndarray:
        """Seconds of each row by the manifest, NaN where it does not say."""
        meant = map(self.segment, self.rows(places))
        found = (math.nan if isinstance(one, str) else one.seconds for one in meant)
        return np.fromiter(found, float, len(places))

    def times(self, places: Places) -> tuple[np.ndarray, np.ndarray]:
        """How many times each row's clip (or part of one) was there up to it, and how many times
        its bare name."""
        texts = (text for row in self.rows(places) for text in self._keys(row))
        found = np.fromiter(map(key, texts), np.int64)
        return times(found[::2]), times(found[1::2])

    def clip(self, row: Mapping[str, Any]) -> Path:
        """The clip's path, relative ones beside the manifest."""
        name = row.get(self.names.audio)
        return self.path.parent / (name if isinstance(name, str) else "")

    def segment(self, row: Mapping[str, Any]) -> Segment | str:
        """Which part of its file the row means, or what is wrong with that."""
        names = self.names
        own = (names.audio, names.text, names.duration, names.speaker)
        return segment(row, _seconds(row.get(names.duration)), own)

    def shown_part(self, row: Mapping[str, Any]) -> str:
        """As an id has it: `@1.5-3`; "" for what begins with its file."""
        found = self.segment(row)
        if isinstance(found, str) or found.part is None or not found.part[0]:
            return ""
        start, stop = found.part
        return f"@{start:.10g}-" + ("" if math.isinf(stop) else f"{stop:.10g}")

    def _keys(self, row: Mapping[str, Any]) -> tuple[str, str]:
        """What no two rows should have, and the name that is numbered where two have it."""
        clip, meant = self.clip(row), self.segment(row)
        what = meant if isinstance(meant, str) else meant.part
        return f"{clip} {what}", _text(clip.stem) + self.shown_part(row)


def _table(path: Path, names: Params) -> tuple[_Format, Places]:
    """How the file is read, and where its rows are."""
    if path.suffix.lower() in _JSON:
        return _json_lines(path, names)
    if path.suffix.lower() not in (".csv", ".tsv"):
        raise AssetError(f"{path.name}: a manifest is .jsonl, .csv or .tsv.")
    if path.suffix.lower() == ".tsv":
        places, delimiter = line_places(path), "\t"
    else:
        delimiter = _delimiter(path)
        places = csv_places(path, delimiter)
    first = read_one(path, places, 0) if len(places) else ""
    if delimiter == "\t" and "\r" in first:
        raise AssetError(f"{path.name} holds no row; does it end its lines with LF?")
    header = tuple(_record(first, delimiter)) if len(places) else ()
    if missing := [name for name in (names.audio, names.text) if name not in header]:
        raise AssetError(
            f"{path.name}: no column {', '.join(missing)}; it has {', '.join(header) or 'none'}."
        )
    rows = places.take(np.arange(1, len(places)))
    return _Format(path, names, lambda text: _cells(header, _record(text, delimiter))), rows


def _json_lines(path: Path, names: Params) -> tuple[_Format, Places]:
    places = line_places(path)
    if len(places) and read_one(path, places, 0).lstrip().startswith("["):
        raise AssetError(f"{path.name} is one JSON array; a manifest has one object per line.")
    table = _Format(path, names, _object)
    _has_keys(table, places)
    return table, places


def _has_keys(table: _Format, places: Places) -> None:
    """Raises: AssetError for a needed key that no row has; rows that are no JSON say so themselves.

    Of a manifest that has them, the first rows alone are read.
    """
    numbered = zip(places.numbers, table.rows(places), strict=True)
    number, shown = next(((n, row) for n, row in numbered if row), (0, {}))
    needed = (table.names.audio, table.names.text) if shown else ()
    missing = [key for key in needed if not any(key in row for row in table.rows(places))]
    if missing:
        raise AssetError(
            f"{table.path.name}: no key {', '.join(missing)}; line {number} has "
            f"{', '.join(map(_text, shown))}."
        )


def _object(text: str) -> Mapping[str, Any] | str:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        return f"is no JSON: {error.msg}"
    except RecursionError:
        return "is no JSON: it is nested too deeply"
    except ValueError:  # Python reads no integer of more than 4300 digits
        return "is no JSON: a number in it is too long"
    return found if isinstance(found, dict) else "is no JSON object"


def _delimiter(path: Path) -> str:
    """Comma, or the semicolon of spreadsheets in languages that write 1,5."""
    places = line_places(path)
    header = read_one(path, places, 0) if len(places) else ""
    return ";" if ";" in header and "," not in header else ","


def _record(text: str, delimiter: str) -> list[str]:
    if delimiter == "\t":  # quotes mean nothing in a TSV
        return text.split("\t")
    return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])


def _cells(header: tuple[str, ...], cells: list[str]) -> Mapping[str, Any] | str:
    if len(cells) != len(header):
        return f"has {len(cells)} fields instead of {len(header)}"
    return dict(zip(header, cells, strict=True))


def _text(value: Any) -> str:
    """As Unicode: JSON can hold half of a pair of surrogates. "" for what is no text."""
    return str(value).encode("utf-8", "replace").decode() if _is_text(value) else ""


def _is_text(value: Any) -> bool:
    """A number may stand for one: a speaker's, or a transcript `10` without quotes."""
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _seconds(value: Any) -> float:
    seconds = _number(value)
    return seconds if 0 < seconds < LONGEST_SECONDS else math.nan


def _number(value: Any) -> float:
    """NaN where it is none."""
    try:
        return math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _read(table: _Format, places: Places, wanted: Wanted) -> Dataset:
    total = len(places)
    lengths = np.full(total, np.nan) if wanted.everything else table.lengths(places)
    drawn = sampling.draw(lengths, wanted)
    used = places.take(drawn.rows)
    listing = Listing(table.path, used, _Rows(table, used.numbers, *table.times(used)).utterance)
    found = stock(listing, lengths=True)  # they say which part is heard, and are checked
    notes = {
        "manifest": table.path.name,
        **drawn.notes(wanted, total),
        "left_out": str(found.left_out),
        "clips_sha256": found.clips,
    }
    return Dataset(table.path.stem, listing, found.fingerprint, notes)


@dataclass(frozen=True)
class _Rows:
    """How a row becomes an utterance; an id is the clip's name, numbered where two have the same
    in different folders."""

    table: _Format
    numbers: np.ndarray  # the line of each used row
    clips: np.ndarray  # how many times its clip was listed up to it
    stems: np.ndarray  # how many times the clip's name without its folder was

    def utterance(self, text: str, at: int) -> Utterance:
        found, names = self.table.fields(text), self.table.names
        row: Mapping[str, Any] = {} if isinstance(found, str) else found
        clip = self.table.clip(row)
        spoken = _text(row.get(names.text))
        error = found if isinstance(found, str) else self._problem(row, clip, int(self.clips[at]))
        number = int(self.stems[at])
        name = _text(clip.stem) + self.table.shown_part(row) + (f"#{number}" if number > 1 else "")
        meant = self.table.segment(row)
        part = Segment(None, math.nan) if isinstance(meant, str) else meant
        return Utterance(
            id=name if _named(row.get(names.audio)) else f"line {self.numbers[at]}",
            audio=None if error else clip,
            text=spoken,
            speaker=_text(row.get(names.speaker)),
            sentence=hashlib.sha256(spoken.encode()).hexdigest()[:16],
            seconds=part.seconds,
            part=part.part,
            error=f"line {self.numbers[at]} of {self.table.path.name} {error}." if error else "",
        )

    def _problem(self, row: Mapping[str, Any], clip: Path, times: int) -> str:
        """What is wrong with a row that could be read; "" where nothing is."""
        names, shown = self.table.names, _text(clip.name)
        if not row.get(names.audio):
            return f"has no {names.audio}"
        if wrong := _untold(row, names):
            return f"holds something in {wrong} that is no text"
        if shown != clip.name:  # no table, report or message could name it
            return f"names {shown}, which is no Unicode; rename it"
        if isinstance(meant := self.table.segment(row), str):
            return meant
        if times > 1:
            return f"lists {shown} again; its first row counts"
        if not _text(row.get(names.text)).strip():
            return f"has no transcript of {shown}"
        if not is_there(clip):
            return f"names {shown}, which is missing"
        return ""


def _named(clip: Any) -> bool:
    return isinstance(clip, str) and bool(clip)


def _untold(row: Mapping[str, Any], names: Params) -> str:
    """The first column that holds something else than a text; "" where none does."""
    if not _named(row[names.audio]):
        return names.audio
    wanted = (names.text, names.speaker)
    return next((key for key in wanted if row.get(key) is not None and not _is_text(row[key])), "")


source = Source(Params, load)
