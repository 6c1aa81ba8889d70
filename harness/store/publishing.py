"""How a result comes into its folder: written whole into `.work/next`, then moved as one.

The note `.work/swap.json` is the moment of it: before, nothing has changed; from then on readers
take each file from `.work/next` until it has been moved (`view`), and a run that finds the note
moves what is left. So a reader, and a kill, have all of the old result or all of the new one.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.contracts import Result
from harness.contracts.plain import plain, to_json
from harness.errors import StoreError
from harness.store import names, tables
from harness.store.encoding import parquet
from harness.store.files import as_json, hash_of, inside, json_of, remove, write_atomic
from harness.store.owning import mark, written


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One run at a time in a folder; what a killed one was publishing is completed first, or
    cleared away. Raises: StoreError when another one holds it."""
    import filelock

    work = inside(folder, names.MARK).parent
    there = work.exists()
    place = work / "lock"
    try:
        work.mkdir(parents=True, exist_ok=True)
        if place.is_symlink() or (place.exists() and not place.is_file()):
            raise StoreError(f"{place}: is no file of a run; move it away.")
        lock = filelock.FileLock(place)
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise StoreError(
            f"{folder}: another run of this experiment is under way; wait for it, or give --out."
        ) from None
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written: {error.strerror}.") from error
    try:
        complete(folder)
        yield
    finally:
        with contextlib.suppress(StoreError, OSError):
            if not (folder / names.SWAP).exists():
                _clear(folder)  # what an error left half written
        if not there and {path.name for path in work.iterdir()} == {"lock"}:
            with contextlib.suppress(OSError):  # a report was rendered: nothing else remains
                place.unlink()
        lock.release()
        with contextlib.suppress(OSError):
            work.rmdir()


class Next:
    """What a folder is to hold next, in `.work/next`, until `commit` puts it into its place."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.at = inside(folder, f"{names.NEXT}/x").parent
        self._names: list[str] = []
        _clear(folder)

    def put(self, name: str, data: str | bytes) -> None:
        """Write one file that a run publishes."""
        write_atomic(inside(self.folder, f"{names.NEXT}/{name}"), data)
        self._names.append(name)

    def took(self, found: Iterable[str]) -> None:
        """Files that somebody else wrote into `at`."""
        self._names += found

    def commit(self, gone: Iterable[str] = ()) -> None:
        """Put all of it into the folder, and remove what the new result has no more of."""
        stale = [name for name in gone if name in written(self.folder)]
        note = {"write": list(dict.fromkeys(self._names)), "remove": stale}
        write_atomic(inside(self.folder, names.SWAP), as_json(note))
        complete(self.folder)


def complete(folder: Path) -> None:
    """Move what was about to be published when a run was killed; clear what was not whole."""
    if not (folder / names.SWAP).exists():
        _clear(folder)
        return
    note = _note(folder)
    for name in note["write"]:
        source, target = inside(folder, f"{names.NEXT}/{name}"), inside(folder, name)
        try:
            if source.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                source.replace(target)
        except OSError as error:
            raise StoreError(f"{target}: cannot be written: {error.strerror}.") from error
    remove(folder, note["remove"])
    remove(folder, [names.SWAP])
    _clear(folder)


def view(folder: Path, name: str) -> Path:
    """Where a published file is to be read: in its place, or still in `.work/next`."""
    if (folder / names.SWAP).is_file():
        with contextlib.suppress(StoreError):
            waiting = inside(folder, f"{names.NEXT}/{name}")
            if name in _note(folder)["write"] and waiting.is_file():
                return waiting
    return folder / name


def _note(folder: Path) -> dict[str, list[str]]:
    """What was to be moved and removed. Raises: StoreError for a note that no run writes."""
    path = inside(folder, names.SWAP)
    found = json_of(path)
    lists = [found.get(key) for key in ("write", "remove")] if isinstance(found, dict) else [None]
    for part in lists:
        if not isinstance(part, list) or not all(
            isinstance(n, str) and names.known(n) for n in part
        ):
            raise StoreError(f"{path}: is no note of a publication; remove it and run again.")
    return {"write": list(lists[0] or ()), "remove": list(lists[1] or ())}


def _clear(folder: Path) -> None:
    """Remove what lies in `.work/next`."""
    at = inside(folder, f"{names.NEXT}/figures/x").parent
    for place, name in ((at, "figures/"), (at.parent, "")):
        found = [path.name for path in place.iterdir()] if place.is_dir() else []
        remove(folder, [f"{names.NEXT}/{name}{one}" for one in found])
        with contextlib.suppress(OSError):
            place.rmdir()


def files_of(result: Result, yaml_text: str | bytes) -> dict[str, bytes]:
    """What a result's tables and facts are called, and their bytes."""
    text = yaml_text.encode() if isinstance(yaml_text, str) else yaml_text
    files = {"experiment.yaml": text}
    facts = {
        "experiment": {**to_json(result.experiment), **plain(result.facts)},
        "environment": dict(result.environment),
        "verdict": dict(result.verdict),
    }
    for name in names.FACTS:
        files[f"{name}.json"] = as_json(facts[name]).encode()
    for name, data in result.tables.items():
        checked = tables.check(name, data)
        if name == "calls":
            files[names.TABLES[name]] = parquet(checked)
        elif name == "scores":  # one row per call and metric: rebuilt from the calls in a second,
            own = checked[checked["metric"].str.endswith(".py")]  # but where the code is not ours
            if len(own):
                files[names.OWN_SCORES] = parquet(own)
        else:
            files[names.TABLES[name]] = tables.to_csv(name, checked)
    return files


def manifest_of(files: Mapping[str, bytes], rendered: Iterable[str]) -> str:
    """What makes the files valid: their hashes, and which report and figures are of them."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    manifest: dict[str, Any] = {"schema": tables.SCHEMA, "files": hashes}
    return as_json({**manifest, "rendered": sorted(rendered)})


def publish(result: Result, yaml_text: str | bytes) -> None:
    """Write a result's tables and facts to its folder, without a report."""
    files = files_of(result, yaml_text)
    coming = Next(result.folder)
    for name, content in files.items():
        coming.put(name, content)
    coming.put(names.MANIFEST, manifest_of(files, ()))
    mark(result.folder)
    coming.commit()


def finished(folder: Path) -> str:
    """The key of the run that was published here, "" where there is none or a file was touched."""
    try:
        noted = json_of(inside(folder, names.FINISHED))
        published = {name: hash_of(inside(folder, name)) for name in noted["files"]}
        return str(noted["key"]) if published == noted["files"] else ""
    except (StoreError, ValueError, KeyError, TypeError, AttributeError):
        return ""


def note_finished(folder: Path, key: str) -> None:
    """Remember that everything published belongs to this key (figures and report as well)."""
    mine = written(folder) - {names.HISTORY}
    there = [name for name in sorted(mine) if inside(folder, name).is_file()]
    files = {name: hash_of(folder / name) for name in there}
    write_atomic(inside(folder, names.FINISHED), as_json({"key": key, "files": files}))
