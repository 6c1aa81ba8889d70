"""One Parquet file of a split, here or on the hub: what it is asked, and which clips are kept."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from harness.errors import AssetError, AudioError
from harness.errors.limits import (
    ARCHIVE_FREE_BYTES,
    ARCHIVE_RATIO,
    BATCH_BYTES,
    CLIP_BYTES,
    MEGABYTE,
    ROW_BYTES,
    ROW_GROUP_BYTES,
)
from harness.io.places import put, room
from harness.plugins.datasets._corpus import is_there, tags
from harness.plugins.datasets._corpus.segments import (
    WHOLE,
    Segment,
    own_segment,
    segment,
)
from harness.plugins.datasets.hub.columns import Columns
from harness.plugins.datasets.hub.finding import HubSplit, asked
from harness.speech import audio

READ_SECONDS = 120.0  # for one row group; those of audio hold about a hundred clips
_BATCH = 16
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,5}")
_STEPS = 50_000  # batches that a row group is read in, whatever its size
_FIRST = 4  # rows whose clips say what their lengths are counted in


@dataclass(frozen=True)
class File:
    """One Parquet file, here or on the hub; only what is asked for is read of it."""

    found: HubSplit
    address: str

    @property
    def name(self) -> str:
        return PurePosixPath(self.address.replace("\\", "/")).name

    def footer(self) -> tuple[Any, int]:
        """(its Arrow schema, how many rows it has)."""
        found: tuple[Any, int] = self._ask(lambda file: (file.schema_arrow, file.metadata.num_rows))
        return found

    def lengths(self, columns: Columns) -> np.ndarray:
        """Seconds of each row's clip, NaN where no column says."""
        import pyarrow as pa

        if not columns.seconds:
            rows = self._ask(lambda file: file.read(list(columns.ends)).to_pylist())
            meant = (segment(row, math.nan) for row in rows)
            found = (math.nan if isinstance(one, str) else one.seconds for one in meant)
            return np.fromiter(found, float, len(rows))
        values = self._ask(lambda file: file.read([columns.seconds]))[columns.seconds]
        if pa.types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        found = values.cast(pa.float64(), safe=False).to_numpy().astype(float)
        with np.errstate(invalid="ignore"):
            known = (found > 0) & (found < math.inf)
        lengths: np.ndarray = np.where(known, found, np.nan) / columns.per_second
        return lengths

    def ratios(self, columns: Columns) -> list[float]:
        """Of the first rows, the length in the column over the clip's own; NaN if unknown."""
        group = self._group(columns, 0)
        if group.wrong():
            return []  # copying it says so
        wanted = [columns.audio, columns.seconds]
        rows = self._ask(
            lambda file: next(
                file.iter_batches(batch_size=group.at_once(_FIRST), columns=wanted)
            ).to_pylist()
        )
        return [self._ratio(row, columns) for row in rows]

    def _ratio(self, row: Mapping[str, Any], columns: Columns) -> float:
        content, name = columns.clip(row)
        try:
            seconds = audio.duration_seconds(content or self.beside(name) or b"")
            return columns.to_seconds(row[columns.seconds]) / seconds
        except (AudioError, ZeroDivisionError):
            return math.nan

    def beside(self, name: str) -> Path | None:
        """The file that a path in a local data set names: below the data set's folder."""
        root = self.found.place.where
        if not isinstance(root, Path) or not name:
            return None
        for base in (Path(self.address).parent, root):
            if is_there(base / name) and (base / name).resolve().is_relative_to(root.resolve()):
                return (base / name).resolve()
        return None

    def _group(self, columns: Columns, number: int) -> _Group:
        """What the file says of a row group; of one that is not there, that it is empty."""

        def count(file: Any) -> _Group:
            if number >= file.num_row_groups:
                return _Group(0, 0, 0)
            part = file.metadata.row_group(number)
            parts = [part.column(i) for i in range(part.num_columns)]
            named = set(columns.read())
            read = [one for one in parts if one.path_in_schema.split(".")[0] in named]
            packed = sum(one.total_compressed_size for one in read)
            return _Group(part.num_rows, packed, sum(one.total_uncompressed_size for one in read))

        found: _Group = self._ask(count)
        return found

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
                part = self._group(columns, group)
                if wrong := part.wrong():
                    raise AssetError(
                        f"{self.found.place.label}: a row group of {self.name} {wrong}"
                    )
                keep = _Keep(set(inside.tolist()), first + start, columns, folder, self.beside)
                batch = part.at_once(_BATCH)
                yield from self._ask(partial(keep.rows, group=group, batch=batch))
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
    beside: Callable[[str], Path | None]

    def rows(self, file: Any, group: int, batch: int) -> list[dict[str, Any]]:
        """Walk over the group, so many rows at a time."""
        out, at = [], 0
        for part in file.iter_batches(
            batch_size=batch, row_groups=[group], columns=self.columns.read()
        ):
            for i in range(len(part)):
                if at + i in self.wanted:
                    number = self.first + at + i
                    out.append(_bounded(self._row(part, i, number), number))
            at += len(part)
        return out

    def _row(self, batch: Any, at: int, number: int) -> dict[str, Any]:
        columns = self.columns
        try:
            values = {name: batch[name][at].as_py() for name in columns.all()}
            wrong = ""
        except UnicodeDecodeError:
            values, wrong = dict.fromkeys(columns.all()), "holds a text that is not UTF-8"
        content, name = columns.clip(values)
        text = _text(values[columns.text])
        suffix = Path(name).suffix
        suffix = suffix if _SUFFIX.fullmatch(suffix) else ""
        clip = f"clips-{short(columns.audio)}/{number:07}{suffix}"
        file = None if content else self.beside(name)
        error = wrong or _problem(text, content, name, file)
        meant = WHOLE if error else self._meant(batch, at, content, file)
        error = error or (meant if isinstance(meant, str) else "")
        part = None if isinstance(meant, str) else meant.part
        if content and not error:
            _keep_clip(self.folder / clip, content)
        seconds = columns.to_seconds(values.get(columns.seconds))
        if part:
            seconds = part[1] - part[0]
        return {
            "row": number,
            "name": name,
            "clip": clip if file is None else str(file),
            "text": text,
            "speaker": _text(values.get(columns.speaker)),
            "seconds": seconds if math.isfinite(seconds) else None,
            "part": part and [at if math.isfinite(at) else None for at in part],
            "error": f"row {number} {error}." if error else "",
            "labels": columns.said(_readable(batch, at, columns.labels)),
        }

    def _meant(self, batch: Any, at: int, content: bytes, file: Path | None) -> Segment | str:
        """Which part of its clip the row means, or what is wrong with that."""
        columns = self.columns
        if not columns.ends:
            return WHOLE
        row = _readable(batch, at, columns.ends)
        seconds = columns.to_seconds(_readable(batch, at, [columns.seconds])[columns.seconds])
        if file is not None:
            return segment(row, seconds)
        try:
            return own_segment(row, seconds, audio.duration_seconds(content))
        except AudioError:  # decoding it will say why, in its own row
            return WHOLE


