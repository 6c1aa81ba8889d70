"""Is "about n more calls would settle it" of an INCONCLUSIVE gate true?

The truth is the fewest calls with which such a gate is decided in 80 % of simulated runs. An open
gate is one of two kinds: too few calls for any bound, where what it takes is reckoned well; or a
limit near the quantile, where the distance between the two is itself hardly known.
"""

from __future__ import annotations

import math
import zlib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from harness.contracts import Status
from harness.decide import stats
from harness.decide.verdict.checks import evidence
from harness.plugins.gates._rule import at_most
from trust.generators import AR, CALLS_PER_BLOCK, IID, Generator
from trust.rows import Row, share

SEARCHED = 400  # simulated runs for each size that is tried
STEP = 1.1
POWER = 0.8


@dataclass(frozen=True)
class Case:
    """A gate that is open after `calls`; its true quantile lies `margin` under the limit."""

    kind: str
    generator: Generator
    q: float
    margin: float
    calls: int

    @property
    def name(self) -> str:
        return (
            f"{self.kind}: P{self.q * 100:g}, {self.margin:.0%} under the limit,"
            f" {self.generator.name}, {self.calls} calls"
        )

    @property
    def limit(self) -> float:
        return self.generator.true_quantile(self.q, self.calls) / (1 - self.margin)


FEW, NEAR = "too few calls", "limit is near"
CASES = (
    Case(FEW, IID, 0.99, 0.25, 150),
    Case(FEW, IID, 0.99, 0.10, 240),
    Case(FEW, IID, 0.90, 0.25, 24),
    Case(FEW, AR, 0.90, 0.25, 24),
    Case(FEW, AR, 0.99, 0.25, 240),
    Case(NEAR, IID, 0.50, 0.03, 45),
    Case(NEAR, IID, 0.90, 0.05, 90),
    Case(NEAR, AR, 0.50, 0.05, 90),
)


def rows(experiments: int, seed: int) -> list[Row]:
    """A row per case: the share of open gates whose figure is within a factor of 2 of the truth."""
    with ProcessPoolExecutor(2) as pool:
        return list(pool.map(_row, CASES, [experiments] * len(CASES), [seed] * len(CASES)))


def _row(case: Case, experiments: int, seed: int) -> Row:
    random = np.random.default_rng([seed, zlib.crc32(case.name.encode())])
    truth = _truth(case, random)
    told = [_told(case, random) for _ in range(experiments)]
    asked = [needs for needs in told if needs is not None]
    near = sum(truth / 2 <= needs <= truth * 2 for needs in asked)
    value, error = share(near, len(asked))
    middle = float(np.nanmedian(asked))
    note = f"truth {truth:,} calls; told, in the middle: {middle:,.0f}"
    return Row("needs", case.name, value, error, len(asked), ">= 0.8", note)


def _told(case: Case, random: np.random.Generator) -> float | None:
    """What an open gate says it takes; None where it is decided."""
    seconds, blocks = _run(case, case.calls, random)
    if _status(case, seconds, blocks) is not Status.INCONCLUSIVE:
        return None
    return stats.needed_for_quantile(seconds, blocks, case.q, case.limit)


def _truth(case: Case, random: np.random.Generator) -> int:
    """The fewest calls, by steps of 10 %, with which a run is decided in 80 % of the cases."""
    calls = float(case.calls)
    while True:
        n = math.ceil(calls / CALLS_PER_BLOCK) * CALLS_PER_BLOCK
        runs = (_run(case, n, random) for _ in range(SEARCHED))
        decided = sum(_status(case, *run) is not Status.INCONCLUSIVE for run in runs)
        if decided >= POWER * SEARCHED:
            return n
        calls *= STEP


def _run(case: Case, calls: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return case.generator.calls(calls, random), np.arange(calls) // CALLS_PER_BLOCK


def _status(case: Case, seconds: np.ndarray, blocks: np.ndarray) -> Status:
    found = stats.quantile_bounds(seconds, blocks, case.q)
    return at_most(case.limit, evidence(found))
