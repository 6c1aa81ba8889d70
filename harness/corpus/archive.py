"""A release as a tar.gz: its tables and the wanted clips are copied to the cache, nothing else.

A tar.gz has no index: finding something means a walk over all of it. The first walk keeps the
tables, later ones the clips that a sample needs, and they end when the last one is found.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import re
import shutil
import tarfile
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from harness.errors import AssetError
from harness.places import cache_folder, keeping, put

_CHUNK = 1 << 20
_RECORD = "release.json"
SUFFIXES = (".tar.gz", ".tgz")

_ROOT = PurePosixPath()
Member = tuple[PurePosixPath, Callable[[], IO[bytes]]]


@dataclass(frozen=True)
class Archive:
    """A tar.gz and the folder in the cache that mirrors a part of it."""

    path: Path
    mirror: Path
    sha256: str  # of the tar.gz, as it was when its tables were read

    def bring(self, folder: Path, names: Sequence[str]) -> None:
        """Copy `folder`/name, where the archive has it, for each name that is not there yet.

        Raises: AssetError (one line).
        """
        record = json.loads((self.mirror / _RECORD).read_text(encoding="utf-8"))
        inside = folder.relative_to(self.mirror / self.stem).as_posix()
        absent = set(record["absent"])
        wanted = {f"{inside}/{name}" for name in names if not (folder / name).is_file()} - absent
        if not wanted:
            return
        left = wanted - self._copy(wanted)
        if left:
            record["absent"] = sorted(absent | left)
            put(self.mirror / _RECORD, json.dumps(record).encode())

    @property
    def stem(self) -> str:
        """The archive's name without its suffix, which is also the mirror's folder."""
        return re.sub(r"(\.tar\.gz|\.tgz)$", "", self.path.name)

    def _copy(self, wanted: Collection[str]) -> set[str]:
        found: set[str] = set()
        with _reading(self.path):
            for name, open_member in _members(self.path, None):
                if name.as_posix() in wanted:
                    _keep(open_member(), self.mirror / self.stem / name)
                    found.add(name.as_posix())
                if len(found) == len(wanted):
                    break
        return found


def is_archive(path: Path) -> bool:
    """Whether the path is a file, and so should be a release's tar.gz."""
    return path.is_file()


def open_archive(path: Path) -> Archive:
    """The archive with its tables (*.tsv) in the cache; they are read once per archive.

    Raises: AssetError (one line) where it is no tar.gz, is damaged or not whole, or has a member
    whose path leaves the archive's folder.
    """
    if not path.name.endswith(SUFFIXES):
        raise AssetError(f"{path.name} is neither a release folder nor a tar.gz.")
    stat = path.stat()
    identity = f"{path.resolve()}\n{stat.st_size}\n{stat.st_mtime_ns}"
    mirror = cache_folder() / "releases" / hashlib.sha256(identity.encode()).hexdigest()[:16]
    record = mirror / _RECORD
    if record.is_file():
        known = json.loads(record.read_text(encoding="utf-8"))
        return Archive(path, mirror, known["sha256"])
    digest = hashlib.sha256()
    archive = Archive(path, mirror, "")
    with _reading(path):
        for name, open_member in _members(path, digest.update):
            if name.suffix == ".tsv":
                _keep(open_member(), mirror / archive.stem / name)
    known = {"archive": path.name, "sha256": digest.hexdigest(), "absent": []}
    put(record, json.dumps(known).encode())
    return Archive(path, mirror, known["sha256"])


def release_folder(archive: Archive, locale: str) -> Path:
    """The folder in the mirror that holds the tables or the language's folder."""
    folder = archive.mirror / archive.stem
    while folder.is_dir() and not any(folder.glob("*.tsv")) and not (folder / locale).is_dir():
        inside = [path for path in folder.iterdir() if path.is_dir()]
        if len(inside) != 1:
            break
        folder = inside[0]
    return folder


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    """What goes wrong while the archive is read becomes one line."""
    try:
        yield
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise AssetError(f"{path.name} is damaged or not whole: {error}.") from error
    except OSError as error:
        raise AssetError(f"{path.name}: {error.strerror or error}.") from error


def _members(path: Path, see: Callable[[bytes], None] | None) -> Iterator[Member]:
    """(path, how to open it) of each file; `see` gets all bytes of the tar.gz in their order."""
    with path.open("rb") as raw:
        stream = _Seen(raw, see)
        with gzip.GzipFile(fileobj=stream, mode="rb") as plain:
            yield from _files(path, plain)
            while plain.read(_CHUNK):  # to the end, where gzip checks its sum
                pass
        while stream.read(_CHUNK):
            pass


def _files(path: Path, plain: Any) -> Iterator[Member]:
    with tarfile.open(fileobj=plain, mode="r|", bufsize=_CHUNK) as tar:
        while (member := tar.next()) is not None:
            tar.members.clear()  # type: ignore[attr-defined]  # else each one stays in memory
            name = _safe(path, member)
            if member.isreg():
                yield name, lambda member=member: tar.extractfile(member)  # type: ignore


def _safe(path: Path, member: tarfile.TarInfo) -> PurePosixPath:
    name = _inside(path, member.name)
    if member.issym():
        _inside(path, member.linkname, name.parent)
    elif member.islnk():
        _inside(path, member.linkname)
    return name


def _inside(path: Path, text: str, start: PurePosixPath = _ROOT) -> PurePosixPath:
    """The path without its "." and ".." parts; raises where it leaves the archive's folder."""
    plain = text.replace("\\", "/")
    parts = list(start.parts)
    leaves = plain.startswith("/") or re.match(r"[A-Za-z]:", plain) is not None
    for part in plain.split("/"):
        if part == ".." and parts and start.parts:
            parts.pop()
        elif part == "..":
            leaves = True
        elif part not in ("", "."):
            parts.append(part)
    if leaves:
        raise AssetError(
            f"{path.name}: the member {text!r} leaves the archive's folder; nothing of it is read."
        )
    return PurePosixPath(*parts)


class _Seen:
    """A file whose bytes pass before somebody's eyes as they are read, once each and in order."""

    def __init__(self, file: IO[bytes], see: Callable[[bytes], None] | None) -> None:
        self._file, self._see = file, see

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        if self._see is not None:
            self._see(chunk)
        return chunk

    def seek(self, place: int) -> int:  # gzip asks for it in a file that it may read twice
        return self._file.seek(place)


def _keep(source: IO[bytes], target: Path) -> None:
    unfinished = target.with_name(f"{target.name}.{os.getpid()}.part")
    with keeping():
        target.parent.mkdir(parents=True, exist_ok=True)
        with source, unfinished.open("wb") as file:
            shutil.copyfileobj(source, file, _CHUNK)
        unfinished.replace(target)
