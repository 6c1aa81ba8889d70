"""A release in a layout of Common Voice, as a folder or its archive: one split as a data set."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from harness.contracts import Dataset, Utterance
from harness.errors import AssetError
from harness.io.hashes import sha256_of
from harness.plugins.datasets import _sampling
from harness.plugins.datasets._corpus import archive, tags
from harness.plugins.datasets._corpus.labels import labels, named
from harness.plugins.datasets._corpus.listing import (
    Listing,
    composed,
    found,
    is_there,
    keys,
    numbered,
    shown,
    stock,
    times,
)
from harness.plugins.datasets._corpus.places import RowPlaces, line_places, not_utf8, read_all
from harness.plugins.datasets._corpus.segments import (
    LENGTHS,
    STARTS,
    STOPS,
    WHOLE,
    Segment,
    length,
    names_parts,
    segment,
)
from harness.plugins.datasets._corpus.table import (
    AskedColumns,
    Fields,
    RowTable,
    columns,
    open_table,
)
from harness.plugins.datasets._sampling import Wanted

_SLICE = 1 << 16
_DIGITS = 11  # of a clip's milliseconds: three years


@dataclass(frozen=True)
class ReleaseColumns:
    """What a kind of release calls its columns and the folder of its clips; `split` is the column
    that stands for a table of its own."""

    clip: str
    text: str
    clips: str
    split: str = ""


SCRIPTED = ReleaseColumns("path", "sentence", "clips")
SPONTANEOUS = ReleaseColumns("audio_file", "transcription", "audios", "split")


@dataclass(frozen=True)
class Split:
    """Which table of a release is read, and how much of it."""

    locale: str
    split: str
    wanted: Wanted


@dataclass(frozen=True)
class _Opened:
    """A split of a release that lies in a folder."""

    table: RowTable
    layout: ReleaseColumns
    packed: archive.Archive | None
    columns: frozenset[str]

    def clip(self, row: Fields) -> str:
        """The clip's name; the first releases left `.mp3` out."""
        name = str(row.get(self.layout.clip) or "")
        return name if Path(name).suffix or not name else f"{name}.mp3"

    @property
    def used(self) -> tuple[str, ...]:
        """Columns that are something else than labels."""
        return self.layout.clip, self.layout.text, "client_id", "sentence_id"

    def names(self, places: RowPlaces) -> Iterator[str]:
        """The clip's name of each of these rows."""
        return map(self.clip, self.table.rows(places))

    @property
    def parts(self) -> bool:
        """Whether its rows may name parts of their clips."""
        return names_parts(self.columns)

    @property
    def lengths(self) -> bool:
        """Whether its rows say how long what they mean lasts."""
        return self.parts or not self.columns.isdisjoint(LENGTHS)

    def segment(self, row: Fields) -> Segment | str:
        """Which part of its clip the row means, or what is wrong with that."""
        return segment(row, length(row), self.used)

    def keys(self, places: RowPlaces) -> tuple[np.ndarray, np.ndarray]:
        """Of each row: what no two should have, and the name that is numbered where two have it."""
        pairs = (text for row in self.table.rows(places) for text in self._keys(row))
        found = keys(pairs)
        return found[::2], found[1::2]

    def _keys(self, row: Fields) -> tuple[str, str]:
        name, meant = self.clip(row), self.segment(row)
        part = WHOLE if isinstance(meant, str) else meant
        return f"{composed(name)} {part.part or ''}", shown(Path(name).stem) + part.shown

    def texts(self, places: RowPlaces) -> Iterator[str]:
        """The transcript of each of these rows, as it stands there."""
        return (str(row.get(self.layout.text) or "") for row in self.table.rows(places))


def read(path: Path, split: Split, sha256: str = "") -> Dataset:
    """The split's utterances in the table's order; a clip that is missing becomes an error row.

    `sha256`: what an archive must have, where that is known.

    Raises: AssetError (one line) where the release, the split or a needed column is not there, the
    table holds no row, or an archive cannot be trusted.
    """
    packed = archive.open_archive(path) if archive.is_archive(path) else None
    if packed and sha256 and packed.sha256 != sha256:
        raise AssetError(f"{path.name}: its SHA-256 is not the announced one; fetch it again.")
    folder = archive.release_folder(packed, split.locale) if packed else path
    table = _find_table(folder, split, path.name)
    try:
        return _read(_opened(table, split, packed), split)
    except UnicodeDecodeError as error:
        raise AssetError(not_utf8(table, error)) from error


