"""SHA-256 of files and folders; a file that has not changed is not read again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

from harness.errors import AssetError
from harness.places import cache_folder

# A file written this recently could change again without its time stamp showing it: the coarsest
# clock of a file system in use (FAT) ticks every two seconds.
SETTLED_NS = 2_000_000_000
_CHUNK = 1 << 20


def sha256_of(path: Path) -> str:
    """The file's SHA-256 as 64 hex digits. Raises: OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def fingerprint(hashes: Mapping[str, str]) -> str:
    """SHA-256 over file names and their SHA-256, whatever folder the files lie in."""
    lines = "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes))
    return hashlib.sha256(lines.encode()).hexdigest()


def hash_folder(folder: Path) -> dict[str, str]:
    """Name (with `/`) -> SHA-256 of every file under the folder; hidden ones are left out.

    Hashes are remembered in the cache folder by size and time of change. Raises: AssetError.
    """
    memory = cache_folder() / "hashes" / f"{_key(folder)}.json"
    known = _recall(memory)
    try:
        fresh = {name: _hash_file(path, known.get(name)) for name, path in _files(folder)}
    except OSError as error:
        raise AssetError(f"{folder} cannot be read: {error.strerror or error}.") from error
    settled = time.time_ns() - SETTLED_NS
    keep = {name: entry for name, entry in fresh.items() if entry[1] < settled}
    if keep != known:
        _remember(memory, keep)
    return {name: digest for name, (_, _, digest) in fresh.items()}


_Entry = tuple[int, int, str]  # size, time of change in ns, SHA-256


def _hash_file(path: Path, known: _Entry | None) -> _Entry:
    stat = path.stat()
    if known and known[:2] == (stat.st_size, stat.st_mtime_ns):
        return known
    return stat.st_size, stat.st_mtime_ns, sha256_of(path)


def _files(folder: Path) -> list[tuple[str, Path]]:
    found = []
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(parent, name)
            if not name.startswith(".") and path.is_file():
                found.append((path.relative_to(folder).as_posix(), path))
    return found


def _key(folder: Path) -> str:
    return hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:24]


def _recall(memory: Path) -> dict[str, _Entry]:
    try:
        stored = json.loads(memory.read_text(encoding="utf-8"))
        return {name: (int(size), int(at), str(sha)) for name, (size, at, sha) in stored.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # nothing remembered yet, or not readable: the files are hashed again


def _remember(memory: Path, entries: Mapping[str, _Entry]) -> None:
    # only saves time: where the cache cannot be written, the next run hashes again
    with contextlib.suppress(OSError):
        memory.parent.mkdir(parents=True, exist_ok=True)
        partial = memory.with_suffix(f".{os.getpid()}.partial")
        partial.write_text(json.dumps(entries), encoding="utf-8")
        partial.replace(memory)
