"""Experiment -> what is measured: which entries, which cells, how many calls in each block."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence

from harness.contracts import Dataset, Family, Locate
from harness.decide import stats
from harness.decide.entry import Entry
from harness.decide.schedule import Task
from harness.errors import SpecError
from harness.spec import Experiment, Gate, Model, load_plugin

MakeEntry = Callable[[str, str, int], Entry]  # (variant, session, replica)

# Parts of the pipeline explain, gates look at the whole: beside the sweep's length now and then.
PARTS_EVERY = 4
PEEKED = 8  # utterances of a data set, to see whether somebody speaks in it


def sweep_cells(experiment: Experiment, remote: Collection[str] = ()) -> list[tuple[str, str, int]]:
    """Baseline and candidate in every session, with an A/A twin of the baseline.

    The other variants are timed in the default session only: they are not what is asked about. So
    are those that run elsewhere (a server), on which session options do nothing.
    """
    names = [session.name for session in experiment.sessions]
    wanted = [
        (variant, name, 0)
        for variant in (experiment.baseline, experiment.candidate)
        for name in (["default"] if variant in remote else names)
    ]
    return list(dict.fromkeys([*wanted, (experiment.baseline, "default", 1)]))


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

    def remote(model: Model) -> bool:
        if model.parts:
            return all(map(remote, model.parts.values()))
        family = load_plugin("families", model.family, locate)
        return isinstance(family, Family) and not family.has_files

    named = ((v.name, experiment.model_of(v.name)) for v in experiment.variants)
    return frozenset(name for name, model in named if remote(model))


def sweep_tasks(
    experiment: Experiment, entry: MakeEntry, remote: Collection[str] = ()
) -> list[Task]:
    """The sweep's cells at one length, one call of the pipeline each per round; each goes on until
    it is known not to be the fastest."""
    latency = experiment.latency
    assert latency is not None
    assert latency.sweep_seconds is not None
    seconds = latency.sweep_seconds
    return [
        Task(entry(*cell), "pipeline", seconds, calls=1, must=True)
        for cell in sweep_cells(experiment, remote)
    ]


def latency_tasks(
    experiment: Experiment,
    chosen: str,
    entry: MakeEntry,
    operations: Sequence[str],
) -> list[Task]:
    """Baseline and candidate (in its chosen session): the pipeline at every length in each round,
    its parts in each at the sweep's length and in each fourth at the shortest and longest. The
    A/A twin, the candidate in the default session and other variants: the pipeline at the sweep's
    length and where a gate looks at them. What a gate looks at goes on until it is decided.
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
                tasks.append(
                    Task(
                        entry(*cell),
                        operation,
                        seconds,
                        calls=1 if part else latency.calls_per_block,
                        every=PARTS_EVERY if part and not main and not gated else 1,
                        must=bool(gated),
                    )
                )
    return tasks


def likely_calls(quantiles: Iterable[float]) -> int:
    """Calls under which no early look can decide the most demanding of these latency quantiles;
    NaN asks for none."""
    level = stats.early(1.0).level
    return max((stats.needed_calls(q, level) for q in quantiles if not math.isnan(q)), default=0)


def gates_of(
    experiment: Experiment, cell: tuple[tuple[str, str, int], str, float], chosen: str
) -> list[Gate]:
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
