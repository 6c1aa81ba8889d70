"""False approvals, power and calls of latency gates under every noise, through the runner's layout.

Each experiment is a run of ten minutes: two cells that take turns in the rounds of the layout,
between turns of quality. What a gate says is asked of the functions that the verdict asks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from harness.contracts import Status
from harness.decide import layout, stats
from harness.decide.layout import lay_out
from harness.decide.stats import Interval, Resampling, Timed, Units
from harness.decide.verdict.checks import evidence
from harness.plugins.gates._rule import at_most
from trust import cached
from trust.noises import KNOTS, LAW, MINUTES, NOISES, Noise, Numbers
from trust.rows import Row, share

GRID = 400  # points of a run over which its own quantile is taken
TURNS = 40  # of quality, that the rounds lie between
LAYOUTS = 8  # drawn with seeds of their own
FIXED = {0.5: 1500, 0.99: 3000}  # calls of the tests of before
DRAWS = 1000  # of a bootstrap; the verdict takes 10,000
AT_THE_END = stats.last(layout.GENERATIONS[1] - 2)  # after the looks that may reject


@dataclass(frozen=True)
class Plan:
    """A gate's kind and what is measured for it: the P`q` of a cell, or its ratio to another's."""

    name: str
    q: float
    rounds: int
    call_seconds: float
    ratio: bool = False
    clips: int = 1000

    def laid(self, seed: int) -> layout.Layout:
        cell = layout.Cell(self.call_seconds, self.rounds, self.clips, gated=True)
        other = replace(cell, process=1)
        return lay_out([cell, other], math.inf, seed)


PLANS = (
    Plan("P50 of 85 blocks of 3 calls", 0.5, 85, 0.08),
    Plan("P50 of 40 single calls", 0.5, 40, 1.0),
    Plan("P90 of 85 blocks of 3 calls", 0.9, 85, 0.08),
    Plan("P99 of 300 blocks of 3 calls", 0.99, 300, 0.08),
    Plan("P50 of 85 blocks of 3 calls on 12 clips", 0.5, 85, 0.08, clips=12),
    Plan("ratio of P50s, 85 blocks of 3 calls", 0.5, 85, 0.08, ratio=True),
    Plan("ratio of P50s, 24 single calls", 0.5, 24, 1.0, ratio=True),
)


@dataclass(frozen=True)
class Times:
    """Where the calls of one cell lie: shape (calls,) each."""

    at: Numbers  # 0 to 1 of the run
    rounds: Numbers
    clips: Numbers
    processes: Numbers


@lru_cache(maxsize=64)
def times(plan: Plan, seed: int) -> tuple[Times, Times]:
    """Of both cells, from the layout: rounds lie between the turns of quality."""
    made = plan.laid(seed)
    length = MINUTES * 60
    calls = sum(block.calls * plan.call_seconds for block in made.schedule())
    turn = max(length - calls, 0.2 * length) / TURNS
    now, done, rows = 0.0, 0, []
    for number in range(TURNS):
        now += turn
        while done < made.rounds_after(number + 1, TURNS):
            for block in made.blocks(done):
                for _ in range(block.calls):
                    rows.append((block.cell, now, done, block.clip, block.generation))
                    now += plan.call_seconds
            done += 1
    found = np.array(rows)
    found[:, 1] /= now
    sides = (found[found[:, 0] == cell] for cell in (0, 1))
    one, two = (Times(s[:, 1], *(s[:, k].astype(int) for k in (2, 3, 4))) for s in sides)
    return one, two


@dataclass(frozen=True)
class Runs:
    """Simulated runs of one plan: logarithms of the seconds, shape (runs, calls), and what is true
    of each run (its own quantile, or the ratio of the two), and of the law."""

    ours: Numbers
    theirs: Numbers
    truth: Numbers  # of each run
    law: float


def simulate(
    noise: Noise, plan: Plan, seed: int, count: int, where: tuple[Times, Times] | None = None
) -> Runs:
    """`count` runs under one layout: the runner's, or another."""
    one, two = where or times(plan, seed)
    random = np.random.default_rng([seed, noise.seed, int(1000 * plan.q), plan.rounds])
    grid = (np.arange(GRID) + random.random()) / GRID
    every = np.concatenate([one.at, two.at, grid])
    order = np.argsort(every, kind="stable")
    level = np.empty((count, every.size))
    level[:, order] = noise.level(random, count, every[order])
    n = one.at.size
    clips = noise.drawn(noise.clip, random, (count, plan.clips))
    ratio = noise.between * random.standard_normal((count, plan.clips))
    ours = level[:, :n] + _drawn(noise, random, one, clips + ratio)
    theirs = level[:, n : 2 * n] + _drawn(noise, random, two, clips)
    theirs += np.log(1.5) * (random.random(theirs.shape) < noise.shocks)
    own = _truth(noise, plan.q, level[:, 2 * n :], False)
    law = _truth(noise, plan.q, level[:, 2 * n :].reshape(1, -1), False)[0]
    if plan.ratio:
        own = own - _truth(noise, plan.q, level[:, 2 * n :], True)
        law -= _truth(noise, plan.q, level[:, 2 * n :].reshape(1, -1), True)[0]
    return Runs(ours, theirs, own, float(law))


def _drawn(noise: Noise, random: np.random.Generator, where: Times, clips: Numbers) -> Numbers:
    """All but the level, shape (runs, calls)."""
    count = clips.shape[0]
    out = noise.drawn(noise.call, random, (count, where.at.size))
    blocks = noise.drawn(noise.block, random, (count, where.rounds.max() + 1))
    processes = noise.process * random.standard_normal((count, where.processes.max() + 1))
    return out + blocks[:, where.rounds] + clips[:, where.clips] + processes[:, where.processes]


