"""What a run left, read as data: each file bounded and against the manifest, nothing executed.

A result may come from anywhere. Names in it are looked up nowhere, and what is of the user's own
(metrics, sections) was stored with it as values.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from harness.contracts import Result
from harness.errors import HarnessError, StoreError, limits
from harness.errors.faults import located
from harness.store import experiments, names, tables
from harness.store.encoding import read_csv, read_parquet
from harness.store.files import bounded, parsed
from harness.store.owning import is_manifest
from harness.store.publishing import view

TRIES = 50
PAUSE_SECONDS = 0.02  # while another process moves a new result into its place


def read(folder: Path) -> Result:
    """What was published in a run folder, every file checked against the manifest; all of it of one
    publication, also while the next one is under way.

    Raises: StoreError for a folder that is no run, of another schema, or edited since.
    """
    for _ in range(TRIES):
        before = _state(folder)
        try:
            return _read(folder)
        except StoreError:
            if _state(folder) == before:
                raise
            time.sleep(PAUSE_SECONDS)
    return _read(folder)


def _state(folder: Path) -> tuple[bytes, bool]:
    """What changes when another result is published."""
    with contextlib.suppress(StoreError, OSError):
        return bounded(view(folder, names.MANIFEST), limits.RESULT_JSON_BYTES), (
            folder / names.SWAP
        ).exists()
    return b"", False


def _read(folder: Path) -> Result:
    manifest = published(folder)
    return read_back({n: _checked(folder, n, sha) for n, sha in manifest["files"].items()}, folder)


def read_back(found: Mapping[str, bytes], folder: Path) -> Result:
    """The result whose files have these bytes. Raises: StoreError."""
    loaded = {
        name: (read_parquet if name == "calls" else read_csv)(name, folder / file, found[file])
        for name, file in names.TABLES.items()
        if file in found or file in names.REQUIRED
    }
    loaded |= {name: tables.frame(name, []) for name in tables.LATER_TABLES if name not in loaded}
    if names.OWN_SCORES in found:
        path = folder / names.OWN_SCORES
        loaded["scores"] = read_parquet("scores", path, found[names.OWN_SCORES])
    facts = {name: parsed(folder / f"{name}.json", found[f"{name}.json"]) for name in names.FACTS}
    asked, told = experiments.read(folder / "experiment.json", facts["experiment"])
    for name in ("environment", "verdict"):
        _shaped(folder / f"{name}.json", facts[name])
    return Result(
        folder=folder,
        experiment=asked,
        environment=facts["environment"],
        verdict=facts["verdict"],
        tables=_in_order(loaded),
        facts=told,
    )


def _in_order(loaded: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {name: loaded[name] for name in tables.TABLES if name in loaded}


def _shaped(path: Path, fact: Any) -> None:
    """Refuse facts of another form than a run's."""
    if not isinstance(fact, dict):
        raise StoreError(f"{path}: is of another form than a run's; run the experiment again.")


def _checked(folder: Path, name: str, expected: str) -> bytes:
    """A file's bytes, its line ends as they were written where a checkout has changed them."""
    path = view(folder, name)
    most = {".json": limits.RESULT_JSON_BYTES, ".parquet": limits.CALLS_BYTES}
    try:
        data = bounded(path, most.get(path.suffix, limits.RESULT_TABLE_BYTES))
    except StoreError as error:
        if path.is_file():
            raise
        raise StoreError(f"{_edited(folder / name)}") from error
    if hashlib.sha256(data).hexdigest() == expected:
        return data
    plain = data.replace(b"\r\n", b"\n")
    if path.suffix != ".parquet" and hashlib.sha256(plain).hexdigest() == expected:
        return plain
    raise StoreError(_edited(folder / name))


def _edited(path: Path) -> str:
    return f"{path}: missing or changed since it was measured; run it again."


def published(folder: Path) -> dict[str, Any]:
    """The folder's manifest. Raises: StoreError for a folder that is no run, or of another schema,
    and for a manifest that leaves out a file of a run."""
    place = folder / names.MANIFEST
    path = view(folder, names.MANIFEST)
    if not folder.is_dir() or not (path.exists() or path.is_symlink()):
        raise StoreError(f"{folder}: holds no finished run; `harness run` makes one.")
    try:
        manifest = parsed(place, bounded(path, limits.RESULT_JSON_BYTES))
        schema = manifest["schema"]
    except (StoreError, KeyError, TypeError, IndexError):
        manifest, schema = None, tables.SCHEMA
    if type(schema) is int and schema != tables.SCHEMA:
        raise StoreError(
            f"{folder}: written with table schema {schema}, this version reads {tables.SCHEMA};"
            " run the experiment again."
        )
    if not is_manifest(manifest):
        raise StoreError(f"{place}: cannot be read as a manifest; run the experiment again.")
    missing = sorted(names.REQUIRED - set(manifest["files"]))
    if missing:
        raise StoreError(
            f"{place}: says nothing of {', '.join(missing)}, which every run writes;"
            " run the experiment again."
        )
    found: dict[str, Any] = manifest
    return found


@contextlib.contextmanager
def told_of(folder: Path) -> Iterator[None]:
    """What goes wrong with a result whose files are whole, but do not belong together, is one line
    too. Raises: StoreError."""
    try:
        yield
    except (HarnessError, OSError):
        raise
    except Exception as error:
        line = located(error)
        raise StoreError(f"{folder}: what its files say does not fit together ({line}).") from error
