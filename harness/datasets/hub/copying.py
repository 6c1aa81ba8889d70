"""Streams the row groups that hold wanted clips, and keeps those clips in the cache."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from harness import sampling
from harness.contracts import Dataset, Utterance
from harness.corpus import Listing, keys, line_places, read_all, stock, times
from harness.datasets.hub.columns import Columns, choose, require
from harness.datasets.hub.finding import Found, asked
from harness.errors import AssetError
from harness.places import cache_folder, keeping, put
from harness.sampling import Wanted

READ_SECONDS = 120.0  # for one row group; those of audio hold about a hundred clips
_BATCH = 16
_LAYOUT = 2  # of what is kept; raise it when another one must not be read. 2: clips by their column


def read(found: Found, names: Mapping[str, str], wanted: Wanted) -> Dataset:
    """The wanted rows as utterances; what is in the cache already is not asked for again.

    Raises: AssetError (one line).
    """
    folder = cache_folder() / "parquet" / found.identity
    table = folder / f"{_short([_LAYOUT, dict(names), asdict(wanted)])}.jsonl"
    notes_file = table.with_suffix(".json")
    if not notes_file.is_file():
        _fetch(found, names, wanted, table)
    return _dataset(found, table, json.loads(notes_file.read_text(encoding="utf-8")))


def _fetch(found: Found, names: Mapping[str, str], wanted: Wanted, table: Path) -> None:
    files = [_File(found, file) for file in found.files()]
    footers = [file.footer() for file in files]
    counts = [count for _, count in footers]
    total = sum(counts)
    if not total:
        raise AssetError(f"{found.place.label}: the split {found.place.split} holds no row.")
    columns = choose(footers[0][0], names, found.place.label)
    for file, (schema, _) in zip(files, footers, strict=True):
        require(columns, schema, file.name, found.place.label)
    lengths = np.full(total, np.nan)
    if not wanted.everything and columns.seconds:
        lengths = np.concatenate([file.lengths(columns) for file in files])
    drawn = sampling.draw(lengths, wanted)
    unfinished = table.with_name(f"{table.name}.{os.getpid()}.part")
    with keeping():
        table.parent.mkdir(parents=True, exist_ok=True)
    with keeping(), unfinished.open("w", encoding="utf-8") as target:
        first = 0
        for file, count in zip(files, counts, strict=True):
            inside = drawn.rows[(drawn.rows >= first) & (drawn.rows < first + count)] - first
            for row in file.copy(inside, first, columns, table.parent):
                target.write(json.dumps(row) + "\n")
            first += count
    unfinished.replace(table)
    notes = drawn.notes(wanted, total) | {"column": columns.text}
    put(table.with_suffix(".json"), json.dumps(notes).encode())


def _dataset(found: Found, table: Path, notes: Mapping[str, str]) -> Dataset:
    places = line_places(table)
    stems = times(keys(Path(json.loads(text)["name"]).stem for text in read_all(table, places)))
    listing = Listing(table, places, _Rows(table.parent, stems).utterance)
    seen = stock(listing)
    place = found.place
    name = place.where.name if isinstance(place.where, Path) else place.where
    return Dataset(
        "/".join(part for part in (name, place.config) if part),
        listing,
        seen.fingerprint,
        {
            "repository" if found.commit else "folder": name,
            **({"commit": found.commit} if found.commit else {}),
            **({"config": place.config} if place.config else {}),
            "split": place.split,
            **notes,
            "left_out": str(seen.left_out),
            "clips_sha256": seen.clips,
        },
    )


@dataclass(frozen=True)
class _Rows:
    """How a kept row becomes an utterance."""

    folder: Path
    stems: np.ndarray  # how many times the clip's name was there up to each row

    def utterance(self, text: str, at: int) -> Utterance:
        row, number = json.loads(text), int(self.stems[at])
        return Utterance(
            id=Path(row["name"]).stem + (f"#{number}" if number > 1 else ""),
            audio=None if row["error"] else self.folder / row["clip"],
            text=row["text"],
            speaker=row["speaker"],
            sentence=hashlib.sha256(row["text"].encode()).hexdigest()[:16],
            seconds=math.nan if row["seconds"] is None else row["seconds"],
            error=row["error"],
        )


@dataclass(frozen=True)
class _File:
    """One Parquet file, here or on the hub; only what is asked for is read of it."""

    found: Found
    address: str

    @property
    def name(self) -> str:
        return PurePosixPath(self.address.replace("\\", "/")).name

    def footer(self) -> tuple[Any, int]:
        """(its Arrow schema, how many rows it has)."""
        found: tuple[Any, int] = self._ask(lambda file: (file.schema_arrow, file.metadata.num_rows))
        return found

    def lengths(self, columns: Columns) -> np.ndarray:
        """Seconds of each row's clip, NaN where its column does not say."""
        values = self._ask(lambda file: file.read([columns.seconds]))[columns.seconds]
        return np.array([columns.to_seconds(value) for value in values.to_pylist()], float)

    def copy(
        self, rows: np.ndarray, first: int, columns: Columns, folder: Path
    ) -> Iterator[dict[str, Any]]:
        """The wanted rows of this file; their clips are written under `folder`, in a folder of the
        audio column's own, named by the row's number."""
        if not len(rows):
            return
        sizes = self._ask(
            lambda f: [f.metadata.row_group(g).num_rows for g in range(f.num_row_groups)]
        )
        start = 0
        for group, size in enumerate(sizes):
            inside = rows[(rows >= start) & (rows < start + size)] - start
            if len(inside):
                keep = _Keep(set(inside.tolist()), first + start, columns, folder)
                yield from self._ask(partial(keep.rows, group=group))
            start += size

    def _ask(self, act: Callable[[Any], Any]) -> Any:
        return asked(lambda: self._with(act), self.found.place, READ_SECONDS)

    def _with(self, act: Callable[[Any], Any]) -> Any:
        import fsspec
        import pyarrow.parquet as pq

        system, path = fsspec.core.url_to_fs(self.address)
        with system.open(path, "rb") as raw, pq.ParquetFile(raw) as file:
            return act(file)


