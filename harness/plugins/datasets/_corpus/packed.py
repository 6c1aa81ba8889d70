"""Walks over the members of a tar that somebody else made, plain or packed, within stated bounds.

Refused in one line: members whose path leaves the archive's folder, sparse files, headers of more
than a megabyte, more members than any release has, and bytes that were packed beyond what speech
and tables can be (see harness/errors/limits.py). Devices, pipes and symbolic links are passed over.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple

from harness.errors import AssetError
from harness.errors.limits import ARCHIVE_FREE_BYTES, ARCHIVE_MEMBERS, ARCHIVE_RATIO, HEADER_BYTES

_CHUNK = 1 << 20
_ROOT = PurePosixPath()
_PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz"}
_REFUSED = {b"PK": "a zip", b"\x28\xb5\x2f\xfd": "packed with zstd", b"7z\xbc\xaf": "a 7z",
            b"Rar!": "a rar"}  # fmt: skip
_NAMED = re.compile(r"\.(tar|tgz|tar\.[a-z0-9]+)$", re.IGNORECASE)
_OPENERS: dict[str, Callable[[Any], Any]] = {
    "gzip": lambda file: gzip.GzipFile(fileobj=file, mode="rb"),
    "bzip2": bz2.BZ2File,
    "xz": lzma.LZMAFile,
}
_LONG = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME,
         tarfile.GNUTYPE_LONGLINK)  # fmt: skip
_DAMAGED = (tarfile.TarError, gzip.BadGzipFile, lzma.LZMAError, zlib.error, EOFError, ValueError,
            OverflowError, RecursionError)  # fmt: skip


class Member(NamedTuple):
    """A file in the tar; `link` is the member that a hard link names, None for a whole file."""

    path: PurePosixPath
    open: Callable[[], IO[bytes]]
    link: PurePosixPath | None
    size: int


def kind_of(path: Path) -> str:
    """What the first bytes say: gzip, bzip2, xz or plain. Raises: AssetError (one line)."""
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise AssetError(f"{path.name} cannot be read: {error.strerror}.") from error
    for mark, kind in _PACKED.items():
        if head.startswith(mark):
            return kind
    if head[257:262] == b"ustar" or _old_header(head):
        return "plain"
    what = next((what for mark, what in _REFUSED.items() if head.startswith(mark)), "")
    if not what and _NAMED.search(path.name):
        raise AssetError(f"{path.name} is damaged or not whole: it begins as no tar does.")
    what = f": it is {what}" if what else ""
    raise AssetError(
        f"{path.name} is neither a release folder nor a tar.gz{what} (a tar may also be plain, "
        "bzip2 or xz); unpack it and name the folder."
    )


def _old_header(head: bytes) -> bool:
    """Whether these are the first 512 bytes of a tar from before `ustar`."""
    try:
        return bool(tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape").name)
    except tarfile.HeaderError:
        return False


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """What goes wrong while the archive is read becomes one line."""
    try:
        yield
    except _DAMAGED as error:
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise AssetError(f"{path.name} is damaged or not whole: {said}.") from error
    except OSError as error:
        if error.errno is None:  # bz2's own
            raise AssetError(f"{path.name} is damaged or not whole: {error}.") from error
        raise AssetError(f"{path.name}: {error.strerror or error}.") from error


def members(path: Path, see: Callable[[bytes], None] | None) -> Iterator[Member]:
    """Each file; `see` gets all bytes of the archive in their order. Raises: within `reading`."""
    kind = kind_of(path)
    with path.open("rb") as raw:
        stream = _Seen(raw, see)
        if kind == "plain":
            yield from _files(path, stream)
        else:
            with _OPENERS[kind](stream) as opened:
                plain = _Bounded(path, opened, stream)
                yield from _files(path, plain)
                while plain.read(_CHUNK):  # to the end, where the sums are checked
                    pass
        while stream.read(_CHUNK):
            pass


def _files(path: Path, plain: Any) -> Iterator[Member]:
    with tarfile.open(fileobj=plain, mode="r|", bufsize=_CHUNK, tarinfo=_Header) as tar:
        count = 0
        while (member := tar.next()) is not None:
            tar.members.clear()  # type: ignore[attr-defined]  # else each one stays in memory
            count += 1
            if count > ARCHIVE_MEMBERS:
                raise AssetError(f"{path.name} has more than {ARCHIVE_MEMBERS:,} members.")
            name, link = _inside(path, member.name), None
            if member.issym():
                _inside(path, member.linkname, name.parent)
            elif member.islnk():
                link = _inside(path, member.linkname)
            if member.issparse():
                raise AssetError(f"{path.name}: {member.name!r} is a sparse file; none is read.")
            if member.isreg() or link:
                yield Member(name, partial(tar.extractfile, member), link, member.size)  # type: ignore[arg-type]


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


class _Header(tarfile.TarInfo):
    """A member's header, whose own extension (a long name) is not read where it is huge."""

    def _proc_member(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _LONG and self.size > HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {self.size:,} bytes; {HEADER_BYTES:,} are read")
        found: tarfile.TarInfo = super()._proc_member(tar)  # type: ignore[misc]
        return found


class _Seen:
    """A file whose bytes pass before somebody's eyes as they are read, once each and in order."""

    def __init__(self, file: IO[bytes], see: Callable[[bytes], None] | None) -> None:
        self._file, self._see, self.count = file, see, 0

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        self.count += len(chunk)
        if self._see is not None:
            self._see(chunk)
        return chunk

    def seek(self, place: int, whence: int = 0) -> int:  # for files that are read twice
        return self._file.seek(place, whence)


class _Bounded:
    """What is unpacked, as long as it stays in proportion to what was packed."""

    def __init__(self, path: Path, plain: Any, packed: _Seen) -> None:
        self._path, self._plain, self._packed, self._count = path, plain, packed, 0

    def read(self, size: int = -1) -> bytes:
        chunk: bytes = self._plain.read(size)
        self._count += len(chunk)
        if self._count > ARCHIVE_FREE_BYTES + ARCHIVE_RATIO * self._packed.count:
            raise AssetError(
                f"{self._path.name} unpacks to more than {ARCHIVE_RATIO} times its size; no "
                "release does, and it would fill the disk."
            )
        return chunk
