"""Latency, in rounds: every cell once per round, in random order, until the plan or budget ends."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from harness.errors import HarnessError, SpecError
from harness.runner.pool import (
    UNKNOWN_CALL_LIMIT_SECONDS,
    Entry,
    Pool,
    Tell,
)
from harness.store import Unit

MINIMUM_ROUNDS = 6  # fewer calls of one each give a median no 95 % interval: 0.5^5 > 0.025
GATES_SHARE = 0.6


@dataclass(frozen=True)
class Task:
    """A cell of a latency stage: `calls` of one operation at one audio length in each block."""

    entry: Entry
    operation: str
    audio_seconds: float
    calls: int
    every: int = 1  # measured in each `every`-th round
    must: bool = False  # a gate depends on it: its calls are the last to be cut

    @property
    def cell(self) -> Cell:
        return self.entry, self.operation, self.audio_seconds

    @property
    def label(self) -> str:
        return f"{self.entry.label} {self.operation} {self.audio_seconds:g} s"


Cell = tuple[Entry, str, float]
Clips = Mapping[float, Sequence[tuple[str, str]]]  # seconds -> (clip id, .npy file), in turn
Costs = Mapping[Cell, float]  # seconds of one call


@dataclass(frozen=True)
class Rounds:
    """How long a latency stage may go on. `seconds` is its share of the budget."""

    stage: str
    clips: Clips
    rounds: int
    warmup: int
    seconds: float
    seed: int


def measure_rounds(unit: Unit, tasks: Sequence[Task], plan: Rounds, pool: Pool, tell: Tell) -> None:
    """Measure all tasks in rounds until the plan's rounds are done or its seconds are spent.

    Goes on where an earlier, killed run stopped: whole rounds in the journal count, a round that
    was cut off keeps its rows but is done again under a new number.
    """
    blocks = unit.blocks()
    done = sum(1 for block in blocks if not block)  # an empty block closes a round
    number = max((row["round"] for block in blocks for row in block), default=-1) + 1
    started = time.monotonic()
    stage = _Stage(unit, plan, pool, tell)
    costs = stage.warm_up(tasks)
    tasks, rounds = _fit(tasks, costs, plan, time.monotonic() - started)
    tell.line(
        f"{plan.stage}: {len(tasks)} cells, {rounds} rounds,"
        f" about {_round_seconds(tasks, costs) * rounds:.0f} s"
    )
    random = Random(f"{plan.seed}/{plan.stage}/{number}")
    while done < rounds:
        if done >= MINIMUM_ROUNDS and time.monotonic() - started > plan.seconds:
            tell.line(f"{plan.stage}: budget spent after {done} of {rounds} rounds")
            break
        due = [task for task in tasks if number % task.every == 0]
        random.shuffle(due)
        for place, task in enumerate(due):
            part = (done + place / len(due)) / rounds
            left = _round_seconds(tasks, costs) * (rounds - done - place / len(due))
            tell.step(plan.stage, part, f"round {done + 1} of {rounds}, {task.label}", left)
            unit.append(stage.block(task, number, costs.get(task.cell, math.nan)))
        unit.append([])
        done, number = done + 1, number + 1
    unit.finish()


class _Stage:
    """The blocks of one stage, and which cells the running processes are warm for."""

    def __init__(self, unit: Unit, plan: Rounds, pool: Pool, tell: Tell) -> None:
        self._unit, self._plan, self._pool, self._tell = unit, plan, pool, tell
        self._warm: dict[Cell, int] = {}  # the process, by its number, that the cell is warm in

    def warm_up(self, tasks: Sequence[Task]) -> dict[Cell, float]:
        """Open every process and warm up every cell; seconds per call of those that worked."""
        costs: dict[Cell, float] = {}
        for place, task in enumerate(tasks):
            text = f"warm-up {place + 1} of {len(tasks)}, {task.label}"
            self._tell.step(self._plan.stage, 0.0, text, math.nan)
            rows = self._cold(task)
            self._unit.append(rows)
            called = [row for row in rows if row["operation"] != "load" and row.get("seconds")]
            if called:
                costs[task.cell] = min(row["seconds"] for row in called)
        return costs

    def block(self, task: Task, number: int, cost: float) -> list[dict[str, Any]]:
        """The rows of one block, after those of a warm-up if the process had to be opened anew.

        A block that is lost has a row with the error for each of its planned calls: what hangs or
        dies must not look faster than it is by leaving the sample.
        """
        cold = [] if self._is_warm(task) else self._cold(task)
        limit = 30 + 20 * task.calls * cost
        if math.isnan(cost):
            limit = UNKNOWN_CALL_LIMIT_SECONDS * task.calls
        return [*cold, *self._calls(task, number, limit)]

    def _is_warm(self, task: Task) -> bool:
        process = self._pool.process(task.entry)
        return process > 0 and self._warm.get(task.cell) == process

    def _cold(self, task: Task) -> list[dict[str, Any]]:
        """The process start, if it takes one, and the warm-up calls: warm = False in every row.

        Memory patterns are per input shape, so each length has a first call of its own.
        """
        rows = []
        try:
            opened = self._pool.open(task.entry)
        except SpecError:
            raise  # the experiment's fault: it ends the run
        except HarnessError as error:
            return [self._row(task, -1, operation="load", warm=False, error=str(error))]
        if opened is not None:
            seen = {"seconds": opened["seconds"], "rss_bytes": opened["rss_bytes"]}
            unlike = {"operation": "load", "warm": False, "audio_seconds": math.nan}
            rows.append(self._row(task, -1, **{**unlike, **seen}))
        some = replace(task, calls=max(1, self._plan.warmup))
        called = self._calls(some, -1, UNKNOWN_CALL_LIMIT_SECONDS * some.calls)
        for row in called:
            row["warm"] = False
        if task.operation == "pipeline":
            called[0]["operation"] = "first_call"
        self._warm[task.cell] = self._pool.process(task.entry)
        return [*rows, *called]

    def _calls(self, task: Task, number: int, limit_seconds: float) -> list[dict[str, Any]]:
        clips, first = self._plan.clips[task.audio_seconds], max(number, 0)
        request = {
            "operation": task.operation,
            "clips": [path for _, path in clips],
            "calls": task.calls,
            "first": first,  # the same clip in every cell of a round, so that they can be paired
        }
        items = [clips[(first + order) % len(clips)][0] for order in range(task.calls)]
        try:
            self._pool.open(task.entry)
            reply = self._pool.ask(task.entry, {"block": request}, limit_seconds)
        except SpecError:
            raise
        except HarnessError as error:
            lost = {"error": str(error)}
            return [self._row(task, number, item=i, order=o, **lost) for o, i in enumerate(items)]
        shared = {k: reply[k] for k in ("steal", "load", "rss_bytes")}
        return [
            self._row(task, number, item=item, order=order, **shared, **call)
            for order, (item, call) in enumerate(zip(items, reply["calls"], strict=True))
        ]

    def _row(self, task: Task, number: int, **values: Any) -> dict[str, Any]:
        return {
            "stage": self._plan.stage,
            "variant": task.entry.variant,
            "session": task.entry.session.name,
            "replica": task.entry.replica,
            "operation": task.operation,
            "warm": True,
            "audio_seconds": task.audio_seconds,
            "round": number,
            "block": number,
            **values,
        }


def _round_seconds(tasks: Sequence[Task], costs: Costs) -> float:
    """Expected seconds of one round; a cell that never ran costs nothing."""
    return sum(costs.get(task.cell, 0.0) * task.calls / task.every for task in tasks)


def _fit(tasks: Sequence[Task], costs: Costs, plan: Rounds, spent: float) -> tuple[list[Task], int]:
    """Make the plan fit its seconds, if it does not: the calls that gates need come first, up to
    GATES_SHARE of the time; the other cells get one call per block, in as many rounds as fit."""
    seconds = max(plan.seconds - spent, 1.0)
    if _round_seconds(tasks, costs) * plan.rounds <= seconds:
        return list(tasks), plan.rounds
    others = [replace(task, calls=1) for task in tasks if not task.must]
    base = _round_seconds(others, costs)
    gated = _round_seconds([t for t in tasks if t.must], costs) * plan.rounds
    room = seconds - min(gated, GATES_SHARE * seconds)
    fitting = int(room / base) if base else plan.rounds
    rounds = min(plan.rounds, max(MINIMUM_ROUNDS, fitting))
    share = min(1.0, max(seconds - base * rounds, 0.0) / gated) if gated else 0.0
    kept = plan.rounds / rounds * share
    return [
        replace(task, calls=max(1, math.ceil(task.calls * kept)) if task.must else 1)
        for task in tasks
    ], rounds
