"""Latency as it is laid out: rounds over the whole run, in generations of fresh processes.

What a look at the end of a generation may do is reject: a cell whose gates are all beyond their
limits is measured no further. What is approved is approved when the plan is through.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from harness.decide import layout, stats
from harness.decide.layout import FIRST_LOOK, Block, Layout
from harness.decide.schedule import Task
from harness.decide.staging import StageLimits, plan_of
from harness.errors.limits import OVERRUN
from harness.run import spending
from harness.run.pool import Pool, Tell
from harness.run.rounds import BlockPlace, Stage
from harness.store import Unit, tables

OLDER = 100  # what a killed run's generations are counted apart by: its processes are gone


class Series:
    """The rounds of one latency stage, a step at a time, so that quality can lie between them."""

    def __init__(
        self, unit: Unit, tasks: Sequence[Task], how: StageLimits, pool: Pool, tell: Tell
    ) -> None:
        self._unit, self._tasks, self._how, self._tell = unit, list(tasks), how, tell
        self._pool = pool
        self._stage = Stage(unit, how.stage, how.clips, max(how.warmup, 1), pool)
        noted = unit.noted()
        blocks = unit.blocks()
        self._seconds = sum(row.get("seconds") or 0.0 for block in blocks for row in block)
        self.done = sum(1 for block in blocks if not block)  # an empty block closes a round
        seen = [row["round"] for block in blocks for row in block]
        self._shift = max(seen, default=-1) + 1 - self.done if noted else 0
        self._older = noted.get("opened", -1) + 1
        self._stopped: dict[int, dict[str, Any]] = {
            int(at): row for at, row in noted.get("stopped", {}).items()
        }
        self._costs: dict[Any, float] = {}
        self.plan = self._noted_plan(noted) if noted else self._begun()
        self._generation = -1 if noted else 0
        self.out_of_time = False
        self._note()

    @property
    def rounds(self) -> int:
        return self.plan.rounds

    @property
    def expected(self) -> float:
        """Seconds of the whole stage: as planned, or as it took so far where that is more."""
        if not self.rounds:
            return 0.0
        begun = self.plan.generation(min(self.done, self.rounds - 1)) + 1
        so_far = self._seconds * self.plan.generations / begun
        return max(self.plan.seconds, min(so_far, (1 + OVERRUN) * self._how.seconds))

    @property
    def _pace(self) -> float:
        """Seconds of a round: as they were so far, before there is one as planned."""
        return self._seconds / self.done if self.done else self.plan.seconds / max(self.rounds, 1)

    def goes_on(self) -> bool:
        return (
            self.done < self.rounds
            and len(self._stopped) < len(self._tasks)
            and not self.out_of_time
        )

    def step(self) -> None:
        """Measure the next round."""
        started, number = time.monotonic(), self.done
        generation = self.plan.generation(number)
        if generation != self._generation:
            self._fresh(generation)
        due = [b for b in self.plan.blocks(number) if b.cell not in self._stopped]
        for place, block in enumerate(due):
            self._progress(number + place / len(due), block)
            self._unit.append(self._stage.block(self._tasks[block.cell], self._place(block)))
        self._unit.append([])
        self.done += 1
        if self.plan.last_of_generation(number) and generation + 1 >= FIRST_LOOK:
            self._look(generation + 1)
        self._note()
        self._seconds += time.monotonic() - started
        late = self.goes_on() and self._seconds + self._pace > (1 + OVERRUN) * self._how.seconds
        self.out_of_time = late and self.done >= layout.FEWEST_ROUNDS

    def finish(self) -> None:
        """The unit's table, and a row for each cell of how far it was measured."""
        if self.out_of_time:
            self._tell.line(f"{self._how.stage}: budget spent after {self.done} rounds")
        looks = sum(1 for g in self._looks() if g <= self.plan.generation(max(self.done - 1, 0)))
        late = self.out_of_time
        last, why = stats.last(looks), "budget" if late else "planned"
        for at, task in enumerate(self._tasks):
            if at not in self._stopped:
                look = last if task.must else stats.Look()
                row = task.stop(self._own(at), look, why if task.must or late else "rounds")
                self._stopped[at] = row
        self._note()
        rows = [{"stage": self._how.stage, **self._stopped[at]} for at in sorted(self._stopped)]
        spending.note(self._unit, self._seconds)
        self._unit.finish(rows)

    # ------------------------------------------------------------------------------------ inside
    def _begun(self) -> Layout:
        """Open every process, warm up every cell, and lay out what that says of the costs."""
        started = time.monotonic()
        for place, task in enumerate(self._tasks):
            text = f"warm-up {place + 1} of {len(self._tasks)}, {task.label}"
            self._tell.step(self._how.stage, 0.0, text, math.nan)
            rows = self._stage.cold(task)
            self._unit.append(rows)
            called = [row for row in rows if row["operation"] != "load" and row.get("seconds")]
            if called:
                self._costs[task.cell] = min(row["seconds"] for row in called)
        made = plan_of(self._tasks, self._costs, self._how, _loading(self._unit))
        self._seconds += time.monotonic() - started
        self._tell.line(
            f"{self._how.stage}: {len(self._tasks)} cells, up to {made.rounds} rounds in"
            f" {made.generations} generations of processes, about {made.seconds:.0f} s"
        )
        return made

    def _noted_plan(self, noted: Mapping[str, Any]) -> Layout:
        cells = tuple(layout.Cell(**cell) for cell in noted["cells"])
        pairs = zip(self._tasks, cells, strict=True)
        self._costs = {task.cell: cell.seconds for task, cell in pairs if cell.seconds > 0}
        return Layout(cells, noted["generations"], noted["seed"])

    def _fresh(self, generation: int) -> None:
        """The next generation of processes; each is warmed up when it has its first block."""
        for task in self._tasks:
            if task.entry.variant not in self._how.once:
                self._pool.close(task.entry)
        self._generation = generation

    def _place(self, block: Block) -> BlockPlace:
        task = self._tasks[block.cell]
        cost = self._costs.get(task.cell, math.nan)
        once = task.entry.variant in self._how.once  # the same process before and after a kill
        label = 0 if once else self._older * OLDER + block.generation
        return BlockPlace(block.round + self._shift, label, block.clip, block.calls, cost)

    def _looks(self) -> range:
        """The generations after which there is a look."""
        return range(FIRST_LOOK, self.plan.generations)

    def _look(self, generation: int) -> None:
        """Leave out what is rejected already."""
        if generation not in self._looks():
            return
        look = stats.early()
        now = dict(self._stopped)
        for at, task in enumerate(self._tasks):
            now.setdefault(at, task.stop(self._own(at), look, "look"))
        rows = [{"stage": self._how.stage, **now[at]} for at in sorted(now)]
        still_open = self._how.still_open(self._unit.rows(), rows)
        for at, task in enumerate(self._tasks):
            if at not in self._stopped and task.must and not still_open(task):
                self._stopped[at] = {**now[at], "why": "decided"}

    def _own(self, at: int) -> int:
        """Rounds that a cell has had."""
        return sum(
            1
            for number in range(self.done)
            for block in self.plan.blocks(number)
            if block.cell == at
        )

    def _progress(self, done: float, block: Block) -> None:
        share = min(done / max(self.rounds, 1), 1.0)
        text = f"round {block.round + 1} of {self.rounds}, {self._tasks[block.cell].label}"
        if self._seconds > self._how.seconds:
            text = f"over its part of the budget; {text}"
        self._tell.step(self._how.stage, share, text, self._pace * (self.rounds - done))

    def _note(self) -> None:
        cells = [vars(cell) for cell in self.plan.cells]
        self._unit.note(
            {
                "cells": cells,
                "generations": self.plan.generations,
                "seed": self.plan.seed,
                "opened": self._older,
                "stopped": {str(at): row for at, row in self._stopped.items()},
                "done": self.done,
            }
        )


def rejected_then(unit: Unit, tasks: Sequence[Task], how: StageLimits) -> bool:
    """Whether a complete stage stopped early at what was rejected by other limits than those of
    now, and is not by these."""
    stops = dict(enumerate(tables.records(unit.stops())))
    decided = [at for at, row in stops.items() if row["why"] == "decided"]
    if not decided:
        return False
    rows = [{"stage": how.stage, **stops[at]} for at in sorted(stops)]
    still_open = how.still_open(unit.rows(), rows)
    return any(still_open(tasks[at]) for at in decided)


def _loading(unit: Unit) -> dict[str, float]:
    """Variant -> seconds that opening it took."""
    found: dict[str, float] = {}
    for row in unit.rows():
        if row["operation"] == "load" and row.get("seconds"):
            found[row["variant"]] = max(found.get(row["variant"], 0.0), row["seconds"])
    return found