@dataclass(frozen=True)
class _Group:
    """A row group: its rows, and the bytes of the columns that are read, as the file says."""

    rows: int
    packed: int
    unpacked: int

    def wrong(self) -> str:
        """Why it is not read, "" where it can be."""
        if self.unpacked > ROW_GROUP_BYTES:
            return (
                f"unpacks to {self.unpacked // MEGABYTE:,} MB; at most "
                f"{ROW_GROUP_BYTES // MEGABYTE:,} MB are read at once. "
                "Write it in smaller row groups."
            )
        if self.unpacked > max(ARCHIVE_FREE_BYTES, ARCHIVE_RATIO * self.packed):
            return (
                f"unpacks to {self.unpacked // MEGABYTE:,} MB from {self.packed:,} bytes, more than"
                f" {ARCHIVE_RATIO} times as many: no data set is packed like that."
            )
        return ""

    def at_once(self, most: int) -> int:
        """How many rows are read together: a value that a dictionary holds once may stand in each
        of them, so each can be as large as the group; many small ones cost a step each."""
        fit = BATCH_BYTES // max(1, self.unpacked)
        return max(1 + self.rows // _STEPS, min(most, fit))


def _bounded(row: dict[str, Any], number: int) -> dict[str, Any]:
    """The row; of one that is longer than a table's may be, that it is."""
    if len(json.dumps(row)) <= ROW_BYTES:
        return row
    empty = {"name": "", "text": "", "speaker": "", "labels": {}}
    return {**row, **empty, "error": f"row {number} holds texts of more than {ROW_BYTES:,} bytes."}


def _readable(batch: Any, at: int, names: Iterable[str]) -> dict[str, Any]:
    """The row's values in these columns, where the file has them; a text that is none says so."""
    out: dict[str, Any] = {}
    for name in names:
        try:
            out[name] = batch[name][at].as_py()
        except UnicodeDecodeError:
            out[name] = "?"
        except KeyError:
            out[name] = None
    return out


def _problem(text: str, content: bytes, name: str, file: Path | None) -> str:
    """Why the row cannot be used, "" where it can."""
    if not content and file is None:
        return "holds no audio, only the name of a file" if name else "holds no audio"
    if len(content) > CLIP_BYTES:
        return f"holds a clip of {len(content):,} bytes; a clip has at most {CLIP_BYTES:,}"
    if "\0" in text:
        return "holds a NUL character"
    return "" if tags.without(text) else "has no transcript"


def short(value: Any) -> str:
    """16 hexadecimal digits that stand for a plain value."""
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _keep_clip(target: Path, content: bytes) -> None:
    if not target.is_file() or target.stat().st_size != len(content):
        room(len(content))
        put(target, content)
