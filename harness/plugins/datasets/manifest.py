"""A manifest (JSON lines, CSV or TSV, as NeMo writes them): audio_filepath, text, duration ..."""

from __future__ import annotations

import contextlib
import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Gt, MinLen

from harness.contracts import Dataset, Locate, Source, Utterance
from harness.errors import AssetError, AudioError
from harness.plugins.datasets import _sampling
from harness.plugins.datasets._corpus import (
    Listing,
    RowPlaces,
    composed,
    found,
    is_there,
    key,
    not_utf8,
    numbered,
    shown,
    stock,
    tags,
    times,
)
from harness.plugins.datasets._corpus.labels import labels
from harness.plugins.datasets._corpus.segments import (
    LONGEST_SECONDS,
    STARTS,
    STOPS,
    WHOLE,
    Segment,
    segment,
)
from harness.plugins.datasets._corpus.table import JSON, AskedColumns, RowTable, open_table
from harness.plugins.datasets._sampling import Wanted
from harness.speech import audio

_MILLISECONDS = re.compile(r"(^|[_\W])(ms|msec|millis|milliseconds)\W?$", re.IGNORECASE)
_FOLDERS = ("audios", "clips", "audio", "wavs", "wav")  # where releases keep their clips
_AUDIO = ("audio_filepath", "audio", "path", "file_name", "file", "filename", "wav")
_TEXT = ("text", "sentence", "transcript", "transcription")
_LOOKED_AT = 20  # rows that say whether clips are there and lengths are in seconds


@dataclass(frozen=True)
class Params:
    path: Annotated[str, MinLen(1)]
    """The manifest: .jsonl (or .json) with an object per line, .csv or .tsv with a header. Paths of
    clips are relative to its folder."""
    audio: str = "audio_filepath"
    """The column with the clip's path."""
    audio_folder: str = ""
    """The folder that paths of clips are relative to, beside the manifest: audios, clips ..."""
    text: str = "text"
    """The column with the transcript. Tags in it that nobody says ([noise], <unk>) are taken out;
    the notes count them."""
    duration: str = "duration"
    """The column with the clip's length; it may be missing. With a column `offset` (or start, end,
    stop, start_ms ...) a row is that part of its file; without one, its length is held against the
    file's."""
    duration_unit: Literal["s", "ms"] | None = None
    """What that length is counted in. When left out, a column whose name ends with ms (duration_ms)
    is in milliseconds, others are in seconds; what the clips contradict is refused."""
    speaker: str = "speaker"
    """The column that says who speaks; it may be missing."""
    split: str = ""
    """Take the rows that have this in their column `split`; all of them when left out."""
    limit: Annotated[int, Ge(1)] | None = None
    """Evaluate a sample of so many utterances; all of them when left out."""
    minutes: Annotated[float, Gt(0)] | None = None
    """Evaluate a sample of so many minutes of audio at most."""
    seed: int = 0
    """Draws the sample; the experiment's `seed` when left out."""

    @property
    def per_second(self) -> float:
        """What the length is counted in."""
        by_name = "ms" if _MILLISECONDS.search(self.duration) else "s"
        return 1e3 if (self.duration_unit or by_name) == "ms" else 1.0


def load(params: Params, locate: Locate) -> Dataset:
    """The manifest's utterances in its order; a row that cannot be used keeps its reason.

    Raises: AssetError (one line) where the file is no manifest, holds no row or lacks a needed
    column (of JSON lines: a key that no row has), or where its lengths are in another unit.
    """
    path = locate(params.path)
    try:
        opened = _opened(path, params)
        return _read(opened, Wanted(params.limit, params.minutes, params.seed))
    except UnicodeDecodeError as error:
        raise AssetError(not_utf8(path, error)) from error


