"""What a run removes from its folder: only what its own notes say that it wrote there."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.errors import StoreError, limits
from harness.store import names, tables
from harness.store.encoding import read_parquet
from harness.store.files import as_json, bounded, hash_of, inside, json_of, remove, write_atomic
from harness.store.owning import manifest
from harness.store.units import Unit


def remove_units(folder: Path, keep: Iterable[Unit]) -> None:
    """Remove all measured units but these: an earlier experiment's, which nothing asks for now."""
    kept = set().union(*(unit.files for unit in keep))
    work = inside(folder, names.MARK).parent
    found = [path.name for path in work.iterdir() if path.name not in kept]
    mine = [name for name in found if names.UNIT.fullmatch(name) or names.PARTIAL.fullmatch(name)]
    _note_spoken(folder, [work / name for name in mine])
    remove(folder, [f"{names.WORK}/{name}" for name in mine])
    _empty(folder, names.CLIPS, names.CLIP)
    remove_outputs(folder)


def remove_outputs(folder: Path) -> None:
    """Remove the baseline's outputs that variants were compared with, and what a kill left of
    them."""
    _empty(folder, names.OUTPUTS, names.OUTPUT)


def _empty(folder: Path, below: str, mine: re.Pattern[str]) -> None:
    """Remove the files of a folder whose names are ours, and the folder once it is empty."""
    at = inside(folder, f"{below}/x").parent
    found = [path.name for path in at.iterdir()] if at.is_dir() else []
    remove(folder, [f"{below}/{name}" for name in found if mine.fullmatch(name)])


def remove_audio(folder: Path, keep: Mapping[str, str], below: str) -> None:
    """Remove audio that rows named once and name no more; `keep`: file -> SHA-256, as rows have
    them, relative to the folder `below` of the run's. What no row ever named is not ours, nor is
    a file whose bytes are others by now."""
    known = _spoken(folder, below)
    gone = []
    for name in sorted(set(known) - set(keep)):
        with contextlib.suppress(StoreError):  # the name leads elsewhere: not ours
            path = inside(folder, f"{below}/{name}")
            if not path.is_symlink() and hash_of(path) == known[name]:
                gone.append(f"{below}/{name}")
    remove(folder, gone)
    if keep or known:
        write_atomic(inside(folder, names.SPOKEN), as_json(dict(keep)))


def _spoken(folder: Path, below: str) -> dict[str, str]:
    """Audio that this folder's runs noted or published, with its SHA-256."""
    found: dict[str, str] = {}
    calls = folder / names.table_file("calls")
    if manifest(folder) is not None and calls.is_file():
        with contextlib.suppress(StoreError):  # a table that cannot be read names nothing
            rows = read_parquet("calls", calls, bounded(calls, limits.CALLS_BYTES))
            spoken = rows[rows["audio"] != ""]
            found |= dict(zip(spoken["audio"], spoken["audio_sha256"], strict=True))
    return {**found, **_noted(folder)}


def _note_spoken(folder: Path, units: Iterable[Path]) -> None:
    """Remember which audio the rows of units name that are about to be removed."""
    found: dict[str, str] = {}
    for path in units:
        with contextlib.suppress(StoreError, ValueError, KeyError, TypeError, RecursionError):
            found |= {str(row["audio"]): str(row["audio_sha256"]) for row in _rows(path)}
    found.pop("", None)
    if found:
        known = _noted(folder)
        write_atomic(inside(folder, names.SPOKEN), as_json({**known, **found}))


def _rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a unit's file that may name audio."""
    if not path.name.startswith("quality-") or path.suffix not in (".parquet", ".jsonl"):
        return []
    data = bounded(path, limits.JOURNAL_BYTES)
    if path.suffix == ".parquet":
        return tables.records(read_parquet("calls", path, data))
    rows = [row for line in data.splitlines() for row in json.loads(line)]
    return [row for row in rows if row.get("audio")]


def _noted(folder: Path) -> dict[str, str]:
    with contextlib.suppress(StoreError):
        noted = json_of(inside(folder, names.SPOKEN))
        if isinstance(noted, dict) and all(isinstance(value, str) for value in noted.values()):
            return noted
    return {}


def forget(folder: Path) -> None:
    """Remove all that was measured here, so that the next run measures all of it again."""
    remove_units(folder, [])
    remove(folder, [names.FINISHED])
