"""Which cells of a latency stage are still measured, and why the others stopped.

What was planned and what each look found is noted beside the journal, so that a run that was
killed, or is opened again by another limit, goes on under the same looks: none is taken twice.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.decide import stats
from harness.decide.schedule import (
    MINIMUM_ROUNDS,
    Costs,
    Outline,
    Rounds,
    Rows,
    Task,
    round_seconds,
)
from harness.errors.limits import OVERRUN
from harness.store import Unit


class Course:
    """The rounds of one stage from the first to the last; `started` is when its budget began."""

    def __init__(self, unit: Unit, plan: Rounds, what: Outline, started: float) -> None:
        self._unit, self._plan, self._what, self._started = unit, plan, what, started
        self.done = sum(1 for block in unit.blocks() if not block)  # an empty block closes a round
        self.out_of_time = False
        self._began, self._at_first = time.monotonic(), self.done
        self._last_round = 0.0  # seconds
        self._round_began = self._began
        stopped = unit.noted().get("stopped", {})
        self._stopped: dict[int, dict[str, Any]] = {int(at): row for at, row in stopped.items()}
        for at in opened_again(what.tasks, self._stopped, plan, unit):
            del self._stopped[at]
        self._note()

    @property
    def active(self) -> list[Task]:
        return [task for at, task in enumerate(self._what.tasks) if at not in self._stopped]

    def goes_on(self) -> bool:
        if not self.active or self.done >= self._what.planned:
            return False
        elapsed, seconds = time.monotonic() - self._started, self._plan.seconds
        late = elapsed > seconds or elapsed + self._last_round > (1 + OVERRUN) * seconds
        self.out_of_time = late and self.done >= MINIMUM_ROUNDS
        return not self.out_of_time

    def round_done(self) -> None:
        now = time.monotonic()
        self._last_round, self._round_began = now - self._round_began, now
        self.done += 1
        if self.done in self._what.looks:
            self._look()
            self._note()
        elif self.done == self._what.rounds:
            self._leave_out_ungated()
            self._note()

    def progress(self, part: float, task: Task, costs: Costs) -> tuple[float, str, float]:
        """(share done, what is measured, seconds left), for whoever watches."""
        done, what = self.done + part, self._what
        share = min(done / max(what.planned, 1), 1.0)
        room = self._plan.seconds - (time.monotonic() - self._started)
        if self.done < what.rounds:
            text = f"round {self.done + 1} of {what.rounds}, {task.label}"
            left = self._pace(part, costs) * (what.rounds - done)
        else:
            text = f"undecided, round {self.done + 1} of at most {what.planned}, {task.label}"
            left = self._pace(part, costs) * max(what.planned - done, 1.0 - part)
            left = min(left, room) if room > 0 else left
        if room <= 0:
            text = f"over its part of the budget; {text}"
        return share, text, left

    def _pace(self, part: float, costs: Costs) -> float:
        """Seconds of a round: as they were so far, before there is one as its calls foretell."""
        done = self.done - self._at_first + part
        foretold = round_seconds(self.active, costs)
        return (time.monotonic() - self._began) / done if done >= 1 else foretold

    def end(self) -> list[dict[str, Any]]:
        """The rows of the stops table, one for each task; what is active has its last look now."""
        own = _rounds_of(self._unit.rows())
        last = stats.last(sum(look <= self.done for look in self._what.looks))
        for at, task in enumerate(self._what.tasks):
            if at in self._stopped:
                continue
            if task.must:  # what was opened again covers a part of the time only
                seen = own[task.key] / self.done if self.done else 1.0
                look = replace(last, allowance=stats.early(seen).allowance)
                why = "budget" if self.out_of_time else "planned"
                self._stopped[at] = task.stop(own[task.key], look, why)
            else:
                why = "budget" if self.out_of_time else "rounds"
                self._stopped[at] = task.stop(self.done, stats.Look(), why)
        self._note()
        return self._rows(self._stopped)

    def _look(self) -> None:
        """Leave out what is decided, and what there is nothing to decide on."""
        self._leave_out_ungated()
        now = self._now()
        still_open = self._plan.still_open(self._unit.rows(), self._rows(now))
        for at, task in enumerate(self._what.tasks):
            if at not in self._stopped and not still_open(task):
                self._stopped[at] = {**now[at], "why": "decided"}

    def _leave_out_ungated(self) -> None:
        for at, task in enumerate(self._what.tasks):
            if at not in self._stopped and not task.must:
                self._stopped[at] = task.stop(self.done, stats.Look(), "rounds")

    def _now(self) -> dict[int, dict[str, Any]]:
        """The stops as of this look: each cell has seen the share of the plan that it was in."""
        own = _rounds_of(self._unit.rows())
        now = dict(self._stopped)
        for at, task in enumerate(self._what.tasks):
            if at not in now:
                look = stats.early(own[task.key] / self._what.planned)
                now[at] = task.stop(own[task.key], look, "look")
        return now

    def _rows(self, stops: Mapping[int, Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [{"stage": self._plan.stage, **stops[at]} for at in sorted(stops)]

    def _note(self) -> None:
        what = self._what
        self._unit.note(
            {
                "rounds": what.rounds,
                "planned": what.planned,
                "looks": list(what.looks),
                "calls": [task.calls for task in what.tasks],
                "stopped": {str(at): row for at, row in self._stopped.items()},
                "done": self.done,
            }
        )


def opened_again(
    tasks: Sequence[Task], stops: Mapping[int, Mapping[str, Any]], plan: Rounds, unit: Unit
) -> list[int]:
    """Places of the tasks that were decided by other limits than those of now, and are not by
    these. No new look: the bounds that they stopped at hold for every limit at once."""
    decided = [at for at, row in stops.items() if row["why"] == "decided" and tasks[at].must]
    if not (decided and plan.by_limits):
        return []
    rows = [{"stage": plan.stage, **stops[at]} for at in sorted(stops)]
    still_open = plan.still_open(unit.rows(), rows)
    return [at for at in decided if still_open(tasks[at])]


def resumed(tasks: Sequence[Task], noted: Mapping[str, Any]) -> Outline:
    """The outline of a stage that was begun before, as it was noted then."""
    again = [replace(task, calls=n) for task, n in zip(tasks, noted["calls"], strict=True)]
    return Outline(tuple(again), noted["rounds"], noted["planned"], tuple(noted["looks"]))


def _rounds_of(rows: Rows) -> Counter[tuple[Any, ...]]:
    """Cell -> in how many rounds it was measured."""
    found = {
        (r["variant"], r["session"], r["replica"], r["operation"], r["audio_seconds"], r["round"])
        for r in rows
        if r["round"] >= 0
    }
    return Counter(row[:-1] for row in found)
