"""Up to which frequency a clip has sound: a telephone's 3.4 kHz in a file of 16 kHz shows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from harness.errors import AudioError
from harness.speech.audio.decoding import Part, glimpse

FLOOR_DB = -50.0  # below the loudest band: fricatives lie above it, a resampler's images below
BAND_HZ = 100.0
LONGEST_SECONDS = 30.0  # looked at, of each clip
SAMPLED = 20  # clips of a data set that are looked at for their rate and bandwidth
NARROW = 0.6  # of what the model can hear: 4 kHz of 8 are, an MP3's low-pass at 7 is not
_FRAME_SECONDS = 0.032
_FRAMES = 256  # at once: 1 MB


@dataclass(frozen=True)
class Sound:
    """What a sample of a data set's clips is like: Hz of the files -> how many clips, and the
    median over the clips of the highest frequency with sound, NaN where none could be read."""

    rates: dict[int, int]
    bandwidth_hz: float


class Listed(Protocol):
    """An utterance as a data set lists it."""

    @property
    def audio(self) -> Path | bytes | None: ...
    @property
    def part(self) -> Part | None: ...
    @property
    def error(self) -> str: ...


def bandwidth_hz(samples: np.ndarray, rate: int) -> float:
    """The upper end of the highest band of 100 Hz whose loudest frame is no more than 50 dB below
    that of the loudest band; NaN for silence. Frames of 32 ms, Hann window, halves overlapping."""
    size = max(16, round(_FRAME_SECONDS * rate))
    bands = math.ceil(rate / 2 / BAND_HZ)
    loudest = np.zeros(bands)
    window = np.hanning(size)
    band = np.minimum(np.fft.rfftfreq(size, 1 / rate) // BAND_HZ, bands - 1).astype(int)
    edges = np.flatnonzero(np.diff(band, prepend=-1))
    padded = np.pad(samples, (0, max(size - len(samples), 0)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[:: size // 2]
    for first in range(0, len(frames), _FRAMES):
        power = np.abs(np.fft.rfft(frames[first : first + _FRAMES] * window)) ** 2
        loudest[band[edges]] = np.maximum(
            loudest[band[edges]], np.add.reduceat(power, edges, axis=1).max(axis=0)
        )
    if loudest.max() <= 0:
        return math.nan
    heard = np.flatnonzero(loudest >= loudest.max() * 10 ** (FLOOR_DB / 10))
    return float(min((heard[-1] + 1) * BAND_HZ, rate / 2))


def sound(clips: Iterable[tuple[Path | bytes, Part | None]]) -> Sound:
    """Of these clips; those that cannot be read are left out, they have rows of their own."""
    rates: Counter[int] = Counter()
    found: list[float] = []
    for audio, part in clips:
        try:
            samples, rate = glimpse(audio, part, LONGEST_SECONDS)
        except AudioError:
            continue
        rates[rate] += 1
        found.append(bandwidth_hz(samples, rate))
    known = [hz for hz in found if math.isfinite(hz)]
    return Sound(dict(sorted(rates.items())), float(np.median(known)) if known else math.nan)


def sound_of(listed: Sequence[Listed]) -> Sound:
    """Of SAMPLED clips that lie evenly over a data set."""
    total = len(listed)
    places = sorted({at * total // SAMPLED for at in range(SAMPLED)}) if total else []
    found = (listed[at] for at in places)
    usable = ((one.audio, one.part) for one in found if not one.error)
    return sound((clip, part) for clip, part in usable if clip is not None)


def narrow(found: Sound, rate: int) -> str:
    """That the clips lack the upper part of what a model at `rate` Hz can hear; "" if not."""
    most = rate / 2
    if not found.bandwidth_hz < NARROW * most:
        return ""
    return (
        f"its clips have sound up to {found.bandwidth_hz / 1000:.1f} kHz (median of "
        f"{sum(found.rates.values())}); the model hears up to {most / 1000:g} kHz. Telephone "
        "speech says little of a wide band, and the other way round"
    )
