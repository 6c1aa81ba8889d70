"""The plan in figures: cells, calls and seconds of each stage, and the calls that fit a budget."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.decide import plan, staging, stats
from harness.decide.bracket import DEFAULTS, bracket, sizes
from harness.decide.entry import Entry
from harness.decide.layout import Layout
from harness.decide.schedule import SWEEP_SHARE, Task
from harness.preflight.feasibility.costs import Costs
from harness.spec import Experiment, GateSpec

LEAST_SECONDS = 30.0  # that a stage gets, however small the budget


@dataclass(frozen=True)
class StageCost:
    """One stage: `calls` and `seconds` of the whole plan, `fits` the seconds that it may take."""

    name: str
    cells: int
    rounds: int
    calls: float
    seconds: float
    fits: float = math.inf


@dataclass(frozen=True)
class Fit:
    """What the budget leaves of a latency task: seconds of a call, calls, paired rounds, and in how
    many generations of processes; `alone`: in one, though it could be opened again."""

    seconds: float
    calls: float
    rounds: float
    generations: int = 1
    alone: bool = False


@dataclass(frozen=True)
class BudgetPlan:
    """The stages, and what fits of each latency task."""

    stages: tuple[StageCost, ...]
    tasks: Mapping[Task, Fit]
    sources: tuple[str, ...]  # where the costs are from
    level: float  # of a latency bound at the last look, if a gate is open until then
    gain: float = math.nan  # of a session, that the sweep finds with a chance of 80 %

    @property
    def seconds(self) -> float:
        return sum(min(stage.seconds, stage.fits) for stage in self.stages)


@dataclass(frozen=True)
class Plugins:
    """What a plan needs of them: the family's operations, the quantile that a latency gate reads
    (NaN where it reads none), and the variants that run elsewhere."""

    operations: Sequence[str]
    quantile: Callable[[GateSpec], float] = lambda gate: 0.5
    remote: frozenset[str] = frozenset()


def forecast(
    experiment: Experiment,
    costs: Costs,
    utterances: Mapping[str, float],
    plugins: Plugins,
) -> BudgetPlan:
    """Pure. `utterances`: data set -> how many, NaN where unknown."""
    priced = _Prices(costs)
    quality = [_quality(experiment, name, n, priced) for name, n in utterances.items()]
    budget = experiment.budget.minutes * 60
    stages: list[StageCost] = []
    fit: dict[Task, Fit] = {}
    level, gain = stats.last(0).level, math.nan
    if experiment.latency is not None:
        left = budget - sum(stage.seconds for stage in quality)
        swept = plan.sweep_tasks(experiment, _entry(experiment), plugins.remote)
        share = max(left, LEAST_SECONDS) * SWEEP_SHARE
        first, gain = _sweep(swept, experiment, priced, share)
        entry = _entry(experiment)
        tasks = plan.latency_tasks(
            experiment, "default", entry, plugins.operations, plugins.quantile
        )
        fits = max(left - min(first.seconds, first.fits), LEAST_SECONDS)
        second, fit = _latency(experiment, tasks, priced, fits, plugins.remote)
        stages = [first, second, *_audit(experiment, priced)]
        level = plan.AT_THE_END
    return BudgetPlan((*stages, *quality), fit, tuple(dict.fromkeys(priced.sources)), level, gain)


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


def _quality(experiment: Experiment, name: str, count: float, priced: _Prices) -> StageCost:
    """Every utterance once with each variant: the budget does not cut these."""
    names = [variant.name for variant in experiment.variants]
    how = experiment.selection
    if how is not None and how.dataset != name:  # the winner alone of those to choose from
        names = [n for n in names if n not in how.among[1:]]
    each = [priced.of(variant, "default", "pipeline", name) for variant in names]
    return StageCost(f"quality {name}", len(names), 1, count * len(names), count * sum(each))


def _audit(experiment: Experiment, priced: _Prices) -> list[StageCost]:
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
    return [StageCost("audit", cells, audit.rounds, calls, cells * each * cost)]


def _sweep(
    tasks: Sequence[Task], experiment: Experiment, priced: _Prices, fits: float
) -> tuple[StageCost, float]:
    """The sweep as the runner plans it, and the gain that it can find."""
    costs = [priced.task(task) for task in tasks]
    rivals = [t for t in tasks if t.entry.session.name != plan.DEFAULT]
    typical = sorted(costs)[len(costs) // 2] if costs else math.nan
    seconds = fits if math.isfinite(fits) else LEAST_SECONDS
    known = typical if math.isfinite(typical) else 0.0
    made = bracket(len(rivals), known, staging.PROCESS_SECONDS, seconds)
    kept = zip(made.rounds, sizes(len(rivals), len(made.rounds)), strict=True)
    calls = sum(rounds * (many + DEFAULTS) for rounds, many in kept) + 2 * made.pairs * made.calls
    opened = len(tasks) + 2 * made.pairs
    taken = calls * typical + opened * (staging.PROCESS_SECONDS + typical)
    gain = made.gain() if rivals else math.nan
    return StageCost("sweep", len(tasks), max(made.rounds, default=0), calls, taken), gain


def _latency(
    experiment: Experiment,
    tasks: Sequence[Task],
    priced: _Prices,
    fits: float,
    remote: frozenset[str] = frozenset(),
) -> tuple[StageCost, dict[Task, Fit]]:
    """The latency stage as it is wanted, and the runner's own layout of what fits of it."""
    latency = experiment.latency
    assert latency is not None
    costs = {task.cell: priced.task(task) for task in tasks}
    how = staging.StageLimits("latency", {}, latency.warmup, math.inf, experiment.seed, once=remote)
    wanted = staging.plan_of(tasks, costs, how)
    known = all(math.isfinite(seconds) for seconds in costs.values()) and math.isfinite(fits)
    made = staging.plan_of(tasks, costs, replace(how, seconds=fits)) if known else wanted
    calls = sum(cell.rounds * cell.calls for cell in wanted.cells)
    stage = StageCost("latency", len(tasks), wanted.rounds, calls, wanted.seconds, fits)
    return stage, _fit(tasks, costs, made)


def _fit(
    tasks: Sequence[Task], costs: Mapping[tuple[Entry, str, float], float], made: Layout
) -> dict[Task, Fit]:
    pairs = zip(tasks, made.cells, strict=True)
    return {
        task: Fit(
            costs[task.cell],
            cell.rounds * cell.calls,
            cell.rounds,
            made.generations,
            alone=made.generations == 1 and not cell.once,
        )
        for task, cell in pairs
    }
