"""MP3: its frames one by one (ISO 11172-3, 13818-3), and what a Xing, Info or VBRI frame counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.errors import limits
from harness.speech.audio.encoded import Encoded, tag_bytes
from harness.speech.audio.told import SLACK_BYTES, Hearing, Stretch, cut_short

_BITRATES = {  # kbit/s by (MPEG 1?, layer)
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_SAMPLES = {(True, 1): 384, (True, 2): 1152, (True, 3): 1152,
            (False, 1): 384, (False, 2): 1152, (False, 3): 576}  # fmt: skip
_SEARCHED = 1 << 16
_MIDDLE = 9  # the bitrate that makes a frame large enough for a count
# before an MP3 in memory: without a tag, libsndfile first asks for a file `._name` beside it
_NO_TAG = b"ID3\x03\0\0\0\0\0\x0a" + bytes(10)
_ID3V1 = 128  # bytes
_HEAD = 200  # of a frame, in which a count of frames stands


@dataclass(frozen=True)
class _Frame:
    """`same`: what all frames of a stream have in common; `size` 0: of free format, untold."""

    same: tuple[int, int, int]  # version, layer, rate
    size: int
    samples: int


@dataclass
class _Stream:
    """A file of its own in the clip; `told`: how many frames its first one counts, -1: none."""

    first: int
    told: int
    frames: int = 0


def check(clip: Encoded) -> Hearing:
    """What is wrong with it; files joined one behind the other are pieces of one clip."""
    walk = _Walk(clip)
    for at, frame in walk.frames():
        if not frame.size:
            return Hearing(exact=False)  # of free format: nothing tells where it ends
        walk.count(at, frame)
    if problem := walk.problem():
        return problem
    streams = walk.streams
    stops = [*(stream.first for stream in streams[1:]), clip.size]
    pieces = [
        Stretch(stream.first, stop, _NO_TAG + (b"" if stream.told > 0 else _counting(clip, stream)))
        for stream, stop in zip(streams, stops, strict=True)
    ]
    return Hearing(pieces=tuple(pieces), exact=all(stream.told > 0 for stream in streams))


def _counting(clip: Encoded, stream: _Stream) -> bytes:
    """An Info frame that counts the stream's frames: without one, libsndfile guesses by the first
    frame's size how long a clip is, and hears no more than that."""
    head = clip.at(stream.first, 4)
    first = bytes([0xFF, head[1] | 1, _MIDDLE << 4 | head[2] & 0x0C, head[3]])
    frame = _frame(first)
    if frame is None or frame.same[1] != 3:
        return b""
    count = b"Info\0\0\0\1" + stream.frames.to_bytes(4, "big")
    return (first + bytes(_side(first)) + count).ljust(frame.size, b"\0")


class _Walk:
    """One walk from frame to frame."""

    def __init__(self, clip: Encoded) -> None:
        self._clip = clip
        self.streams: list[_Stream] = []
        self._stray = self._missing = self._size = 0

    def frames(self) -> Iterator[tuple[int, _Frame]]:
        """(place, frame) of each; what lies between two of them is noted."""
        clip, same = self._clip, None
        at = _beginning(clip)
        while at < clip.size and not _is_tail(clip, at):
            frame = _frame(clip.at(at, 4))
            if frame and (same is None or frame.same == same or self._begins(at, frame)):
                same = frame.same
                yield at, frame
                self._missing, self._size = max(at + frame.size - clip.size, 0), frame.size
                at += frame.size
            elif tag := _tag(clip, at):
                at += tag
            else:
                found = _next(clip, at + 1, same)
                self._stray += 0 if found is None else found - at
                at = clip.size if found is None else found

    def _begins(self, at: int, frame: _Frame) -> bool:
        """Whether a stream of another kind begins there: the next frame is like this one."""
        after = _frame(self._clip.at(at + frame.size, 4))
        return after is not None and after.same == frame.same

    def count(self, at: int, frame: _Frame) -> None:
        told = _told(self._clip.at(at, _HEAD))
        if told is not None:
            self.streams.append(_Stream(at, told))
            return
        if not self.streams:
            self.streams.append(_Stream(at, -1))
        self.streams[-1].frames += 1

    def problem(self) -> Hearing | None:
        if not self.streams:
            return Hearing(exact=False)
        if self._missing:
            return cut_short(f"its last MP3 frame lacks {self._missing} of {self._size} bytes")
        if self._stray > SLACK_BYTES:
            return Hearing(f"is damaged: {self._stray} bytes in its middle are no MP3 frame.")
        for stream in self.streams:
            if stream.frames < stream.told - 1:  # some count the frame that counts
                return cut_short(
                    f"its header counts {stream.told} frames, there are {stream.frames}"
                )
            if 0 < stream.told < stream.frames - 1:
                return Hearing(
                    f"counts {stream.told} MP3 frames in its header and has {stream.frames}: the "
                    "rest would not be heard. Write it again."
                )
        return None


