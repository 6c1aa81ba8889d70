"""An encoded clip, a file or bytes: read at any place, told apart by how it begins."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from harness.errors import AudioError, limits

# how a file begins -> what it is; "" names no format of ours, but one that users bring
_KINDS = [
    (0, b"RIFF", "wav"), (0, b"RIFX", "wav"), (0, b"RF64", "wav"), (0, b"BW64", "wav"),
    (0, b"riff\x2e\x91\xcf\x11", "w64"), (0, b"FORM", "iff"), (0, b".snd", "au"),
    (0, b"dns.", "au"), (0, b"caff", "caf"), (0, b"NIST_1A", "nist"), (0, b"OggS", "ogg"),
    (0, b"fLaC", "flac"),
]  # fmt: skip
_FOREIGN = [
    (4, b"ftyp", "MP4 (M4A, AAC)"), (0, b"\x1a\x45\xdf\xa3", "Matroska (WebM)"),
    (0, b"\x30\x26\xb2\x75", "ASF (WMA)"), (0, b"#!AMR", "AMR"), (0, b"version https://git-lfs",
    "a pointer of Git LFS, not the clip (run `git lfs pull`)"), (0, b"ADIF", "AAC"),
    (0, b"<!DOCTYPE", "HTML"), (0, b"<html", "HTML"), (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "gzip"),
]  # fmt: skip
_TAG = 10  # bytes of an ID3v2 tag's own header


@dataclass(frozen=True)
class Encoded:
    """`base`: where the audio begins, behind ID3v2 tags; `kind`: the container, "" if unknown."""

    name: str
    size: int
    file: BinaryIO
    base: int = 0
    kind: str = ""
    path: Path | None = None

    def at(self, place: int, count: int) -> bytes:
        """So many bytes from there, or as many as there are."""
        if place < 0 or count <= 0 or place >= self.size:
            return b""
        self.file.seek(place)
        return self.file.read(count)

    def held(self, first: int = 0, last: int | None = None) -> bytes:
        """A stretch of it in memory. Raises: AudioError where that is beyond the bound."""
        end = self.size if last is None else last
        if end - first > limits.HELD_BYTES:
            raise AudioError(
                f"{self.name} is {(end - first) / limits.MEGABYTE:.0f} MB; a clip of its kind is "
                f"read up to {limits.HELD_BYTES // limits.MEGABYTE} MB. Cut it, or make it a WAV."
            )
        return self.at(first, end - first)


@contextmanager
def encoded(audio: Path | bytes) -> Iterator[Encoded]:
    """The clip opened. Raises: AudioError where it is missing, or no kind of audio that is read."""
    if isinstance(audio, bytes):
        yield _known(f"a clip of {len(audio)} bytes", len(audio), io.BytesIO(audio))
        return
    # not the whole path: the text becomes an error row, which is read on other machines
    name = audio.name
    try:
        there = audio.is_file()
    except (OSError, ValueError):  # a name that no file can have
        there = False
    if not there:
        raise AudioError(f"{name} is missing.")
    try:
        with audio.open("rb") as file:
            yield replace(_known(name, audio.stat().st_size, file), path=audio)
    except OSError as error:
        raise AudioError(f"{name} cannot be read: {error.strerror or error}.") from error


def tag_bytes(head: bytes) -> int:
    """Length of the ID3v2 tag that begins here, with its header (and footer); 0 for none."""
    if head[:3] != b"ID3" or len(head) < _TAG:
        return 0
    size = sum((byte & 0x7F) << 7 * (3 - i) for i, byte in enumerate(head[6:10]))
    return _TAG + size + (_TAG if head[5] & 0x10 else 0)


def _known(name: str, size: int, file: BinaryIO) -> Encoded:
    clip, base = Encoded(name, size, file), 0
    while (tag := tag_bytes(clip.at(base, _TAG))) and base + tag <= size:
        base += tag
    head = clip.at(base, 32)
    kind = next((kind for at, mark, kind in _KINDS if head[at : at + len(mark)] == mark), "")
    for at, mark, what in _FOREIGN:
        if head[at : at + len(mark)] == mark:
            raise AudioError(f"{name} cannot be read as audio: it is {what}. WAV or FLAC is read.")
    if not kind and (base or _sync(head) or not head.strip(b"\0")):
        kind = "mp3"
    return Encoded(name, size, file, base, kind)


def _sync(head: bytes) -> bool:
    return len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0
