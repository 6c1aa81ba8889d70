"""What overlapping windows share of a chain of convolutions is computed once, on all cores.

The output of convolutions at a step depends on a few steps on either side: it is the same in every
window that holds the step, except near the window's ends, where the network sees zeros instead of
neighbours. So the chain runs over the whole signal once and over the ends of each window once more;
the two put together are what each window alone gives, but for rounding.

Pieces of a signal, ends and windows do not depend on each other: each is one call of a session that
computes in one thread, and there are as many calls at a time as cores. That spares what threads
that share one call lose in waiting for each other at every operator.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

Run = Callable[[np.ndarray], np.ndarray]
Map = Callable[[Run, Iterable[np.ndarray]], Iterator[np.ndarray]]
EDGE = 2  # outermost steps of a window that may be its own
PIECE = 450  # steps of a pass over the signal at most: memory does not grow with its length


@dataclass(frozen=True)
class Cores:
    """As many calls at a time as there are cores."""

    count: int
    map: Map

    @classmethod
    def opened(cls, count: int) -> Cores:
        return cls(count, ThreadPoolExecutor(count, "dnsmos").map if count > 1 else map)


@dataclass(frozen=True)
class Chain:
    """Convolutions from (n, ..., steps, bands) to (n, channels, steps / pool, bands).

    An output step depends on `reach` input steps on either side of its own (a multiple of `pool`),
    and so the first and the last `ends` of a window on nothing but its outermost `context`.
    """

    run: Run
    pool: int
    reach: int
    ends: int
    context: int

    def over_windows(
        self, windows: Sequence[np.ndarray], firsts: Sequence[int], cores: Cores
    ) -> list[np.ndarray]:
        """What each window gives: (channels, steps / pool, bands).

        `firsts` are the windows' first steps (multiples of `pool`), each before the end of the
        window before it; where two overlap they are the same but for the `EDGE` outermost steps.
        """
        if len(windows) == 1:
            return [self._whole(windows[0], cores)]
        begins = np.stack([one[..., : self.context, :] for one in windows[1:]])
        ends = np.stack([one[..., -self.context :, :] for one in windows[:-1]])
        begun, ended = cores.map(self.run, (begins, ends))
        shared = self._whole(_joined(windows, firsts), cores)
        steps, size = self.ends, windows[0].shape[-2] // self.pool
        starts = [(first - firsts[0]) // self.pool for first in firsts]
        found = [shared[:, start : start + size].copy() for start in starts]
        for window, begin in zip(found[1:], begun, strict=True):
            window[:, :steps] = begin[:, :steps]
        for window, end in zip(found[:-1], ended, strict=True):
            window[:, -steps:] = end[:, -steps:]
        return found

    def _whole(self, values: np.ndarray, cores: Cores) -> np.ndarray:
        """The chain over a signal, in pieces of about the same length, as many for each core."""
        total = values.shape[-2]
        count = cores.count * math.ceil(total / (cores.count * PIECE))
        size = max(2 * self.reach, math.ceil(total / (count * self.pool)) * self.pool)
        starts = range(0, total, size)
        pieces = (self._piece(values, start, size) for start in starts)
        found = [
            out[0][:, min(start, self.reach) // self.pool :][:, : size // self.pool]
            for start, out in zip(starts, cores.map(self.run, pieces), strict=True)
        ]
        return np.concatenate(found, axis=1)

    def _piece(self, values: np.ndarray, start: int, size: int) -> np.ndarray:
        before = max(0, start - self.reach)
        return np.ascontiguousarray(values[..., before : start + size + self.reach, :])[None]


def _joined(windows: Sequence[np.ndarray], firsts: Sequence[int]) -> np.ndarray:
    """The steps from the first window's begin to the last one's end, from inside of windows."""
    pieces, done = [], firsts[0]
    for window, first in zip(windows[:-1], firsts[:-1], strict=True):
        until = first + window.shape[-2] - EDGE
        pieces.append(window[..., done - first : until - first, :])
        done = until
    pieces.append(windows[-1][..., done - firsts[-1] :, :])
    return np.concatenate(pieces, axis=-2)
