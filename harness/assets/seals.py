"""Whether a folder still holds what was put there: its files are sealed when they are made.

A seal names every file with its SHA-256. Hashes are remembered by size and times of change
(harness/io/hashes.py), so that a look at what has not changed reads nothing; `whole` reads it all.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.errors import AssetError
from harness.io.hashes import fingerprint, hash_folder, sha256_of

RECORD = "record.json"  # beside what was made
SEAL = ".seal.json"  # hidden, so that it is in no fingerprint
Stamps = Mapping[str, tuple[int, int, int]]


def seal(folder: Path) -> None:
    """Seal the folder's files as they are. Raises: OSError, AssetError."""
    hashes = {name: sha256_of(folder / name) for name in hash_folder(folder)}
    (folder / SEAL).write_text(json.dumps(hashes, indent=1), encoding="utf-8")


def broken(folder: Path, whole: bool = False) -> str:
    """What is not as it was sealed, in a few words; "" where all is well."""
    try:
        sealed = json.loads((folder / SEAL).read_text(encoding="utf-8"))
        found = hash_folder(folder)
        if whole:
            found = {name: sha256_of(folder / name) for name in found}
    except (OSError, ValueError, RecursionError, AssetError):
        return "its seal cannot be read"
    if not isinstance(sealed, dict):
        return "its seal cannot be read"
    for name in sorted({*sealed, *found}):
        if name not in found:
            return f"{name} is missing"
        if name not in sealed:
            return f"{name} is new"
        if sealed[name] != found[name]:
            return f"{name} has changed"
    return ""


def fingerprint_of(folder: Path, whole: bool = False) -> str:
    """SHA-256 over the folder's files as they are now, but for our own record; `whole` reads them.

    Raises: AssetError.
    """
    found = hash_folder(folder)
    if (folder / SEAL).is_file():
        found.pop(RECORD, None)
    if whole:
        try:
            found = {name: sha256_of(folder / name) for name in found}
        except OSError as error:
            raise AssetError(f"{folder} cannot be read: {error.strerror or error}.") from error
    return fingerprint(found)


@contextlib.contextmanager
def untouched(folder: Path) -> Iterator[None]:
    """What is made of a folder is made of its files as they were. Raises: AssetError."""
    before = stamps(folder)
    yield
    if why := changed(before, folder):
        raise AssetError(f"{folder}: {why} while it was read; start again.")


def stamps(folder: Path) -> Stamps:
    """Name -> size and times of change of each file; equal as long as nobody wrote there."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not any(part.startswith(".") for part in name.split("/")):
            stat = path.stat()
            found[name] = (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
    return found


def changed(before: Stamps, folder: Path) -> str:
    """What was written, made or removed in the folder since `before`; "" for nothing."""
    try:
        now = stamps(folder)
    except OSError as error:
        return f"it cannot be read ({error.strerror or error})"
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            how = "is missing" if name not in now else "changed" if name in before else "is new"
            return f"{name} {how}"
    return ""
