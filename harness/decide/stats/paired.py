"""Latencies of two cells that were measured next to each other: compared round by round.

Drift and neighbours hit both cells of a round alike, and a clip is as hard for both: what is left
is their ratio within the round and on the same clip.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special  # not scipy.stats, which takes a second to import

from harness.decide.stats.bounds import FEWEST, Codes, Interval, Numbers, broken, codes, unbounded
from harness.decide.stats.quantiles import quantile
from harness.decide.stats.resampling import Resampling, expanded_bounds, resamples, two_sided_p
from harness.decide.stats.widest import Units, widest_half

MEDIANS = "paired t over rounds"
PAIRS = "t over pairs of processes"
QUANTILES = "paired bootstrap over rounds"
BEYOND = 5  # calls beyond a tail under which its comparison is a comparison of luck
MOST_WEIGHTS = 100_000_000  # draws x calls: a second


@dataclass(frozen=True)
class Timed:
    """Values of one cell, shape (n,), the round each was measured in, on which item, and in which
    generation of processes.

    Rounds under 0 (loading, warming up) pair with nothing.
    """

    values: Numbers
    rounds: NDArray[np.int64]
    items: NDArray[np.str_]
    processes: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        values: ArrayLike,
        rounds: ArrayLike,
        items: ArrayLike | None = None,
        processes: ArrayLike | None = None,
    ) -> Timed:
        """Without `items`, all the calls are on one; without `processes`, in one."""
        numbers = np.asarray(values, dtype=np.float64)
        names = np.full(numbers.size, "") if items is None else np.asarray(items).astype(str)
        number = np.asarray(rounds, dtype=np.int64)
        opened = np.zeros_like(number) if processes is None else np.asarray(processes, np.int64)
        return cls(numbers, number, names, opened)

    def __getitem__(self, keep: NDArray[np.generic]) -> Timed:
        return Timed(self.values[keep], self.rounds[keep], self.items[keep], self.processes[keep])


@dataclass(frozen=True)
class _Pair:
    """Calls of two cells on the items that both have in a round.

    `mine` and `other`: the place (round and item) of each call, 0 .. places - 1; `rounds`: the
    round of each place, 0 .. units - 1.
    """

    ours: Timed
    theirs: Timed
    mine: Codes
    other: Codes
    rounds: Codes

    @classmethod
    def of(cls, ours: Timed, theirs: Timed) -> _Pair:
        number = np.concatenate([ours.rounds, theirs.rounds])
        item = codes(np.concatenate([ours.items, theirs.items]))[0]
        place = codes(number * (item.max(initial=0) + 1) + item)[0]
        place[number < 0] = -1
        mine, other = place[: ours.rounds.size], place[ours.rounds.size :]
        shared = np.intersect1d(mine, other)
        shared = shared[shared >= 0]
        one, two = np.isin(mine, shared), np.isin(other, shared)
        mine, other = np.searchsorted(shared, mine[one]), np.searchsorted(shared, other[two])
        rounds = np.zeros(shared.size, dtype=np.int64)
        rounds[mine] = ours.rounds[one]
        return cls(ours[one], theirs[two], mine, other, codes(rounds)[0])

    @property
    def shared(self) -> int:
        """How many rounds they share."""
        return int(self.rounds.max(initial=-1)) + 1

    def matched(self) -> _Pair:
        """As many calls from both sides in each place, the first ones of each."""
        counts = [np.bincount(x, minlength=self.rounds.size) for x in (self.mine, self.other)]
        fewest = np.minimum(*counts)
        one, two = (_turn(place) < fewest[place] for place in (self.mine, self.other))
        sides = self.ours[one], self.theirs[two]
        return _Pair(*sides, self.mine[one], self.other[two], self.rounds)

    def mean_of_rounds(self, places: Numbers) -> Numbers:
        """One number per place -> their mean in each round."""
        return np.bincount(self.rounds, weights=places) / np.bincount(self.rounds)

    def units(self) -> Units:
        """The round, clip and process of each place: another one where either side's is (a server
        is one process throughout, what it is compared with is several)."""
        mine, other = (_first(place, self.rounds.size) for place in (self.mine, self.other))
        ours, theirs = codes(self.ours.processes[mine])[0], codes(self.theirs.processes[other])[0]
        processes = ours * (int(theirs.max(initial=0)) + 1) + theirs
        return Units.of(self.rounds, self.ours.items[mine], processes)

    def sound(self) -> bool:
        """Whether there are numbers and none is NaN, infinite, zero or negative."""
        both = np.concatenate([self.ours.values, self.theirs.values])
        return bool(both.size and np.isfinite(both).all() and (both > 0).all())


def _first(place: NDArray[np.intp], places: int) -> NDArray[np.intp]:
    """Of each place, the first call in it."""
    first = np.zeros(places, dtype=np.intp)
    first[place[::-1]] = np.arange(place.size)[::-1]
    return first


def paired_medians(ours: Timed, theirs: Timed, level: float = 0.975) -> tuple[Interval, Interval]:
    """(difference ours - theirs, ratio ours / theirs) of the medians, over the shared rounds.

    Medians are taken per round and item, on items that both cells have in the round: a mix of clips
    is never compared with another mix. Their differences, and the logarithms of their ratios, are
    averaged within the round; each then has a t interval over the rounds. A bootstrap of the 5 to
    20 rounds that a run has is too narrow; medians within a round are near normal, and a round that
    went wrong widens the interval. The ratio is the geometric mean over rounds. Values that are not
    positive (a clock that goes backwards) give NaN.
    """
    pair = _Pair.of(ours, theirs)
    n = pair.ours.values.size
    if not pair.sound():
        return broken(n, MEDIANS), broken(n, MEDIANS)
    mine, other = medians(pair.ours.values, pair.mine), medians(pair.theirs.values, pair.other)
    difference = _t_interval(pair, mine - other, level)
    logs = _t_interval(pair, np.log(mine / other), level)
    if logs.why:
        return difference, replace(logs, estimate=math.exp(logs.estimate))
    low, high = math.exp(logs.low), math.exp(logs.high)
    return difference, replace(logs, estimate=math.exp(logs.estimate), low=low, high=high)


def paired_quantiles(
    ours: Timed, theirs: Timed, q: float, how: Resampling | None = None
) -> tuple[Interval, Interval]:
    """(difference, ratio) of the q-quantiles of matched calls, by a bootstrap over shared rounds.

    Matched: as many calls from both cells of each item in each round. A value of inf in `ours` is a
    call that never ended, slower than every other one. No bounds where there are fewer than 5
    calls, or of a tail fewer than 5 beyond it.
    """
    how = how or Resampling()
    pair = _Pair.of(ours, theirs).matched()
    n, shared = pair.ours.values.size, pair.shared
    method = QUANTILES
    ended = replace(pair, ours=pair.ours[np.abs(pair.ours.values) != np.inf])
    if not ended.sound() or not n:
        return broken(n, method), broken(n, method)
    one, two = quantile(pair.ours.values, q), quantile(pair.theirs.values, q)
    if n > 1 and _still(ended.ours.values) and _still(ended.theirs.values):
        constant = unbounded(one - two, n, shared, method, "constant")
        return constant, replace(constant, estimate=one / two)
    if n < FEWEST or (q != 0.5 and n * min(q, 1 - q) < BEYOND):
        return unbounded(one - two, n, shared, method), unbounded(one / two, n, shared, method)
    mine, other = _resampled_quantiles(pair, q, how)
    p = two_sided_p(mine - other, shared, 0.0)
    by = _widened(pair, q, how.level)
    difference = _stretched(one - two, expanded_bounds(mine - other, shared, how.level), by)
    logs = expanded_bounds(np.log(mine / other), shared, how.level)
    low, high = _stretched(math.log(one / two), logs, by)
    return (
        Interval(one - two, *difference, n, shared, method, p),
        Interval(one / two, float(np.exp(low)), float(np.exp(high)), n, shared, method, p),
    )


def ratio_over_pairs(ours: Timed, theirs: Timed, level: float = 0.975) -> Interval:
    """The ratio of two cells that were opened anew together several times: the geometric mean over
    pairs of processes of the ratio of their medians, by a t interval over the pairs."""
    shared = np.intersect1d(ours.processes, theirs.processes)
    n = ours.values.size
    both = np.concatenate([ours.values, theirs.values])
    if not shared.size or not (np.isfinite(both).all() and (both > 0).all()):
        return broken(n, PAIRS)
    logs = np.array(
        [
            math.log(np.median(ours.values[ours.processes == pair]))
            - math.log(np.median(theirs.values[theirs.processes == pair]))
            for pair in shared
        ]
    )
    mean, count = float(logs.mean()), logs.size
    if count < 2:
        return unbounded(math.exp(mean), n, count, PAIRS)
    error = float(logs.std(ddof=1)) / math.sqrt(count)
    if error <= 1e-12:
        return unbounded(math.exp(mean), n, count, PAIRS, "constant")
    half = float(special.stdtrit(count - 1, level)) * error
    p = float(2 * special.stdtr(count - 1, -abs(mean) / error))
    low, high = math.exp(mean - half), math.exp(mean + half)
    return Interval(math.exp(mean), low, high, n, count, PAIRS, p)


def _turn(place: Codes) -> Codes:
    """0 for the first call of each place, 1 for the second, ... in the order they are in."""
    order = np.argsort(place, kind="stable")
    starts = np.cumsum(np.bincount(place)) - np.bincount(place)
    turn = np.empty_like(order)
    turn[order] = np.arange(place.size) - starts[place[order]]
    return turn


def medians(values: Numbers, place: Codes) -> Numbers:
    """The median of each place, places ascending; every place has a value."""
    order = np.lexsort([values, place])
    counts = np.bincount(place)
    starts = np.cumsum(counts) - counts
    ordered = values[order]
    middle: Numbers = (ordered[starts + (counts - 1) // 2] + ordered[starts + counts // 2]) / 2
    return middle


def _still(values: Numbers) -> bool:
    return bool(values.size == 0 or values.min() == values.max())


def _t_interval(pair: _Pair, places: Numbers, level: float) -> Interval:
    """The mean over rounds of one number per place, its bounds the widest of those over rounds,
    clips and processes."""
    n, x = pair.ours.values.size, pair.mean_of_rounds(places)
    rounds, mean = x.size, float(x.mean())
    if rounds < 2:
        return unbounded(mean, n, rounds, MEDIANS)
    # rounds that agree to the last digits do not tell how rounds vary
    if float(x.std(ddof=1)) / math.sqrt(rounds) <= 1e-12 * max(1.0, float(np.abs(x).max())):
        return unbounded(mean, n, rounds, MEDIANS, "constant")
    parts = (places - mean) / np.bincount(pair.rounds)[pair.rounds] / rounds
    half, units = widest_half(parts, pair.units(), level)
    t = float(special.stdtrit(units - 1, level))
    p = float(2 * special.stdtr(units - 1, -abs(mean) / (half / t)))
    return Interval(mean, mean - half, mean + half, n, rounds, MEDIANS, p)


def _widened(pair: _Pair, q: float, level: float) -> float:
    """By how much the bounds over rounds are too narrow for other clips and processes: at least 1.

    What moves a ratio of quantiles is how many more calls of one side lie beyond its quantile than
    of the other: the widest t interval of that sum, over the one by rounds.
    """
    beyond = []
    for side, place in ((pair.ours, pair.mine), (pair.theirs, pair.other)):
        over = (side.values > quantile(side.values, q)).astype(np.float64)
        beyond.append(np.bincount(place, weights=over, minlength=pair.rounds.size))
    parts = beyond[0] - beyond[1]
    parts = parts - parts.mean()
    units = pair.units()
    alone = widest_half(parts, Units.of(units.blocks), level)[0]
    return max(widest_half(parts, units, level)[0] / alone, 1.0) if alone > 0 else 1.0


def _stretched(estimate: float, bounds: tuple[float, float], by: float) -> tuple[float, float]:
    low, high = bounds
    return estimate - by * (estimate - low), estimate + by * (high - estimate)


def _resampled_quantiles(pair: _Pair, q: float, how: Resampling) -> tuple[Numbers, Numbers]:
    calls, units = 2 * pair.ours.values.size, pair.shared
    draws = min(how.draws, max(1000, MOST_WEIGHTS // calls))
    sides = []
    for side, place in ((pair.ours, pair.mine), (pair.theirs, pair.other)):
        order = np.argsort(side.values, kind="stable")
        sides.append((side.values[order], pair.rounds[place[order]]))
    found: list[list[Numbers]] = [[], []]
    for times in resamples(units, draws, how.seed, width=max(1, calls // units)):
        for (ordered, unit), into in zip(sides, found, strict=True):
            reached = np.cumsum(times[:, unit], axis=1)
            wanted = q * reached[:, -1:] - 1e-9
            into.append(ordered[np.argmax(reached >= wanted, axis=1)])
    return np.concatenate(found[0]), np.concatenate(found[1])
