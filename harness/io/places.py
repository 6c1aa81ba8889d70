"""Where this machine keeps what was fetched or made, and what a disk refuses."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from harness.errors import AssetError, StoreError
from harness.errors.limits import MEGABYTE, SPARE_BYTES


def cache_folder() -> Path:
    """Where downloads are kept: `HARNESS_CACHE`, else the platform's folder for caches."""
    own = os.environ.get("HARNESS_CACHE", "")
    return Path(own).expanduser().absolute() if own else platformdirs.user_cache_path("harness")


@contextlib.contextmanager
def keeping() -> Iterator[None]:
    """What the disk refuses while something is put into the cache becomes an AssetError."""
    try:
        yield
    except OSError as error:
        if error.errno is None:  # not the disk's: some formats' errors derive from OSError
            raise
        raise AssetError(
            f"cannot write to the cache folder {cache_folder()}: {error.strerror}; free some room "
            "or set HARNESS_CACHE."
        ) from error


def room(size: int) -> None:
    """Raises: AssetError where the cache's disk has no room for so many bytes and some to spare."""
    folder = cache_folder()
    here = next(place for place in (folder, *folder.parents) if place.is_dir())
    free = shutil.disk_usage(here).free
    if free < size + SPARE_BYTES:
        raise AssetError(
            f"the cache folder {folder} has {free // MEGABYTE:,} MB free, and {size // MEGABYTE:,} "
            f"MB are to be put there ({SPARE_BYTES // MEGABYTE} stay free); make room or set "
            "HARNESS_CACHE."
        )


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """What the disk refuses (full, read-only) while a file of a run is written names that file; an
    error of the system's of writing to an open file names none. Raises: StoreError."""
    try:
        yield
    except OSError as error:
        if error.errno is None:  # not the disk's: some formats' errors derive from OSError
            raise
        raise StoreError(f"{path}: cannot be written: {error.strerror}.") from error


def put(target: Path, content: bytes) -> None:
    """Write a file of the cache, whole or not at all. Raises: AssetError."""
    unfinished = target.with_name(f"{target.name}.{os.getpid()}.part")
    with keeping():
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(content)
        unfinished.replace(target)
