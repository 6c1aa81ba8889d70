"""Clips without speech, made by a seed: silence, noise, hum, clicks, tones. Whatever is said of
them is invented.

Nothing lies on disk: a clip is made when it is asked for, as 16-bit WAV at 16 kHz, and is the same
bytes each time. Its transcript is empty and its speaker is the kind of sound, so that an interval
over the clips is one over kinds of sound. Levels are of the root mean square against full scale.
Not among them: music, breath, traffic, people talking far away, on which recognisers invent more.
"""

from __future__ import annotations

import hashlib
import io
import wave
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, get_args, overload

import numpy as np
from annotated_types import Ge, Le, MinLen

from harness.contracts import Dataset, Locate, Source, Utterance, notes

RATE = 16_000
RECIPE = 1  # of how the sounds below are made: another number, another data set
Random = np.random.Generator
Kind = Literal[
    "silence", "white-60db", "white-40db", "white-20db", "pink-60db", "pink-40db", "pink-20db",
    "brown-60db", "brown-40db", "brown-20db", "hum", "clicks", "tone", "ringing",
]  # fmt: skip
Length = Annotated[float, Ge(0.1), Le(30)]


def _noise(slope: float, decibels: float) -> Callable[[int, Random], np.ndarray]:
    """Gaussian noise whose power falls with frequency to the power of `slope`, from 20 Hz on."""

    def make(size: int, random: Random) -> np.ndarray:
        samples = random.standard_normal(size)
        if slope:
            spectrum = np.fft.rfft(samples)
            frequency = np.maximum(np.fft.rfftfreq(size, 1 / RATE), 20.0)
            samples = np.fft.irfft(spectrum * frequency ** (-slope / 2), size)
        return _at(samples, decibels)

    return make


def _silence(size: int, random: Random) -> np.ndarray:
    """Digital silence."""
    return np.zeros(size)


def _hum(size: int, random: Random) -> np.ndarray:
    """Mains at 50 Hz with its next two harmonics."""
    parts = zip((50, 100, 150), (1.0, 0.5, 0.25), random.uniform(0, 2 * np.pi, 3), strict=True)
    time = np.arange(size) / RATE
    return _at(sum(a * np.sin(2 * np.pi * f * time + p) for f, a, p in parts), -30)


def _clicks(size: int, random: Random) -> np.ndarray:
    """About two a second, 2 ms each, at half of full scale."""
    samples = np.zeros(size)
    click = 0.5 * np.exp(-np.arange(32) / 8.0) * np.where(np.arange(32) % 2, -1.0, 1.0)
    for start in random.integers(0, max(1, size - 32), max(1, round(2 * size / RATE))):
        samples[start : start + 32] = click[: size - start]
    return samples


def _tone(size: int, random: Random) -> np.ndarray:
    """1 kHz, as in a test of a line."""
    return _at(np.sin(2 * np.pi * 1000 * np.arange(size) / RATE), -20)


def _ringing(size: int, random: Random) -> np.ndarray:
    """The Spanish ringing tone: 425 Hz, 1.5 s on and 3 s off (ITU-T E.180, supplement 2)."""
    time = np.arange(size) / RATE
    return np.where(time % 4.5 < 1.5, 0.14 * np.sin(2 * np.pi * 425 * time), 0.0)


def _at(samples: np.ndarray, decibels: float) -> np.ndarray:
    """The samples at that level."""
    level = float(np.sqrt(np.mean(samples**2)))
    return samples * (10 ** (decibels / 20) / level) if level > 0 else samples


SOUNDS: Mapping[str, Callable[[int, Random], np.ndarray]] = {
    "silence": _silence,
    **{
        f"{colour}{level}db": _noise(slope, level)
        for colour, slope in (("white", 0.0), ("pink", 1.0), ("brown", 2.0))
        for level in (-60, -40, -20)
    },
    "hum": _hum,
    "clicks": _clicks,
    "tone": _tone,
    "ringing": _ringing,
}


@dataclass(frozen=True)
class Params:
    sounds: Annotated[tuple[Kind, ...], MinLen(1)] = get_args(Kind)
    """Kinds of sound; noise by its colour and level (white-40db)."""
    seconds: Annotated[tuple[Length, ...], MinLen(1)] = (1.0, 2.0, 5.0, 10.0, 29.0)
    """Lengths: a clip of each kind and length."""
    seed: int = 0
    """Draws the noise; the experiment's `seed` when left out."""


def load(params: Params, locate: Locate) -> Dataset:
    """A clip of each kind and length, the lengths in turn."""
    sounds, lengths = dict.fromkeys(params.sounds), dict.fromkeys(params.seconds)
    clips = _Clips(tuple(sounds), tuple(lengths), params.seed)
    told = {
        "made": notes.written("by_seed"),
        "sounds": ", ".join(clips.sounds),
        "seconds": ", ".join(f"{seconds:g}" for seconds in clips.seconds),
        "seed": str(params.seed),
        "rows": str(len(clips)),
        "transcripts": "none",
    }
    return Dataset("no_speech", clips, clips.fingerprint(), told)


@dataclass(frozen=True)
class _Clips(Sequence[Utterance]):
    """The clips, each made when it is asked for."""

    sounds: tuple[str, ...]
    seconds: tuple[float, ...]
    seed: int

    def __len__(self) -> int:
        return len(self.sounds) * len(self.seconds)

    @overload
    def __getitem__(self, place: int) -> Utterance: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Utterance]: ...
    def __getitem__(self, place: int | slice) -> Utterance | Sequence[Utterance]:
        if isinstance(place, slice):
            return [self[one] for one in range(len(self))[place]]
        length, sound = divmod(range(len(self))[place], len(self.sounds))
        return self._clip(self.sounds[sound], self.seconds[length])

    def _clip(self, sound: str, seconds: float) -> Utterance:
        name = f"{sound}-{seconds:g}s"
        digest = hashlib.sha256(f"{self.seed} {name}".encode()).digest()
        random = np.random.default_rng(int.from_bytes(digest[:8], "big"))
        samples = SOUNDS[sound](round(seconds * RATE), random)
        return Utterance(name, _wav(samples), "", speaker=sound, seconds=seconds)

    def fingerprint(self) -> str:
        """SHA-256 over the ids, the seed and recipe, and the bytes of the first length's clips: a
        library that draws other numbers makes other data."""
        digest = hashlib.sha256(f"{RECIPE} {self.seed} {self.seconds}".encode())
        for clip in self[: len(self.sounds)]:
            assert isinstance(clip.audio, bytes)
            digest.update(clip.id.encode() + hashlib.sha256(clip.audio).digest())
        return digest.hexdigest()


def _wav(samples: np.ndarray) -> bytes:
    whole = np.clip(np.rint(samples * 32767), -32768, 32767).astype("<i2")
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(whole.tobytes())
    return out.getvalue()


def look(params: Params, locate: Locate) -> float:
    """How many clips there will be."""
    return float(len(set(params.sounds)) * len(set(params.seconds)))


source = Source(Params, load, look=look)
