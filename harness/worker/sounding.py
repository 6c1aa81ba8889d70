"""Whether audio that a model made can be speech at all, by its samples alone: no judge is asked, for
a predictor of opinions gives pure silence a MOS of 3.7."""

from __future__ import annotations

import numpy as np

FRAME_SECONDS = 0.02
SILENCE = 1e-3  # of full scale, root mean square of a frame: -60 dB
ALIKE = 0.95  # share of samples at one of two levels from which a clip is a square wave
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


def too_short(seconds: float, text: str) -> bool:
    """Whether so much sound cannot hold that text, said by anybody."""
    return len(text) > MOST_CHARACTERS * seconds
