"""Where this machine keeps what was fetched or made, and what a disk refuses."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterator
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
    with keeping(), whole(target) as unfinished:
        unfinished.write_bytes(content)


def bounded(path: Path, most: int) -> int:
    """The bytes that a file of somebody else's has. Raises: OSError, also for a pipe or a device,
    which may never end, and for a file of more than `most`."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "is no plain file", str(path))
    if found.st_size > most:
        why = f"has {found.st_size:,} bytes; at most {most:,} are read"
        raise OSError(errno.EFBIG, why, str(path))
    return found.st_size


def content(path: Path, most: int) -> bytes:
    """The bytes of a file of somebody else's. Raises: OSError, as `bounded`."""
    size = bounded(path, most)
    with path.open("rb") as file:
        return file.read(size)  # not `most`: so much is put aside before reading


@contextlib.contextmanager
def whole(target: Path, beside: str = "") -> Iterator[Path]:
    """Where to write what `target` will hold: readers see the old file or the new one, and what
    was begun and failed is removed. A link is replaced itself. `beside`: the name meanwhile."""
    unfinished = target.with_name(beside or f"{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield unfinished
        unfinished.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def alone(name: str, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Keep other runs from making the same part of the cache; the system frees the lock of a killed
    run. `waiting` is called where another one has it. Raises: OSError."""
    from filelock import FileLock, Timeout

    path = cache_folder() / "locks" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        waiting()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