def _beginning(clip: Encoded) -> int:
    """Where the first frame lies: behind tags, and padding or what a recorder left."""
    if _frame(clip.at(clip.base, 4)):
        return clip.base
    found = _next(clip, clip.base, None, limits.TAG_BYTES)
    return clip.size if found is None else found


def _next(
    clip: Encoded, first: int, same: tuple[int, int, int] | None, reach: int | None = None
) -> int | None:
    """The next place where a frame begins and another like it follows (or the clip ends)."""
    at, end = first, min(clip.size, first + reach) if reach else clip.size
    while at < end:
        part = clip.at(at, _SEARCHED)
        for k in _syncs(part):
            frame = _frame(part[k : k + 4])
            if frame and (same is None or frame.same == same) and _followed(clip, at + k, frame):
                return at + k
        at += max(len(part) - 3, 1) if len(part) == _SEARCHED else len(part)
    return None


def _syncs(part: bytes) -> Iterator[int]:
    at = -1
    while (at := part.find(b"\xff", at + 1)) >= 0:
        yield at


def _followed(clip: Encoded, at: int, frame: _Frame) -> bool:
    if not frame.size:
        return False
    after = at + frame.size
    following = _frame(clip.at(after, 4))
    return (
        after == clip.size
        or _is_tail(clip, after)
        or bool(following and following.same == frame.same)
    )


def _frame(head: bytes) -> _Frame | None:
    """The frame that begins with these four bytes; None where none does."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    bits, rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 4 or bits == 15 or rate == 3:
        return None
    first = version == 3
    hertz, samples = _RATES[version][rate], _SAMPLES[first, layer]
    same = (version, layer, hertz)
    if not bits:
        return _Frame(same, 0, samples)
    slot = 4 if layer == 1 else 1
    bitrate = 1000 * _BITRATES[first, layer][bits - 1]
    size = (samples // 8 // slot * bitrate // hertz + (head[2] >> 1 & 1)) * slot
    return _Frame(same, size, samples)


def _told(head: bytes) -> int | None:
    """How many frames this first frame counts, -1 where it does not; None: it is sound."""
    side = _side(head)
    mark = head[4 + side : 8 + side]
    if mark in (b"Xing", b"Info"):
        flags, count = (int.from_bytes(head[k + side : k + side + 4], "big") for k in (8, 12))
        return count if flags & 1 else -1
    if head[36:40] == b"VBRI":
        return int.from_bytes(head[50:54], "big") or -1
    return None


def _side(head: bytes) -> int:
    """Bytes between a frame's header and its sound (layer III)."""
    mono, first = head[3] >> 6 == 3, head[1] >> 3 & 3 == 3
    return (17 if mono else 32) if first else (9 if mono else 17)


def _tag(clip: Encoded, at: int) -> int:
    """Length of the ID3 tag there, which another file may follow; 0 for none."""
    head = clip.at(at, 10)
    return _ID3V1 if head[:3] == b"TAG" else tag_bytes(head)


def _is_tail(clip: Encoded, at: int) -> bool:
    """Whether what is left is a tag, or padding."""
    head = clip.at(at, 32)
    if head.startswith(b"TAG"):
        return clip.size - at <= _ID3V1 + SLACK_BYTES
    if head.startswith((b"APETAGEX", b"LYRICSBEGIN", b"3DI")):
        return True
    if head.strip(b"\0"):
        return False
    return not any(part.strip(b"\0") for part in _rest(clip, at))


def _rest(clip: Encoded, at: int) -> Iterator[bytes]:
    while part := clip.at(at, _SEARCHED):
        yield part
        at += len(part)
