"""How files of a run folder are read, written and removed: bounded, whole, and never through a
link to somewhere else."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from harness.errors import StoreError, limits
from harness.io.hashes import sha256_of
from harness.io.places import whole

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # Windows has none
_BINARY = getattr(os, "O_BINARY", 0)


def inside(folder: Path, name: str) -> Path:
    """The path of a name in a run folder, none of whose folders is a link to elsewhere.

    Raises: StoreError for a name that leads out of the folder.
    """
    parts = PurePosixPath(name).parts
    if not parts or PurePosixPath(name).is_absolute() or ".." in parts or "\0" in name:
        raise StoreError(f"{folder}: {name!r} is no name of a file in a run folder.")
    path = folder
    for part in parts[:-1]:
        path = path / part
        if path.is_symlink():
            raise StoreError(
                f"{path}: is a link, and what lies behind it is not the run's; put a folder there."
            )
        if path.exists() and not path.is_dir():
            raise StoreError(f"{path}: is a file where the run has a folder; move it away.")
    return path / parts[-1]


def write_atomic(path: Path, data: str | bytes) -> None:
    """Write beside, then replace: readers see the old file or the new one. A link is replaced
    itself; what it leads to is left alone.

    Raises: StoreError where the disk refuses (full, read-only).
    """
    try:
        with whole(path, f".{path.name}.{os.getpid()}.partial") as beside:
            beside.unlink(missing_ok=True)  # of a killed run that had this number
            how = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK | _BINARY
            with os.fdopen(os.open(beside, how, 0o666), "wb") as file:
                file.write(data.encode() if isinstance(data, str) else data)
                file.flush()
                os.fsync(file.fileno())
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}.") from error


def append(path: Path, data: bytes) -> None:
    """Add to the end of a file and force it to disk; a file with a second name, as of a backup by
    hard links, gets a copy of its own first. Raises: StoreError."""
    try:
        if path.exists() and path.stat().st_nlink > 1:
            write_atomic(path, path.read_bytes())
        how = os.O_WRONLY | os.O_CREAT | os.O_APPEND | _NO_LINK | _BINARY
        with os.fdopen(os.open(path, how, 0o666), "ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}.") from error


def write_outside(path: Path, data: bytes, sign: bytes) -> None:
    """Write a file that a user names, unless another file is there: `sign` is what tells ours.

    Raises: StoreError.
    """
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise StoreError(f"{path}: is no plain file; give another name.")
    if path.exists() and sign not in bounded(path, limits.RESULT_TABLE_BYTES):
        raise StoreError(f"{path}: is there already and is not ours; give another name.")
    write_atomic(path, data)


def remove(folder: Path, names: Iterable[str]) -> None:
    """Remove plain files and links of a run folder, then the folders that this leaves empty.

    Raises: StoreError where the disk refuses.
    """
    parents = set()
    for name in names:
        path = inside(folder, name)
        if path.is_dir() and not path.is_symlink():
            continue
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{path}: cannot be removed: {error.strerror}.") from error
        parents |= {parent for parent in path.parents if folder in parent.parents}
    for parent in sorted(parents, key=lambda path: len(path.parts), reverse=True):
        with contextlib.suppress(OSError):  # not empty: somebody else's files are in it
            parent.rmdir()


def bounded(path: Path, most: int) -> bytes:
    """A file's bytes. Raises: StoreError for one that is larger than that, missing or no file."""
    try:
        if not path.is_file():
            raise StoreError(f"{path}: is missing or no file.")
        size = path.stat().st_size
        if size > most:
            raise StoreError(f"{path}: has {size:,} bytes, more than the {most:,} that are read.")
        with path.open("rb") as file:
            return file.read(size)  # not `most`: so much is put aside before reading
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}.") from error


def json_of(path: Path, most: int = limits.RESULT_JSON_BYTES) -> Any:
    """What a JSON file holds. Raises: StoreError."""
    return parsed(path, bounded(path, most))


def parsed(path: Path, data: bytes) -> Any:
    """What the JSON text holds that was read from that file. Raises: StoreError."""
    try:
        return json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise StoreError(f"{path}: cannot be read as JSON; run the experiment again.") from None


def as_json(value: Any) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def hash_of(path: Path) -> str:
    """SHA-256 of the file's bytes; "missing" where there is none."""
    try:
        return sha256_of(path)
    except OSError:
        return "missing"
