"""Interim analysis: which gates a look at a run under way leaves open, by the very rules of the
verdict."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from harness import spec
from harness.contracts import Status
from harness.decide import decision, plan, verdict
from harness.decide.gate_rules import name_of
from harness.decide.schedule import Rows, Task
from harness.errors.limits import TOKEN_BUDGET_WORDS
from harness.plugins import kinds
from harness.spec import Experiment, GateSpec
from harness.store import tables
from harness.store.made import Made, row

# a pass is no end either: what comes late may be worse
UNDECIDED = (Status.INCONCLUSIVE.value, Status.PASS.value, Status.WAIVED.value)


@dataclass(frozen=True)
class Gates:
    """The gates of an experiment, with the candidate in its `chosen` session."""

    experiment: Experiment
    made: Mapping[str, Made]
    chosen: str
    file: Path  # the experiment's, beside which its own plugins lie

    def of_tasks(self, rows: Rows, stops: Rows) -> Callable[[Task], bool]:
        """Whether a cell of the latency stage has a gate that is open."""
        names = self._open([g for g in self.experiment.gates if _seconds(g)], rows, stops)

        def still_open(task: Task) -> bool:
            entry = task.entry
            cell = (entry.variant, entry.session.name, entry.replica)
            place = (cell, task.operation, task.audio_seconds)
            return any(g.name in names for g in plan.gates_of(self.experiment, place, self.chosen))

        return still_open

    def of_dataset(self, name: str) -> Callable[[Rows, Rows], bool]:
        """Whether a data set has a gate that is open; one without any gate is evaluated whole."""
        mine = [g for g in self.experiment.gates if g.at.dataset == name]
        if not mine or any(self._judged(gate) for gate in mine):
            return lambda rows, stops: True  # judges speak, and outputs are compared, at the end
        return lambda rows, stops: bool(self._open(mine, rows, stops))

    def times_on(self, name: str) -> bool:
        """Whether a gate looks at a time of a data set's utterances."""
        metrics = [gate.metric for gate in self.experiment.gates if gate.at.dataset == name]
        found = [spec.find_metric(metric, spec.locator(self.file)).metric for metric in metrics]
        return any(kinds.kind_of(metric) == "time" for metric in found)

    def _judged(self, gate: GateSpec) -> bool:
        metric = spec.find_metric(gate.metric, spec.locator(self.file)).metric
        return bool(metric.judge) or metric.compares in kinds.OF_OUTPUTS

    def _open(self, gates: list[GateSpec], rows: Rows, stops: Rows) -> set[str]:
        """Names of the gates that are not decided. One beyond its limit and perhaps within its
        waiver is open as well: what decides then is the waiver's bound."""
        if not gates:
            return set()
        calls = tables.frame("calls", rows)
        variants = [row(name, one) for name, one in self.made.items()]
        data = {
            "calls": calls,
            **{name: tables.frame(name, []) for name in ("judged", "fidelity")},
            "stops": tables.frame("stops", stops),
            "scores": self._scores(calls),
            "variants": tables.frame("variants", variants),
        }
        found = self._checks(replace(self.experiment, gates=tuple(gates)), data)
        bounds = {waiver.gate: waiver.up_to for waiver in self.experiment.waivers}
        doubtful = set(found.loc[found["reason_code"] == "waiver_exceeded", "gate"])
        moved = [replace(g, limit=bounds[name_of(g)]) for g in gates if name_of(g) in doubtful]
        again = self._checks(replace(self.experiment, gates=tuple(moved), waivers=()), data)
        both = pd.concat([found, again], ignore_index=True)
        open_ = both["status"].isin(UNDECIDED) | _some_lost(both)
        open_ &= ~self._may_be_approved(both, data["scores"])
        return set(both.loc[open_, "gate"])

    def _may_be_approved(self, checks: pd.DataFrame, scores: pd.DataFrame) -> pd.Series:
        """Passes that hold also if what may still be unseen is as bad as it can be. A share's exact
        bound has that in it; of a WER it is that as many utterances as can hide are each a reply
        that only its token budget ended. Times are approved when their plan is through."""
        locate = spec.locator(self.file)
        found = []
        for check in tables.records(checks):
            named = spec.find_metric(check["metric"], locate)
            passed = check["status"] == Status.PASS.value
            if named.metric.fold == "share":
                found.append(passed)
                continue
            here = (scores["metric"] == check["metric"]) & (scores["workload"] == check["workload"])
            mean = float(
                scores.loc[here & (scores["variant"] == check["variant"]), "weight"].mean()
            )
            hidden = unseen(check["metric"], int(check["n"]), mean)
            rises = check["kind"] in ("max", "max_increase")
            found.append(passed and rises and check["high"] + hidden <= check["limit"])
        return pd.Series(found, index=checks.index, dtype=bool)

    def _scores(self, calls: pd.DataFrame) -> pd.DataFrame:
        return decision.scores(self.experiment, spec.locator(self.file), {"calls": calls})

    def _checks(self, experiment: Experiment, data: dict[str, pd.DataFrame]) -> pd.DataFrame:
        named = decision.metrics(experiment, spec.locator(self.file))
        case = verdict.Case(
            experiment,
            {one.name: one for one in named},
            self.chosen,
            datetime.date.today(),
            self.file.parent,
        )
        return verdict.checks(case, data)


def unseen(metric: str, n: int, mean_words: float) -> float:
    """What a word error rate may hide after n utterances: up to -ln(0.05) of them, the exact bound
    after none, each with as many words as a token budget allows."""
    if metric != "wer" or n <= 0 or not mean_words > 0:
        return math.inf
    return -math.log(0.05) / n * TOKEN_BUDGET_WORDS / mean_words


def _seconds(gate: GateSpec) -> bool:
    return gate.at.audio_seconds is not None


def _some_lost(checks: pd.DataFrame) -> pd.Series:
    """Not measured for a few lost calls or utterances, which more of them may outweigh."""
    failed = (checks["status"] == Status.NOT_MEASURED.value) & (checks["reason_code"] == "failed")
    return failed & (checks["n"] > 0)