def look(params: Params, locate: Locate) -> float:
    """How many utterances there will be, by the table and its first clips alone.

    Raises: AssetError (one line) for what `load` would refuse, or where no clip is there.
    """
    path = locate(params.path)
    try:
        opened = _opened(path, params)
    except UnicodeDecodeError as error:
        raise AssetError(not_utf8(path, error)) from error
    table = opened.table
    names = [
        row[params.audio]
        for row in islice(table.rows(table.places), _LOOKED_AT)
        if _named(row.get(params.audio))
    ]
    if names and not any(opened.clip({params.audio: name}) for name in names):
        raise AssetError(f"{path.name} names {shown(names[0])}, which is missing"
                         f"{opened.elsewhere(names[0])}; so are the next clips.")  # fmt: skip
    return float(len(table.places))


def columns(params: Params, locate: Locate) -> tuple[str, ...] | None:
    """The table's other columns; of JSON lines each may have its own. Raises: AssetError."""
    path = locate(params.path)
    if path.suffix.lower() in JSON:
        return None
    opened = _opened(path, params)
    first = next((row for row in opened.table.rows(opened.table.places) if row), None)
    return None if first is None else tuple(opened.labels(first))


@dataclass(frozen=True)
class _Opened:
    """The manifest's rows, and what its columns mean."""

    table: RowTable
    names: Params

    def lengths(self, places: RowPlaces) -> np.ndarray:
        """Seconds of each row by the manifest, NaN where it does not say."""
        meant = map(self.segment, self.table.rows(places))
        found = (math.nan if isinstance(one, str) else one.seconds for one in meant)
        return np.fromiter(found, float, len(places))

    def seconds(self, row: Mapping[str, Any]) -> float:
        return _seconds(row.get(self.names.duration), self.names.per_second)

    def times(self, places: RowPlaces) -> tuple[np.ndarray, np.ndarray]:
        """How many times each row's clip (or part of one) was there up to it, and how many times
        its bare name."""
        texts = (text for row in self.table.rows(places) for text in self._keys(row))
        found = np.fromiter(map(key, texts), np.int64)
        return times(found[::2]), times(found[1::2])

    def place(self, row: Mapping[str, Any]) -> Path:
        """Where the clip's file should be, relative paths beside the manifest."""
        name = row.get(self.names.audio)
        folder = self.table.path.parent / self.names.audio_folder
        return folder / (name if isinstance(name, str) else "")

    def clip(self, row: Mapping[str, Any]) -> Path | None:
        """The clip's file, None where there is none."""
        return found(self.place(row))

    def elsewhere(self, name: str) -> str:
        """Where a missing clip is, if it is in a folder that releases have."""
        beside = self.table.path.parent
        at = next((one for one in _FOLDERS if is_there(beside / one / name)), "")
        return f" but lies in {at}/: say `audio_folder: {at}`" if at else ""

    def segment(self, row: Mapping[str, Any]) -> Segment | str:
        """Which part of its file the row means, or what is wrong with that."""
        names = self.names
        own = (names.audio, names.text, names.duration, names.speaker)
        return segment(row, self.seconds(row), own)

    def labels(self, row: Mapping[str, Any]) -> dict[str, str]:
        """What the row says beside."""
        names = self.names
        return labels(row, (names.audio, names.text, names.duration, names.speaker))

    def _keys(self, row: Mapping[str, Any]) -> tuple[str, str]:
        """What no two rows should have, and the name that is numbered where two have it."""
        place, meant = self.place(row), self.segment(row)
        part = WHOLE if isinstance(meant, str) else meant
        what = meant if isinstance(meant, str) else meant.part
        return f"{composed(str(place))} {what}", shown(place.stem) + part.shown