def look(path: Path, split: Split) -> float:
    """How many utterances there will be, without a look at a clip; NaN for an archive.

    Raises: AssetError (one line) for what `read` would refuse, or without a folder of clips.
    """
    if archive.is_archive(path):
        archive.kind_of(path)
        return math.nan
    table = _find_table(path, split, path.name)
    try:
        opened = _opened(table, split, None)
    except UnicodeDecodeError as error:
        raise AssetError(not_utf8(table, error)) from error
    if not (table.parent / opened.layout.clips).is_dir():
        raise AssetError(f"{path.name}: no folder {opened.layout.clips}/ beside {table.name}.")
    return float(len(opened.table.places))


def labelled(path: Path, split: Split) -> tuple[str, ...] | None:
    """The labels that its utterances will have; none are known of an archive.

    Raises: AssetError (one line), as `look`.
    """
    if archive.is_archive(path):
        return None
    table = _find_table(path, split, path.name)
    return named(columns(table), _opened(table, split, None).used)


def _opened(path: Path, split: Split, packed: archive.Archive | None) -> _Opened:
    names = columns(path)
    spontaneous = {SPONTANEOUS.clip, SPONTANEOUS.text} <= set(names) and "path" not in names
    layout = SPONTANEOUS if spontaneous else SCRIPTED
    used = ("client_id", "sentence_id", "split", *LENGTHS, *STARTS, *STOPS)
    wanted = AskedColumns((layout.clip, layout.text), used)
    table = open_table(path, wanted)
    if not len(table.places):
        raise AssetError(f"{path.name} holds no row.")
    if layout.split and path.stem != _stem(split.split):
        table = table.part(layout.split, split.split)
    return _Opened(table, layout, packed, frozenset(names))


def _read(opened: _Opened, split: Split) -> Dataset:
    table, path = opened.table, opened.table.path
    lengths = _lengths(opened)
    unknown = np.full(len(table.places), np.nan) if lengths is None else lengths
    drawn = _sampling.draw(unknown, split.wanted)
    used = table.places.take(drawn.rows)
    seconds = None if lengths is None else lengths[drawn.rows]
    if opened.packed:
        clips = path.parent / opened.layout.clips
        opened.packed.bring(clips, [name for name in opened.names(used) if _is_name(name)])
    listed, stems = map(times, opened.keys(used))
    kept = replace(opened, table=replace(table, places=used))  # the other rows' places can go
    listing = Listing(path, used, _Rows(kept, used.numbers, listed, stems, seconds).utterance)
    seen = stock(listing, lengths=opened.parts)  # they say which part is heard
    inside = opened.packed is None or path.parent != opened.packed.root
    release = path.parent.parent if inside and path.parent.name == split.locale else path.parent
    notes = {
        "release": release.resolve().name,
        "locale": split.locale,
        "split": split.split,
        **drawn.notes(split.wanted, len(table.places)),
        "left_out": str(seen.left_out),
        **tags.noted(opened.texts(used)),
        "table_sha256": sha256_of(path),
        "clips_sha256": seen.clips,
        **({"archive_sha256": opened.packed.sha256} if opened.packed else {}),
    }
    return Dataset(notes["release"], listing, seen.fingerprint, notes)


def _stem(split: str) -> str:
    return split.removesuffix(".tsv")


def _find_table(folder: Path, split: Split, name: str) -> Path:
    """The split's table, or the one of a spontaneous-speech release, which holds all splits."""
    if not _is_name(split.split):
        raise AssetError(f"{name}: {split.split!r} is not the name of a split.")
    places = (folder, folder / split.locale)
    for table in (f"{_stem(split.split)}.tsv", f"ss-corpus-{split.locale}.tsv"):
        for place in places:
            if is_there(place / table):
                return place / table
    known = sorted({p.stem for p in [*folder.glob("*.tsv"), *places[1].glob("*.tsv")]})
    spoken = next((stem[10:] for stem in known if stem.startswith("ss-corpus-")), "")
    hint = f" Its language is `locale: {spoken}`." if spoken else ""
    hint = hint or (" That split is called dev here." if split.split == "validation" else "")
    raise AssetError(
        f"{name}: no {_stem(split.split)}.tsv, neither there nor in {split.locale}/; "
        f"there is: {', '.join(known) or 'no table at all'}.{hint}"
    )


