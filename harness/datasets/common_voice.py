"""A Common Voice release folder (`cv-corpus-*/es`): any split, speaker = client_id."""

from __future__ import annotations

import glob
import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from annotated_types import Ge, MinLen

from harness.contracts import Dataset, Locate, Source, Utterance
from harness.errors import AssetError

# Up to this many clips are hashed byte by byte; of larger sets name and size of each clip count.
HASHED_CLIPS = 1000
_NEEDED = ("path", "sentence")


@dataclass(frozen=True)
class Params:
    path: Annotated[str, MinLen(1)]
    """The release folder, or the language's folder in it."""
    locale: str = "es"
    """The language's folder in the release."""
    split: str = "test"
    """The table to read: test, dev, train, validated ... (the file <split>.tsv)."""
    limit: Annotated[int, Ge(1)] | None = None
    """Evaluate a sample of so many utterances; all of them when left out."""
    seed: int = 0
    """Draws the sample; the same seed gives the same utterances."""


def load(params: Params, locate: Locate) -> Dataset:
    """The split's utterances in the table's order; a clip that is missing becomes an error row.

    Raises: AssetError (one line) where the folder, the split or a needed column is not there.
    """
    path = _find_table(locate(params.path), params)
    try:
        return _read(path, params)
    except UnicodeDecodeError as error:
        raise AssetError(f"{path.name} is not UTF-8: {error.reason}.") from error


def _read(path: Path, params: Params) -> Dataset:
    lines = _lines(path)
    header = _header(path, lines)
    total = sum(1 for _ in _numbered(lines))
    table = _Table(path, lines, header, _sample(total, params))
    utterances = _Utterances(table, _durations(table))
    release = path.parent.parent if path.parent.name == params.locale else path.parent
    used = min(total, params.limit or total)
    fingerprint, left_out = _fingerprint(utterances, used)
    notes = {
        "release": release.resolve().name,
        "locale": params.locale,
        "split": params.split,
        "rows": str(total),
        "used": str(used),
        "left_out": str(left_out),
        **({"seed": str(params.seed)} if used < total else {}),
    }
    return Dataset(notes["release"], utterances, fingerprint, notes)


def _find_table(folder: Path, params: Params) -> Path:
    for place in (folder, folder / params.locale):
        table = place / f"{params.split}.tsv"
        if table.is_file():
            return table
    splits = sorted(
        {p.stem for p in [*folder.glob("*.tsv"), *folder.glob(f"{params.locale}/*.tsv")]}
    )
    raise AssetError(
        f"{folder.name}: no {params.split}.tsv, neither there nor in {params.locale}/; "
        f"there is: {', '.join(splits) or 'no table at all'}."
    )


def _lines(path: Path) -> Iterable[Mapping[str, str]]:
    """The file's lines as a stream {"text": line} that can be walked again.

    Read as text: quotes mean nothing in these tables, and a line with a tab too many must be
    noticed, not guessed at. `datasets` writes nothing beside the data nor keeps a copy that could
    grow old: what it asks a cache folder for is a lock.
    """
    import datasets

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as locks:
        stream: Iterable[Mapping[str, str]] = datasets.load_dataset(
            "text",
            data_files=glob.escape(str(path.resolve())),
            split="train",
            streaming=True,
            encoding="utf-8-sig",
            cache_dir=locks,
        )
    return stream


def _header(path: Path, lines: Iterable[Mapping[str, str]]) -> tuple[str, ...]:
    columns = tuple(next((line["text"] for line in lines), "").split("\t"))
    if missing := [name for name in _NEEDED if name not in columns]:
        raise AssetError(
            f"{path.name}: no column {', '.join(missing)}; it has {', '.join(columns)}."
        )
    return columns


def _numbered(lines: Iterable[Mapping[str, str]]) -> Iterator[tuple[int, str]]:
    """(line number, text) of each row below the header; empty lines are none."""
    for number, line in enumerate(lines, start=1):
        if number > 1 and line["text"]:
            yield number, line["text"]


