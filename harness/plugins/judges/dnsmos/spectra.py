"""Log-mel spectrogram as DNSMOS P.808 takes it, of many windows of one signal at once, in numpy.

The definition is librosa's (melspectrogram, then power_to_db with `ref=np.max`), as the published
DNSMOS calls it: Hann window of 321 samples every 160, frames centred with zeros beyond the window's
ends, power, 120 Slaney mel filters, dB below the window's loudest value and at most 80 below,
then (dB + 40) / 40. Windows overlap, so a frame that several of them share is computed once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy import fft, signal

from harness.speech.mel import filters

SAMPLE_RATE = 16_000
FFT, HOP, MELS = 321, 160, 120
FRAMES = 900  # of a window: 144,000 samples, of which each frame has the 160 on either side
FLOOR, RANGE_DB = 1e-10, 80.0


def log_mel_windows(samples: np.ndarray, starts: Sequence[int]) -> np.ndarray:
    """Features of the windows that begin at `starts` (multiples of 160): (n, 900, 120) float32.

    Every window needs 144,001 samples from its start on.
    """
    mel = _mel_power(samples)
    out = np.empty((len(starts), FRAMES, MELS), np.float32)
    for features, start in zip(out, starts, strict=True):
        first = start // HOP
        features[:] = mel[first : first + FRAMES]
        features[[0, -1]] = _edges(samples[start : start + FRAMES * HOP])
        np.maximum(features, np.float32(FLOOR), out=features)
        np.log10(features, out=features)
        features -= features.max()
        features *= 10
        np.maximum(features, np.float32(-RANGE_DB), out=features)
        features += 40
        features /= 40
    return out


def _mel_power(samples: np.ndarray) -> np.ndarray:
    """Mel power of the frame around every 160th sample; beyond the ends there is silence."""
    padded = np.pad(samples, FFT // 2)
    return _power(np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP])


def _edges(window: np.ndarray) -> np.ndarray:
    """The first and the last frame of a window, which see silence beyond it."""
    ends = np.zeros((2, FFT), np.float32)
    ends[0, FFT // 2 :] = window[: FFT // 2 + 1]
    ends[1, : FFT - 1] = window[-(FFT - 1) :]
    return _power(ends)


def _power(frames: np.ndarray) -> np.ndarray:
    spectrum = fft.rfft(frames * _hann(), axis=1)
    power = np.square(spectrum.real)
    power += np.square(spectrum.imag)
    mel: np.ndarray = power @ filters(MELS, FFT, SAMPLE_RATE).T
    return mel


@cache
def _hann() -> np.ndarray:
    return signal.get_window("hann", FFT).astype(np.float32)
