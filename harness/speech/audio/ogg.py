"""Ogg (Vorbis, Opus, FLAC): its pages, which say where a stream begins and ends (RFC 3533)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.speech.audio.encoded import Encoded
from harness.speech.audio.told import SLACK_BYTES, Hearing, Stretch, cut_short

_CAPTURE, _HEADER = b"OggS", 27
_FIRST, _LAST = 2, 4  # flags of a page: its stream begins, its stream ends
_SEARCHED = 1 << 16  # a page has 65,307 bytes at most


@dataclass(frozen=True)
class _Page:
    at: int
    size: int
    flags: int
    serial: int
    number: int


def check(clip: Encoded) -> Hearing:
    """What is wrong with it; the chained streams in it are pieces of one clip."""
    open_streams: dict[int, int] = {}  # serial number -> number of its last page
    starts: list[int] = []
    end = clip.base
    for page in _pages(clip):
        if page.at - end > SLACK_BYTES:
            return Hearing(f"is damaged: {page.at - end} bytes in its middle are no Ogg page.")
        end = page.at + page.size
        if end > clip.size:
            return cut_short(f"its last Ogg page lacks {end - clip.size} bytes")
        if page.flags & _FIRST:
            starts += [] if open_streams else [page.at]
        elif page.number != open_streams.get(page.serial, page.number - 1) + 1:
            return Hearing("is damaged: Ogg pages are missing in its middle.")
        open_streams[page.serial] = page.number
        if page.flags & _LAST:
            del open_streams[page.serial]
    if open_streams:
        return cut_short("its Ogg stream has no last page")
    stops = [*starts[1:], end]
    return Hearing(pieces=tuple(map(Stretch, starts, stops)) if len(starts) > 1 else ())


def _pages(clip: Encoded) -> Iterator[_Page]:
    """Each page, the last of which may reach beyond the end; what lies between them is left out."""
    at = clip.base
    while at < clip.size:
        head = clip.at(at, _HEADER + 255)
        if head[:4] != _CAPTURE:
            found = clip.at(at + 1, _SEARCHED).find(_CAPTURE)
            at += 1 + found if found >= 0 else _SEARCHED - 3
            continue
        segments = head[26] if len(head) >= _HEADER else 0
        size = _HEADER + segments + sum(head[_HEADER : _HEADER + segments])
        if len(head) < _HEADER + segments:
            size = max(size, _HEADER + 1)  # its own header is cut
        serial, number = (int.from_bytes(head[k : k + 4], "little") for k in (14, 18))
        yield _Page(at, size, head[5] if len(head) > 5 else 0, serial, number)
        at += size
