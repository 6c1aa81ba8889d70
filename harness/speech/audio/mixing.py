"""Channels to one: their mean, unless they cancel in it."""

from __future__ import annotations

import numpy as np

# Of n channels that have nothing to do with each other, or of which one alone sounds, the mean has
# 1/n of the channels' mean energy; of equal ones, all of it. Below half of 1/n they work against
# each other (two equally loud ones: a correlation below -0.5), and the loudest is heard alone.
CANCELLED = 0.5
_AS_LOUD = 0.99
LOUDEST = 16.0  # 24 dB beyond full scale: no recording, but integers written as floats


class Channels:
    """Energies of the channels and of their mean, over all blocks."""

    def __init__(self) -> None:
        self._each: np.ndarray = np.zeros(1)
        self._mean = 0.0
        self.peak = 0.0

    def mixed(self, block: np.ndarray) -> np.ndarray:
        """The block's mean over its channels, shape (samples,); its energies are counted."""
        mono: np.ndarray = block.mean(axis=1, dtype=np.float32)
        if block.shape[1] > 1:
            self._each = self._each + np.einsum("ij,ij->j", block, block, dtype=np.float64)
            self._mean += float(np.einsum("i,i->", mono, mono, dtype=np.float64))
        return mono

    def alone(self) -> int | None:
        """The channel (from 0) that is to be heard alone; None: the mean is."""
        count = len(self._each)
        if count < 2 or self._mean >= CANCELLED / count * float(self._each.mean()):
            return None
        return int(np.argmax(self._each >= _AS_LOUD * self._each.max()))  # the first of equals
