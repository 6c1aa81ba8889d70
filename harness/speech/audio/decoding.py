"""A clip decoded block by block: within bounds, to its end, into one channel at one rate."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import AudioError, limits
from harness.speech.audio import chunks, flac, mpeg, ogg
from harness.speech.audio.encoded import Encoded, encoded
from harness.speech.audio.mixing import LOUDEST, Channels
from harness.speech.audio.told import Hearing

if TYPE_CHECKING:
    import soundfile

SHORTEST_SECONDS = 0.01  # one frame of any recogniser's features
_BLOCK = 1 << 18  # samples over all channels: 1 MB
_NO_COUNT = 1 << 62  # what libsndfile tells where it cannot know
_EXACT = ("PCM_", "FLOAT", "DOUBLE", "ULAW", "ALAW")  # one can seek in them to the sample
_CHECKS: Mapping[str, Callable[[Encoded], Hearing]] = {
    **dict.fromkeys(("wav", "w64", "iff", "au", "caf", "nist"), chunks.check),
    "ogg": ogg.check, "flac": flac.check, "mp3": mpeg.check,
}  # fmt: skip
# what libsndfile reads beside those, and reads half of as if it was all
_UNCHECKED = frozenset(("VOC", "IRCAM", "PAF", "MAT4", "MAT5", "PVF", "XI", "SDS", "AVR", "MPC2K",
                        "WVE", "SD2", "RAW"))  # fmt: skip
Part = tuple[float, float]  # from and to, in seconds of the file; to infinity: to its end


@dataclass(frozen=True)
class Heard:
    """float32 mono samples, shape (samples,), at the wanted rate, and what they were made of."""

    samples: np.ndarray
    source_rate: int
    channels: int
    note: str = ""  # what was done that nobody asked for


def hear(audio: Path | bytes, rate: int, part: Part | None = None, told: float = math.nan) -> Heard:
    """The clip, or a part of it, at `rate` Hz.

    `told`: how long the whole clip is by whoever lists it; NaN: unknown.

    Raises: AudioError (one line that names the clip) where it is missing, is cut short or damaged,
    has another length than told, is beyond a bound, holds no samples or one that is no number.
    """
    with encoded(audio) as clip:
        found = _checked(clip)
        walk = _Walk(clip, found, _reach(part))
        channels = Channels()
        mono = _joined([channels.mixed(block) for block in walk.blocks()])
        _usable(clip.name, mono, walk)
        _as_told(clip.name, walk.end, part, told)
        note = ""
        if (alone := channels.alone()) is not None:
            mono = _joined([block[:, alone].copy() for block in walk.blocks()])
            note = f"channels_cancel channel={alone + 1}"  # as contracts/notes.py has it
    if part is not None and math.isinf(walk.end):  # there is more than the part's end
        mono = mono[: _frame(part[1], walk.rate) - _frame(part[0], walk.rate)]
    return Heard(_resample(mono, walk.rate, rate), walk.rate, walk.channels, note)


def _checked(clip: Encoded) -> Hearing:
    """Raises: AudioError for what its container shows to be no whole clip."""
    found = _CHECKS[clip.kind](clip) if clip.kind in _CHECKS else Hearing()
    if found.problem:
        raise AudioError(f"{clip.name} {found.problem}")
    return found


def glimpse(audio: Path | bytes, part: Part | None, seconds: float) -> tuple[np.ndarray, int]:
    """The first seconds of a clip (or a part of it), mono, and the rate that they are at: its own.

    Raises: AudioError.
    """
    start, stop = part or (0.0, math.inf)
    with encoded(audio) as clip:
        found = _checked(clip)
        walk, channels = _Walk(clip, found, (start, min(stop, start + seconds))), Channels()
        return _joined([channels.mixed(block) for block in walk.blocks()]), walk.rate


def duration_seconds(audio: Path | bytes) -> float:
    """Length of the clip by its header; NaN where that does not tell. Raises: AudioError."""
    with encoded(audio) as clip:
        walk, total = _Walk(clip, _checked(clip), (0.0, math.inf)), 0.0
        for file, count in walk.headers():
            total += math.nan if count is None else count / file.samplerate
        return total


def _reach(part: Part | None) -> Part:
    """What is read for a part: of one that begins with the file, so much more that it shows whether
    the file ends there too. Then it is all of it, and its end a length that somebody rounded."""
    if part is None:
        return 0.0, math.inf
    start, stop = part
    return (start, min(stop + max(0.5, stop / 99), stop / 0.75)) if not start else (start, stop)


def same_seconds(seconds: float) -> float:
    """By how much a length that somebody wrote down may differ from what is there: half a second
    (rounded, or counted in an encoder's frames) or 1 % of it, and a quarter of it at most."""
    return min(max(0.5, 0.01 * seconds), 0.25 * seconds)


class _Bytes(io.BytesIO):
    """A clip in memory, of which libsndfile may seek what is not there: it stays where it is, since
    an exception in its callback would be printed and no more."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        try:
            return super().seek(offset, whence)
        except (ValueError, OverflowError):
            return self.tell()


class _Walk:
    """The blocks of a clip within a part of it; after a walk, what the clip turned out to be."""

    def __init__(self, clip: Encoded, found: Hearing, part: Part) -> None:
        self._clip, self._found, self._part = clip, found, part
        self.rate = self.channels = 0
        self.end = math.inf  # seconds of the whole clip, where the walk came to its end

    def blocks(self) -> Iterator[np.ndarray]:
        """Shape (samples, channels). Raises: AudioError."""
        self.rate = self.channels = place = kept = 0
        for file in self._files():
            with file:
                self._bounded(file)
                first, last = (_frame(at, self.rate) for at in self._part)
                place = self._sought(file, place, first)
                for block in self._read(file):
                    wanted = block[max(first - place, 0) : max(last - place, 0)]
                    place += len(block)
                    kept += len(wanted)
                    self._within(kept, self.rate, place - kept)
                    if len(wanted):
                        yield wanted
                    if place >= last:
                        return
        self.end = place / self.rate if self.rate else 0.0

    def headers(self) -> Iterator[tuple[soundfile.SoundFile, int | None]]:
        """Each piece, opened, and its frames by the header. Raises: AudioError."""
        for file in self._files():
            with file:
                yield file, self._count(file)

    def _files(self) -> Iterator[soundfile.SoundFile]:
        clip, found = self._clip, self._found
        for piece in found.pieces:
            yield self._opened(_Bytes(piece.before + clip.held(piece.first, piece.last)))
        if found.pieces:
            return
        if found.patches is None and not clip.base and clip.path:
            yield self._opened(str(clip.path))
            return
        content = bytearray(clip.held())
        for at, patch in (found.patches or {}).items():
            content[at : at + len(patch)] = patch
        yield self._opened(_Bytes(content[clip.base :]))

    def _opened(self, source: str | _Bytes) -> soundfile.SoundFile:
        import soundfile

        try:
            return soundfile.SoundFile(source)
        except (soundfile.LibsndfileError, OSError, ValueError, TypeError) as error:
            raise AudioError(f"{self._clip.name} cannot be read as audio.") from error

    def _bounded(self, file: soundfile.SoundFile) -> None:
        """Raises: AudioError where the header is beyond a bound, before anything is decoded, or the
        container is one whose end nobody checks: half of it would be heard as all of it."""
        if file.format in _UNCHECKED:
            raise AudioError(
                f"{self._clip.name} is {file.format}, which does not show whether it is whole. WAV "
                "or FLAC is read."
            )
        name, rate, channels = self._clip.name, int(file.samplerate), int(file.channels)
        if not limits.LOWEST_RATE <= rate <= limits.HIGHEST_RATE:
            raise AudioError(
                f"{name} has {rate} samples a second by its header; {limits.LOWEST_RATE} to "
                f"{limits.HIGHEST_RATE} are read."
            )
        if channels > limits.CLIP_CHANNELS:
            raise AudioError(
                f"{name} has {channels} channels by its header; {limits.CLIP_CHANNELS} are read."
            )
        if self.rate and (rate, channels) != (self.rate, self.channels):
            raise AudioError(f"{name} is made of streams of several rates or channels; split it.")
        self.rate, self.channels = rate, channels
        if (count := self._count(file)) is not None:
            first, last = (_frame(at, rate) for at in self._part)
            self._within(min(count, last) - first, rate, 0)

    def _within(self, kept: int, rate: int, skipped: int) -> None:
        """Raises: AudioError where more is decoded than a bound allows."""
        most = min(int(limits.CLIP_SECONDS * rate), limits.CLIP_SAMPLES)
        if kept > most or skipped > limits.SKIPPED_SAMPLES:
            raise AudioError(
                f"{self._clip.name} is too long: {kept} samples or more, {most / rate:.0f} s at "
                f"{rate} Hz are heard at most. Cut it, or name a part of it."
            )

    def _count(self, file: soundfile.SoundFile) -> int | None:
        """How many frames there are by the header; None where it cannot tell."""
        frames = int(file.frames)
        return frames if self._found.exact and 0 <= frames < _NO_COUNT else None

    def _sought(self, file: soundfile.SoundFile, place: int, first: int) -> int:
        """Goes to where the part begins, where that is exact; the place that this is."""
        import soundfile

        count = self._count(file)
        exact = file.seekable() and file.subtype.startswith(_EXACT) and not self._found.pieces
        if not (first > 0 and exact and count):
            return place
        try:
            return int(file.seek(min(first, count)))
        except soundfile.LibsndfileError as error:
            raise AudioError(f"{self._clip.name} is damaged: no place in it is found.") from error

    def _read(self, file: soundfile.SoundFile) -> Iterator[np.ndarray]:
        """What is left of the file. Raises: AudioError where that ends before its end."""
        import soundfile

        name, count = self._clip.name, self._count(file)
        done, size = file.tell() if file.seekable() else 0, max(1, _BLOCK // file.channels)
        while True:
            try:
                block: np.ndarray = file.read(size, dtype="float32", always_2d=True)
            except (soundfile.LibsndfileError, OSError) as error:
                raise AudioError(f"{name} is damaged: it cannot be decoded to its end.") from error
            if not len(block):
                break
            _sound(name, block)
            done += len(block)
            yield block
        if count is not None and done < count:
            raise AudioError(f"{name} is damaged: {done} of {count} samples can be decoded.")


def _frame(seconds: float, rate: int) -> int:
    return round(seconds * rate) if seconds < _NO_COUNT / rate else _NO_COUNT


def _sound(name: str, block: np.ndarray) -> None:
    """Raises: AudioError where a sample is none."""
    peak = max(abs(float(block.max())), abs(float(block.min())))  # NaN stays NaN
    if not math.isfinite(peak):
        raise AudioError(f"{name} holds a sample that is not a number.")
    if peak > LOUDEST:
        raise AudioError(
            f"{name} holds a sample of {peak:.3g}; audio lies between -1 and 1. Are they integers "
            "written as floats?"
        )


def _usable(name: str, mono: np.ndarray, walk: _Walk) -> None:
    if not mono.size and walk.end == 0:
        raise AudioError(f"{name} holds no samples.")
    if mono.size and mono.size < SHORTEST_SECONDS * walk.rate:
        raise AudioError(
            f"{name} holds {mono.size} samples, {1000 * mono.size / walk.rate:.3g} ms: too short "
            "to be heard."
        )


def _as_told(name: str, end: float, part: Part | None, told: float) -> None:
    """Raises: AudioError where the clip is not as long as its row says."""
    if part is not None:
        stop = part[0] if math.isinf(part[1]) else part[1]
        if part[0] >= end or stop - end > same_seconds(end):
            to = "its end" if math.isinf(part[1]) else f"{part[1]:g} s"
            raise AudioError(f"{name} lasts {end:.4g} s; its row names {part[0]:g} s to {to}.")
        return
    if math.isfinite(told) and abs(told - end) > same_seconds(end):
        raise AudioError(
            f"{name} lasts {end:.4g} s, not {told:.4g} s as its row says. If the row means a part "
            "of it, give an offset too; otherwise mend the length (it is in seconds)."
        )


def _joined(blocks: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def _resample(samples: np.ndarray, found: int, rate: int) -> np.ndarray:
    if found == rate or not samples.size:
        return samples
    from scipy import signal

    common = math.gcd(found, rate)
    out: np.ndarray = signal.resample_poly(samples, rate // common, found // common)
    return out.astype(np.float32, copy=False)
