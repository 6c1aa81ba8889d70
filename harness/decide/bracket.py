"""How session configurations are compared: halve without claims, then confirm one pair.

Of many configurations most of a sweep's calls go to those that are slower. So the slower half is
dropped after each of a few stages, without any claim (a choice needs no significance), and what is
left of the calls goes to one comparison: the fastest against the default, in six pairs of fresh
processes, in the order A B B A. Its t interval is over the pairs, so that what a
process draws once is in it. (Successive halving: Karnin, Koren and Somekh, ICML 2013; that a choice
on other data costs a test nothing: Cox, Biometrika 62, 1975.)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy import special

PAIRS = 6
FEWEST_PAIRS = 3  # measured whatever the budget: two show no variance
MOST_STAGES = 3
HALVING_SHARE = 0.5  # of the seconds
FEWEST, MOST = 3, 24  # rounds of a stage
FEWEST_CALLS, MOST_CALLS = 4, 80  # of each side in a pair: whole A B B A
DEFAULTS = 2  # calls of the default in each round: what all the others are against
CALL, PROCESS = 0.08, 0.01  # log standard deviations that a forecast takes: of a call, of a process
LEVEL, POWER = 0.975, 0.8


@dataclass(frozen=True)
class Bracket:
    """`rounds` of each stage (one for each halving), `calls` of each side in each pair."""

    rounds: tuple[int, ...]
    calls: int
    pairs: int = PAIRS

    def gain(self, call: float = CALL, process: float = PROCESS) -> float:
        """The gain that is found with a chance of 80 %, if it is as large as the halving says."""
        sd = math.sqrt(2 * (1.57 * call**2 / self.calls + process**2))  # 1.57: of a median
        t = float(special.stdtrit(self.pairs - 1, LEVEL)) + float(special.ndtri(POWER))
        return -math.expm1(-t * sd / math.sqrt(self.pairs))


def bracket(rivals: int, call_seconds: float, open_seconds: float, seconds: float) -> Bracket:
    """The plan that fits the seconds, as far as the fewest of each kind do."""
    if rivals < 1:
        return Bracket((), 0, 0)
    stages = min(MOST_STAGES, math.ceil(math.log2(rivals))) if rivals > 1 else 0
    opening = 2 * PAIRS * (open_seconds + call_seconds)
    if not call_seconds > 0:
        return Bracket((FEWEST,) * stages, FEWEST_CALLS)
    room = max(min(HALVING_SHARE * seconds, seconds - opening), 0.0) / max(stages, 1)
    rounds = tuple(
        min(max(int(room / (call_seconds * (kept + DEFAULTS))), FEWEST), MOST)
        for kept in sizes(rivals, stages)
    )
    spent = sum(
        n * call_seconds * (kept + DEFAULTS)
        for n, kept in zip(rounds, sizes(rivals, stages), strict=True)
    )
    calls = int((seconds - spent - opening) / (2 * PAIRS * call_seconds)) // 2 * 2
    return Bracket(rounds, min(max(calls, FEWEST_CALLS), MOST_CALLS))


def sizes(rivals: int, stages: int) -> list[int]:
    """How many configurations are in each stage."""
    out = []
    for _ in range(stages):
        out.append(rivals)
        rivals = math.ceil(rivals / 2)
    return out


def kept(ratios: Mapping[str, float], last: bool) -> list[str]:
    """The faster half by their ratio to the default, in the order they are in; after the last stage
    the fastest alone. One without a ratio (it failed) is dropped first."""
    known = {name: ratio for name, ratio in ratios.items() if not math.isnan(ratio)}
    count = 1 if last else math.ceil(len(ratios) / 2)
    best = sorted(known, key=lambda name: known[name])[:count]
    return [name for name in ratios if name in best]


def abba(calls: int, turned: bool) -> Sequence[int]:
    """The order of a pair's calls: 0 and 1 in A B B A, or B A A B where it is turned."""
    first = 1 if turned else 0
    order = [first, 1 - first, 1 - first, first] * math.ceil(calls / 2)
    return order[: 2 * calls]
