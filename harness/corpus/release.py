"""A release in the Common Voice layout, as a folder or its tar.gz: one split as a data set."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness import sampling
from harness.contracts import Dataset, Utterance
from harness.corpus import archive
from harness.corpus.listing import Listing, is_there, keys, stock, times
from harness.corpus.places import Places, line_places, not_utf8, read_all, read_one
from harness.errors import AssetError
from harness.hashes import sha256_of
from harness.sampling import Wanted

_NEEDED = ("path", "sentence")
_SLICE = 1 << 16
_DIGITS = 11  # of a clip's milliseconds: three years


@dataclass(frozen=True)
class Split:
    """Which table of a release is read, and how much of it."""

    locale: str
    split: str
    wanted: Wanted


def read(path: Path, split: Split, sha256: str = "") -> Dataset:
    """The split's utterances in the table's order; a clip that is missing becomes an error row.

    `sha256`: what a tar.gz must have, where that is known.

    Raises: AssetError (one line) where the release, the split or a needed column is not there, the
    table holds no row, or a tar.gz cannot be trusted.
    """
    packed = archive.open_archive(path) if archive.is_archive(path) else None
    if packed and sha256 and packed.sha256 != sha256:
        raise AssetError(f"{path.name}: its SHA-256 is not the announced one; fetch it again.")
    folder = archive.release_folder(packed, split.locale) if packed else path
    table = _find_table(folder, split, path.name)
    try:
        return _read(table, split, packed)
    except UnicodeDecodeError as error:
        raise AssetError(not_utf8(table, error)) from error


def _read(path: Path, split: Split, packed: archive.Archive | None) -> Dataset:
    places, header = _rows(path)
    lengths = _lengths(path, places, header)
    unknown = np.full(len(places), np.nan) if lengths is None else lengths
    drawn = sampling.draw(unknown, split.wanted)
    used = places.take(drawn.rows)
    seconds = None if lengths is None else lengths[drawn.rows]
    if packed:
        names = list(_names(path, used, header))
        packed.bring(path.parent / "clips", [name for name in names if _is_name(name)])
    repeats = times(keys(_names(path, used, header)))
    listing = Listing(path, used, _Rows(path, header, used.numbers, repeats, seconds).utterance)
    found = stock(listing)
    release = path.parent.parent if path.parent.name == split.locale else path.parent
    notes = {
        "release": release.resolve().name,
        "locale": split.locale,
        "split": split.split,
        **drawn.notes(split.wanted, len(places)),
        "left_out": str(found.left_out),
        "table_sha256": sha256_of(path),
        "clips_sha256": found.clips,
        **({"archive_sha256": packed.sha256} if packed else {}),
    }
    return Dataset(notes["release"], listing, found.fingerprint, notes)


def _find_table(folder: Path, split: Split, name: str) -> Path:
    for place in (folder, folder / split.locale):
        table = place / f"{split.split}.tsv"
        if table.is_file():
            return table
    known = {p.stem for p in [*folder.glob("*.tsv"), *folder.glob(f"{split.locale}/*.tsv")]}
    raise AssetError(
        f"{name}: no {split.split}.tsv, neither there nor in {split.locale}/; "
        f"there is: {', '.join(sorted(known)) or 'no table at all'}."
    )


def _rows(path: Path) -> tuple[Places, tuple[str, ...]]:
    """The places of the rows below the header, and the header. Quotes mean nothing in it."""
    places = line_places(path)
    first = read_one(path, places, 0) if len(places) else ""
    if "\r" in first:
        raise AssetError(f"{path.name} holds no row; does it end its lines with LF?")
    header = tuple(first.split("\t")) if first else ()
    if missing := [name for name in _NEEDED if name not in header]:
        raise AssetError(
            f"{path.name}: no column {', '.join(missing)}; it has {', '.join(header) or 'nothing'}."
        )
    if len(places) == 1:
        raise AssetError(f"{path.name} holds no row.")
    return places.take(np.arange(1, len(places))), header


def _names(path: Path, places: Places, header: tuple[str, ...]) -> Iterator[str]:
    """The clip's name of each row; the first releases left `.mp3` out."""
    column = header.index("path")
    for text in read_all(path, places):
        fields = text.split("\t", column + 1)
        yield _clip(fields[column] if column < len(fields) else "")


def _clip(name: str) -> str:
    return name if Path(name).suffix or not name else f"{name}.mp3"


def _is_name(name: str) -> bool:
    return bool(name) and Path(name).name == name and "\\" not in name and name != ".."


def _lengths(path: Path, places: Places, header: tuple[str, ...]) -> np.ndarray | None:
    """Seconds of each row's clip, where the release has clip_durations.tsv; else None."""
    table = path.parent / "clip_durations.tsv"
    if not table.is_file():
        return None
    wanted, which = np.unique(keys(_names(path, places, header)), return_inverse=True)
    found = np.full(len(wanted), np.nan)
    listed = line_places(table)
    for start in range(1, len(listed), _SLICE):
        part = listed.take(np.arange(start, min(start + _SLICE, len(listed))))
        _look_up(table, part, wanted, found)
    seconds: np.ndarray = found[which]
    return seconds


def _look_up(table: Path, part: Places, wanted: np.ndarray, found: np.ndarray) -> None:
    """Put the lengths of one part of the table where its clips are wanted."""
    pairs = [line.split("\t")[:2] for line in read_all(table, part)]
    pairs = [p for p in pairs if len(p) == 2 and p[1].isdecimal() and len(p[1]) <= _DIGITS]
    if not pairs or not len(wanted):
        return
    clips = keys(name for name, _ in pairs)
    at = np.minimum(np.searchsorted(wanted, clips), len(wanted) - 1)
    here = wanted[at] == clips
    found[at[here]] = np.array([int(milliseconds) for _, milliseconds in pairs])[here] / 1e3


@dataclass(frozen=True)
class _Rows:
    """How a line of the table becomes an utterance."""

    path: Path
    header: tuple[str, ...]
    numbers: np.ndarray  # the line of each used row
    times: np.ndarray  # how many times its clip was listed up to it
    seconds: np.ndarray | None

    def utterance(self, text: str, at: int) -> Utterance:
        fields = text.split("\t")
        row = dict(zip(self.header, fields, strict=False))
        name, sentence = _clip(row.get("path", "")), row.get("sentence", "")
        clip, times = self.path.parent / "clips" / name, int(self.times[at])
        error = self._malformed(len(fields), at) or _problem(name, sentence, clip, times)
        known = row.get("sentence_id") or hashlib.sha256(sentence.encode()).hexdigest()[:16]
        return Utterance(
            id=Path(name).stem + (f"#{times}" if times > 1 else ""),
            audio=None if error else clip,
            text=sentence,
            speaker=row.get("client_id", ""),
            sentence=known,
            seconds=float("nan") if self.seconds is None else float(self.seconds[at]),
            error=error,
        )

    def _malformed(self, count: int, at: int) -> str:
        least = 1 + max(self.header.index(name) for name in _NEEDED)
        if least <= count <= len(self.header):
            return ""
        return (
            f"line {self.numbers[at]} of {self.path.name} has {count} fields instead of "
            f"{len(self.header)}; is there a tab in the sentence?"
        )


def _problem(name: str, sentence: str, clip: Path, times: int) -> str:
    """Why the row cannot be used, "" where it can."""
    if not _is_name(name):
        return f"{name!r} is not the name of a clip."
    if times > 1:
        return f"{name} is listed more than once; its first row counts."
    if not sentence.strip():
        return f"{name} has no transcript."
    return "" if is_there(clip) else f"{name} is missing in clips/."
