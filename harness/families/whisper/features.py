"""Log-mel features as Whisper's own, in numpy.

Formula (openai/whisper, audio.py, `log_mel_spectrogram`): Hann window of 400 samples every 160,
frames centred by reflection, power spectrum, Slaney mel filters (0 to 8 kHz), log10 of at least
1e-10, at least the maximum minus 8, then (x + 4) / 4; the last frame is dropped. Audio is padded
with zeros to the context (30 s) before.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from scipy import fft

SAMPLE_RATE = 16_000
WINDOW, HOP = 400, 160
FRAMES_PER_SECOND = SAMPLE_RATE // HOP
FLOOR = 1e-10


def log_mel(samples: np.ndarray, mels: int, frames: int) -> np.ndarray:
    """Features of shape (1, mels, frames) in float32 for at most `frames` * 160 samples at 16 kHz.

    Only the frames that touch the audio are computed: the rest is silence, whose power is 0.
    """
    length = frames * HOP
    used = min(frames, -(-(samples.size + WINDOW // 2) // HOP))
    span = (used - 1) * HOP + WINDOW
    padded = np.zeros(max(length, span) + WINDOW, np.float32)
    half = WINDOW // 2
    padded[half : half + samples.size] = samples
    # reflection of the start, and of the end of the padded audio
    padded[:half] = padded[half + 1 : WINDOW + 1][::-1]
    end = half + length
    padded[end : end + half] = padded[end - half - 1 : end - 1][::-1]
    windows = np.lib.stride_tricks.sliding_window_view(padded[:span], WINDOW)[::HOP]
    spectrum = fft.rfft(windows * _hann(), axis=1)
    power = np.square(spectrum.real)
    power += np.square(spectrum.imag)
    mel = mel_filters(mels) @ power.T
    np.maximum(mel, FLOOR, out=mel)
    np.log10(mel, out=mel)
    lowest = max(np.log10(np.float32(FLOOR)), mel.max() - np.float32(8))
    features = np.full((1, mels, frames), (lowest + 4) / 4, np.float32)
    np.maximum(mel, lowest, out=mel)
    mel += 4
    mel *= 0.25
    features[0, :, :used] = mel
    return features


@cache
def mel_filters(mels: int) -> np.ndarray:
    """Slaney's triangular filters of unit area, (mels, 201) in float32.

    Source: M. Slaney, Auditory Toolbox, Technical Report 1998-010: linear below 1 kHz (200/3 Hz per
    mel), logarithmic above (27 mels per factor 6.4).
    """
    frequencies = np.linspace(0, SAMPLE_RATE / 2, WINDOW // 2 + 1)
    edges = _hertz(np.linspace(0.0, _mel(SAMPLE_RATE / 2), mels + 2))
    rising = (frequencies - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - frequencies) / (edges[2:] - edges[1:-1])[:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    areas = 2.0 / (edges[2:] - edges[:-2])
    filters: np.ndarray = (triangles * areas[:, None]).astype(np.float32)
    filters.flags.writeable = False
    return filters


LINEAR_HZ, BREAK_HZ, LOG_STEP = 200 / 3, 1000.0, math.log(6.4) / 27


def _mel(hertz: float) -> float:
    if hertz < BREAK_HZ:
        return hertz / LINEAR_HZ
    return BREAK_HZ / LINEAR_HZ + math.log(hertz / BREAK_HZ) / LOG_STEP


def _hertz(mel: np.ndarray) -> np.ndarray:
    knee = BREAK_HZ / LINEAR_HZ
    linear = mel * LINEAR_HZ
    above = BREAK_HZ * np.exp(LOG_STEP * (mel - knee))
    return np.asarray(np.where(mel < knee, linear, above))


@cache
def _hann() -> np.ndarray:
    """The periodic Hann window, as torch.hann_window gives it."""
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
    window.flags.writeable = False
    return window
