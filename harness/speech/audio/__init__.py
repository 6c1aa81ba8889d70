"""Encoded clips -> float32 mono samples at one rate, and real speech cut to exact lengths."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from harness.speech.audio.decoding import Heard, Part, duration_seconds, hear, same_seconds
from harness.speech.audio.lengths import Clip, cut, lengths
from harness.speech.audio.spectrum import Sound, bandwidth_hz, narrow, sound, sound_of

__all__ = [
    "Clip", "Heard", "Part", "Sound", "bandwidth_hz", "cut", "decode", "duration_seconds", "hear",
    "is_silent", "lengths", "narrow", "same_seconds", "sound", "sound_of",
]  # fmt: skip

# 20 * log10(1e-4) = -80 dB of full scale: under the noise of any room and of 16 bit with dither.
SILENCE = 1e-4


def decode(
    audio: Path | bytes, rate: int, part: Part | None = None, told: float = math.nan
) -> np.ndarray:
    """The clip (or a part of it) as float32 mono samples, shape (samples,), at `rate` Hz.

    Decoded by libsndfile (WAV, FLAC, MP3, Ogg ...), resampled by scipy's polyphase filter. Channels
    are averaged, unless they cancel (see mixing). Silence is a clip like any other. What is cut
    short or damaged is no clip: its transcript is of the whole; nor is one of another length than
    `told` (seconds, NaN: unknown).

    Raises: AudioError (one line that names the clip).
    """
    return hear(audio, rate, part, told).samples


def is_silent(samples: np.ndarray) -> bool:
    """Whether no sample is louder than -80 dB of full scale."""
    return not samples.size or float(np.abs(samples).max()) <= SILENCE
