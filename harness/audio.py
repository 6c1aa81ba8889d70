"""Encoded clips -> float32 mono samples at one rate, and real speech cut to exact lengths."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import AudioError

if TYPE_CHECKING:
    import soundfile

Clip = tuple[str, np.ndarray]  # (id, samples)

# 20 * log10(1e-4) = -80 dB of full scale: under the noise of any room and of 16 bit with dither.
SILENCE = 1e-4
_LONGEST_TAG = 1 << 20  # of what stands before an MP3's first frame
_FIRST_FRAME = 64  # the name stands at byte 36 of the first frame, or before


def decode(audio: Path | bytes, rate: int) -> np.ndarray:
    """The clip as float32 mono samples, shape (samples,), at `rate` Hz; channels are averaged.

    Decoded by libsndfile (WAV, FLAC, MP3, Ogg ...), resampled by scipy's polyphase filter.

    Silence is a clip like any other. An MP3 frame whose header is broken makes the decoder leave
    it out; the transcript is of the whole clip, so that the clip counts as damaged.

    Raises: AudioError (one line that names the clip) where it is missing, cannot be read to its
    end, holds no samples or a sample that is not a number.
    """
    with _opened(audio) as file:
        samples = _read(file, _name(audio))
        found = int(file.samplerate)
        if len(samples) < file.frames and _announces(audio, file.format):
            raise AudioError(
                f"{_name(audio)} is damaged: {len(samples)} of {file.frames} samples can be "
                "decoded."
            )
    mono = samples.mean(axis=1, dtype=np.float32)
    if not mono.size:
        raise AudioError(f"{_name(audio)} holds no samples.")
    if not np.isfinite(mono).all():
        raise AudioError(f"{_name(audio)} holds a sample that is not a number.")
    return _resample(mono, found, rate)


def is_silent(samples: np.ndarray) -> bool:
    """Whether no sample is louder than -80 dB of full scale."""
    return not samples.size or float(np.abs(samples).max()) <= SILENCE


def duration_seconds(audio: Path | bytes) -> float:
    """Length of the clip by its header, in seconds. Raises: AudioError."""
    with _opened(audio) as file:
        return float(file.frames / file.samplerate)


def cut(samples: np.ndarray, rate: int, seconds: float) -> np.ndarray:
    """The first `seconds` of the samples, exactly. Raises: AudioError where there are fewer."""
    wanted = round(seconds * rate)
    if len(samples) < wanted:
        raise AudioError(f"{len(samples) / rate:.1f} s of audio cannot be cut to {seconds:g} s.")
    return samples[:wanted]


def lengths(clips: Iterable[Clip], seconds: float, rate: int, count: int) -> list[Clip]:
    """`count` pieces of real speech of exactly `seconds`, each from another clip where possible.

    A clip that is long enough gives its beginning. Where there are too few of those, the shorter
    clips are joined one after the other, and the id says so ("a+b+c"); the walk over them goes on
    from piece to piece, so that pieces differ as long as the speech lasts.

    Raises: AudioError where all clips together are shorter than `seconds`.
    """
    wanted = max(1, round(seconds * rate))
    out: list[Clip] = []
    short: list[Clip] = []
    kept = 0
    for name, samples in clips:
        if len(samples) >= wanted:
            out.append((name, samples[:wanted]))
        elif kept < wanted * count:  # no more than could be joined
            short.append((name, samples))
            kept += len(samples)
        if len(out) == count:
            return out
    if kept < wanted and not out:
        raise AudioError(f"there are only {kept / rate:.1f} s of speech; {seconds:g} s are needed.")
    pieces = min(count - len(out), math.ceil(count * kept / wanted)) if kept >= wanted else 0
    return out + _joined(short, wanted, pieces)


def _joined(clips: list[Clip], wanted: int, count: int) -> list[Clip]:
    """Pieces of `wanted` samples, each made of whole clips in a row but for the last one's end."""
    out, place = [], 0
    for _ in range(count):
        names: list[str] = []
        parts: list[np.ndarray] = []
        missing = wanted
        while missing > 0:
            name, samples = clips[place % len(clips)]
            names.append(name)
            parts.append(samples[:missing])
            missing -= len(parts[-1])
            place += 1
        out.append(("+".join(names), np.concatenate(parts)))
    return out


def _name(audio: Path | bytes) -> str:
    # not the whole path: the text becomes an error row, which is read on other machines
    return audio.name if isinstance(audio, Path) else f"a clip of {len(audio)} bytes"


def _opened(audio: Path | bytes) -> soundfile.SoundFile:
    import soundfile

    if isinstance(audio, Path) and not audio.is_file():
        raise AudioError(f"{audio.name} is missing.")
    try:
        return soundfile.SoundFile(io.BytesIO(audio) if isinstance(audio, bytes) else str(audio))
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioError(f"{_name(audio)} cannot be read as audio.") from error


def _read(file: soundfile.SoundFile, name: str) -> np.ndarray:
    import soundfile

    try:
        samples: np.ndarray = file.read(dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise AudioError(f"{name} is damaged: it cannot be decoded to its end.") from error
    return samples


def _announces(audio: Path | bytes, kind: str) -> bool:
    """Whether the header states the length; for an MP3 without a Xing frame it is a guess."""
    if kind != "MP3":
        return True
    head = audio[:_LONGEST_TAG] if isinstance(audio, bytes) else _head(audio)
    start = 0
    if head[:3] == b"ID3":  # four bytes of seven bits
        start = 10 + sum(byte << 7 * (3 - i) for i, byte in enumerate(head[6:10]))
    return any(name in head[start : start + _FIRST_FRAME] for name in (b"Xing", b"Info"))


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_LONGEST_TAG)


def _resample(samples: np.ndarray, found: int, rate: int) -> np.ndarray:
    if found == rate:
        return samples
    from scipy import signal

    common = math.gcd(found, rate)
    out: np.ndarray = signal.resample_poly(samples, rate // common, found // common)
    return out.astype(np.float32, copy=False)
