"""How many rounds a latency stage plans, within its seconds, and when it looks. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.decide import stats
from harness.decide.entry import Entry
from harness.errors.limits import FEWEST_UTTERANCES as FEWEST_UTTERANCES
from harness.errors.limits import MINIMUM_ROUNDS as MINIMUM_ROUNDS

GATES_SHARE = 0.6  # of the seconds, for the cells that gates depend on
SWEEP_SHARE = 0.4  # of the budget that the utterances leave, for the sweep
MOST_CALLS = 20_000  # of one cell, however large the budget

Cell = tuple[Entry, str, float]
Clips = Mapping[float, Sequence[tuple[str, str]]]  # seconds -> (clip id, .npy file), in turn
Costs = Mapping[Cell, float]  # seconds of one call
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Task:
    """A cell of a latency stage: `calls` of one operation at one audio length in each block."""

    entry: Entry
    operation: str
    audio_seconds: float
    calls: int
    every: int = 1  # measured in each `every`-th round
    must: bool = False  # something has to be decided on it: it may go on after the others

    @property
    def cell(self) -> Cell:
        return self.entry, self.operation, self.audio_seconds

    @property
    def key(self) -> tuple[str, str, int, str, float]:
        """The cell as the rows of the calls table name it."""
        entry = self.entry
        session = entry.session.name
        return entry.variant, session, entry.replica, self.operation, self.audio_seconds

    @property
    def label(self) -> str:
        return f"{self.entry.label} {self.operation} {self.audio_seconds:g} s"

    def stop(self, rounds: int, look: stats.Look, why: str) -> dict[str, Any]:
        """A row of the `stops` table, but for its stage."""
        return {
            "variant": self.entry.variant,
            "session": self.entry.session.name,
            "replica": self.entry.replica,
            "operation": self.operation,
            "workload": f"{self.audio_seconds:g} s",
            "done": rounds,
            "level": look.level,
            "allowance": look.allowance,
            "why": why,
        }


StillOpen = Callable[[Rows, Rows], Callable[[Task], bool]]
"""(rows measured so far, rows of the stops table as of this look) -> whether to go on with one."""


@dataclass(frozen=True)
class Rounds:
    """How long a latency stage may go on. `seconds` is its share of the budget."""

    stage: str
    clips: Clips
    rounds: int  # of every cell
    warmup: int
    seconds: float
    seed: int
    most: int = 0  # rounds of what is still open after those; 0: none more
    likely: int = 0  # calls under which the most demanding gate cannot be decided
    still_open: StillOpen = lambda _rows, _stops: lambda task: False
    by_limits: bool = False  # what is open depends on limits, which may be others the next time


@dataclass(frozen=True)
class Outline:
    """What fits: `rounds` of every task, up to `planned` of those that must, and when to look."""

    tasks: tuple[Task, ...]
    rounds: int
    planned: int
    looks: tuple[int, ...]

    def seconds(self, costs: Costs, done: float) -> float:
        """Expected seconds from `done` rounds to the end of the rounds of every task."""
        return round_seconds(self.tasks, costs) * max(self.rounds - done, 0.0)


def round_seconds(tasks: Sequence[Task], costs: Costs) -> float:
    """Expected seconds of one round; a cell that never ran costs nothing."""
    return sum(costs.get(task.cell, 0.0) * task.calls / task.every for task in tasks)


def outline(tasks: Sequence[Task], costs: Costs, plan: Rounds, spent: float) -> Outline:
    """The plan made to fit its seconds: where they are few, every block of what need not be decided
    is one call, in as many rounds as its share allows, and at least MINIMUM_ROUNDS."""
    seconds = max(plan.seconds - spent, 1.0)
    fitted, rounds = list(tasks), plan.rounds
    if round_seconds(fitted, costs) * rounds > seconds:
        fitted = [task if task.must else replace(task, calls=1) for task in tasks]
        rounds = _fewer(fitted, costs, rounds, seconds)
        fitted = _shorter(fitted, costs, rounds, seconds)
    going = [task for task in fitted if task.must]
    cost = round_seconds(going, costs)
    calls = max((task.calls for task in going), default=1)
    left = seconds - round_seconds(fitted, costs) * rounds
    more = int(min(max(left, 0.0) / cost if cost else 0.0, MOST_CALLS / calls))
    planned = rounds + max(min(more, plan.most - rounds), 0) if going else rounds
    looks = stats.looks(rounds, planned, math.ceil(plan.likely / calls))
    return Outline(tuple(fitted), rounds, planned, looks)


def _fewer(tasks: Sequence[Task], costs: Costs, rounds: int, seconds: float) -> int:
    """Rounds of every task that leave what must be decided its share of the time."""
    going = round_seconds([task for task in tasks if task.must], costs)
    others = round_seconds(tasks, costs) - going
    room = seconds - min(going * rounds, GATES_SHARE * seconds)
    fitting = int(room / others) if others else int(seconds / going) if going else rounds
    return min(rounds, max(MINIMUM_ROUNDS, fitting))


def _shorter(tasks: Sequence[Task], costs: Costs, rounds: int, seconds: float) -> list[Task]:
    """Blocks of what must be decided cut to what fits beside the others' rounds."""
    going = [task for task in tasks if task.must]
    cost = round_seconds(going, costs) * rounds
    room = max(seconds - (round_seconds(tasks, costs) * rounds - cost), 0.0)
    share = min(1.0, room / cost) if cost else 1.0
    return [
        replace(task, calls=max(1, math.floor(task.calls * share))) if task.must else task
        for task in tasks
    ]