def _sample(total: int, params: Params) -> frozenset[int] | None:
    """Which rows; None is all of them."""
    if params.limit is None or params.limit >= total:
        return None
    drawn = np.random.default_rng(params.seed).choice(total, params.limit, replace=False)
    return frozenset(int(index) for index in drawn)


@dataclass(frozen=True)
class _Table:
    """The wanted rows by column name; `problem` says why a row cannot be used."""

    path: Path
    lines: Iterable[Mapping[str, str]]
    header: tuple[str, ...]
    wanted: frozenset[int] | None

    def __iter__(self) -> Iterator[dict[str, str]]:
        least = 1 + max(self.header.index(name) for name in _NEEDED)
        for index, (number, line) in enumerate(_numbered(self.lines)):
            if self.wanted is not None and index not in self.wanted:
                continue
            fields = line.split("\t")
            row = {"problem": "", **dict(zip(self.header, fields, strict=False))}
            if not least <= len(fields) <= len(self.header):
                row["problem"] = (
                    f"line {number} of {self.path.name} has {len(fields)} fields instead of "
                    f"{len(self.header)}; is there a tab in the sentence?"
                )
            yield row


@dataclass(frozen=True)
class _Utterances:
    """The rows as utterances; an id is the clip's name, numbered where a clip is listed again."""

    table: _Table
    seconds: Mapping[str, float]

    def __iter__(self) -> Iterator[Utterance]:
        seen: dict[str, int] = {}
        for row in self.table:
            name = row.get("path", "")
            seen[name] = seen.get(name, 0) + 1
            yield self._utterance(row, seen[name])

    def _utterance(self, row: Mapping[str, str], times: int) -> Utterance:
        name, sentence = _clip(row), row.get("sentence", "")
        path = self.table.path.parent / "clips" / name
        error = row["problem"] or _problem(name, path, times)
        known = row.get("sentence_id") or hashlib.sha256(sentence.encode()).hexdigest()[:16]
        return Utterance(
            id=Path(name).stem + (f"#{times}" if times > 1 else ""),
            audio=None if error else path,
            text=sentence,
            speaker=row.get("client_id", ""),
            sentence=known,
            seconds=self.seconds.get(name, float("nan")),
            error=error,
        )


def _clip(row: Mapping[str, str]) -> str:
    """The clip's file name; the first releases left `.mp3` out."""
    name = row.get("path", "")
    return name if Path(name).suffix or not name else f"{name}.mp3"


def _problem(name: str, path: Path, times: int) -> str:
    if not name or Path(name).name != name or "\\" in name:
        return f"{name!r} is not the name of a clip."
    if times > 1:
        return f"{name} is listed more than once; its first row counts."
    return "" if path.is_file() else f"{name} is missing in clips/."


def _durations(table: _Table) -> Mapping[str, float]:
    """Clip -> seconds for the wanted rows, where the release has clip_durations.tsv."""
    path = table.path.parent / "clip_durations.tsv"
    if not path.is_file():
        return {}
    wanted = {_clip(row) for row in table}
    pairs = (line.partition("\t") for _, line in _numbered(_lines(path)))
    return {
        name: int(milliseconds) / 1e3
        for name, _, milliseconds in pairs
        if name in wanted and milliseconds.isdecimal()
    }


def _fingerprint(utterances: _Utterances, count: int) -> tuple[str, int]:
    """SHA-256 over ids, texts, speakers and clips; and how many utterances cannot be used."""
    digest, left_out = hashlib.sha256(), 0
    for one in utterances:
        left_out += bool(one.error)
        texts = (one.id, one.text, one.speaker, one.sentence, one.error)
        content = _content(one.audio, count) if isinstance(one.audio, Path) else b""
        for part in (*(text.encode() for text in texts), content):
            digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest(), left_out


def _content(clip: Path, count: int) -> bytes:
    """What stands for the clip: its bytes, or its size in a large set."""
    try:
        return clip.read_bytes() if count <= HASHED_CLIPS else str(clip.stat().st_size).encode()
    except OSError:
        return b"unreadable"  # decoding it will say why, in its own row


source = Source(Params, load)
