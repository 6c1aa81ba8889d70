"""Containers that say how many bytes of audio they hold: WAV, RF64, W64, AIFF, AU, CAF, SPHERE."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from harness.speech.audio.encoded import Encoded
from harness.speech.audio.told import SLACK_BYTES, Hearing, cut_short

Order = Literal["little", "big"]
# What writers to a pipe leave, who cannot come back to count: 0, -1, 2 GB less a header, 4 GB.
_UNTOLD = 0x7FFF_0000
_UNTOLD_64 = 1 << 60
_MOST_CHUNKS = 10_000  # of one file: a chain of chunks without content is no audio
_TAILS = (b"TAG", b"ID3", b"APETAGEX", b"LYRICSBEGIN", b"3DI")
_STRAY_BYTES = 8192  # behind the audio, of who knows what: a player's, a recorder's


@dataclass(frozen=True)
class _Data:
    """Where the audio lies, and how many bytes of it the header counts; None: it cannot tell.

    `count`: how the header would count what is there, as (place, bytes, order, bytes more).
    """

    first: int
    told: int | None
    count: tuple[int, int, Order, int] | None = None


@dataclass(frozen=True)
class _Chunks:
    """A chain of chunks: a name, a size, content, padding."""

    order: Order
    header: int  # bytes before the first chunk
    name: int = 4
    size: int = 4
    pad: int = 2
    whole: bool = False  # sizes count the chunk's own header (W64)


_WAVE, _WAVE_BIG = _Chunks("little", 12), _Chunks("big", 12)
_W64 = _Chunks("little", 40, name=16, size=8, pad=8, whole=True)
_CAF = _Chunks("big", 8, size=8, pad=1)


def check(clip: Encoded) -> Hearing:
    """What is wrong with a clip of such a container."""
    data = _FINDERS[clip.kind](clip)
    if data is None:
        return Hearing()
    there = max(clip.size - data.first, 0)
    if data.told is None:
        return Hearing(patches=_counted(data, there))
    if data.told - there > SLACK_BYTES:
        return cut_short(f"its header counts {data.told} bytes of audio, there are {there}")
    return _after(clip, data, there)


def _counted(data: _Data, there: int) -> Mapping[int, bytes] | None:
    """The header with the count of what is there, where libsndfile would not count by itself."""
    if data.count is None:
        return None
    place, width, order, more = data.count
    return {place: min(there + more, (1 << 8 * width) - 1).to_bytes(width, order)}


def _wav(clip: Encoded) -> _Data | None:
    mark = clip.at(clip.base, 4)
    chain = _WAVE_BIG if mark == b"RIFX" else _WAVE
    found = _walk(clip, chain, b"data")
    if found is None or found.told is None or mark not in (b"RF64", b"BW64"):
        return _piped(clip, found, chain)
    long = _walk(clip, chain, b"ds64")
    size = int.from_bytes(clip.at(long.first + 8, 8), "little") if long else 0
    if found.told < 0xFFFF_FFFF:
        return found
    if long and not 0 < size < _UNTOLD_64:
        return _Data(found.first, None, (long.first + 8, 8, "little", 0))
    return _Data(found.first, size if long else None)


def _piped(clip: Encoded, found: _Data | None, chain: _Chunks) -> _Data | None:
    """A size of 0, or of 2 GB and more, is that of a writer to a pipe."""
    if found is None or found.told is None:
        return found
    if found.told >= _UNTOLD:
        return _Data(found.first, None)
    if not found.told and not _chained(clip, found.first, chain):
        return _Data(found.first, None, (found.first - 4, 4, chain.order, 0))
    return found


def _w64(clip: Encoded) -> _Data | None:
    found = _walk(clip, _W64, b"data\xf3\xac\xd3\x11")
    if found is None or found.told is None or not 0 < found.told < _UNTOLD_64:
        return found and _Data(found.first, None)
    return found


def _iff(clip: Encoded) -> _Data | None:
    found = _walk(clip, _WAVE_BIG, b"SSND")
    if found and found.told is not None and found.told >= 8:  # an offset and a block size first
        skip = int.from_bytes(clip.at(found.first, 4), "big")
        found = _Data(found.first + 8 + skip, found.told - 8 - skip)
    found = found or _walk(clip, _WAVE_BIG, b"BODY")
    return _piped(clip, found, _WAVE_BIG)


def _au(clip: Encoded) -> _Data | None:
    order: Order = "big" if clip.at(clip.base, 4) == b".snd" else "little"
    first, told = (int.from_bytes(clip.at(clip.base + at, 4), order) for at in (4, 8))
    if 0 < told < _UNTOLD:
        return _Data(clip.base + first, told)
    return _Data(clip.base + first, None, (clip.base + 8, 4, order, 0))


def _caf(clip: Encoded) -> _Data | None:
    found = _walk(clip, _CAF, b"data")
    if found is None or found.told is None or not 4 < found.told < _UNTOLD_64:
        return found and _Data(found.first + 4, None, (found.first - 8, 8, "big", 4))
    return _Data(found.first + 4, found.told - 4)  # behind a count of edits


def _nist(clip: Encoded) -> _Data | None:
    lines = clip.at(clip.base, 4096).split(b"end_head")[0].split(b"\n")
    size = lines[1].strip() if len(lines) > 1 else b""
    words = [line.split() for line in lines]
    told = {line[0]: line[2] for line in words if len(line) == 3 and line[2].isdigit()}
    keys = (b"sample_count", b"sample_n_bytes", b"channel_count")
    coded = next((line[2] for line in words if line[:1] == [b"sample_coding"] and line[2:]), b"pcm")
    if not size.isdigit() or b"shorten" in coded or any(len(told.get(k, b"0")) > 12 for k in keys):
        return None
    count, width, channels = (int(told.get(key, b"1")) for key in keys)
    return _Data(clip.base + int(size), count * width * channels if keys[0] in told else None)


def _walk(clip: Encoded, chain: _Chunks, wanted: bytes) -> _Data | None:
    """The first chunk of that name."""
    at, head = clip.base + chain.header, chain.name + chain.size
    for _ in range(_MOST_CHUNKS):
        content = clip.at(at, head)
        if len(content) < head:
            return None
        size = int.from_bytes(content[chain.name :], chain.order) - (head if chain.whole else 0)
        if content.startswith(wanted):
            return _Data(at + head, size)
        if size < 0:
            return None
        at += head + size
        at += -(at - clip.base) % chain.pad
    return None


def _chained(clip: Encoded, at: int, chain: _Chunks = _WAVE) -> bool:
    """Whether chunks that end where the file does stand here, or nothing at all."""
    for _ in range(_MOST_CHUNKS):
        head = clip.at(at, 8)
        if not head.strip(b"\0"):
            return len(head) < 8 or not clip.at(at, _STRAY_BYTES).strip(b"\0")
        if not all(32 <= byte < 127 for byte in head[:4]):
            return False
        at += 8 + int.from_bytes(head[4:], chain.order)
        at += (at - clip.base) % 2
        if at >= clip.size:
            return at <= clip.size + 1
    return False


def _after(clip: Encoded, data: _Data, there: int) -> Hearing:
    """Of what stands behind the audio, what shows that there is more of it."""
    assert data.told is not None
    end = data.first + data.told
    joined = _joined(clip, end)
    if joined.problem or clip.kind not in ("wav", "iff", "au", "nist"):
        return joined
    chain = _WAVE_BIG if clip.kind == "iff" or clip.at(clip.base, 4) == b"RIFX" else _WAVE
    stray, rest = there - data.told, clip.at(end, _STRAY_BYTES + 1)
    known = any(rest[pad:].startswith(tail) for tail in _TAILS for pad in (0, 1))
    if stray <= _STRAY_BYTES or known or not rest.strip(b"\0"):
        return Hearing()
    padded = end + (end - clip.base) % 2
    if clip.kind in ("wav", "iff") and any(_chained(clip, at, chain) for at in (end, padded)):
        return Hearing()
    return Hearing(
        f"holds {there} bytes behind its header, which counts {data.told}: the rest would not be "
        "heard. Write it again."
    )


_BEGINNINGS: Mapping[str, bytes] = {
    "wav": b"RIFF", "w64": b"riff\x2e\x91\xcf\x11", "iff": b"FORM", "au": b".snd", "caf": b"caff",
    "nist": b"NIST_1A",
}  # fmt: skip


def _joined(clip: Encoded, at: int) -> Hearing:
    """Whether another file of the kind begins there, of which nothing would be heard."""
    begins = clip.at(clip.base, 4) if clip.kind in ("wav", "au") else _BEGINNINGS[clip.kind]
    if any(clip.at(at + pad, len(begins)) == begins for pad in (0, 1)):
        return Hearing(
            "is two files one behind the other, of which the first alone would be heard."
        )
    return Hearing()


_FINDERS: Mapping[str, Callable[[Encoded], _Data | None]] = {
    "wav": _wav, "w64": _w64, "iff": _iff, "au": _au, "caf": _caf, "nist": _nist,
}  # fmt: skip
