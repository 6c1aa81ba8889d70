"""How a run is laid out in time, processes and clips: what the runner does, `check` forecasts and
bench/trust simulates is this one plan. Pure: from expected seconds to blocks.

A run measures each of its cells in blocks of a quarter of a second (or one call), a new clip for
each block. The blocks of all cells lie next to each other in rounds, in an order drawn anew each
time; rounds are spread over the whole run, between turns of quality, and over generations of fresh
processes. So what changes slowly (throttling, neighbours), what a process draws once (the place of
its memory) and what differs between clips are all in the sample, and can be paid for in a bound.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import special

from harness.errors.limits import FEWEST_UTTERANCES

BLOCK_SECONDS = 0.25  # of one block: shorter calls are repeated on its clip
MOST_IN_BLOCK = 64  # calls of a millisecond would fill a journal
GENERATIONS = (4, 6)  # fewest, most: a t interval over 3 is 1.6 times as wide as one over 6
OVERHEAD = 1 / 4  # of the seconds, at most, for opening and warming up more than 4 generations
MOST_ROUNDS = 20_000  # of one cell, however large the budget
FIRST_LOOK = 3  # generations after which something may be rejected: two do not show a variance
FEWEST_ROUNDS = 6  # of any cell: fewer single calls give a median no 95 % interval (0.5^5 > 0.025)
FEWEST_GATED = 24  # of a cell that a gate looks at, before others are cut: 4 in each of 6 processes
FEWEST_BESIDE = 2  # of a cell that no gate looks at, before one that decides has fewer than 24
KINDS = (False, True)  # of cells: whether a gate looks at them
# fewest rounds that are left, and of which cells: one cut after the other, until the plan fits
CUTS = (
    (FEWEST_ROUNDS, False),
    (FEWEST_GATED, True),
    (FEWEST_BESIDE, False),
    (FEWEST_ROUNDS, True),
)
LEVEL = 0.95  # of the bound that generations are chosen for


@dataclass(frozen=True)
class Cell:
    """One cell as a layout sees it: seconds of a call (0: it never ran), rounds that are wanted,
    clips that there are of its length, which process it is in and what opening that takes."""

    seconds: float
    rounds: int
    clips: int = 1
    process: int = 0
    open_seconds: float = 0.0
    warmup: int = 1
    gated: bool = False  # a gate looks at it: the last to be cut
    once: bool = False  # its process cannot be opened a second time (a server)
    fixed: int = 0  # calls of a block, whatever they take; 0: a quarter of a second

    @property
    def calls(self) -> int:
        """Calls of one block."""
        if self.fixed or not self.seconds > 0:
            return self.fixed or 1
        return min(max(int(BLOCK_SECONDS / self.seconds), 1), MOST_IN_BLOCK)


@dataclass(frozen=True)
class Block:
    """`calls` of one cell in a row on one clip; `clip` counts from 0 among those of its length."""

    round: int
    generation: int
    cell: int
    clip: int
    calls: int


@dataclass(frozen=True)
class Layout:
    """The plan: rounds of each cell, in how many generations; `seconds` is what it will take."""

    cells: tuple[Cell, ...]
    generations: int
    seed: int

    @property
    def rounds(self) -> int:
        return max((cell.rounds for cell in self.cells), default=0)

    @property
    def seconds(self) -> float:
        return _seconds(self.cells, self.generations)

    def generation(self, number: int) -> int:
        """Which generation of processes measures a round."""
        return number * self.generations // max(self.rounds, 1)

    def last_of_generation(self, number: int) -> bool:
        """Whether the next round, if there is one, is measured by fresh processes."""
        return number + 1 >= self.rounds or self.generation(number + 1) > self.generation(number)

    def blocks(self, number: int) -> list[Block]:
        """The blocks of a round in the order of time. What cannot be opened a second time is of
        generation 0 throughout."""
        due = [at for at, cell in enumerate(self.cells) if self._rank[number] < cell.rounds]
        random = np.random.default_rng([self.seed, 1, number])
        of = self.generation(number)
        return [
            Block(
                number,
                0 if self.cells[at].once else of,
                at,
                self.clip(at, number),
                self.cells[at].calls,
            )
            for at in random.permutation(due).astype(int).tolist()
        ]

    def clip(self, cell: int, number: int) -> int:
        """The clip of a cell in a round: the same for all cells with as many, each clip as often as
        any other, and in an order of its own in each pass."""
        clips = max(self.cells[cell].clips, 1)
        passed, place = divmod(number, clips)
        return int(_permuted(self.seed, clips, passed)[place])

    def schedule(self) -> Iterator[Block]:
        """Every block of the run in the order of time."""
        for number in range(self.rounds):
            yield from self.blocks(number)

    def rounds_after(self, turn: int, turns: int) -> int:
        """Rounds that are done once so many of the `turns` of quality are."""
        return self.rounds * min(turn, turns) // turns if turns > 0 else self.rounds

    @cached_property
    def _rank(self) -> NDArray[np.int64]:
        """A cell of n rounds has those whose rank is under n: as many in each generation, spread
        within it, and all of them rounds of every cell that has more."""
        ranks = np.empty(self.rounds, dtype=np.int64)
        of = np.array([self.generation(n) for n in range(self.rounds)], dtype=np.int64)
        for generation in range(self.generations):
            mine = np.flatnonzero(of == generation)
            turned = np.random.default_rng([self.seed, 3, generation]).integers(max(mine.size, 1))
            within = np.roll(_spread_ranks(mine.size), turned)
            ranks[mine] = within * self.generations + generation
        order = np.empty_like(ranks)
        order[np.argsort(ranks)] = np.arange(self.rounds)
        return order


def lay_out(
    cells: Sequence[Cell], seconds: float, seed: int, generations: tuple[int, int] = GENERATIONS
) -> Layout:
    """The plan that fits the seconds. Cut in this order: rounds of what no gate looks at, down to
    6; generations, down to 4; rounds of what gates look at, down to 24; of the others, down to 2;
    then rounds of what gates look at and generations, down to 6 in 3, whichever of the two leaves
    the rounds worth more. What fits in no such way has one generation, which approves nothing."""
    wanted = _with_gates(cells)
    fewest, most = generations
    if all(cell.once for cell in wanted):
        return _laid(wanted, seconds, 1, seed)
    count = _most_generations(wanted, seconds, (fewest, most))
    choices = [count] if count > fewest else [*range(fewest, FIRST_LOOK - 1, -1), 1]
    plans = [_laid(wanted, seconds, n, seed) for n in choices]
    return max((plan for plan in plans if plan.seconds <= seconds), key=worth, default=plans[-1])


def generation_of(done: int, utterances: int) -> int:
    """In which generation of processes a data set's utterance is heard, of those on which a time
    is gated: six over the first hundred, so that an early end has them too, and six over the rest.
    """
    most, first = GENERATIONS[1], min(utterances, FEWEST_UTTERANCES)
    if done < first:
        return done * most // first
    return most + (done - first) * most // max(utterances - first, 1)


def turn_of(utterances: int, usual: int) -> int:
    """Utterances that are heard in a row: fewer than is usual where six generations take that."""
    return max(min(usual, utterances // GENERATIONS[1]), 1)


def _laid(cells: tuple[Cell, ...], seconds: float, generations: int, seed: int) -> Layout:
    trimmed = _trimmed(cells, seconds, generations)
    rounds = max((cell.rounds for cell in trimmed), default=1)
    return Layout(trimmed, max(min(generations, rounds), 1), seed)


def _with_gates(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """Where no gate looks at any cell, none is cut for another."""
    gated = any(cell.gated for cell in cells)
    return tuple(cell if gated else replace(cell, gated=True) for cell in cells)


def worth(plan: Layout) -> float:
    """The fewest rounds that a gate looks at, less for knowing from few processes how they differ:
    (t of as many rounds / t of as many processes)^2, as in stats/widest.py."""
    rounds = min((cell.rounds for cell in plan.cells if cell.gated), default=0)
    if plan.generations < 2 or rounds < 2:
        return 0.0
    few = special.stdtrit(rounds - 1, LEVEL) / special.stdtrit(plan.generations - 1, LEVEL)
    return float(rounds * few**2)


def _most_generations(cells: tuple[Cell, ...], seconds: float, span: tuple[int, int]) -> int:
    """The most in the span whose opening and warming up is within its share of the seconds."""
    if math.isinf(seconds):
        return span[1]
    within = [n for n in range(span[0], span[1] + 1) if _overhead(cells, n) <= OVERHEAD * seconds]
    return max(within, default=span[0])


def _trimmed(cells: tuple[Cell, ...], seconds: float, generations: int) -> tuple[Cell, ...]:
    """Rounds cut to what fits, in the order of CUTS; the most rounds first, so that a tail that
    takes a thousand starves no median."""
    if math.isinf(seconds):
        return cells
    caps = {gated: max((c.rounds for c in cells if c.gated == gated), default=0) for gated in KINDS}
    most = dict(caps)
    for floor, gated in CUTS:
        low, high = min(floor, most[gated]), most[gated] if gated else caps[gated]
        while low < high:  # the largest cap that fits
            middle = (low + high + 1) // 2
            fits = _seconds(_capped(cells, {**caps, gated: middle}), generations) <= seconds
            low, high = (middle, high) if fits else (low, middle - 1)
        caps[gated] = low
    return _capped(cells, caps)


def _capped(cells: tuple[Cell, ...], caps: Mapping[bool, int]) -> tuple[Cell, ...]:
    """`caps`: the most rounds of what a gate looks at (True), and of what none does."""
    return tuple(replace(cell, rounds=min(cell.rounds, caps[cell.gated])) for cell in cells)


def _seconds(cells: Sequence[Cell], generations: int) -> float:
    timed = sum(cell.seconds * cell.calls * cell.rounds for cell in cells)
    return timed + _overhead(cells, generations)


def _overhead(cells: Sequence[Cell], generations: int) -> float:
    """Opening each process once in each generation, and warming its cells up; what cannot be
    opened a second time, once."""
    times = [1 if cell.once else generations for cell in cells]
    opening = {c.process: c.open_seconds * n for c, n in zip(cells, times, strict=True)}
    warming = sum(
        cell.seconds * max(cell.warmup, 1) * min(n, cell.rounds)
        for cell, n in zip(cells, times, strict=True)
    )
    return sum(opening.values()) + warming


def _permuted(seed: int, clips: int, passed: int) -> NDArray[np.intp]:
    return np.random.default_rng([seed, 2, clips, passed]).permutation(clips)


def _spread_ranks(rounds: int) -> NDArray[np.int64]:
    """The turn in which each round is taken if always the one in the widest gap comes next: the
    order of the bits of its number, reversed (van der Corput, Proceedings Amsterdam 38, 1935)."""
    bits = math.ceil(math.log2(rounds)) if rounds > 1 else 1
    numbers = np.arange(rounds, dtype=np.int64)
    reversed_bits = np.zeros(rounds, dtype=np.int64)
    for bit in range(bits):
        reversed_bits |= ((numbers >> bit) & 1) << (bits - 1 - bit)
    ranks = np.empty(rounds, dtype=np.int64)
    ranks[np.argsort(reversed_bits, kind="stable")] = numbers
    return ranks
