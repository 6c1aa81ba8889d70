"""FLAC: what its header counts, and where its last frame ends (RFC 9639)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.speech.audio.encoded import Encoded
from harness.speech.audio.told import Hearing, cut_short

_BEGINNING = b"fLaC"
_STREAMINFO = 34  # bytes; it is the first block
_TAIL = 1 << 20  # the last frame lies in it: 65,535 samples of 16 bytes
_LEAST_TAIL = 1 << 15  # where it nearly always does
_TAG = 128  # an ID3v1 tag at the end
_SIZES = {
    1: 192,
    **{n: 576 << n - 2 for n in range(2, 6)},
    **{n: 256 << n - 8 for n in range(8, 16)},
}
_ROUNDING = 1.001  # a header that counts what it holds


def _table(polynomial: int, bits: int) -> list[int]:
    top, mask = 1 << bits - 1, (1 << bits) - 1
    out = []
    for byte in range(256):
        value = byte << bits - 8
        for _ in range(8):
            value = (value << 1) ^ polynomial if value & top else value << 1
        out.append(value & mask)
    return out


_CRC8, _CRC16 = _table(0x07, 8), _table(0x8005, 16)


@dataclass(frozen=True)
class _Header:
    least_block: int
    most_block: int
    samples: int  # 0: not told
    first_bits: int  # the four bits that share a byte with the count


def check(clip: Encoded) -> Hearing:
    """What is wrong with it; the count of its samples where the header has none."""
    info = clip.at(clip.base, 8 + _STREAMINFO)
    if len(info) < 8 + _STREAMINFO or info[4] & 0x7F:
        return Hearing()  # no FLAC: opening it will say so
    header = _header(info[8:])
    end = _end(clip, header)
    if not header.samples:
        if end is None:
            return cut_short("it does not end with a whole FLAC frame")
        count = end.to_bytes(5, "big")
        first = bytes([header.first_bits << 4 | count[0]])
        return Hearing(patches={clip.base + 21: first + count[1:]})
    if end is not None and end > header.samples * _ROUNDING:
        return Hearing(
            f"counts {header.samples} samples in its header and has {end}: the rest would not be "
            "heard. Write it again."
        )
    if _second(clip):
        return Hearing(
            "is two files one behind the other, of which the first alone would be heard."
        )
    return Hearing()


def _header(info: bytes) -> _Header:
    least, most = (int.from_bytes(info[k : k + 2], "big") for k in (0, 2))
    return _Header(least, most, int.from_bytes(info[13:18], "big") & (1 << 36) - 1, info[13] >> 4)


def _second(clip: Encoded) -> bool:
    """Whether a second beginning stands somewhere behind the first."""
    at, mark = clip.base + 4, (_BEGINNING + b"\0\0\0\x22", _BEGINNING + b"\x80\0\0\x22")
    while part := clip.at(at, _TAIL):
        if any(one in part for one in mark):
            return True
        at += max(len(part) - 7, 1) if len(part) == _TAIL else len(part)
    return False


def _end(clip: Encoded, header: _Header) -> int | None:
    """Number of the sample behind the last frame; None where the clip does not end with one."""
    stop = clip.size - (_TAG if clip.at(clip.size - _TAG, 3) == b"TAG" else 0)
    for reach in (_LEAST_TAIL, _TAIL):
        first = max(clip.base, stop - reach)
        tail = clip.at(first, stop - first)
        for at in _syncs(tail):
            end = _frame_end(tail[at : at + 16], header)
            if end is not None and not _crc16(tail[at:]):
                return end
    return None


def _syncs(tail: bytes) -> Iterator[int]:
    """Places of what may be a frame's beginning, the last one first."""
    at = len(tail)
    while (at := tail.rfind(b"\xff", 0, at)) >= 0:
        if tail[at + 1 : at + 2] in (b"\xf8", b"\xf9"):
            yield at


def _frame_end(head: bytes, header: _Header) -> int | None:
    """Number of the sample behind the frame that begins so; None where it is no frame."""
    if len(head) < 6 or head[3] & 1 or head[2] >> 4 == 0 or head[2] & 15 == 15:
        return None
    number, at = _number(head)
    kind, rate = head[2] >> 4, head[2] & 15
    size = _SIZES.get(kind)
    if kind in (6, 7):
        size = int.from_bytes(head[at : at + kind - 5], "big") + 1
        at += kind - 5
    at += {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if size is None or number is None or at >= len(head) or _crc8(head[:at]) != head[at]:
        return None
    return (number if head[1] & 1 else number * header.most_block) + size


def _number(head: bytes) -> tuple[int | None, int]:
    """The frame's or sample's number, written as UTF-8 writes its own, and the place behind it."""
    lead, at = head[4], 5
    if lead < 0x80:
        return lead, at
    ones = next((n for n in range(8) if not lead & 0x80 >> n), 8)
    more = ones - 1
    if not 1 <= more <= 6:
        return None, at
    value = lead & (0x7F >> ones)
    for byte in head[at : at + more]:
        value = value << 6 | byte & 0x3F
    return value, at + more


def _crc8(content: bytes) -> int:
    value = 0
    for byte in content:
        value = _CRC8[value ^ byte]
    return value


def _crc16(content: bytes) -> int:
    value = 0
    for byte in content:
        value = (value << 8 & 0xFF00) ^ _CRC16[value >> 8 ^ byte]
    return value
