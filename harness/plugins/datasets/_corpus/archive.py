"""A release as a tar, plain or packed: its tables and the wanted clips are copied to the cache.

A tar has no index: finding something means a walk over all of it. The first walk keeps the tables,
later ones the clips that a sample needs, and they end when the last one is found. What kind of
archive it is, its first bytes say, not its name. See packed.py for what is refused inside.
"""

from __future__ import annotations

import errno
import hashlib
import json
import re
import shutil
from array import array
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from harness.errors import AssetError
from harness.errors.limits import CLIP_BYTES, MEGABYTE, TABLE_BYTES
from harness.io.escaping.signs import cut
from harness.io.places import cache_folder, keeping, put, room, whole
from harness.plugins.datasets._corpus.listing import composed, is_there, key, times
from harness.plugins.datasets._corpus.packed import kind_of, members, reading

__all__ = ["Archive", "is_archive", "kind_of", "open_archive", "release_folder"]

_CHUNK = 1 << 20
_SHOWN = 100  # characters of a member's name
_OF_THE_NAME = {errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR, errno.EEXIST}
_RECORD = "release.json"
_ABSENT = "not_there"  # in the record: clips that the tables name and the archive has not
_SUFFIX = re.compile(r"(\.tar)?(\.gz|\.bz2|\.xz)$|\.tar$|\.tgz$|\.tbz2?$|\.txz$")
_INNER = re.compile(r"\.(tar|tgz|zip|tar\.[a-z0-9]+)$", re.IGNORECASE)


@dataclass(frozen=True)
class Archive:
    """An archive and the folder in the cache that mirrors a part of it."""

    path: Path
    mirror: Path
    sha256: str  # of the archive, as it was when its tables were read

    def bring(self, folder: Path, names: Sequence[str]) -> None:
        """Copy `folder`/name, where the archive has it, for each name that is not there yet.

        Raises: AssetError (one line).
        """
        record = _known(self.mirror / _RECORD) or {"sha256": self.sha256, _ABSENT: []}
        inside = folder.relative_to(self.root).as_posix()
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
        return _SUFFIX.sub("", self.path.name) or "release"

    @property
    def root(self) -> Path:
        """The folder that stands for the archive's own."""
        return self.mirror / self.stem

    def copy(self, wanted: Collection[str], seen: Collection[str] = ()) -> set[str]:
        """Copy those members; which of them there are.

        A hard link gets the content of the member that it names, which stands before it in the tar:
        that one costs another walk, unless it was copied (`seen`: what was looked for already).
        """
        found: set[str] = set()
        links: dict[str, str] = {}
        spelled = {composed(name): name for name in wanted}
        with reading(self.path):
            for member in members(self.path, None):
                name = spelled.get(composed(member.path.as_posix()), "")
                if name and member.link:
                    links[name] = member.link.as_posix()
                elif name:
                    self._bounded(name, member.size)
                    _keep(self, name, member.open(), member.size)
                    found.add(name)
                if len(found) + len(links) == len(wanted):
                    break
        named = {name for name in links.values() if not is_there(self._kept(name))}
        if further := named - {*wanted, *seen}:
            self.copy(further, {*wanted, *seen})
        for name, link in links.items():  # in the tar's order, so that a link to a link is found
            if is_there(self._kept(link)):
                size = self._kept(link).stat().st_size
                _keep(self, name, self._kept(link).open("rb"), size)
                found.add(name)
        return found

    def _bounded(self, name: str, size: int) -> None:
        if size > CLIP_BYTES and not name.endswith(".tsv"):
            raise AssetError(
                f"{self.path.name}: {name} has {size:,} bytes; a clip has at most {CLIP_BYTES:,}."
            )

    def _kept(self, name: str) -> Path:
        return self.root / name


def is_archive(path: Path) -> bool:
    """Whether the path is a file, and so should be a release's archive."""
    return path.is_file()


def open_archive(path: Path) -> Archive:
    """The archive with its tables (*.tsv) in the cache; they are read once per archive.

    Raises: AssetError (one line) where it is no tar, is damaged or not whole, or has a member that
    is refused.
    """
    stat = path.stat()
    identity = f"{path.resolve()}\n{stat.st_size}\n{stat.st_mtime_ns}"
    mirror = cache_folder() / "releases" / hashlib.sha256(identity.encode()).hexdigest()[:16]
    record = mirror / _RECORD
    known = _known(record)
    if known:
        return Archive(path, mirror, known["sha256"])
    kind_of(path)
    digest = hashlib.sha256()
    archive = Archive(path, mirror, "")
    with reading(path):
        linked = _tables(archive, digest.update)
    if linked:
        archive.copy(linked)
    known = {"archive": path.name, "sha256": digest.hexdigest(), _ABSENT: []}
    put(record, json.dumps(known).encode())
    return Archive(path, mirror, known["sha256"])


def _known(record: Path) -> dict[str, Any]:
    """What an earlier walk wrote down; nothing where that cannot be read."""
    try:
        known = json.loads(record.read_text(encoding="utf-8"))
        sound = isinstance(known["sha256"], str) and isinstance(known[_ABSENT], list)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    return dict(known) if sound else {}


def _tables(archive: Archive, see: Any) -> set[str]:
    """Copy the tables; the names of those that are hard links."""
    names, tables, linked, inner, size = array("q"), set[str](), set[str](), "", 0
    for member in members(archive.path, see):
        name = member.path.as_posix()
        names.append(key(name))
        inner = inner or (name if _INNER.search(name) else "")
        if member.path.suffix != ".tsv":
            continue
        if composed(name).casefold() in tables:
            raise AssetError(f"{archive.path.name} holds the table {name} twice.")
        tables.add(composed(name).casefold())
        size += member.size
        _little(archive, size)
        if member.link:
            linked.add(name)
        else:
            _keep(archive, name, member.open(), member.size)
    if inner and not tables:
        raise AssetError(
            f"{archive.path.name} holds another archive, {inner}, and no table; unpack it first."
        )
    if twice := int((times(np.array(names, np.int64)) > 1).sum()):
        raise AssetError(f"{archive.path.name} holds {twice} files twice; which counts is unknown.")
    return linked


def _little(archive: Archive, size: int) -> None:
    """Raises: AssetError where all tables together are too large."""
    if size > TABLE_BYTES:
        raise AssetError(
            f"{archive.path.name}: its tables have more than {TABLE_BYTES // MEGABYTE:,} MB."
        )


def release_folder(archive: Archive, locale: str) -> Path:
    """The folder in the mirror that holds the tables or the language's folder."""
    folder = archive.root
    while folder.is_dir() and not any(folder.glob("*.tsv")) and not (folder / locale).is_dir():
        inside = [path for path in folder.iterdir() if path.is_dir()]
        if len(inside) != 1:
            break
        folder = inside[0]
    return folder


def _keep(archive: Archive, name: str, source: IO[bytes], size: int) -> None:
    """Copy a member. Raises: AssetError where the disk refuses, or the name can be no file's."""
    with keeping(), source:
        room(size)
        try:
            with whole(archive.root / name) as unfinished, unfinished.open("wb") as file:
                shutil.copyfileobj(source, file, _CHUNK)
        except OSError as error:
            if error.errno not in _OF_THE_NAME or not archive.root.is_dir():
                raise  # it is the cache's fault
            raise AssetError(
                f"{archive.path.name}: the member {cut(repr(name), _SHOWN)} can be no file here: "
                f"{error.strerror}."
            ) from error
