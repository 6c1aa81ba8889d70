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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

BLOCK_SECONDS = 0.25  # of one block: shorter calls are repeated on its clip
MOST_IN_BLOCK = 64  # calls of a millisecond would fill a journal
GENERATIONS = (4, 6)  # fewest, most: a t interval over 3 is 1.6 times as wide as one over 6
OVERHEAD = (1 / 4, 1 / 2)  # of the seconds for opening and warming up: with more, with fewer than 4
MOST_ROUNDS = 20_000  # of one cell, however large the budget
FIRST_LOOK = 3  # generations after which something may be rejected: two do not show a variance
FEWEST_ROUNDS = 6  # of any cell: fewer single calls give a median no 95 % interval (0.5^5 > 0.025)
FEWEST_GATED = 24  # of a cell that a gate looks at, before others are cut: 4 in each of 6 processes


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
        """The blocks of a round in the order of time."""
        due = [at for at, cell in enumerate(self.cells) if self._rank[number] < cell.rounds]
        random = np.random.default_rng([self.seed, 1, number])
        generation = self.generation(number)
        return [
            Block(number, generation, at, self.clip(at, number), self.cells[at].calls)
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
    6; generations, down to 4; rounds of what gates look at, down to 24; generations, down to 1;
    those rounds, down to 6."""
    wanted = tuple(cells)
    fewest, most = generations
    if any(cell.once for cell in wanted) or not wanted:
        fewest = most = 1
    count = _most_generations(wanted, seconds, (fewest, most), OVERHEAD[0])
    if count == fewest:
        count = _most_generations(wanted, seconds, (1, fewest), OVERHEAD[1])
    trimmed = _trimmed(wanted, seconds, count)
    return Layout(trimmed, min(count, max((c.rounds for c in trimmed), default=1)) or 1, seed)


def _most_generations(
    cells: tuple[Cell, ...], seconds: float, span: tuple[int, int], share: float
) -> int:
    """The most in the span whose opening and warming up is within a share of the seconds."""
    if math.isinf(seconds):
        return span[1]
    fitting = [n for n in range(span[0], span[1] + 1) if _overhead(cells, n) <= share * seconds]
    return max(fitting, default=span[0])


def _trimmed(cells: tuple[Cell, ...], seconds: float, generations: int) -> tuple[Cell, ...]:
    """Rounds cut to what fits: first of what no gate looks at, then of what one does; the most
    rounds first, so that a tail that takes a thousand starves no median."""
    if math.isinf(seconds):
        return cells
    for floor, gated in ((FEWEST_ROUNDS, False), (FEWEST_GATED, True), (FEWEST_ROUNDS, True)):
        most = max((cell.rounds for cell in cells if cell.gated == gated), default=0)
        low, high = floor, max(most, floor)
        while low < high:  # the largest cap that fits
            middle = (low + high + 1) // 2
            fits = _seconds(_capped(cells, middle, gated), generations) <= seconds
            low, high = (middle, high) if fits else (low, middle - 1)
        cells = _capped(cells, low, gated)
    return cells


def _capped(cells: tuple[Cell, ...], most: int, gated: bool) -> tuple[Cell, ...]:
    return tuple(
        replace(cell, rounds=min(cell.rounds, most)) if cell.gated == gated else cell
        for cell in cells
    )


def _seconds(cells: Sequence[Cell], generations: int) -> float:
    timed = sum(cell.seconds * cell.calls * cell.rounds for cell in cells)
    return timed + _overhead(cells, generations)


def _overhead(cells: Sequence[Cell], generations: int) -> float:
    """Opening each process once in each generation, and warming its cells up."""
    opening = {cell.process: cell.open_seconds for cell in cells}
    warming = sum(
        cell.seconds * max(cell.warmup, 1) * min(generations, cell.rounds) for cell in cells
    )
    return generations * sum(opening.values()) + warming


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