def _opened(path: Path, names: Params) -> _Opened:
    if not path.is_file():
        raise AssetError(f"{path.name} is not a file; a manifest is .jsonl, .csv or .tsv.")
    if path.suffix.lower() not in (*JSON, ".csv", ".tsv"):
        raise AssetError(f"{path.name}: a manifest is .jsonl, .csv or .tsv.")
    if names.audio_folder and not (path.parent / names.audio_folder).is_dir():
        raise AssetError(f"{path.name}: no folder {names.audio_folder} beside it.")
    used = (names.duration, names.speaker, "split", *STARTS, *STOPS)
    try:
        table = open_table(path, AskedColumns((names.audio, names.text), used, names.audio))
    except OSError as error:
        raise AssetError(f"{path.name} cannot be read: {error.strerror or error}.") from error
    if path.suffix.lower() in JSON:
        _has_keys(table, names)
    if not len(table.places):
        raise AssetError(f"{path.name} holds no row.")
    if names.split:
        table = table.part("split", names.split)
    opened = _Opened(table, names)
    _in_seconds(opened)
    return opened


def _has_keys(table: RowTable, names: Params) -> None:
    """Raises: AssetError for a needed key that no row has; rows that are no JSON say so themselves.

    Of a manifest that has them, the first rows alone are read.
    """
    numbered = zip(table.places.numbers, table.rows(table.places), strict=True)
    number, shown = next(((n, row) for n, row in numbered if row), (0, {}))
    needed = (names.audio, names.text) if shown else ()
    missing = [key for key in needed if not any(key in row for row in table.rows(table.places))]
    if missing:
        raise AssetError(
            f"{table.path.name}: no key {', '.join(missing)}; line {number} has "
            f"{', '.join(map(_text, shown))}."
        )


def _in_seconds(opened: _Opened) -> None:
    """Raises: AssetError where the first lengths are a thousand times their clips', or a thousandth
    of them: every draw by length or minutes would be another one than was asked for."""
    told = []
    for row in islice(opened.table.rows(opened.table.places), _LOOKED_AT):
        seconds, clip = opened.seconds(row), opened.clip(row)
        if clip is None or math.isnan(seconds):
            continue
        try:
            told.append((seconds / audio.duration_seconds(clip), seconds, clip.name))
        except (AudioError, ZeroDivisionError):  # decoding it will say why, in its own row
            continue
    for unit, factor in (("ms", 1e3), ("s", 1e-3)):
        if told and all(0.5 < ratio / factor < 2 for ratio, *_ in told):
            ratio, seconds, name = told[0]
            raise AssetError(
                f"{opened.table.path.name}: {opened.names.duration} says {seconds:g} s of "
                f"{shown(name)}, which lasts {seconds / ratio:.3g} s; say `duration_unit: {unit}`."
            )


def _text(value: Any) -> str:
    """As Unicode: JSON can hold half of a pair of surrogates. "" for what is no text."""
    return str(value).encode("utf-8", "replace").decode() if _is_text(value) else ""


def _is_text(value: Any) -> bool:
    """A number may stand for one: a speaker's, or a transcript `10` without quotes."""
    finite = not isinstance(value, float) or math.isfinite(value)
    return isinstance(value, str | int | float) and not isinstance(value, bool) and finite


def _seconds(value: Any, per_second: float = 1.0) -> float:
    seconds = _number(value) / per_second
    return seconds if 0 < seconds < LONGEST_SECONDS else math.nan


def _number(value: Any) -> float:
    """NaN where it is none."""
    try:
        return math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _read(opened: _Opened, wanted: Wanted) -> Dataset:
    table = opened.table
    total = len(table.places)
    lengths = np.full(total, np.nan) if wanted.everything else opened.lengths(table.places)
    drawn = _sampling.draw(lengths, wanted)
    used = table.places.take(drawn.rows)
    kept = replace(opened, table=replace(table, places=used))  # the other rows' places can go
    listing = Listing(table.path, used, _Rows(kept, used.numbers, *opened.times(used)).utterance)
    seen = stock(listing, lengths=True)  # they say which part is heard, and are checked
    notes = {
        "manifest": table.path.name,
        **({"split": opened.names.split} if opened.names.split else {}),
        **drawn.notes(wanted, total),
        "left_out": str(seen.left_out),
        **tags.noted(_text(row.get(opened.names.text)) for row in table.rows(used)),
        "clips_sha256": seen.clips,
    }
    return Dataset(table.path.stem, listing, seen.fingerprint, notes)


