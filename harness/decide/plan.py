"""Experiment -> what is measured: which entries, which cells, how many calls in each block."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from harness.contracts import Dataset, Family, Locate
from harness.decide import layout, stats
from harness.decide.entry import Entry
from harness.decide.schedule import Task
from harness.errors import SpecError
from harness.spec import Experiment, GateSpec, ModelSpec, load_plugin

MakeEntry = Callable[[str, str, int], Entry]  # (variant, session, replica)

# Parts of the pipeline explain, gates look at the whole: beside the sweep's length now and then.
PARTS_EVERY = 4
DEFAULT = "default"  # the session without options
MEDIAN_ROUNDS = 85  # of a cell whose median is gated: 255 calls of 80 ms, or 85 long ones
TAIL_CALLS = 255  # of a cell of which another quantile is gated, and at least
SPARE = 4  # times the calls that would do if each were independent
AT_THE_END = stats.last(layout.GENERATIONS[1] - layout.FIRST_LOOK).level
PEEKED = 8  # utterances of a data set, to see whether somebody speaks in it


def sweep_cells(experiment: Experiment, remote: Collection[str] = ()) -> list[tuple[str, str, int]]:
    """The candidate in every session, the default one twice (replica 1 is its twin), and the
    baseline in the default one: what its calls take has to be known before they are planned.

    What runs elsewhere (a server), on which session options do nothing, is in the default one only.
    """
    names = [session.name for session in experiment.sessions]
    candidate, baseline = experiment.candidate, experiment.baseline
    wanted = ["default"] if candidate in remote else names
    cells = [(candidate, "default", 0), (candidate, "default", 1)]
    cells += [(candidate, name, 0) for name in wanted]
    return list(dict.fromkeys([*cells, (baseline, "default", 0)]))


def speech(datasets: Iterable[Dataset]) -> Dataset:
    """What lengths are cut from: the first data set of which it is known that somebody speaks in
    it, else the first with audio at all. Raises: SpecError."""
    first: Dataset | None = None
    for data in datasets:
        peeked = data.utterances[:PEEKED]
        heard = [one for one in peeked if one.audio is not None and not one.error]
        if any(one.text.strip() for one in heard):
            return data
        first = first or (data if heard else None)
    if first is None:
        raise SpecError(
            "latency: needs a quality section with audio, whose speech is cut to the lengths."
        )
    return first


def elsewhere(experiment: Experiment, locate: Locate) -> frozenset[str]:
    """The variants that no session opens here: neither they nor their parts have files."""

    def remote(model: ModelSpec) -> bool:
        if model.parts:
            return all(map(remote, model.parts.values()))
        family = load_plugin("families", model.family, locate)
        return isinstance(family, Family) and not family.has_files

    named = ((v.name, experiment.model_of(v.name)) for v in experiment.variants)
    return frozenset(name for name, model in named if remote(model))


def sweep_tasks(
    experiment: Experiment, entry: MakeEntry, remote: Collection[str] = ()
) -> list[Task]:
    """The sweep's cells at one length, one call of the pipeline each per round."""
    latency = experiment.latency
    assert latency is not None
    assert latency.sweep_seconds is not None
    seconds = latency.sweep_seconds
    return [
        Task(entry(*cell), "pipeline", seconds, calls=1) for cell in sweep_cells(experiment, remote)
    ]


def latency_tasks(
    experiment: Experiment,
    chosen: str,
    entry: MakeEntry,
    operations: Sequence[str],
    quantile: Callable[[GateSpec], float] = lambda gate: 0.5,
) -> list[Task]:
    """Baseline and candidate (in its chosen session): the pipeline at every length in as many
    rounds as the experiment asks for, its parts in as many at the sweep's length and in a quarter
    of them at the shortest and longest. The A/A twin, the candidate in the default session and
    other variants: the pipeline at the sweep's length and where a gate looks at them. What a gate
    looks at has as many rounds as its quantile takes.
    """
    latency = experiment.latency
    assert latency is not None
    baseline, candidate = experiment.baseline, experiment.candidate
    full = [(baseline, "default", 0), (candidate, chosen, 0)]
    brief = [(baseline, "default", 1), *((v.name, "default", 0) for v in experiment.variants)]
    brief += [
        (v, gate.session, 0) for gate in experiment.gates for v in gate.variants if gate.session
    ]
    ends = (min(latency.audio_seconds), max(latency.audio_seconds))
    tasks = []
    for cell in dict.fromkeys([*full, *brief]):
        for seconds in latency.audio_seconds:
            for operation in latency.operations or operations:
                gated = gates_of(experiment, (cell, operation, seconds), chosen)
                part, main = operation != "pipeline", seconds == latency.sweep_seconds
                if cell not in full and not gated and (part or not main):
                    continue
                if part and not gated and seconds not in ends and not main:
                    continue
                rare = part and not main and not gated
                made = Task(
                    entry(*cell),
                    operation,
                    seconds,
                    calls=0 if part else latency.calls_per_block or 0,
                    rounds=math.ceil(latency.rounds / PARTS_EVERY) if rare else latency.rounds,
                    must=bool(gated),
                )
                tasks.append(_as_gated(made, [quantile(gate) for gate in gated]))
    return tasks


def _as_gated(task: Task, quantiles: Sequence[float]) -> Task:
    """With the rounds and calls that its gates take; a quantile of NaN is no quantile."""
    if not quantiles:
        return task
    tails = [q for q in quantiles if not math.isnan(q) and q != 0.5]
    wanted = max((SPARE * stats.needed_calls(q, AT_THE_END) for q in tails), default=0)
    calls = max(wanted, TAIL_CALLS) if tails else 0
    return replace(task, rounds=max(task.rounds, MEDIAN_ROUNDS), calls_wanted=calls)


def gates_of(
    experiment: Experiment, cell: tuple[tuple[str, str, int], str, float], chosen: str
) -> list[GateSpec]:
    """The gates that look at ((variant, session, replica), operation, audio seconds), as their
    subject or as what it is compared with."""
    (variant, session, replica), operation, seconds = cell
    return [
        gate
        for gate in experiment.gates
        if variant in (*gate.variants, gate.over)
        and not replica
        and gate.at.audio_seconds == seconds
        and gate.operation in ("", operation)
        and (gate.session or (chosen if variant == experiment.candidate else "default")) == session
    ]
