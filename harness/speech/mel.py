"""Slaney's mel filters, which Whisper and DNSMOS P.808 both hear through."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

_LINEAR_HZ, _BREAK_HZ, _LOG_STEP = 200 / 3, 1000.0, math.log(6.4) / 27


@cache
def filters(mels: int, window: int, rate: int) -> np.ndarray:
    """Triangular filters of unit area over the frequencies of an FFT of `window` samples at `rate`
    Hz: (mels, window // 2 + 1) in float32, read-only.

    Source: M. Slaney, Auditory Toolbox, Technical Report 1998-010: linear below 1 kHz (200/3 Hz per
    mel), logarithmic above (27 mels per factor 6.4).
    """
    frequencies = np.fft.rfftfreq(window, 1 / rate)
    edges = _hertz(np.linspace(0.0, _mel(rate / 2), mels + 2))
    widths = np.diff(edges)[:, None]
    rising = (frequencies - edges[:-2, None]) / widths[:-1]
    falling = (edges[2:, None] - frequencies) / widths[1:]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    found: np.ndarray = (triangles * (2.0 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)
    found.flags.writeable = False
    return found


def _mel(hertz: float) -> float:
    if hertz < _BREAK_HZ:
        return hertz / _LINEAR_HZ
    return _BREAK_HZ / _LINEAR_HZ + math.log(hertz / _BREAK_HZ) / _LOG_STEP


def _hertz(mel: np.ndarray) -> np.ndarray:
    knee = _BREAK_HZ / _LINEAR_HZ
    above = _BREAK_HZ * np.exp(_LOG_STEP * np.maximum(mel - knee, 0.0))
    return np.asarray(np.where(mel < knee, mel * _LINEAR_HZ, above))
