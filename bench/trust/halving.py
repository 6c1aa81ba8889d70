"""Sweeps of sixteen configurations: how often a real gain is named, and one that is none.

Simulated with the plan (`bracket`), the choice (`kept`) and the interval (`ratio_over_pairs`) that
the runner and the sessions table use; opening a process is free here, so that calls are counted.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.decide import bracket as plan
from harness.decide.stats import Timed, ratio_over_pairs
from trust import cached
from trust.rows import Row, share

RIVALS = 15
CALLS = {"24 rounds of 17 calls": 24 * 17, "12 rounds of 17 calls": 12 * 17}
FOUND = {0.05: ">= 0.6", 0.10: ">= 0.97", 0.13: ">= 0.97"}


@dataclass(frozen=True)
class Case:
    """One rival is faster by `gain`, or none is; log standard deviations of calls and processes."""

    gain: float
    calls: int
    process: float
    call: float = 0.08


def named(case: Case, random: np.random.Generator) -> int:
    """The rival that one sweep names as faster, -1 for none; the faster one is rival 0."""
    made = plan.bracket(RIVALS, 1.0, 0.0, float(case.calls))
    factors = np.zeros(RIVALS)
    factors[0] = np.log1p(-case.gain)
    held = case.process * random.standard_normal(RIVALS)
    default = case.process * random.standard_normal(2)
    left, sums, done = list(range(RIVALS)), np.zeros(RIVALS), 0
    for stage, rounds in enumerate(made.rounds):
        base = (default + case.call * random.standard_normal((rounds, 2))).mean()
        for rival in left:
            calls = factors[rival] + held[rival] + case.call * random.standard_normal(rounds)
            sums[rival] += rounds * (calls.mean() - base)
        done += rounds
        ratios = {str(rival): sums[rival] / done for rival in left}
        left = [int(x) for x in plan.kept(ratios, last=stage + 1 == len(made.rounds))]
    pairs = np.repeat(np.arange(made.pairs), made.calls)
    sides = []
    for level in (factors[left[0]], 0.0):
        fresh = case.process * random.standard_normal(made.pairs)
        logs = level + fresh[pairs] + case.call * random.standard_normal(pairs.size)
        sides.append(Timed.of(np.exp(logs), np.arange(pairs.size), None, pairs))
    return left[0] if ratio_over_pairs(*sides).high < 1 else -1


def rows(experiments: int, seed: int) -> list[Row]:
    """Every case; those that the same code has counted before are read."""
    seal = cached.code("halving.py", "../../harness/decide/bracket.py")
    return list(_rows(experiments, seed, seal))


def _rows(experiments: int, seed: int, seal: str) -> Iterator[Row]:
    for name, calls in CALLS.items():
        for process in (0.0, 0.02):
            for gain in (0.0, 0.05, 0.10, 0.13):
                case = Case(gain, calls, process)
                made = lambda case=case: _counts(case, experiments, seed)  # noqa: E731
                right, wrong = cached.kept((case, experiments, seed), seal, made)
                where = f"{name}, processes {process:.0%} apart"
                if gain:
                    value, error = share(right, experiments)
                    target = FOUND[gain] if not process and calls == max(CALLS.values()) else ""
                    text = f"a gain of {gain:.0%} on one of 15: named, {where}"
                    yield Row("sweeps of 16", text, value, error, experiments, target)
                else:
                    value, error = share(wrong, experiments)
                    text = f"no gain anywhere: one is named, {where}"
                    yield Row("sweeps of 16", text, value, error, experiments, "<= 0.03")


def _counts(case: Case, experiments: int, seed: int) -> tuple[int, int]:
    random = np.random.default_rng([seed, zlib.crc32(repr(case).encode())])
    found = [named(case, random) for _ in range(experiments)]
    right = sum(rival == 0 for rival in found) if case.gain else 0
    return right, sum(rival >= 0 for rival in found) - right
