"""Resamples of independent units, and bounds that are honest when the units are few.

The bounds are expanded percentiles (Hesterberg, The American Statistician 69, 2015): the tails of
the resampled figures at Phi(-sqrt(K / (K - 1)) t_{K-1}) for K units. Plain percentiles of 20 units
are too narrow; the expanded ones are as wide as a t interval, keep the skewness, and never leave
the range of a rate. Under five units there are no bounds: the most extreme resample is likelier
than the tail that is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special  # not scipy.stats, which takes a second to import

from harness.decide.stats.bounds import FEWEST, Numbers

CHUNK = 2_000_000  # weights held at once: 16 MB
KEPT = 25_000_000  # counts of resamples kept for the next figure over as many units: 50 MB

Counts = NDArray[np.uint16]


@dataclass(frozen=True)
class Resampling:
    """How to resample. `quantum` is the least that a unit can add to the values: one edit.

    On a side where not one unit has moved, the bound allows that as many units as could hide (a
    share 1 - (1 - level)^(1/K), the exact bound after zero of K) move by one quantum. Without it,
    two utterances without an edit would prove that a system never errs.
    """

    level: float = 0.975
    draws: int = 10_000
    seed: int = 0
    quantum: float = 1.0

    def unseen(self, units: int) -> float:
        """The sum of values that may hide in units like those that were not seen."""
        return float((1 - (1 - self.level) ** (1 / units)) * units * self.quantum)


def resamples(units: int, draws: int, seed: int, width: int = 1) -> Iterator[Numbers]:
    """How often each unit is drawn, shape (some draws, units), until there are `draws` rows.

    `width` is how many numbers the caller holds per unit and draw: the chunks shrink with it.
    """
    step = max(1, int(CHUNK / (units * width)))
    if units * draws <= KEPT:
        kept = _kept(units, draws, seed)
        for start in range(0, draws, step):
            yield kept[start : start + step].astype(np.float64, copy=False)
        return
    random = np.random.default_rng(seed)
    for start in range(0, draws, step):
        yield _drawn(random, units, min(step, draws - start)).astype(np.float64)


@lru_cache(maxsize=2)
def _kept(units: int, draws: int, seed: int) -> Counts | Numbers:
    """The counts of every resample, for all metrics and gates that resample as many units: two
    bytes each where they are many (a count of 65,536 does not occur)."""
    random = np.random.default_rng(seed)
    step = max(1, CHUNK // units)
    found = np.empty((draws, units), np.uint16 if draws * units > CHUNK else np.float64)
    for start in range(0, draws, step):
        found[start : start + step] = _drawn(random, units, min(step, draws - start))
    return found


def _drawn(random: np.random.Generator, units: int, rows: int) -> Counts:
    drawn = random.integers(units, size=(rows, units))
    drawn += units * np.arange(rows)[:, None]
    times = np.bincount(drawn.ravel(), minlength=rows * units)
    return times.reshape(rows, units).astype(np.uint16)


def expanded_bounds(figures: Numbers, units: int, level: float) -> tuple[float, float]:
    """Lower and upper bound from the resampled figures; a figure that is NaN may be anything."""
    share = tail_share(units, level)
    if share <= float(units) ** -units or share * figures.size < 1:
        return -math.inf, math.inf
    rank = int(share * figures.size)
    low = np.sort(np.where(np.isnan(figures), -np.inf, figures))[rank - 1]
    high = np.sort(np.where(np.isnan(figures), np.inf, figures))[-rank]
    return float(low), float(high)


def two_sided_p(figures: Numbers, units: int, nothing: float) -> float:
    """The p value against `nothing` (0 for a difference): the level at which the bounds reach it.

    NaN where there are too few units for bounds, or a figure is NaN.
    """
    if units < FEWEST or np.isnan(figures).any():
        return math.nan
    count = figures.size + 1
    below = (float(np.sum(figures <= nothing)) + 1) / count
    above = (float(np.sum(figures >= nothing)) + 1) / count
    z = -special.ndtri(min(below, above, 0.5))
    return float(2 * special.stdtr(units - 1, -z / math.sqrt(units / (units - 1))))


def tail_share(units: int, level: float) -> float:
    """The share of resamples beyond a bound; 0 where one unit cannot have one."""
    if units < 2:
        return 0.0
    t = special.stdtrit(units - 1, level)
    return float(special.ndtr(-math.sqrt(units / (units - 1)) * t))
