"""Early stopping of the other gates: paired ratios of medians, and WER over a large data set."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from harness.contracts import Status
from harness.decide import stats
from harness.decide.stats import Interval, Look, Resampling, Sums, Timed
from harness.decide.verdict.checks import evidence
from harness.plugins.gates._rule import at_most
from trust import quality
from trust.generators import AR, DRIFT, IID, SPIKES, Generator
from trust.rows import Row, share

FIRST_ROUNDS, ROUNDS = 12, 100
FIRST_UTTERANCES, UTTERANCES = 100, 1000
RATIO = 0.95  # of variant to baseline
STREAMS = 0.2  # share of the experiments: each takes a hundred times as long


@dataclass(frozen=True)
class Ratio:
    """A gate `max_ratio` on one call of each of two cells in every round."""

    generator: Generator
    margin: float

    @property
    def name(self) -> str:
        where = f"{self.margin:.0%} under the limit" if self.margin else "exactly at the limit"
        return f"paired ratio of medians, {where}, {self.generator.name}, {ROUNDS} rounds planned"

    def status(self, random: np.random.Generator) -> Status:
        """The two take turns in random order within the round, as blocks of one call."""
        order = random.integers(2, size=ROUNDS)
        times = replace(self.generator, block=1).calls(2 * ROUNDS, random).reshape(ROUNDS, 2)
        rounds = np.arange(ROUNDS)
        ours = RATIO * (1 - self.margin) * times[rounds, order]
        theirs = times[rounds, 1 - order]

        def bounds(n: int, look: Look) -> Interval:
            pair = Timed.of(ours[:n], rounds[:n]), Timed.of(theirs[:n], rounds[:n])
            return stats.paired_medians(*pair, look.level)[1]

        return _decided(RATIO, stats.looks(FIRST_ROUNDS, ROUNDS), ROUNDS, bounds)


@dataclass(frozen=True)
class Stream:
    """A gate `max_increase` on the WER of a data set that is looked at on the way."""

    margin: float  # points that the true increase lies under the limit

    @property
    def name(self) -> str:
        where = f"{self.margin:g} points under it" if self.margin else "exactly at the limit"
        return f"WER increase, {where}, {UTTERANCES} utterances of one speaker planned"

    def status(self, random: np.random.Generator) -> Status:
        cell = quality.Cell("", UTTERANCES, 1, 1.0, np.inf)
        sample, clusters = quality.draw(cell, random), np.arange(UTTERANCES)

        def bounds(n: int, look: Look) -> Interval:
            ours, theirs = (Sums(x[:n], sample.words[:n]) for x in (sample.ours, sample.theirs))
            how = Resampling(level=look.level, draws=2000)
            return stats.compare_ratios(ours, theirs, clusters[:n], how)[0]

        limit = (1.0 + self.margin) / 100
        return _decided(limit, stats.looks(FIRST_UTTERANCES, UTTERANCES), UTTERANCES, bounds)


def rows(experiments: int, seed: int) -> list[Row]:
    """False approvals and power of both."""
    asked: list[Ratio | Stream] = [Ratio(g, m) for g in (IID, AR, SPIKES, DRIFT) for m in (0, 0.1)]
    asked += [Stream(0.0), Stream(2.0)]
    with ProcessPoolExecutor(2) as pool:
        return list(pool.map(_row, asked, [experiments] * len(asked), [seed] * len(asked)))


def _row(asked: Ratio | Stream, experiments: int, seed: int) -> Row:
    random = np.random.default_rng([seed, zlib.crc32(asked.name.encode())])
    n = experiments if isinstance(asked, Ratio) else max(1, int(experiments * STREAMS))
    value, error = share(sum(asked.status(random) is Status.PASS for _ in range(n)), n)
    if asked.margin:
        return Row("other early stops: power", asked.name, value, error, n, ">= 0.8")
    return Row("other early stops: false approvals", asked.name, value, error, n, "<= 0.05")


def _decided(
    limit: float, looks: tuple[int, ...], planned: int, bounds: Callable[[int, Look], Interval]
) -> Status:
    for n in looks:
        status = _status(limit, bounds(n, stats.early(n / planned)))
        if status is not Status.INCONCLUSIVE:
            return status
    return _status(limit, bounds(planned, stats.last(len(looks))))


def _status(limit: float, found: Interval) -> Status:
    return at_most(limit, evidence(found))
