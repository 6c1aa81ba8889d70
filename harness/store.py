"""The run folder: what is written when, the lock, resume, and loading what was published.

    reports/x/   experiment.yaml experiment.json environment.json calls.parquet <table>.csv
                 verdict.json manifest.json report.md figures/        <- published, can be committed
                 history.jsonl: a line per run of this folder, also of those before a --fresh
    reports/x/.work/  lock, <unit>-<key>.jsonl (being measured), <unit>-<key>.parquet (measured)

A unit is what is measured in one go and reused as a whole: the sweep, the latency stage, one
variant on one data set. Its key is a hash of all that it depends on. Published files change only
after every unit is there, each by an atomic replace, the manifest with their hashes last: a killed
run leaves the report before it untouched, and mixed or edited tables are noticed.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from harness import tables
from harness.contracts import Result
from harness.errors import StoreError

WORK = ".work"
HISTORY = "history.jsonl"  # of all runs of a folder: no part of what one of them published


def digest(value: Any) -> str:
    """SHA-256 of a plain value's canonical JSON."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def write_atomic(path: Path, data: str | bytes) -> None:
    """Write beside, then replace: readers see the old file or the new one.

    Raises: StoreError where the disk refuses (full, read-only).
    """
    beside = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise StoreError(f"{path}: cannot be written: {error.strerror}.") from error


def as_json(value: Any) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One run at a time in a folder. Raises: StoreError when another one holds it."""
    import filelock

    work = folder / WORK
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written: {error.strerror}.") from error
    lock = filelock.FileLock(work / "lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise StoreError(
            f"{folder}: another run of this experiment is under way; wait for it, or give --out."
        ) from None
    try:
        yield
    finally:
        lock.release()


class Unit:
    """Rows of one unit as they are measured: a journal of blocks that survives a kill."""

    def __init__(
        self,
        folder: Path,
        name: str,
        key: str,
        environment: Mapping[str, Any] | None = None,
        table: str = "calls",
    ) -> None:
        """`environment`: what is written beside the rows when the unit is finished; `table`: which
        its rows are of."""
        self._table = table
        self.environment = dict(environment or {})
        stem = f"{_plain(name)}-{key[:16]}"
        self.name, self.key = name, key
        self._done = folder / WORK / f"{stem}.parquet"
        self._journal = folder / WORK / f"{stem}.jsonl"
        self._facts = folder / WORK / f"{stem}.json"
        self._stops = folder / WORK / f"{stem}.stops.json"
        self._noted = folder / WORK / f"{stem}.noted.json"

    @property
    def complete(self) -> bool:
        return self._done.exists()

    @property
    def files(self) -> set[str]:
        return {
            path.name for path in (self._done, self._journal, self._facts, self._stops, self._noted)
        }

    def blocks(self) -> list[list[dict[str, Any]]]:
        """Blocks already measured, in order; a last line torn by a kill is left out and cut off."""
        if not self._journal.exists():
            return []
        whole, _, torn = self._journal.read_bytes().rpartition(b"\n")
        if torn:
            write_atomic(self._journal, whole + b"\n" if whole else b"")
        return [json.loads(line) for line in whole.splitlines()]

    def note(self, facts: Mapping[str, Any]) -> None:
        """Remember how far the measuring of this unit is; what was noted before is replaced."""
        write_atomic(self._noted, as_json(dict(facts)))

    def noted(self) -> dict[str, Any]:
        """What was noted last; empty for a unit that was never begun."""
        if not self._noted.exists():
            return {}
        found: dict[str, Any] = json.loads(self._noted.read_text(encoding="utf-8"))
        return found

    def append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add one block and force it to disk before the next one is measured. Half of a pair of
        surrogates, which a server's JSON can hold, is no Unicode and becomes a question mark."""
        line = json.dumps(list(rows), ensure_ascii=False) + "\n"
        try:
            with self._journal.open("ab") as file:
                file.write(line.encode("utf-8", "replace"))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StoreError(f"{self._journal}: cannot be written: {error.strerror}.") from error

    def finish(self, stops: Sequence[Mapping[str, Any]] = ()) -> None:
        """Turn the journal into the unit's table, beside the facts of its machine; `stops` are rows
        of the table of that name: how far each cell was measured, and why no further."""
        rows = (row for block in self.blocks() for row in block)
        write_atomic(self._facts, as_json(self.environment))
        write_atomic(self._stops, as_json(list(stops)))
        write_atomic(self._done, _parquet(tables.frame(self._table, rows)))
        self._journal.unlink(missing_ok=True)

    def reopen(self, keep: Callable[[Mapping[str, Any]], bool] = lambda _: True) -> None:
        """Make the table a journal again, so that the unit is measured further; `keep` says of
        which rows. Of a unit that is under way, the other rows are struck from its journal."""
        kept = filter(keep, self.rows())
        rows = [{k: None if v != v else v for k, v in row.items()} for row in kept]  # NaN
        blocks = [rows, *([] for _ in range(self.noted().get("done", 0)))]  # each closes a round
        lines = [json.dumps(block, ensure_ascii=False) + "\n" for block in blocks]
        write_atomic(self._journal, "".join(lines))
        self._done.unlink(missing_ok=True)

    def rows(self) -> list[dict[str, Any]]:
        """All rows so far, of a unit that is complete or under way."""
        if self.complete:
            return tables.records(self.table())
        return [row for block in self.blocks() for row in block]

    def table(self) -> pd.DataFrame:
        """The rows of a complete unit, as its table."""
        return tables.check(self._table, pd.read_parquet(self._done))

    def stops(self) -> pd.DataFrame:
        return tables.frame("stops", json.loads(self._stops.read_text(encoding="utf-8")))

    def facts(self) -> dict[str, Any]:
        """The machine and versions that it was measured with, and the day it was completed."""
        day = datetime.date.fromtimestamp(self._done.stat().st_mtime).isoformat()
        found: dict[str, Any] = json.loads(self._facts.read_text(encoding="utf-8"))
        return {"measured_on": day, **found}

    def content(self) -> str:
        """SHA-256 of its rows: what was measured, not what was asked for."""
        return _hash(self._done) + _hash(self._stops)


