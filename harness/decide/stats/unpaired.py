"""Two runs at different times: their rounds do not pair, so each run's own spread is the measure.

Everything is in logarithms: a difference of 0.05 is a ratio of 1.051.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special  # not scipy.stats, which takes a second to import

from harness.decide.stats.bounds import FEWEST, Codes, Interval, Numbers, broken, codes, unbounded
from harness.decide.stats.paired import Timed, medians
from harness.decide.stats.quantiles import quantile
from harness.decide.stats.resampling import Resampling, expanded_bounds, resamples

WELCH = "Welch t over rounds"
BEYOND = 5  # calls beyond a quantile under which its comparison is a comparison of luck
MOST_WEIGHTS = 50_000_000  # draws x calls: under a second


@dataclass(frozen=True)
class Logs:
    """Logarithms of one run, shape (n,): the round each was measured in, and on which clip."""

    values: Numbers
    rounds: NDArray[np.int64]
    items: NDArray[np.str_]

    @classmethod
    def of(cls, cell: Timed, base: Timed | None = None) -> Logs:
        """The median of each round and clip; over the `base` cell's of the same one, if given."""
        found = _by_place(cell)
        if base is not None:
            other = _by_place(base)
            found = {place: found[place] - other[place] for place in found if place in other}
        rounds = np.array([r for r, _ in found], dtype=np.int64)
        items = np.array([item for _, item in found], dtype=np.str_)
        return cls(np.array(list(found.values()), dtype=np.float64), rounds, items)

    def on(self, items: NDArray[np.str_]) -> Logs:
        """Those on the given clips."""
        keep = np.isin(self.items, items)
        return Logs(self.values[keep], self.rounds[keep], self.items[keep])