@dataclass(frozen=True)
class _Keep:
    """The wanted rows of one row group."""

    wanted: set[int]
    first: int  # number of the group's first row in the split
    columns: Columns
    folder: Path

    def rows(self, file: Any, group: int) -> list[dict[str, Any]]:
        """Walk over the group, a few rows at a time."""
        out, at = [], 0
        for batch in file.iter_batches(
            batch_size=_BATCH, row_groups=[group], columns=self.columns.all()
        ):
            for i in range(len(batch)):
                if at + i in self.wanted:
                    values = {name: batch[name][i].as_py() for name in self.columns.all()}
                    out.append(self._row(values, self.first + at + i))
            at += len(batch)
        return out

    def _row(self, values: Mapping[str, Any], number: int) -> dict[str, Any]:
        columns = self.columns
        content, name = columns.clip(values)
        text = _text(values[columns.text])
        clip = f"clips-{_short(columns.audio)}/{number:07}{Path(name).suffix[:8]}"
        error = "" if text else "has no transcript"
        if not content:
            error = "holds no audio, only the name of a file" if name else "holds no audio"
        else:
            _keep_clip(self.folder / clip, content)
        seconds = columns.to_seconds(values.get(columns.seconds))
        return {
            "name": name or f"row-{number}",
            "clip": clip,
            "text": text,
            "speaker": _text(values.get(columns.speaker)),
            "seconds": None if math.isnan(seconds) else seconds,
            "error": f"row {number} {error}." if error else "",
        }


def _short(value: Any) -> str:
    """16 hexadecimal digits that stand for a plain value."""
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _keep_clip(target: Path, content: bytes) -> None:
    if not target.is_file() or target.stat().st_size != len(content):
        put(target, content)
