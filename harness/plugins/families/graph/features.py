"""Samples as a graph takes them: of a fixed length where its shape asks for one, or as log-mel.

Formula of the log-mel (openai/whisper, audio.py, with its defaults of 400 and 160 samples): a
periodic Hann window every `hop` samples, frames centred by reflection, power spectrum, Slaney mel
filters from 0 to half the rate, logarithm of at least 1e-10; `whisper` then keeps what lies within
8 of the largest log10 and gives (x + 4) / 4. `per_bin` is NeMo's `per_feature`: each bin minus its
mean over the clip, divided by its standard deviation (n - 1) + 1e-5.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import fft

from harness.errors import AudioError
from harness.plugins.families.graph.params import Input
from harness.speech.mel import filters

FLOOR = 1e-10
BLOCK = 4096  # frames that are transformed at once


def fitted(samples: np.ndarray, length: int, how: Input, rate: int) -> np.ndarray:
    """Exactly `length` samples. Raises: AudioError for a clip that is longer, unless it is cut."""
    if samples.size > length and how.longer == "refuse":
        raise AudioError(
            f"the clip lasts {samples.size / rate:.2f} s, the graph hears {length / rate:.2f} s: "
            "write `longer: cut` for this input to let it hear the beginning only."
        )
    if samples.size >= length:
        return samples[:length]
    if how.shorter == "repeat":
        return np.resize(samples, length)
    return np.concatenate([samples, np.zeros(length - samples.size, np.float32)])


def frames_of(samples: int, how: Input) -> int:
    """How many frames so many samples have: one for each hop that begins in them."""
    return max(1, -(-samples // how.hop))


def log_mel(samples: np.ndarray, how: Input, frames: int, rate: int) -> np.ndarray:
    """Features of shape (mels, frames) in float32; the clip is made `frames` hops long before.

    Raises: AudioError for a clip that is longer.
    """
    exact = frames * how.hop
    if samples.size > exact or frames != frames_of(samples.size, how):
        samples = fitted(samples, exact, how, rate)
    half = how.window // 2
    need = (frames - 1) * how.hop + how.window
    padded = np.pad(samples, half, mode="reflect" if samples.size > half else "constant")
    padded = np.pad(padded, (0, max(0, need - padded.size)))
    windows = np.lib.stride_tricks.sliding_window_view(padded[:need], how.window)[:: how.hop]
    bins = filters(how.mels, how.window, rate)
    mel = np.empty((how.mels, frames), np.float32)
    for start in range(0, frames, BLOCK):
        spectrum = fft.rfft(windows[start : start + BLOCK] * _hann(how.window), axis=1)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        mel[:, start : start + BLOCK] = bins @ power.T.astype(np.float32)
    return _scaled(np.maximum(mel, np.float32(FLOOR)), how)


def _scaled(power: np.ndarray, how: Input) -> np.ndarray:
    found = np.log(power) if how.scale == "ln" else np.log10(power)
    if how.scale == "whisper":
        found = (np.maximum(found, found.max() - np.float32(8)) + np.float32(4)) / np.float32(4)
    elif how.scale == "db":
        found = np.float32(10) * found
    if how.per_bin:
        spread = found.std(axis=1, ddof=1 if found.shape[1] > 1 else 0, keepdims=True)
        found = (found - found.mean(axis=1, keepdims=True)) / (spread + np.float32(1e-5))
    return np.asarray(found, np.float32)


@cache
def _hann(window: int) -> np.ndarray:
    """The periodic Hann window, as torch.hann_window gives it."""
    found = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)).astype(np.float32)
    found.flags.writeable = False
    return found
