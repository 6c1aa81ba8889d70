"""Bounds of latencies that hold for other minutes, other clips and other processes.

Calls of one block, on one clip, in one process resemble each other. What they share is in a bound
only if it is taken over that: over blocks, over clips, over processes, each with the Student factor
of as many as there are (Korn and Graubard, Survey Methodology 24, 1998). The widest counts: each is
right where its kind of likeness rules, so the widest is where any does. Where the same clips come
again in other processes, likeness by clip and by process add up, and what they have in common is
counted once (Cameron, Gelbach and Miller, Journal of Business and Economic Statistics 29, 2011).
One label of a kind (a server is one process) gives no variance: the sentence says so, the bound
cannot.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from harness.decide.stats.bounds import Codes, Interval, Numbers, broken, codes, unbounded
from harness.decide.stats.quantiles import (
    TAIL_CALLS,
    bounds_at,
    effective_calls,
    needed_calls,
    quantile,
)

GEOMETRIC = "t over blocks, clips and processes"
COARSE = 0.2  # distinct values over all, under which the clock has steps
METHOD = "binomial tail over blocks, clips and processes"


@dataclass(frozen=True)
class Units:
    """Of n calls, which block, clip and process each was in: codes from 0, shape (n,).

    Blocks are numbered in the order of time.
    """

    blocks: Codes
    clips: Codes
    processes: Codes

    @classmethod
    def of(
        cls, blocks: ArrayLike, clips: ArrayLike | None = None, processes: ArrayLike | None = None
    ) -> Units:
        """Without clips, each block is on one of its own; without processes, there is one."""
        block = codes(np.asarray(blocks))[0]
        clip = block if clips is None else codes(np.asarray(clips))[0]
        process = np.zeros_like(block) if processes is None else codes(np.asarray(processes))[0]
        return cls(block, clip, process)

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many blocks, clips and processes there are."""
        first, second, third = (
            int(some.max(initial=-1)) + 1 for some in (self.blocks, self.clips, self.processes)
        )
        return first, second, third

    def __getitem__(self, keep: NDArray[np.generic]) -> Units:
        return Units.of(self.blocks[keep], self.clips[keep], self.processes[keep])

    def kinds(self) -> Iterator[tuple[Codes, int]]:
        """Clips and processes (codes, how many), where there are several, and fewer than blocks."""
        blocks, *others = self.counts
        for label, count in zip((self.clips, self.processes), others, strict=True):
            if 1 < count < blocks:
                yield label, count

    def crossed(self) -> Codes | None:
        """Clip and process in one, where the same clips come again in other processes."""
        _, clips, processes = self.counts
        both, count = codes(self.clips * processes + self.processes)
        return both if clips > 1 and processes > 1 and count > clips else None


def widest_quantile(values: ArrayLike, units: Units, q: float, level: float = 0.95) -> Interval:
    """`quantile_bounds` that holds over blocks, clips and processes alike."""
    data = np.asarray(values, dtype=np.float64)
    if data.size == 0 or np.isnan(data).any():
        return broken(data.size, METHOD)
    worth, count = worst(data, units, q, level)[0], units.counts[0]
    found = bounds_at(data, worth, q, level)
    if found is None:
        why = "constant" if data.size > 1 and data.min() == data.max() else "few"
        return unbounded(quantile(data, q), data.size, count, METHOD, why)
    step = tick(data)
    low, high = found
    return Interval(quantile(data, q), low - step, high + step, data.size, count, METHOD)


def geometric_mean(values: ArrayLike, units: Units, level: float = 0.95) -> Interval:
    """The geometric mean, by the widest t interval of the logarithms over blocks, clips and
    processes. Values that are not positive give NaN."""
    data = np.asarray(values, dtype=np.float64)
    if not data.size or not (np.isfinite(data).all() and (data > 0).all()):
        return broken(data.size, GEOMETRIC)
    logs, count = np.log(data), units.counts[0]
    mean = float(logs.mean())
    half, _ = widest_half((logs - mean) / data.size, units, level)
    if not math.isfinite(half) or half <= 1e-12:
        why = "few" if count < 2 else "constant"
        return unbounded(math.exp(mean), data.size, count, GEOMETRIC, why)
    low, high = math.exp(mean - half), float(np.exp(mean + half))
    return Interval(math.exp(mean), low, high, data.size, count, GEOMETRIC)


def tick(values: Numbers) -> float:
    """The step of a coarse clock (15.6 ms): the least difference of values that are few; 0 where
    they are many. A time that is read off such a clock may be a step longer than it says."""
    known = np.unique(values[np.isfinite(values)])
    if known.size < 2 or known.size > COARSE * values.size:
        return 0.0
    return float(np.diff(known).min())