@dataclass(frozen=True)
class _Rows:
    """How a row becomes an utterance; an id is the clip's name, numbered where two have the same
    in different folders."""

    opened: _Opened
    numbers: np.ndarray  # the line of each used row
    clips: np.ndarray  # how many times its clip was listed up to it
    stems: np.ndarray  # how many times the clip's name without its folder was

    def utterance(self, text: str, at: int) -> Utterance:
        fields, names = self.opened.table.fields(text), self.opened.names
        row: Mapping[str, Any] = {} if isinstance(fields, str) else fields
        place, clip = self.opened.place(row), self.opened.clip(row)
        spoken = tags.without(_text(row.get(names.text)))
        error = fields if isinstance(fields, str) else self._problem(row, place, clip, at)
        stem = shown(place.stem) if _named(row.get(names.audio)) else ""
        meant = self.opened.segment(row)
        part = WHOLE if isinstance(meant, str) else meant
        name = stem + part.shown if stem else ""
        return Utterance(
            id=numbered(name, int(self.stems[at])) if name else f"line {self.numbers[at]}",
            audio=None if error else clip,
            text=spoken,
            speaker=_text(row.get(names.speaker)),
            sentence=hashlib.sha256(spoken.encode()).hexdigest()[:16],
            seconds=part.seconds,
            part=part.part,
            error=f"line {self.numbers[at]} of {self.opened.table.path.name} {error}."
            if error
            else "",
            labels=self.opened.labels(row),
        )

    def _problem(self, row: Mapping[str, Any], place: Path, clip: Path | None, at: int) -> str:
        """What is wrong with a row that could be read; "" where nothing is."""
        names, name = self.opened.names, shown(place.name)
        if not row.get(names.audio):
            return f"has no {names.audio}"
        if wrong := _untold(row, names):
            return f"holds something in {wrong} that is no text"
        if _text(place.name) != place.name:  # no table, report or message could name it
            return f"names {name}, which is no Unicode; rename it"
        if isinstance(meant := self.opened.segment(row), str):
            return meant
        if int(self.clips[at]) > 1:
            return f"lists {name} again; its first row counts"
        if not tags.without(_text(row.get(names.text))).strip():
            return f"has no transcript of {name}"
        if clip is None:
            return f"names {name}, which is missing{self.opened.elsewhere(row[names.audio])}"
        return ""


def _named(clip: Any) -> bool:
    return isinstance(clip, str) and bool(clip)


def _untold(row: Mapping[str, Any], names: Params) -> str:
    """The first column that holds something else than a text; "" where none does."""
    if not _named(row[names.audio]):
        return names.audio
    told = {key: row[key] for key in (names.text, names.speaker) if row.get(key) is not None}
    return next((key for key, it in told.items() if not _is_text(it) or "\0" in str(it)), "")


def sight(path: Path, language: str) -> Sequence[Mapping[str, Any]]:
    """A table, or each of a folder's own, that has usual columns and whose clips are there."""
    tables = [path] if path.is_file() else [one for one in sorted(path.glob("*")) if one.is_file()]
    tables = [one for one in tables if one.suffix.lower() in (*JSON, ".csv", ".tsv")]
    tables.sort(key=lambda one: "test" not in one.stem.lower())
    return [params for table in tables for params in islice(_readable(table), 1)]


def _readable(table: Path) -> Iterator[dict[str, Any]]:
    """The parameters by which a table can be read, the usual ones first."""
    folders = ("", *(one for one in _FOLDERS if (table.parent / one).is_dir()))
    for audio_folder, clip, text in product(folders, _AUDIO, _TEXT):
        params: dict[str, Any] = {"path": str(table)}
        asked = {"audio": clip, "text": text, "audio_folder": audio_folder}
        params |= {key: value for key, value in asked.items() if value != getattr(Params, key)}
        with contextlib.suppress(AssetError, OSError):
            look(Params(**params), Path)
            yield params


source = Source(Params, load, look=look, labels=columns, sight=sight)