@lru_cache(maxsize=64)
def _distribution(noise: Noise, baseline: bool) -> tuple[Numbers, Numbers]:
    """Knots of the distribution of what is drawn: values, shares under them."""
    sample = np.sort(noise.mixed(np.random.default_rng([noise.seed, 7]), baseline))
    shares = np.linspace(0, 1, KNOTS)
    tail = np.concatenate([shares, 1 - np.geomspace(1e-5, 1e-2, 200)])
    shares = np.unique(tail)
    places = np.minimum((shares * sample.size).astype(int), sample.size - 1)
    return sample[places], shares


def _truth(noise: Noise, q: float, level: Numbers, baseline: bool) -> Numbers:
    """The q-quantile of level + what is drawn, of each row of levels."""
    values, shares = _distribution(noise, baseline)
    if level.shape[1] > 20_000:
        level = level[:, :: level.shape[1] // 20_000 + 1]
    low = np.full(level.shape[0], values[0]) + level.min(axis=1)
    high = np.full(level.shape[0], values[-1]) + level.max(axis=1)
    if np.ptp(level) == 0:
        return np.full(level.shape[0], np.interp(q, shares, values)) + level[:, 0]
    for _ in range(30):
        middle = (low + high) / 2
        under = np.interp(middle[:, None] - level, values, shares).mean(axis=1) < q
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return (low + high) / 2


# ------------------------------------------------------------------------------------- decisions
def bound(plan: Plan, where: Times, ours: Numbers, theirs: Numbers) -> Interval:
    """What the verdict reads at the end of the plan."""
    level = AT_THE_END.level
    if not plan.ratio:
        units = Units.of(where.rounds, where.clips, where.processes)
        return stats.widest_quantile(np.exp(ours), units, plan.q, level)
    pair = (Timed.of(np.exp(x), where.rounds, where.clips, where.processes) for x in (ours, theirs))
    return stats.paired_quantiles(*pair, plan.q, Resampling(level=level, draws=DRAWS))[1]


MARGINS = (0.0, -0.02, 0.10)


def count(noise: Noise, plan: Plan, experiments: int, seed: int) -> dict[str, float]:
    """Of so many runs, how many were approved: "run 0" at the limit against the run, "law -0.02"
    2 % over it against the law. A bound does not depend on the limit: one decides at each."""
    found: list[Interval] = []
    truths: list[Numbers] = []
    laws: list[Numbers] = []
    each = math.ceil(experiments / LAYOUTS)
    for place in range(LAYOUTS):
        runs, where = simulate(noise, plan, seed + place, each), times(plan, seed + place)[0]
        found += [bound(plan, where, o, t) for o, t in zip(runs.ours, runs.theirs, strict=True)]
        truths.append(runs.truth)
        laws.append(np.full(each, runs.law))
    out: dict[str, float] = {"n": len(found)}
    for name, true in (("run", np.concatenate(truths)), ("law", np.concatenate(laws))):
        for margin in MARGINS:
            limits = np.exp(true) / (1 - margin)
            out[f"{name} {margin:g}"] = approvals(limits, found)
    return out


def approvals(limits: Numbers, found: list[Interval]) -> int:
    """How many of the bounds are within their limits."""
    pairs = zip(limits.tolist(), found, strict=True)
    return sum(at_most(limit, evidence(one)) is Status.PASS for limit, one in pairs)


def cells() -> Iterator[tuple[Noise, Plan]]:
    """Every noise under every plan; shocks of the baseline alone concern ratios."""
    for noise in NOISES:
        for plan in PLANS:
            if plan.ratio or not noise.shocks:
                yield noise, plan


def rows(experiments: int, seed: int) -> list[Row]:
    """Every cell; those that the same code has counted before are read."""
    seal = cached.code("noises.py", "gallery.py")
    todo = list(cells())
    with ProcessPoolExecutor(2) as pool:
        more = ([x] * len(todo) for x in (experiments, seed, seal))
        counted = list(pool.map(_kept, range(len(todo)), *more))
    found = [row for cell, one in zip(todo, counted, strict=True) for row in _rows(*cell, one)]
    return [*found, *_calls()]


def _calls() -> Iterator[Row]:
    """What a plan takes: it is fixed, and ends early only for what is rejected."""
    for plan in PLANS:
        fixed = FIXED.get(plan.q)
        if fixed and not plan.ratio:
            used = times(plan, 0)[0].at.size / fixed
            yield Row("calls used", plan.name, used, math.nan, 1, "<= 0.5")


def _kept(place: int, experiments: int, seed: int, seal: str) -> dict[str, float]:
    noise, plan = list(cells())[place]
    key = (noise.name, plan, experiments, seed)
    found: dict[str, float] = cached.kept(key, seal, lambda: count(noise, plan, experiments, seed))
    return found


WHERE = {"0": "exactly at the limit", "-0.02": "2 % over the limit", "0.1": "10 % under the limit"}


def _rows(noise: Noise, plan: Plan, counted: dict[str, float]) -> Iterator[Row]:
    n = int(counted["n"])
    for key, hits in counted.items():
        about, _, margin = key.partition(" ")
        if about == "n" or (about == "law" and noise.true == LAW):
            continue  # of such a noise the run has all: both are the same
        value, error = share(int(hits), n)
        case = f"{plan.name}, {WHERE[margin]}, {noise.name}"
        if margin != "0.1":
            # noise that outlasts a run is in no run: nothing is promised against the law then
            target = "<= 0.05" if about == "run" else ""
            yield Row(
                f"false approvals, against the {about}", case, value, error, n, target, noise.true
            )
        elif about == "run":
            target = ">= 0.9" if plan == PLANS[0] else ""
            note = noise.hides if target else ""
            yield Row("power, whatever the noise", case, value, error, n, target, note)