def worst(data: Numbers, units: Units, q: float, level: float) -> tuple[float, int]:
    """(how many independent calls these are worth, units of the kind by which they are so few)."""
    found = [(effective_calls(data, units.blocks, q, level), units.counts[0])]
    threshold = _inner_threshold(data, q)
    shares = (data > threshold).astype(np.float64)
    alone = data.size * max(float(shares.mean() * (1 - shares.mean())), 1e-300)
    variances = []
    for label, count in units.kinds():
        variance = _between(shares - shares.mean(), label)
        variances.append((variance, count))
        found.append((_worth(data.size, alone, (variance, count), level), count))
    both = units.crossed()
    if both is not None and len(variances) == 2:
        fewer = min(count for _, count in variances)
        common = _between(shares - shares.mean(), both)
        total = sum(variance for variance, _ in variances) - common
        found.append((_worth(data.size, alone, (total, fewer), level), fewer))
    return min(found)


def widest_half(parts: Numbers, units: Units, level: float) -> tuple[float, int]:
    """(half of a t interval of a sum, by the kind of unit that makes it widest; how many of those).

    `parts` are what each call (or pair of calls) adds to the figure beyond its mean, shape (n,):
    they add up to 0. Infinite where there is one block.
    """
    blocks, *_ = units.counts
    if blocks < 2:
        return math.inf, blocks
    found = [_half(_between(parts, units.blocks), blocks, level)]
    kinds = [(_between(parts, label), count) for label, count in units.kinds()]
    found += [_half(variance, count, level) for variance, count in kinds]
    both = units.crossed()
    if both is not None and len(kinds) == 2:
        total = sum(variance for variance, _ in kinds) - _between(parts, both)
        found.append(_half(total, min(count for _, count in kinds), level))
    return max(found)


def rarest_kind(values: ArrayLike, units: Units, q: float, level: float = 0.95) -> str:
    """Of what there are too few for a narrower bound on the q-quantile: blocks | clips | processes;
    "" without values."""
    data = np.asarray(values, dtype=np.float64)
    if data.size == 0 or np.isnan(data).any():
        return ""
    count = worst(data, units, q, level)[1]
    names = dict(zip(units.counts, ("blocks", "clips", "processes"), strict=True))
    return names[count]


def needed_for_widest(
    values: ArrayLike, units: Units, q: float, limit: float, level: float = 0.95
) -> tuple[float, float]:
    """(fewest, most) calls in all that would probably settle "q-quantile <= limit": for a power of
    one half and of 0.8 at the share that was seen to be slower, or at the end of its own 80 %
    interval that lies nearer to the limit. NaN where that cannot be told from 1 - q."""
    data = np.asarray(values, dtype=np.float64)
    if data.size == 0 or np.isnan(data).any() or not math.isfinite(limit):
        return math.nan, math.nan
    worth, _ = worst(data, units, q, level)
    each = worth / data.size if worth > 0 else 1 / data.size
    asked, seen = 1 - q, float(np.mean(data > limit))
    least = needed_calls(q, level) if seen <= asked else 2
    z, power = float(special.ndtri(level)), float(special.ndtri(0.8))
    few = max(((z * math.sqrt(asked * q)) / (seen - asked)) ** 2, least) if seen != asked else 1e12
    error = math.sqrt(max(seen * (1 - seen), asked * q / 4) / max(worth, 1.0))
    near = math.copysign(max(abs(seen - asked) - power * error, 0.0), seen - asked)
    wide = z * math.sqrt(asked * q) + power * math.sqrt(max(seen * (1 - seen), 1e-12))
    many = max((wide / near) ** 2, least) if near else math.inf
    return math.ceil(few / each), (math.ceil(many / each) if math.isfinite(many) else math.inf)


def _inner_threshold(data: Numbers, q: float) -> float:
    """The quantile, or the nearest one beyond which there are enough calls to see a variance."""
    inner = min(max(q, min(TAIL_CALLS / data.size, 0.5)), max(1 - TAIL_CALLS / data.size, 0.5))
    return quantile(data, inner)


def _between(parts: Numbers, label: Codes) -> float:
    """The variance of the sum of the parts, if what has one label is one unit."""
    sums = np.bincount(label, weights=parts)
    return float(sums.size / (sums.size - 1) * (sums @ sums)) if sums.size > 1 else math.inf


def _worth(n: int, alone: float, seen: tuple[float, int], level: float) -> float:
    """Independent calls that would have this variance, less for knowing it from few units."""
    variance, count = seen
    few = special.stdtrit(n - 1, level) / special.stdtrit(count - 1, level)
    return float(n * alone / max(variance, 1e-12 * alone) * few**2)


def _half(variance: float, count: int, level: float) -> tuple[float, int]:
    return float(special.stdtrit(count - 1, level)) * math.sqrt(max(variance, 0.0)), count
