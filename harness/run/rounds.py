"""Latency, in rounds: every cell once per round, in random order; then what is open goes on.

After the rounds in which every cell has its turn, the cells on which something is still to be
decided go on alone, looked at now and then, until all is decided or the budget is spent.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

from harness.decide.schedule import Cell, Costs, Outline, Rounds, Task, outline
from harness.errors import HarnessError
from harness.run import spending
from harness.run.course import Course, resumed
from harness.run.pool import OF_THE_USER, Pool, Tell
from harness.store import Unit


def measure_rounds(unit: Unit, tasks: Sequence[Task], plan: Rounds, pool: Pool, tell: Tell) -> None:
    """Measure all tasks in rounds until all is decided or the plan's seconds are spent.

    Goes on where an earlier, killed run stopped: whole rounds in the journal count, a round that
    was cut off keeps its rows but is done again under a new number.
    """
    started, blocks, noted = time.monotonic(), unit.blocks(), unit.noted()
    spent = sum(row.get("seconds") or 0.0 for block in blocks for row in block)
    stage = _Stage(unit, plan, pool, tell)
    if noted:
        course = Course(unit, plan, resumed(tasks, noted), started - spent)
        costs = stage.warm_up(course.active)
    else:
        costs = stage.warm_up(tasks)
        what = outline(tasks, costs, plan, spent + time.monotonic() - started)
        tell.line(_told(plan.stage, what, costs))
        course = Course(unit, plan, what, started - spent)
    number = max((row["round"] for block in blocks for row in block), default=-1) + 1
    random = Random(f"{plan.seed}/{plan.stage}/{number}")
    while course.goes_on():
        due = [task for task in course.active if number % task.every == 0]
        random.shuffle(due)
        for place, task in enumerate(due):
            tell.step(plan.stage, *course.progress(place / len(due), task, costs))
            unit.append(stage.block(task, number, costs.get(task.cell, math.nan)))
        unit.append([])
        number += 1
        course.round_done()
    if course.out_of_time:
        tell.line(f"{plan.stage}: budget spent after {course.done} rounds")
    spending.note(unit, time.monotonic() - started + spent)
    unit.finish(course.end())


def _told(stage: str, what: Outline, costs: Costs) -> str:
    more = f", then what is undecided up to {what.planned}" if what.looks else ""
    seconds = what.seconds(costs, 0)
    return f"{stage}: {len(what.tasks)} cells, {what.rounds} rounds, about {seconds:.0f} s{more}"


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
        return [*cold, *self._calls(task, number, cost)]

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
        except OF_THE_USER:
            raise
        except HarnessError as error:
            return [self._row(task, -1, operation="load", warm=False, error=str(error))]
        if opened is not None:
            seen = {"seconds": opened["seconds"], "rss_bytes": opened["rss_bytes"]}
            unlike = {"operation": "load", "warm": False, "audio_seconds": math.nan}
            rows.append(self._row(task, -1, **{**unlike, **seen}))
        some = replace(task, calls=max(1, self._plan.warmup))
        called = self._calls(some, -1, math.nan)
        for row in called:
            row["warm"] = False
        if task.operation == "pipeline":
            called[0]["operation"] = "first_call"
        self._warm[task.cell] = self._pool.process(task.entry)
        return [*rows, *called]

    def _calls(self, task: Task, number: int, cost: float) -> list[dict[str, Any]]:
        """The rows of a block; one of which no cost is known is told of call by call."""
        told = math.isnan(cost)
        clips, first = self._plan.clips[task.audio_seconds], max(number, 0)
        request = {
            "operation": task.operation,
            "clips": [path for _, path in clips],
            "calls": task.calls,
            "told": told,
            "first": first,  # the same clip in every cell of a round, so that they can be paired
        }
        items = [clips[(first + order) % len(clips)][0] for order in range(task.calls)]
        try:
            self._pool.open(task.entry)
            limit = self._pool.limit(task.entry, 1 if told else task.calls, cost)
            reply = self._pool.ask(task.entry, {"block": request}, limit)
        except OF_THE_USER:
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
