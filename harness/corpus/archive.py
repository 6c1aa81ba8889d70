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
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple

from harness.corpus.listing import is_there
from harness.errors import AssetError
from harness.places import cache_folder, keeping, put

_CHUNK = 1 << 20
_RECORD = "release.json"
_ABSENT = "not_there"  # in the record: clips that the tables name and the archive has not
SUFFIXES = (".tar.gz", ".tgz")

_ROOT = PurePosixPath()


class Member(NamedTuple):
    """A file in the tar.gz; `link` is the member that a hard link names, None for a whole file."""

    path: PurePosixPath
    open: Callable[[], IO[bytes]]
    link: PurePosixPath | None


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
        absent = set(record.get(_ABSENT, ()))
        wanted = {f"{inside}/{name}" for name in names if not is_there(folder / name)} - absent
        if not wanted:
            return
        left = wanted - self.copy(wanted)
        if left:
            record[_ABSENT] = sorted(absent | left)
            put(self.mirror / _RECORD, json.dumps(record).encode())

    @property
    def stem(self) -> str:
        """The archive's name without its suffix, which is also the mirror's folder."""
        return re.sub(r"(\.tar\.gz|\.tgz)$", "", self.path.name)

    def copy(self, wanted: Collection[str], seen: Collection[str] = ()) -> set[str]:
        """Copy those members; which of them there are.

        A hard link gets the content of the member that it names, which stands before it in the tar:
        that one costs another walk, unless it was copied (`seen`: what was looked for already).
        """
        found: set[str] = set()
        links: dict[str, str] = {}
        with _reading(self.path):
            for member in _members(self.path, None):
                name = member.path.as_posix()
                if name in wanted and member.link:
                    links[name] = member.link.as_posix()
                elif name in wanted:
                    _keep(member.open(), self._kept(name))
                    found.add(name)
                if len(found) + len(links) == len(wanted):
                    break
        named = {name for name in links.values() if not is_there(self._kept(name))}
        if further := named - {*wanted, *seen}:
            self.copy(further, {*wanted, *seen})
        for name, link in links.items():  # in the tar's order, so that a link to a link is found
            if is_there(self._kept(link)):
                _keep(self._kept(link).open("rb"), self._kept(name))
                found.add(name)
        return found

    def _kept(self, name: str) -> Path:
        return self.mirror / self.stem / name


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
    linked = set()
    with _reading(path):
        for member in _members(path, digest.update):
            if member.path.suffix == ".tsv" and member.link:
                linked.add(member.path.as_posix())
            elif member.path.suffix == ".tsv":
                _keep(member.open(), mirror / archive.stem / member.path)
    if linked:
        archive.copy(linked)
    known = {"archive": path.name, "sha256": digest.hexdigest(), _ABSENT: []}
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
            name, link = _inside(path, member.name), None
            if member.issym():
                _inside(path, member.linkname, name.parent)
            elif member.islnk():
                link = _inside(path, member.linkname)
            if member.isreg() or link:
                yield Member(name, partial(tar.extractfile, member), link)  # type: ignore[arg-type]


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
