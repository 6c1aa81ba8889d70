"""SHA-256 of files and folders; a file that has not changed is not read again.

What was read is remembered in the cache folder (hashes.sqlite) by the file's path, size and times
of change. Times decide there only whether a file is read again: no fingerprint holds one, for two
machines must share those.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from harness.errors import AssetError
from harness.io.places import cache_folder

# A file written this recently could change again without its time stamp showing it: the coarsest
# clock of a file system in use (FAT) ticks every two seconds.
SETTLED_NS = 2_000_000_000
WAIT_SECONDS = 2.0  # for another run that writes into the memory
_CHUNK = 1 << 20
_BATCH = 500  # files that are remembered at once
_TABLE = "CREATE TABLE IF NOT EXISTS files (path BLOB PRIMARY KEY, state TEXT, sha256 TEXT)"


def sha256_of(path: Path) -> str:
    """The file's SHA-256 as 64 hex digits, read a part at a time. Raises: OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


class Hashes:
    """SHA-256 of one file after the other, through the memory, which is open in a `with` block.

    It only saves time: where the cache cannot be read or written, files are hashed again.
    """

    def __enter__(self) -> Hashes:
        self._new: list[tuple[bytes, str, str]] = []
        self._memory: sqlite3.Connection | None = None
        with contextlib.suppress(OSError, sqlite3.Error):
            cache_folder().mkdir(parents=True, exist_ok=True)
            self._memory = sqlite3.connect(cache_folder() / "hashes.sqlite", timeout=WAIT_SECONDS)
            self._memory.execute(_TABLE)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._remember()
        if self._memory is not None:
            self._memory.close()

    def of(self, path: Path) -> str:
        """The file's SHA-256. Raises: OSError."""
        stat = path.stat()
        # the second time is of any change on POSIX, also of one that keeps the first
        state = f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}"
        place = os.fsencode(os.path.abspath(path))  # noqa: PTH100  resolving costs a call a folder
        known = self._recall(place)
        if known and known[0] == state:
            return known[1]
        found = sha256_of(path)
        if stat.st_mtime_ns < time.time_ns() - SETTLED_NS:
            self._new.append((place, state, found))
        if len(self._new) >= _BATCH:
            self._remember()
        return found

    def _recall(self, place: bytes) -> tuple[str, str] | None:
        query = "SELECT state, sha256 FROM files WHERE path = ?"
        with contextlib.suppress(sqlite3.Error):
            if self._memory is not None:
                found: tuple[str, str] | None = self._memory.execute(query, (place,)).fetchone()
                return found
        return None

    def _remember(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            if self._memory is not None and self._new:
                with self._memory:
                    insert = "INSERT OR REPLACE INTO files VALUES (?, ?, ?)"
                    self._memory.executemany(insert, self._new)
        self._new = []


def digest(value: Any) -> str:
    """SHA-256 of a plain value's canonical JSON; of a name that is no UTF-8 too."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def fingerprint(hashes: Mapping[str, str]) -> str:
    """SHA-256 over file names and their SHA-256, whatever folder the files lie in."""
    lines = "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes))
    return hashlib.sha256(lines.encode()).hexdigest()


def hash_folder(folder: Path) -> dict[str, str]:
    """Name (with `/`) -> SHA-256 of every file under the folder; hidden ones are left out.

    Raises: AssetError.
    """
    try:
        with Hashes() as hashes:
            return {name: hashes.of(path) for name, path in _files(folder)}
    except OSError as error:
        raise AssetError(f"{folder} cannot be read: {error.strerror or error}.") from error


def _refused(error: OSError) -> None:
    """A folder that cannot be listed is no empty one: its files would be in no fingerprint."""
    raise error


def _files(folder: Path) -> list[tuple[str, Path]]:
    found = []
    for parent, folders, files in os.walk(folder, onerror=_refused):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(parent, name)
            if not name.startswith(".") and path.is_file():
                found.append((path.relative_to(folder).as_posix(), path))
    return found
