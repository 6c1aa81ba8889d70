"""Streams the row groups that hold wanted clips, and keeps those clips in the cache."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from harness.contracts import Dataset, Utterance
from harness.errors import AssetError
from harness.errors.limits import TABLE_ROWS
from harness.io.places import cache_folder, keeping, put, whole
from harness.plugins.datasets import _sampling
from harness.plugins.datasets._corpus import (
    Listing,
    found,
    keys,
    line_places,
    numbered,
    read_all,
    shown,
    stock,
    tags,
    times,
)
from harness.plugins.datasets._corpus.labels import label
from harness.plugins.datasets._corpus.segments import Segment
from harness.plugins.datasets._sampling import Wanted
from harness.plugins.datasets.hub.columns import Columns, choose, require
from harness.plugins.datasets.hub.files import File, short
from harness.plugins.datasets.hub.finding import HubSplit

_LAYOUT = 5  # of what is kept; raise it when another one must not be read. 5: parts


def read(found: HubSplit, names: Mapping[str, str], wanted: Wanted) -> Dataset:
    """The wanted rows as utterances; what is in the cache already is not asked for again.

    Raises: AssetError (one line).
    """
    folder = cache_folder() / "parquet" / found.identity
    table = folder / f"{short([_LAYOUT, dict(names), asdict(wanted)])}.jsonl"
    notes_file = table.with_suffix(".json")
    if not (notes_file.is_file() and table.is_file()):
        _fetch(found, names, wanted, table)
    return _dataset(found, table, json.loads(notes_file.read_text(encoding="utf-8")))


def look(found: HubSplit, names: Mapping[str, str]) -> float:
    """How many rows a split of a local folder has. Raises: AssetError (one line), as `read`."""
    return float(sum(count for _, count in _chosen(found, names)[2]))


def labelled(found: HubSplit, names: Mapping[str, str]) -> tuple[str, ...]:
    """The labels that rows of a local folder will have. Raises: AssetError (one line)."""
    return tuple(map(label, _chosen(found, names)[1].labels))


def _fetch(found: HubSplit, names: Mapping[str, str], wanted: Wanted, table: Path) -> None:
    files, columns, footers = _chosen(found, names)
    counts = [count for _, count in footers]
    total = sum(counts)
    columns, told = _counted(files, columns)
    lengths = np.full(total, np.nan)
    if not wanted.everything and (columns.seconds or columns.ends):
        lengths = np.concatenate([file.lengths(columns) for file in files])
    drawn = _sampling.draw(lengths, wanted)
    with keeping(), whole(table) as unfinished:
        with unfinished.open("w", encoding="utf-8") as target:
            first = written = 0
            for file, count in zip(files, counts, strict=True):
                inside = drawn.rows[(drawn.rows >= first) & (drawn.rows < first + count)] - first
                for row in file.copy(inside, first, columns, table.parent):
                    target.write(json.dumps(row) + "\n")
                    written += 1
                first += count
        if written != len(drawn.rows):
            raise AssetError(
                f"{found.place.label} is damaged: of {len(drawn.rows)} rows, {written} could be"
                " read."
            )
    notes = drawn.notes(wanted, total) | {"column": columns.text} | told
    put(table.with_suffix(".json"), json.dumps(notes).encode())


def _chosen(
    found: HubSplit, names: Mapping[str, str]
) -> tuple[list[File], Columns, list[tuple[Any, int]]]:
    """The split's files, their columns, and each one's schema and rows."""
    label = found.place.label
    files = [File(found, file) for file in found.files()]
    footers = [file.footer() for file in files]
    total = sum(count for _, count in footers)
    if not total:
        raise AssetError(f"{label}: the split {found.place.split} holds no row.")
    if total > TABLE_ROWS:
        raise AssetError(f"{label}: {total:,} rows; at most {TABLE_ROWS:,} are read.")
    columns = choose(footers[0][0], names, label)
    for file, (schema, _) in zip(files, footers, strict=True):
        require(columns, schema, file.name, label)
    return files, columns, footers


def _counted(files: Sequence[File], columns: Columns) -> tuple[Columns, dict[str, str]]:
    """The columns with lengths in what the first clips say that they are counted in."""
    if not columns.seconds or columns.per_second != 1.0:
        return columns, {}
    told = [ratio for ratio in files[0].ratios(columns) if not math.isnan(ratio)]
    if not told or not all(500 < ratio < 2000 for ratio in told):
        return columns, {}
    return replace(columns, per_second=1e3), {
        "duration_unit": f"{columns.seconds} is in milliseconds, as the clips say"
    }


def _dataset(found: HubSplit, table: Path, notes: Mapping[str, str]) -> Dataset:
    places = line_places(table)
    rows = (json.loads(text) for text in read_all(table, places))
    pairs = (text for row in rows for text in (_stem(row), f"{row['clip']} {row['part'] or ''}"))
    counted = keys(pairs)
    listing = Listing(
        table, places, _Rows(table.parent, times(counted[::2]), times(counted[1::2])).utterance
    )
    parts = any(json.loads(text)["part"] for text in read_all(table, places))
    seen = stock(listing, lengths=parts)  # they say which part is heard
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
            **tags.noted(json.loads(text)["text"] for text in read_all(table, places)),
            "left_out": str(seen.left_out),
            "clips_sha256": seen.clips,
        },
    )


def _stem(row: Mapping[str, Any]) -> str:
    return shown(PurePosixPath(row["name"]).stem) + Segment(_part(row), math.nan).shown


def _part(row: Mapping[str, Any]) -> tuple[float, float] | None:
    start, stop = row["part"] or (None, None)
    return None if start is None else (start, math.inf if stop is None else stop)


@dataclass(frozen=True)
class _Rows:
    """How a kept row becomes an utterance."""

    folder: Path
    stems: np.ndarray  # how many times the clip's name was there up to each row
    clips: np.ndarray  # how many times its file was

    def utterance(self, text: str, at: int) -> Utterance:
        row = json.loads(text)
        clip, error = found(self.folder / row["clip"]), row["error"]
        if not error and int(self.clips[at]) > 1:
            error = f"row {row['row']} lists {_stem(row)} again; its first row counts."
        if not error and clip is None:
            error = f"row {row['row']} names {_stem(row)}, which is missing."
        said = tags.without(row["text"])
        number = int(self.stems[at])
        return Utterance(
            id=numbered(_stem(row), number) if row["name"] else f"row-{row['row']}",
            audio=None if error else clip,
            text=said,
            speaker=row["speaker"],
            sentence=hashlib.sha256(said.encode()).hexdigest()[:16],
            seconds=math.nan if row["seconds"] is None else row["seconds"],
            part=_part(row),
            error=error,
            labels=row["labels"],
        )
