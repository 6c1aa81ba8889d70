"""A folder is made once for its inputs, beside its place, and moved there when it is complete.

So a kill or a full disk leaves nothing half-made; the next run clears what was left.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from harness.assets import cache_folder, seals
from harness.assets.seals import RECORD
from harness.errors import AssetError
from harness.io.hashes import digest, fingerprint, sha256_of
from harness.io.places import alone

# EDQUOT: not on every platform
UNWRITABLE = {
    getattr(errno, name, errno.ENOSPC) for name in ("ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM")
}


def cached(
    inputs: Any, build: Callable[[Path], dict[str, Any]], tell: Callable[[str], None]
) -> tuple[Path, dict[str, Any]]:
    """The folder that `inputs` (JSON-able) stand for and its record. `build` fills an empty folder
    and returns the record, unless an earlier run did and nothing has changed since.

    Raises: AssetError where the cache folder cannot be written, and whatever `build` raises.
    """
    place = cache_folder() / "variants" / digest(inputs)[:24]
    with _disk_errors(), alone(f"variant-{place.name}"):
        wrong = seals.broken(place) if (place / RECORD).is_file() else ""
        if wrong:
            tell(f"{place.name}: {wrong} in the cache; it is made again")
        if wrong or not (place / RECORD).is_file():
            _clear(place)
            folder = place.with_name(f"{place.name}.{os.getpid()}")
            folder.mkdir()
            try:
                record = build(folder)
                (folder / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")
                seals.seal(folder)
                folder.replace(place)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
        return place, json.loads((place / RECORD).read_text(encoding="utf-8"))


def _clear(place: Path) -> None:
    """Remove what a killed run left of this folder; the caller holds its lock."""
    place.parent.mkdir(parents=True, exist_ok=True)
    for leftover in [place, *place.parent.glob(f"{place.name}.*")]:
        if leftover.is_symlink() or leftover.is_file():
            leftover.unlink()
        elif leftover.is_dir():
            shutil.rmtree(leftover)


@contextlib.contextmanager
def _disk_errors() -> Iterator[None]:
    """A cache that cannot be written, as one line. Raises: AssetError."""
    try:
        yield
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        raise AssetError(
            f"cannot write to the cache folder {cache_folder()}: {error.strerror}; "
            "free some room or set HARNESS_CACHE."
        ) from error


def files(folder: Path) -> dict[str, Path]:
    """Name in the folder -> file, without the record and hidden files."""
    return {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != RECORD and not path.name.startswith(".")
    }


def files_sha256(folder: Path) -> str:
    """SHA-256 over names and bytes of the folder's files."""
    return fingerprint({name: sha256_of(path) for name, path in files(folder).items()})
