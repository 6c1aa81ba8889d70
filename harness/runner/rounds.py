"""Latency, in rounds: every cell once per round, in random order, until the plan or budget ends."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from harness.errors import HarnessError
from harness.runner.pool import (
    UNKNOWN_CALL_LIMIT_SECONDS,
    Entry,
    Pool,
    Tell,
)
from harness.store import Unit

MINIMUM_ROUNDS = 3


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
    costs = _warm_up(unit, tasks, plan, pool, tell)
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
        alive = [task for task in tasks if not pool.given_up(task.entry)]
        due = [task for task in alive if number % task.every == 0]
        if not alive:
            break
        random.shuffle(due)
        for place, task in enumerate(due):
            part = (done + place / len(due)) / rounds
            left = _round_seconds(tasks, costs) * (rounds - done - place / len(due))
            tell.step(plan.stage, part, f"round {done + 1} of {rounds}, {task.label}", left)
            unit.append(_block(task, plan, number, costs.get(task.cell, math.nan), pool))
        unit.append([])
        done, number = done + 1, number + 1
    given_up = [task for task in tasks if pool.given_up(task.entry)]
    for task in given_up:
        unit.append([_row(task, plan.stage, number, error=pool.reason(task.entry))])
    unit.finish()


def _warm_up(
    unit: Unit, tasks: Sequence[Task], plan: Rounds, pool: Pool, tell: Tell
) -> dict[Cell, float]:
    """Open every process and warm up every length (memory patterns are per input shape).

    Returns seconds per call of each cell. The rows say warm = False and enter no warm figure.
    """
    costs: dict[Cell, float] = {}
    for place, task in enumerate(tasks):
        tell.step(plan.stage, 0.0, f"warm-up {place + 1} of {len(tasks)}, {task.label}", math.nan)
        rows = _open(task, plan.stage, pool)
        if not rows or not rows[-1].get("error"):
            warm = replace(task, calls=max(1, plan.warmup))
            cold = _block(warm, plan, -1, math.nan, pool)
            for place_in_block, row in enumerate(cold):
                row["warm"] = False
                if task.operation == "pipeline" and place_in_block == 0:
                    row["operation"] = "first_call"
            rows += cold
            seconds = [row["seconds"] for row in cold if row.get("seconds")]
            if seconds:
                costs[task.cell] = min(seconds)
        unit.append(rows)
    return costs


def _open(task: Task, stage: str, pool: Pool) -> list[dict[str, Any]]:
    """The row of a process start, [] where the process ran already."""
    try:
        reply = pool.open(task.entry)
    except HarnessError as error:
        return [_row(task, stage, -1, operation="load", warm=False, error=str(error))]
    if reply is None:
        return []
    seen = {"seconds": reply["seconds"], "rss_bytes": reply["rss_bytes"]}
    return [_row(task, stage, -1, operation="load", warm=False, audio_seconds=math.nan, **seen)]


def _block(task: Task, plan: Rounds, number: int, cost: float, pool: Pool) -> list[dict[str, Any]]:
    """The rows of one block; a worker that fails gives one row with the error."""
    clips = plan.clips[task.audio_seconds]
    first = max(number, 0) * task.calls
    request = {
        "operation": task.operation,
        "clips": [path for _, path in clips],
        "calls": task.calls,
        "first": first,
    }
    known = not math.isnan(cost)
    limit = 30 + 20 * task.calls * cost if known else UNKNOWN_CALL_LIMIT_SECONDS * task.calls
    rows = []
    try:
        opened = _open(task, plan.stage, pool)
        rows += opened
        if opened and opened[0].get("error"):
            return [{**opened[0], "operation": task.operation, "round": number, "warm": True}]
        reply = pool.ask(task.entry, {"block": request}, limit)
    except HarnessError as error:
        return [*rows, _row(task, plan.stage, number, error=str(error))]
    shared = {k: reply[k] for k in ("steal", "load", "rss_bytes")}
    for order, call in enumerate(reply["calls"]):
        clip = clips[(first + order) % len(clips)][0]
        rows.append(_row(task, plan.stage, number, item=clip, order=order, **shared, **call))
    return rows


def _row(task: Task, stage: str, number: int, **values: Any) -> dict[str, Any]:
    return {
        "stage": stage,
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
    """Make the plan fit its seconds: first one call per block where no gate asks for more, then
    fewer rounds (never under MINIMUM_ROUNDS; the calls that a gate needs move into fewer blocks),
    last fewer calls for the gates as well."""
    seconds = max(plan.seconds - spent, 1.0)
    fitted = list(tasks)
    rounds = plan.rounds
    if _round_seconds(fitted, costs) * rounds > seconds:
        fitted = [task if task.must else replace(task, calls=1) for task in fitted]
    base = _round_seconds([t for t in fitted if not t.must], costs)
    gated = _round_seconds([t for t in fitted if t.must], costs) * rounds
    if base * rounds + gated > seconds and base > 0:
        rounds = min(rounds, max(2 * MINIMUM_ROUNDS, int(0.5 * seconds / base)))
        grown = plan.rounds / rounds
        fitted = [replace(t, calls=math.ceil(t.calls * grown)) if t.must else t for t in fitted]
    total = _round_seconds(fitted, costs) * rounds
    if total > seconds:
        room = max(seconds - base * rounds, 0.0) / max(total - base * rounds, 1e-9)
        fitted = [replace(t, calls=max(1, int(t.calls * room))) if t.must else t for t in fitted]
    return fitted, rounds