def sweep_out(folder: Path, keep: Iterable[Unit]) -> None:
    """Remove all measured units but these: an earlier experiment's, which nothing asks for now."""
    kept = {"lock", "finished.json"}.union(*(unit.files for unit in keep))
    for path in (folder / WORK).iterdir():
        if path.name not in kept and path.is_file():
            path.unlink()
    shutil.rmtree(folder / WORK / "clips", ignore_errors=True)


def sweep_audio(folder: Path, keep: Iterable[str]) -> None:
    """Remove audio that is kept below this folder and that no row names any more; `keep`: names as
    rows have them, relative to it."""
    kept = {folder / name for name in keep}
    for path in sorted(folder.rglob("*"), reverse=True):  # what a folder holds comes before it
        if path.suffix in (".flac", ".partial") and path not in kept:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def forget(folder: Path) -> None:
    """Remove all that was measured here, so that the next run measures all of it again."""
    sweep_out(folder, [])
    (folder / WORK / "finished.json").unlink(missing_ok=True)


def finished(folder: Path) -> str:
    """The key of the run that was published here, "" where there is none or a file was touched."""
    try:
        noted = json.loads((folder / WORK / "finished.json").read_text(encoding="utf-8"))
        published = {name: _hash(folder / name) for name in noted["files"]}
    except (OSError, ValueError, KeyError):
        return ""
    return str(noted["key"]) if published == noted["files"] else ""


def note_finished(folder: Path, key: str) -> None:
    """Remember that everything published belongs to this key (figures and report as well)."""
    names = [p for p in folder.rglob("*") if p.is_file() and p != folder / HISTORY]
    names = [p for p in names if WORK not in p.relative_to(folder).parts]
    files = {p.relative_to(folder).as_posix(): _hash(p) for p in names}
    write_atomic(folder / WORK / "finished.json", as_json({"key": key, "files": files}))


def publish(result: Result, yaml_text: str) -> None:
    """Write a result's tables and facts to its folder; the manifest, last, makes them valid."""
    files: dict[str, bytes] = {
        "experiment.yaml": yaml_text.encode(),
        "experiment.json": as_json(dict(result.experiment)).encode(),
        "environment.json": as_json(dict(result.environment)).encode(),
        "verdict.json": as_json(dict(result.verdict)).encode(),
    }
    for name, data in result.tables.items():
        checked = tables.check(name, data)
        if name == "calls":
            files["calls.parquet"] = _parquet(checked)
        elif name != "scores":  # one row per call and metric: rebuilt from the calls in a second
            files[f"{name}.csv"] = tables.to_csv(name, checked)
    for name, content in files.items():
        write_atomic(result.folder / name, content)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    manifest = {"schema": tables.SCHEMA, "files": hashes}
    write_atomic(result.folder / "manifest.json", as_json(manifest))


def read(folder: Path) -> Result:
    """What was published in a run folder, every file checked against the manifest.

    Raises: StoreError for a folder that is no run, of another schema, or edited since.
    """
    manifest = _manifest(folder)
    for name, expected in manifest["files"].items():
        if _hash(folder / name) != expected:
            raise StoreError(
                f"{folder / name}: missing or changed since it was measured; run it again."
            )
    loaded = {}
    for name in tables.TABLES:
        if f"{name}.csv" in manifest["files"]:
            loaded[name] = tables.check(name, tables.from_csv(name, folder / f"{name}.csv"))
    loaded["calls"] = tables.check("calls", pd.read_parquet(folder / "calls.parquet"))
    facts = {
        name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("experiment", "environment", "verdict")
    }
    return Result(folder=folder, tables=loaded, **facts)


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / "manifest.json"
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        schema, _ = manifest["schema"], dict(manifest["files"])
    except FileNotFoundError:
        raise StoreError(f"{folder}: holds no finished run; `harness run` makes one.") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise StoreError(
            f"{path}: cannot be read as a manifest; run the experiment again."
        ) from None
    if schema != tables.SCHEMA:
        raise StoreError(
            f"{folder}: written with table schema {schema}, this version reads {tables.SCHEMA};"
            " run the experiment again."
        )
    return manifest


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"


def _parquet(data: pd.DataFrame) -> bytes:
    import io

    buffer = io.BytesIO()
    data.to_parquet(buffer, index=False, compression="zstd")
    return buffer.getvalue()


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name)