def _is_name(name: str) -> bool:
    return bool(name) and Path(name).name == name and "\\" not in name and name != ".."


def _lengths(opened: _Opened) -> np.ndarray | None:
    """Seconds of each row's clip, where the release has them; else None."""
    places = opened.table.places
    if opened.lengths:
        meant = map(opened.segment, opened.table.rows(places))
        found = (math.nan if isinstance(one, str) else one.seconds for one in meant)
        return np.fromiter(found, float, len(places))
    table = opened.table.path.parent / "clip_durations.tsv"
    if not table.is_file():
        return None
    wanted, which = np.unique(keys(opened.names(places)), return_inverse=True)
    known = np.full(len(wanted), np.nan)
    listed = line_places(table)
    for start in range(1, len(listed), _SLICE):
        part = listed.take(np.arange(start, min(start + _SLICE, len(listed))))
        _look_up(table, part, wanted, known)
    seconds: np.ndarray = known[which]
    return seconds


def _milliseconds(value: object) -> float:
    text = str(value)
    sound = text.isascii() and text.isdecimal() and len(text) <= _DIGITS and int(text) > 0
    return float(text) if sound else math.nan


def _look_up(table: Path, part: RowPlaces, wanted: np.ndarray, known: np.ndarray) -> None:
    """Put the lengths of one part of the table where its clips are wanted."""
    pairs = [line.split("\t")[:2] for line in read_all(table, part)]
    pairs = [p for p in pairs if len(p) == 2 and not math.isnan(_milliseconds(p[1]))]
    if not pairs or not len(wanted):
        return
    clips = keys(name for name, _ in pairs)
    at = np.minimum(np.searchsorted(wanted, clips), len(wanted) - 1)
    here = wanted[at] == clips
    known[at[here]] = np.array([int(milliseconds) for _, milliseconds in pairs])[here] / 1e3


@dataclass(frozen=True)
class _Rows:
    """How a line of the table becomes an utterance."""

    opened: _Opened
    numbers: np.ndarray  # the line of each used row
    listed: np.ndarray  # how many times its clip was listed up to it
    stems: np.ndarray  # how many times its clip's name without the suffix was
    seconds: np.ndarray | None

    def utterance(self, text: str, at: int) -> Utterance:
        fields = self.opened.table.fields(text)
        row: Fields = {} if isinstance(fields, str) else fields
        name, written = self.opened.clip(row), str(row.get(self.opened.layout.text) or "")
        sentence = tags.without(written)
        clip = self._clip(name) if _is_name(name) else None
        meant = self.opened.segment(row)
        part = WHOLE if isinstance(meant, str) else meant
        error = self._malformed(fields, at) if isinstance(fields, str) else ""
        error = error or _problem(name, sentence, clip, self.opened.layout, int(self.listed[at]))
        error = error or (f"{shown(name)} {meant}." if isinstance(meant, str) else "")
        known = row.get("sentence_id") or hashlib.sha256(sentence.encode()).hexdigest()[:16]
        stem = shown(Path(name).stem) + part.shown
        return Utterance(
            id=numbered(stem, int(self.stems[at])) if name else f"line {self.numbers[at]}",
            audio=None if error else clip,
            text=sentence,
            speaker=row.get("client_id", ""),
            sentence=known,
            seconds=math.nan if self.seconds is None else float(self.seconds[at]),
            part=part.part,
            error=error,
            labels=labels(row, self.opened.used),
        )

    def _clip(self, name: str) -> Path | None:
        return found(self.opened.table.path.parent / self.opened.layout.clips / name)

    def _malformed(self, reason: str, at: int) -> str:
        hint = "; is there a tab in the sentence?" if "fields instead" in reason else "."
        return f"line {self.numbers[at]} of {self.opened.table.path.name} {reason}{hint}"


def _problem(
    name: str, sentence: str, clip: Path | None, layout: ReleaseColumns, listed: int
) -> str:
    """Why the row cannot be used, "" where it can."""
    if not _is_name(name):
        return f"{shown(name)!r} is not the name of a clip."
    if listed > 1:
        return f"{shown(name)} is listed more than once; its first row counts."
    if not sentence.strip():
        return f"{shown(name)} has no transcript."
    return "" if clip else f"{shown(name)} is missing in {layout.clips}/."
