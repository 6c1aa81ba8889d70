"""Log-mel features as Whisper's own, in numpy.

Formula (openai/whisper, audio.py, `log_mel_spectrogram`): Hann window of 400 samples every 160,
frames centred by reflection, power spectrum, Slaney mel filters (0 to 8 kHz), log10 of at least
1e-10, at least the maximum minus 8, then (x + 4) / 4; the last frame is dropped. Audio is padded
with zeros to the context (30 s) before.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import fft

from harness.speech.mel import filters

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
    mel = filters(mels, WINDOW, SAMPLE_RATE) @ power.T
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
def _hann() -> np.ndarray:
    """The periodic Hann window, as torch.hann_window gives it."""
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
    window.flags.writeable = False
    return window
