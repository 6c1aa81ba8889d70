"""Audio by its samples alone: whether what a model made can be speech (a predictor gives pure
silence a MOS of 3.7)."""

from __future__ import annotations

import math

import numpy as np

FRAME_SECONDS = 0.02
SILENCE = 1e-3  # of full scale, root mean square of a frame: -60 dB
ALIKE = 0.95  # share of samples at one of two levels from which a clip is a square wave
BAND_SECONDS, FRAMES, FEWEST_FRAMES = 0.032, 256, 20  # of the spectra; 256 at once: 1 MB
BANDS_HZ = (100.0, 6000.0, 400.0)  # from, to, the width of each
MOST_CHARACTERS = 60.0  # a second; people say 12 to 25


def flaw(samples: np.ndarray, rate: int) -> str:
    """What is wrong with the samples, "" where they may be speech: silent, constant or a square
    wave."""
    centred = samples.astype(np.float64) - float(np.mean(samples, dtype=np.float64))
    peak = float(np.abs(centred).max())
    if peak < 1e-9 or sounding_seconds(samples, rate) == 0.0:
        level = float(np.abs(samples).max())
        return "constant" if level > SILENCE and peak < SILENCE else "silent"
    if np.mean(np.abs(centred) >= 0.99 * peak) > ALIKE and samples.size > 2:
        return "a square wave"
    return ""


def sounding_seconds(samples: np.ndarray, rate: int) -> float:
    """How much of it is louder than -60 dB, its constant part left out."""
    centred = samples.astype(np.float64) - float(np.mean(samples, dtype=np.float64))
    size = max(1, min(samples.size, round(FRAME_SECONDS * rate)))
    starts = np.arange(0, samples.size, size)
    lengths = np.diff([*starts, samples.size])
    power = np.add.reduceat(centred**2, starts) / lengths
    return float(lengths[np.sqrt(power) > SILENCE].sum() / rate)


def spectral_change_db(samples: np.ndarray, rate: int) -> float:
    """How much the shape of the spectrum changes while it sounds: speech by 5 to 12 dB, noise and
    tones by up to 3.3, however their level moves. NaN where there is too little to tell.

    Bands of 400 Hz from 100 Hz to 6 kHz, each against the sum of all, in frames of 32 ms within
    30 dB of the loudest: the standard deviation over time, and the median of that over the bands.
    """
    size = round(BAND_SECONDS * rate)
    centred = samples - samples.mean(dtype=np.float64)
    if size < 16 or samples.size < size:
        return math.nan
    window = np.hanning(size).astype(np.float32)
    places = np.fft.rfftfreq(size, 1 / rate)
    edges = np.arange(BANDS_HZ[0], min(BANDS_HZ[1], rate / 2) - BANDS_HZ[2] / 2, BANDS_HZ[2])
    firsts = np.unique(np.searchsorted(places, [*edges, edges[-1] + BANDS_HZ[2]]))
    frames = np.lib.stride_tricks.sliding_window_view(centred.astype(np.float32), size)
    found = []
    for first in range(0, len(frames), (size // 2) * FRAMES):
        part = frames[first : first + (size // 2) * FRAMES : size // 2]
        power = np.abs(np.fft.rfft(part * window)) ** 2
        found.append(np.add.reduceat(power[:, : firsts[-1]], firsts[:-1], axis=1))
    bands = np.concatenate(found)
    whole = bands.sum(axis=1)
    kept = whole > whole.max() * 1e-3
    if kept.sum() < FEWEST_FRAMES or len(firsts) < 3:
        return math.nan
    bands, whole = bands[kept], whole[kept]
    shape = np.log10(np.maximum(bands, bands.max() * 1e-6)) - np.log10(whole)[:, None]
    return float(10 * np.median(shape.std(axis=0)))


def too_short(seconds: float, text: str) -> bool:
    """Whether so much sound cannot hold that text, said by anybody."""
    return len(text) > MOST_CHARACTERS * seconds
