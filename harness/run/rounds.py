"""Blocks of calls, and rounds of them in one process each: every cell once per round, in random
order (what is laid out over a whole run is in laid.py)."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from harness.decide.schedule import MINIMUM_ROUNDS, Cell, Clips, Rounds, Task
from harness.decide.stats import Look
from harness.errors import HarnessError
from harness.run import spending
from harness.run.pool import OF_THE_USER, Pool, Tell
from harness.store import Unit


def measure_rounds(unit: Unit, tasks: Sequence[Task], plan: Rounds, pool: Pool, tell: Tell) -> None:
    """Measure every task in each of the plan's rounds, or until its seconds are spent.

    Goes on where an earlier, killed run stopped: whole rounds in the journal count, a round that
    was cut off keeps its rows but is done again under a new number.
    """
    blocks = unit.blocks()
    spent = sum(row.get("seconds") or 0.0 for block in blocks for row in block)
    started = time.monotonic() - spent
    stage = Stage(unit, plan.stage, plan.clips, max(plan.warmup, 1), pool)
    done = sum(1 for block in blocks if not block)  # an empty block closes a round
    number = max((row["round"] for block in blocks for row in block), default=-1) + 1
    random, late = Random(f"{plan.seed}/{plan.stage}/{number}"), False
    while done < plan.rounds and not late:
        due = list(tasks)
        random.shuffle(due)
        for place, task in enumerate(due):
            share = min((done + place / len(due)) / plan.rounds, 1.0)
            text = f"round {done + 1} of {plan.rounds}, {task.label}"
            tell.step(plan.stage, share, text, math.nan)
            calls = max(task.calls, 1)
            unit.append(stage.block(task, BlockPlace(number, 0, number, calls, math.nan)))
        unit.append([])
        done, number = done + 1, number + 1
        late = time.monotonic() - started > plan.seconds and done >= MINIMUM_ROUNDS
    why = "budget" if done < plan.rounds else "rounds"
    spending.note(unit, time.monotonic() - started)
    unit.finish([{"stage": plan.stage, **task.stop(done, Look(), why)} for task in tasks])


@dataclass(frozen=True)
class BlockPlace:
    """Where a block lies: its round, generation of processes, clip of its length, and how many
    calls it has; `cost`: seconds of one of them, NaN where that is unknown."""

    number: int
    generation: int
    clip: int
    calls: int
    cost: float


class Stage:
    """The blocks of one stage, and which cells the running processes are warm for."""

    def __init__(self, unit: Unit, name: str, clips: Clips, warmup: int, pool: Pool) -> None:
        self._unit, self._name, self._clips, self._warmup, self._pool = (
            unit, name, clips, warmup, pool,
        )  # fmt: skip
        self._warm: dict[Cell, int] = {}  # the process, by its number, that the cell is warm in

    def block(self, task: Task, place: BlockPlace) -> list[dict[str, Any]]:
        """The rows of one block, after those of a warm-up if the process had to be opened anew.

        A block that is lost has a row with the error for each of its planned calls: what hangs or
        dies must not look faster than it is by leaving the sample.
        """
        process = self._pool.process(task.entry)
        warm = process > 0 and self._warm.get(task.cell) == process
        cold = [] if warm else self.cold(task, place.generation)
        return [*cold, *self._calls(task, place)]

    def cold(self, task: Task, generation: int = 0) -> list[dict[str, Any]]:
        """The process start, if it takes one, and the warm-up calls: warm = False in every row.

        Memory patterns are per input shape, so each length has a first call of its own.
        """
        rows = []
        where = BlockPlace(-1, generation, 0, self._warmup, math.nan)
        try:
            opened = self._pool.open(task.entry)
        except OF_THE_USER:
            raise
        except HarnessError as error:
            return [self._row(task, where, operation="load", warm=False, error=str(error))]
        if opened is not None:
            seen = {"seconds": opened["seconds"], "rss_bytes": opened["rss_bytes"]}
            unlike = {"operation": "load", "warm": False, "audio_seconds": math.nan}
            rows.append(self._row(task, where, **{**unlike, **seen}))
        called = self._calls(task, where)
        for row in called:
            row["warm"] = False
        if task.operation == "pipeline":
            called[0]["operation"] = "first_call"
        self._warm[task.cell] = self._pool.process(task.entry)
        return [*rows, *called]

    def _calls(self, task: Task, place: BlockPlace) -> list[dict[str, Any]]:
        """All on one clip, the same one for every cell of a round, so that they can be paired. A
        block of which no cost is known is told of call by call."""
        told = math.isnan(place.cost)
        clips = self._clips[task.audio_seconds]
        item, path = clips[place.clip % len(clips)]
        request = {
            "operation": task.operation,
            "clips": [path],
            "calls": place.calls,
            "told": told,
            "first": 0,
        }
        try:
            self._pool.open(task.entry)
            limit = self._pool.limit(task.entry, 1 if told else place.calls, place.cost)
            reply = self._pool.ask(task.entry, {"block": request}, limit)
        except OF_THE_USER:
            raise
        except HarnessError as error:
            lost = {"item": item, "error": str(error)}
            return [self._row(task, place, order=order, **lost) for order in range(place.calls)]
        shared = {k: reply[k] for k in ("steal", "load", "rss_bytes")}
        return [
            self._row(task, place, item=item, order=order, **shared, **call)
            for order, call in enumerate(reply["calls"])
        ]

    def _row(self, task: Task, place: BlockPlace, **values: Any) -> dict[str, Any]:
        return {
            "stage": self._name,
            "variant": task.entry.variant,
            "session": task.entry.session.name,
            "replica": task.entry.replica,
            "operation": task.operation,
            "warm": True,
            "audio_seconds": task.audio_seconds,
            "round": place.number,
            "block": place.number,
            "generation": place.generation,
            **values,
        }
