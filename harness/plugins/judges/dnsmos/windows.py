"""Which stretches of a clip DNSMOS hears: windows of 9.01 s, each a second later, of its loop."""

from __future__ import annotations

import math

import numpy as np

from harness.errors import AudioError

SAMPLE_RATE = 16_000
SECONDS = 9.01
LENGTH = int(SECONDS * SAMPLE_RATE)


def looped(samples: np.ndarray) -> np.ndarray:
    """A clip shorter than a window is doubled until it is long enough, as the authors do."""
    while len(samples) < LENGTH:
        samples = np.concatenate([samples, samples])
    return samples


def starts(length: int) -> list[int]:
    """First samples of the windows of a looped clip.

    The authors cut window i from i s to int((i + 9.01) * 16,000), which binary fractions make one
    sample too short for i = 7 to 23 and a few later ones, and leave such windows out. So do we:
    their published figures, and everyone's, are means over the others.
    """
    count = int(math.floor(length / SAMPLE_RATE) - SECONDS) + 1
    places = ((i, int((i + SECONDS) * SAMPLE_RATE)) for i in range(count))
    return [i * SAMPLE_RATE for i, end in places if min(end, length) - i * SAMPLE_RATE == LENGTH]


def heard(samples: np.ndarray) -> np.ndarray:
    """The samples as the predictor takes them: within full scale, at least one, all numbers.

    Raises: AudioError.
    """
    if not samples.size or not np.isfinite(samples).all():
        raise AudioError("DNSMOS needs audio: samples that are numbers.")
    return np.asarray(np.clip(samples, -1.0, 1.0), np.float32)
