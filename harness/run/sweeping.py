"""The sweep as it runs: stages that halve the configurations, then pairs of fresh processes.

Rows of the stages are of generation 0, those of the pairs of 1 to 6. A sweep that was killed goes
on with the stage or the pair that was cut off; its rows stay, under rounds of their own.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from harness.decide import stats
from harness.decide.bracket import (
    DEFAULTS,
    FEWEST,
    FEWEST_CALLS,
    FEWEST_PAIRS,
    HALVING_SHARE,
    MOST,
    Bracket,
    abba,
    bracket,
    kept,
)
from harness.decide.schedule import Clips, Rows, Task
from harness.decide.staging import PROCESS_SECONDS
from harness.errors.limits import OVERRUN
from harness.run import spending
from harness.run.pool import Pool, Tell
from harness.run.rounds import BlockPlace, Stage
from harness.store import Unit

STAGE = "sweep"


@dataclass(frozen=True)
class Sweep:
    """`default` and its twin, the rivals, and what else is called in the first stage (`beside`);
    `ratios` tells from rows each rival's time over the default's."""

    default: Task
    twin: Task
    rivals: tuple[Task, ...]
    beside: tuple[Task, ...]
    clips: Clips
    warmup: int
    seconds: float
    most_rounds: int
    seed: int
    ratios: Callable[[Rows, Sequence[str]], Mapping[str, float]]


def measure_sweep(unit: Unit, what: Sweep, pool: Pool, tell: Tell) -> None:
    """Measure all of it, going on where an earlier, killed run stopped."""
    _Running(unit, what, pool, tell).run()


class _Running:
    def __init__(self, unit: Unit, what: Sweep, pool: Pool, tell: Tell) -> None:
        self._unit, self._what, self._pool, self._tell = unit, what, pool, tell
        self._stage = Stage(unit, STAGE, what.clips, max(what.warmup, 1), pool)
        self._noted: dict[str, Any] = unit.noted()
        self._number = max((row["round"] for row in unit.rows()), default=-1) + 1
        self._random = Random(f"{what.seed}/{STAGE}/{self._number}")
        spent = sum(row.get("seconds") or 0.0 for row in unit.rows())
        self._started = time.monotonic() - spent
        self._late = False  # less was measured than planned
        self._blocks, self._in_blocks = 0, 0.0  # how many there were, and their seconds

    def run(self) -> None:
        what = self._what
        if not self._noted:
            self._noted = {"left": [t.entry.session.name for t in what.rivals], "stages": 0}
            self._noted |= {"pairs": 0, **self._costs()}
        plan = self._plan()
        self._note()
        for stage in range(self._noted["stages"], len(plan.rounds)):
            self._halve(stage, plan)
        for pair in range(self._noted["pairs"], plan.pairs if self._noted["left"] else 0):
            calls = self._fitting(pair, plan)
            if not calls:
                break
            self._confirm(pair, plan, calls)
        if self._late:
            self._tell.line(f"{STAGE}: budget spent after {self._noted['pairs']} pairs")
        for task in self._all():
            self._pool.close(task.entry)
        spending.note(self._unit, self._spent)
        self._unit.finish([{"stage": STAGE, **row} for row in self._stops(plan)])

    @property
    def _spent(self) -> float:
        return time.monotonic() - self._started

    def _fitting(self, pair: int, plan: Bracket) -> int:
        """Calls of each side in the pairs that are left, as many as planned or as the time leaves;
        0 where it leaves none."""
        most = (1 + OVERRUN) * self._what.seconds - self._spent
        so_far = self._in_blocks / self._blocks if self._blocks else 0.0
        call = max(so_far, self._noted["call"])  # as foretold, or as it was where that is more
        room = most / (plan.pairs - pair) / 2 - self._noted["open"] - call
        fitting = min(int(room / call) // 2 * 2, plan.calls) if call else plan.calls
        if fitting >= FEWEST_CALLS:
            return fitting
        self._late = True
        return FEWEST_CALLS if pair < FEWEST_PAIRS else 0

    def _plan(self) -> Bracket:
        rivals = len(self._what.rivals)
        return bracket(rivals, self._noted["call"], self._noted["open"], self._what.seconds)

    def _costs(self) -> dict[str, float]:
        """Open and warm up everything; the median seconds of a call, and of opening."""
        calls, loads = [], []
        for place, task in enumerate(self._all()):
            text = f"warm-up {place + 1} of {len(self._all())}, {task.label}"
            self._tell.step(STAGE, 0.0, text, math.nan)
            rows = self._stage.cold(task)
            self._unit.append(rows)
            each = [r["seconds"] for r in rows if r["operation"] != "load" and r.get("seconds")]
            calls += each[-1:]
            loads += [r["seconds"] for r in rows if r["operation"] == "load" and r.get("seconds")]
        middle = [sorted(some)[len(some) // 2] if some else 0.0 for some in (calls, loads)]
        return {"call": middle[0], "open": middle[1] + PROCESS_SECONDS}

    def _halve(self, stage: int, plan: Bracket) -> None:
        """One stage's rounds, then the slower half is dropped."""
        what, left = self._what, self._noted["left"]
        rivals = [task for task in what.rivals if task.entry.session.name in left]
        tasks = [what.default, what.twin, *rivals, *(what.beside if stage == 0 else ())]
        assert DEFAULTS == 2  # the default and its twin
        rounds = min(plan.rounds[stage], what.most_rounds)
        until = (stage + 1) / len(plan.rounds) * HALVING_SHARE * (1 + OVERRUN) * what.seconds
        for done in range(rounds):
            if done >= FEWEST and self._spent > until:
                self._late = True
                break
            due = list(tasks)
            self._random.shuffle(due)
            share = (stage + done / rounds) / (len(plan.rounds) + 1)
            for task in due:
                text = f"{len(rivals)} configurations, round {done + 1} of {rounds}, {task.label}"
                self._progress(share, text)
                self._block(task, 0)
            self._number += 1
        ratios = what.ratios(self._unit.rows(), left)
        self._noted["left"] = kept(ratios, last=stage + 1 == len(plan.rounds))
        for task in rivals:
            if task.entry.session.name not in self._noted["left"]:
                self._pool.close(task.entry)
        self._noted["stages"] = stage + 1
        self._note()

    def _confirm(self, pair: int, plan: Bracket, calls: int) -> None:
        """A pair of fresh processes: the fastest and the default, in the order A B B A."""
        what, name = self._what, self._noted["left"][0]
        rival = next(t for t in what.rivals if t.entry.session.name == name)
        sides = (rival, what.default)
        for task in (*sides, what.twin):
            self._pool.close(task.entry)
        order = abba(calls, turned=pair % 2 == 1)
        for task in (sides[k] for k in dict.fromkeys(order)):
            self._unit.append(self._stage.cold(task, pair + 1))
        for one, two in itertools.pairwise(range(0, len(order) + 1, 2)):
            share = 1 - (1 - (pair + one / len(order)) / plan.pairs) / (len(plan.rounds) + 1)
            text = f"pair {pair + 1} of {plan.pairs}, {rival.label}"
            self._progress(min(share, 1.0), text)
            for side in order[one:two]:
                self._block(sides[side], pair + 1)
            self._number += 1
        self._noted["pairs"] = pair + 1
        self._note()

    def _progress(self, share: float, text: str) -> None:
        left = (1 - share) * self._what.seconds if share < 1 else math.nan
        if self._spent > self._what.seconds:
            text, left = f"over its part of the budget; {text}", math.nan
        self._tell.step(STAGE, share, text, left)

    def _block(self, task: Task, generation: int) -> None:
        began = time.monotonic()
        place = BlockPlace(self._number, generation, self._number, 1, math.nan)
        self._unit.append(self._stage.block(task, place))
        self._blocks += 1
        self._in_blocks += time.monotonic() - began

    def _all(self) -> list[Task]:
        what = self._what
        return [what.default, what.twin, *what.rivals, *what.beside]

    def _stops(self, plan: Bracket) -> list[dict[str, Any]]:
        """What the halving dropped is decided; the budget cut what was to have more rounds."""
        cut = self._late or any(n < min(self._what.most_rounds, MOST) for n in plan.rounds)
        why = "budget" if cut else "decided"
        own: dict[tuple[Any, ...], set[int]] = {}
        for row in self._unit.rows():
            if row["round"] >= 0:
                key = row["variant"], row["session"], row["replica"]
                own.setdefault(key, set()).add(row["round"])
        found = []
        for task in self._all():
            done = len(
                own.get((task.entry.variant, task.entry.session.name, task.entry.replica), ())
            )
            found.append(task.stop(done, stats.Look(), why))
        return found

    def _note(self) -> None:
        self._unit.note(self._noted)