def _by_place(cell: Timed) -> dict[tuple[int, str], float]:
    """(round, clip) -> logarithm of the median; rounds under 0 (loading, warming up) are none."""
    cell = cell[cell.rounds >= 0]
    item, clips = codes(cell.items)
    place, places = codes(cell.rounds * (clips + 1) + item)
    if not places:
        return {}
    first = np.unique(place, return_index=True)[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(medians(cell.values, place))
    keys = zip(cell.rounds[first].tolist(), cell.items[first].tolist(), strict=True)
    return dict(zip(keys, logs.tolist(), strict=True))


def unpaired_means(after: Logs, before: Logs, level: float = 0.975) -> Interval:
    """The difference after - before of the mean over rounds, on the clips that both runs have.

    Rounds are independent of each other and the runs may vary differently (Welch, Biometrika 34,
    1947). Clips differ, and a run that stopped early had some of them more often: their effects are
    fitted along with the difference (least squares, each round counting once), and what that costs
    is taken off the degrees of freedom.
    """
    shared = np.intersect1d(after.items, before.items)
    after, before = after.on(shared), before.on(shared)
    n = after.values.size + before.values.size
    if not n or not np.isfinite(np.concatenate([after.values, before.values])).all():
        return broken(n, WELCH)
    fit = _Fit.of(after, before, len(shared))
    units = int(min(fit.rounds))
    freedom = fit.rounds - 1 - fit.lost * fit.rounds / fit.rounds.sum()
    if (freedom < 1).any():
        return unbounded(fit.difference, n, units, WELCH)
    parts = fit.squares / freedom / fit.rounds * fit.imbalance
    error = math.sqrt(parts.sum())
    if error <= 1e-12:
        return unbounded(fit.difference, n, units, WELCH, "constant")
    degrees = float(parts.sum() ** 2 / (parts**2 / freedom).sum())
    half = float(special.stdtrit(degrees, level)) * error
    p = float(2 * special.stdtr(degrees, -abs(fit.difference) / error))
    low, high = fit.difference - half, fit.difference + half
    return Interval(fit.difference, low, high, n, units, WELCH, p)


@dataclass(frozen=True)
class _Fit:
    """Of two runs (after, before): shape (2,) each where not said otherwise."""

    difference: float
    squares: Numbers  # sum of squares of what is left of each round, about its run's mean
    rounds: Numbers
    lost: float  # degrees of freedom that the clips' effects took
    imbalance: float  # variance of the difference over what it is if all have the same clips

    @classmethod
    def of(cls, after: Logs, before: Logs, clips: int) -> _Fit:
        values = np.concatenate([after.values, before.values])
        clip, _ = codes(np.concatenate([after.items, before.items]))
        one, many = codes(after.rounds)
        two, few = codes(before.rounds)
        place = np.concatenate([one, two + many])  # the round of each value, over both runs
        rounds = np.array([many, few], dtype=np.float64)
        size = np.bincount(place).astype(np.float64)  # values per round
        design = np.zeros((values.size, clips + 1))
        design[: after.values.size, 0] = 1
        design[np.arange(values.size), clip + 1] = 1
        weight = np.sqrt(1 / size[place])[:, None]
        found = np.linalg.lstsq(design * weight, values * weight[:, 0], rcond=None)[0]
        left = np.bincount(place, weights=values - found[clip + 1]) / size
        squares = np.array([_squares(left[:many]), _squares(left[many:])])
        normal = np.linalg.pinv((design * weight).T @ (design * weight))
        imbalance = max(1.0, float(normal[0, 0] / (1 / rounds).sum()))
        return cls(float(found[0]), squares, rounds, clips - float(size.mean()), imbalance)


def _squares(values: Numbers) -> float:
    return float(np.sum((values - values.mean()) ** 2))


@dataclass(frozen=True)
class Folded:
    """One cell that is folded anew from each resample of its units: shape (n,) each.

    The fold is the `q`-quantile of values / weights, or sum(values) / sum(weights) where q is NaN.
    """

    values: Numbers
    weights: Numbers
    units: NDArray[np.int64]

    def log(self, q: float) -> float:
        """The logarithm of the fold; NaN where there is none."""
        if math.isnan(q):
            found = self.values.sum() / self.weights.sum()
        else:
            found = quantile(self.values / self.weights, q)
        return math.log(found) if found > 0 else math.nan

    @property
    def sound(self) -> bool:
        """Whether each value is a positive number, and so is each weight."""
        both = np.concatenate([self.values, self.weights])
        return bool(both.size and np.isfinite(both).all() and (both > 0).all())


Signed = tuple[Folded, int]


def signed_logs(groups: Sequence[Sequence[Signed]], q: float, how: Resampling) -> Interval:
    """The sum of the cells' log folds, each with its sign, by a bootstrap over units.

    The cells of one group share their units (rounds of one run, or utterances that both runs have)
    and are resampled together, different groups independently of each other. `p` is that of a t
    test with the resamples' standard deviation: counting resamples cannot tell p values below some
    per mille apart, and many cells ask for just that.
    """
    method = "bootstrap over rounds"
    cells = [signed for group in groups for signed in group]
    n = sum(cell.values.size for cell, _ in cells)
    if not all(cell.sound for cell, _ in cells):
        return broken(n, method)
    estimate = sum(sign * cell.log(q) for cell, sign in cells)
    units = min(codes(group[0][0].units)[1] for group in groups)
    beyond = math.inf if math.isnan(q) else min(c.values.size for c, _ in cells) * min(q, 1 - q)
    if units < FEWEST or beyond < BEYOND:
        return unbounded(estimate, n, units, method)
    draws = sum(_drawn(group, q, how, place) for place, group in enumerate(groups))
    spread = float(np.std(draws, ddof=1)) * math.sqrt(units / (units - 1))
    low, high = expanded_bounds(np.asarray(draws), units, how.level)
    p = _t_test(estimate, spread, units)
    return Interval(estimate, low, high, n, units, method, p)


def _t_test(estimate: float, spread: float, units: int) -> float:
    if spread == 0:
        return 1.0 if estimate == 0 else 0.0
    return float(2 * special.stdtr(units - 1, -abs(estimate) / spread))


def _drawn(group: Sequence[Signed], q: float, how: Resampling, place: int) -> Numbers:
    """The group's signed sum in each resample, shape (draws,)."""
    unit, units = codes(group[0][0].units)
    calls = sum(cell.values.size for cell, _ in group)
    draws = how.draws if math.isnan(q) else min(how.draws, max(1000, MOST_WEIGHTS // calls))
    width = 1 if math.isnan(q) else max(1, calls // units)
    prepared = [(_by_unit(cell, unit, units, q), sign) for cell, sign in group]
    parts = []
    for times in resamples(units, draws, how.seed + place, width=width):
        folds = (sign * np.log(_fold(data, times, q)) for data, sign in prepared)
        parts.append(np.sum(list(folds), axis=0))
    return np.concatenate(parts)


def _by_unit(cell: Folded, unit: Codes, units: int, q: float) -> tuple[Numbers, Numbers]:
    """What `_fold` needs: sorted values and their units, or the sums of each unit."""
    if not math.isnan(q):
        each = cell.values / cell.weights
        order = np.argsort(each, kind="stable")
        return each[order], unit[order].astype(np.float64)
    values = np.bincount(unit, weights=cell.values, minlength=units)
    return values.astype(np.float64), np.bincount(unit, cell.weights, units).astype(np.float64)


def _fold(data: tuple[Numbers, Numbers], times: Numbers, q: float) -> Numbers:
    if math.isnan(q):
        ratio: Numbers = (times @ data[0]) / (times @ data[1])
        return ratio
    reached = np.cumsum(times[:, data[1].astype(np.intp)], axis=1)
    picked: Numbers = data[0][np.argmax(reached >= q * reached[:, -1:] - 1e-9, axis=1)]
    return picked
