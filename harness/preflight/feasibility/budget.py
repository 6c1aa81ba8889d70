"""The plan in figures: cells, calls and seconds of each stage, and the calls that fit a budget."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.decide import plan, stats
from harness.decide.entry import Entry
from harness.decide.schedule import (
    MOST_CALLS,
    SWEEP_SHARE,
    Outline,
    Rounds,
    Task,
    outline,
    round_seconds,
)
from harness.preflight.feasibility.costs import Costs
from harness.spec import Experiment, Latency

LEAST_SECONDS = 30.0  # that a stage gets, however small the budget


@dataclass(frozen=True)
class Stage:
    """One stage: `calls` and `seconds` of the whole plan, `fits` the seconds that it may take."""

    name: str
    cells: int
    rounds: int
    calls: float
    seconds: float
    fits: float = math.inf


@dataclass(frozen=True)
class Fit:
    """The most that the budget leaves of a latency task: seconds of a call, calls, paired rounds.

    No gate can be decided that takes more: measuring may stop sooner on the rest, never later.
    """

    seconds: float
    calls: float
    rounds: float


@dataclass(frozen=True)
class Plan:
    """The stages, and what fits of each latency task."""

    stages: tuple[Stage, ...]
    tasks: Mapping[Task, Fit]
    sources: tuple[str, ...]  # where the costs are from
    level: float  # of a latency bound at the last look, if a gate is open until then

    @property
    def seconds(self) -> float:
        return sum(min(stage.seconds, stage.fits) for stage in self.stages)


def forecast(
    experiment: Experiment,
    costs: Costs,
    utterances: Mapping[str, float],
    operations: Sequence[str],
    quantiles: Sequence[float],
) -> Plan:
    """Pure. `utterances`: data set -> how many, NaN where unknown; `quantiles` are those that the
    latency gates read."""
    priced = _Prices(costs)
    quality = [_quality(experiment, name, n, priced) for name, n in utterances.items()]
    budget = experiment.budget.minutes * 60
    stages: list[Stage] = []
    fit: dict[Task, Fit] = {}
    level = stats.last(0).level
    if experiment.latency is not None:
        left = budget - sum(stage.seconds for stage in quality)
        swept = plan.sweep_tasks(experiment, _entry(experiment))
        rounds = experiment.latency.sweep_rounds
        first = _stage("sweep", swept, rounds, experiment.latency, priced)
        share = max(left, LEAST_SECONDS) * SWEEP_SHARE
        first = _within(first, share)
        tasks = plan.latency_tasks(experiment, "default", _entry(experiment), operations)
        second = _stage("latency", tasks, experiment.latency.rounds, experiment.latency, priced)
        second = _within(second, max(left - min(first.seconds, first.fits), LEAST_SECONDS))
        stages = [first, second, *_audit(experiment, priced)]
        what = _outline(tasks, second, experiment.latency, priced, plan.likely_calls(quantiles))
        fit, level = (
            _fitting(tasks, second, what, experiment.latency, priced),
            stats.last(len(what.looks)).level,
        )
    return Plan((*stages, *quality), fit, tuple(dict.fromkeys(priced.sources)), level)


class _Prices:
    """Costs of tasks, remembering where they are from."""

    def __init__(self, costs: Costs) -> None:
        self._costs = costs
        self.sources: list[str] = []

    def task(self, task: Task) -> float:
        entry = task.entry
        workload = f"{task.audio_seconds:g} s"
        return self.of(entry.variant, entry.session.name, task.operation, workload)

    def of(self, variant: str, session: str, operation: str, workload: str) -> float:
        cost = self._costs.of(variant, session, operation, workload)
        self.sources.append(cost.source)
        return cost.seconds


def _entry(experiment: Experiment) -> plan.MakeEntry:
    sessions = {config.name: config for config in experiment.sessions}

    def make(variant: str, session: str, replica: int = 0) -> Entry:
        return Entry(variant, sessions[session], Path(), experiment.model.family, {}, replica)

    return make


def _quality(experiment: Experiment, name: str, count: float, priced: _Prices) -> Stage:
    """Every utterance once with each variant: the budget does not cut these."""
    names = [variant.name for variant in experiment.variants]
    how = experiment.selection
    if how is not None and how.dataset != name:  # the winner alone of those to choose from
        names = [n for n in names if n not in how.among[1:]]
    each = [priced.of(variant, "default", "pipeline", name) for variant in names]
    return Stage(f"quality {name}", len(names), 1, count * len(names), count * sum(each))


def _audit(experiment: Experiment, priced: _Prices) -> list[Stage]:
    """Another's protocol beside ours: beyond the budget."""
    audit = experiment.audit
    if audit is None:
        return []
    cells = len(audit.sessions) + (audit.unchecked is not None)
    each = (audit.iterations + audit.warmup) * audit.repeats + audit.rounds
    operation = audit.operation or "pipeline"
    cost = sum(
        priced.of(experiment.candidate, "default", operation, f"{seconds:g} s")
        for seconds in audit.audio_seconds
    )
    calls = cells * each * len(audit.audio_seconds)
    return [Stage("audit", cells, audit.rounds, calls, cells * each * cost)]


def _stage(
    name: str, tasks: Sequence[Task], rounds: int, latency: Latency, priced: _Prices
) -> Stage:
    costs = {task.cell: priced.task(task) for task in tasks}
    calls = sum(task.calls * rounds / task.every for task in tasks)
    seconds = round_seconds(tasks, costs) * rounds + _warming(costs.values(), latency)
    return Stage(name, len(tasks), rounds, calls, seconds)


def _warming(seconds: Iterable[float], latency: Latency) -> float:
    return sum(seconds) * max(1, latency.warmup)


def _within(stage: Stage, seconds: float) -> Stage:
    return Stage(stage.name, stage.cells, stage.rounds, stage.calls, stage.seconds, seconds)


def _outline(
    tasks: Sequence[Task], stage: Stage, latency: Latency, priced: _Prices, likely: int
) -> Outline:
    """The runner's own outline of the latency stage; where the costs are unknown, the plan with no
    round more than is asked for."""
    costs = {task.cell: priced.task(task) for task in tasks}
    if not (math.isfinite(stage.seconds) and math.isfinite(stage.fits)):
        return Outline(tuple(tasks), latency.rounds, latency.rounds, ())
    how = Rounds(stage.name, {}, latency.rounds, latency.warmup, stage.fits, seed=0)
    more = replace(how, most=MOST_CALLS, likely=likely)
    return outline(tasks, costs, more, _warming(costs.values(), latency))


def _fitting(
    tasks: Sequence[Task], stage: Stage, what: Outline, latency: Latency, priced: _Prices
) -> dict[Task, Fit]:
    """What the outline leaves of each task. One that a gate looks at may go on alone, in a pair
    with its baseline, once the rest is decided: that is the most that it can get."""
    costs = {task.cell: priced.task(task) for task in tasks}
    spent = round_seconds(what.tasks, costs) * what.rounds + _warming(costs.values(), latency)
    left = max(stage.fits - spent, 0.0) if what.planned > what.rounds else 0.0
    fit = {}
    for task, cut in zip(tasks, what.tasks, strict=True):
        cost, rounds = costs[task.cell], what.rounds / task.every
        more = min(left / cost, MOST_CALLS) if task.must and left else 0.0
        fit[task] = Fit(cost, cut.calls * rounds + more, rounds + more / cut.calls / 2)
    return fit
