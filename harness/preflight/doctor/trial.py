"""A measurement of the measuring: one fixed kernel, timed as two equal cells in rounds."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Clock = Callable[[], float]

SECONDS = 3.0
ROUNDS = 20
CALLS = 3  # per block, as experiments have unless they say otherwise
CELLS = 2
ASKED_ROUNDS = 10
WARM = 4  # products before those that count
SIZE = 1024  # of the square matrices


@dataclass(frozen=True)
class Trial:
    """What two equal cells showed.

    cv: standard deviation of all calls over their mean. lag1: autocorrelation of each call with the
    next. blocks: standard deviation of the blocks' medians over their median. reach: half the width
    of the 95 % interval that ASKED_ROUNDS rounds would give the ratio of the two cells: so much may
    they differ though nothing does. Shares; NaN where too little was measured.
    """

    cv: float
    lag1: float
    blocks: float
    reach: float
    rounds: int

    @classmethod
    def nothing(cls) -> Trial:
        """No trial was made."""
        return cls(math.nan, math.nan, math.nan, math.nan, 0)

    @classmethod
    def of(cls, seconds: ArrayLike) -> Trial:
        """`seconds`: shape (rounds, 2 cells, calls), in the order measured.

        The cells are compared as stats.paired_medians compares: a ratio of medians within each
        round, its logarithm averaged over rounds, Student's t on their spread.
        """
        times = np.asarray(seconds, dtype=np.float64)
        rounds = times.shape[0]
        if rounds < 2 or not (np.isfinite(times).all() and (times > 0).all()):
            return cls.nothing()
        medians = np.median(times, axis=2)
        logs = np.log(medians[:, 0] / medians[:, 1])
        t = float(special.stdtrit(ASKED_ROUNDS - 1, 0.975))
        reach = math.expm1(t * float(logs.std(ddof=1)) / math.sqrt(ASKED_ROUNDS))
        spread = float(medians.std(ddof=1) / np.median(medians))
        calls = times.ravel()
        return cls(float(calls.std(ddof=1) / calls.mean()), _lag1(calls), spread, reach, rounds)


def run(seconds: float = SECONDS, clock: Clock = time.perf_counter) -> Trial:
    """Time a matrix product for about `seconds`, on as many threads as numpy takes for it.

    A product as long as a large operator of an encoder: shorter ones tell more of how threads meet
    than of the machine.
    """
    left = np.linspace(-1, 1, SIZE * SIZE, dtype=np.float32).reshape(SIZE, SIZE)
    each = seconds / (ROUNDS * CELLS * CALLS)
    cost = _cost(lambda: np.matmul(left, left), clock)
    right = left[:, : max(16, min(SIZE, int(SIZE * each / cost)))]  # less of it if one takes longer
    times = max(1, round(each / cost))

    def call() -> None:
        for _ in range(times):
            np.matmul(left, right)

    return Trial.of([[_block(call, clock) for _ in range(CELLS)] for _ in range(ROUNDS)])


def _cost(product: Callable[[], object], clock: Clock) -> float:
    """Seconds of the product once it is warm; never 0."""
    found = []
    for _ in range(WARM):
        started = clock()
        product()
        found.append(clock() - started)
    return max(min(found), 1e-6)


def _block(call: Callable[[], None], clock: Clock) -> list[float]:
    found = []
    for _ in range(CALLS):
        started = clock()
        call()
        found.append(clock() - started)
    return found


def _lag1(x: NDArray[np.float64]) -> float:
    """Correlation of each value with the next; NaN where they never vary."""
    off = x - x.mean()
    total = float(off @ off)
    return float(off[:-1] @ off[1:]) / total if total > 0 else math.nan
