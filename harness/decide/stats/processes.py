"""How far apart two equal cells lie, and how much of it is from one process to the next.

One way of analysis of variance (Searle, Casella and McCulloch, Variance Components, section 3.6),
on the logarithms of medians: cells that were opened anew together several times differ in each
generation by what their processes drew and by what so many calls move a median.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from harness.decide.stats.paired import Timed

MEDIAN = math.pi / 2  # variance of a normal sample's median over that of its mean


@dataclass(frozen=True)
class EqualCells:
    """Of two equal cells over `generations` of processes: `equal` is the standard deviation of the
    logarithm of their ratio over all of these; `variance` is between processes of one cell, as it
    is estimated: under zero where calls explain more than what was seen. NaN where unknown."""

    generations: int
    equal: float = math.nan
    variance: float = math.nan

    @property
    def between(self) -> float:
        """The part of `equal` that is from process to process."""
        if not self.generations:
            return math.nan
        return math.sqrt(2 * max(self.variance, 0.0) / self.generations)


def equal_cells(ours: Timed, theirs: Timed) -> EqualCells:
    """Of two cells of the same thing, by the generations that both have; positive values only."""
    shared = np.intersect1d(ours.processes, theirs.processes)
    both = np.concatenate([ours.values, theirs.values])
    if shared.size < 2 or not (np.isfinite(both).all() and (both > 0).all()):
        return EqualCells(int(shared.size))
    logs = [(np.log(side.values), side.processes) for side in (ours, theirs)]
    within = [[values[of == one] for one in shared] for values, of in logs]
    medians = np.array([[np.median(some) for some in side] for side in within])
    seen = float(np.var(medians[0] - medians[1], ddof=1))
    moved = [np.var(some, ddof=1) / some.size for side in within for some in side if some.size > 1]
    variance = seen / 2 - MEDIAN * float(np.mean(moved)) if moved else math.nan
    return EqualCells(int(shared.size), math.sqrt(seen / shared.size), variance)
