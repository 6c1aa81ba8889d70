"""Chooses the candidate among several variants by what one data set says of them."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from harness import spec
from harness.contracts import Locate
from harness.decide import decision, scoring, verdict
from harness.decide.measures import misses
from harness.decide.stats import Resampling
from harness.spec import Experiment, GateSpec
from harness.store import tables
from harness.store.made import Made, row


@dataclass(frozen=True)
class SelectionData:
    """What was measured on the selection's data set."""

    tables: Mapping[str, pd.DataFrame]  # calls, judged, fidelity, stops
    made: Mapping[str, Made]
    file: Path  # the experiment's


@dataclass(frozen=True)
class Choice:
    """The experiment with its candidate chosen; `flaw` says why the gates that decided who may be
    chosen stay as strict as they are, "" where the winner misses none of them."""

    experiment: Experiment
    flaw: str = ""


def select(experiment: Experiment, seen: SelectionData) -> Choice:
    """The candidate: the best by the selection's metric of those that miss no gate on its data set;
    the best of all where none of those is left, or none of them has a figure for the metric.
    """
    how = experiment.selection
    assert how is not None
    locate = spec.locator(seen.file)
    scored = decision.scores(experiment, locate, seen.tables)
    values = _values(experiment, scored, locate)
    failing = _failing(experiment, seen, scored)
    fit = [name for name in how.among if name not in failing]
    ranked = sorted(values, key=lambda name: values[name])
    best = next((name for name in ranked if name in fit), "")
    flaw = ""
    if not best and fit:
        flaw = f"{', '.join(fit)}: no figure for {how.metric}, and the others miss a gate there"
    elif not best:
        flaw = "every one misses a gate there"
    winner = best or (ranked or fit or how.among)[0]
    return Choice(chosen(experiment, winner, bool(best)), flaw)


def deciding(experiment: Experiment) -> tuple[str, ...]:
    """The gates that rule variants out there, as they were asked for: once one is fit they warn."""
    how = experiment.selection
    there = [gate for gate in experiment.gates if how and gate.at.dataset == how.dataset]
    return tuple(gate.name for gate in there if gate.severity == "fail")


def chosen(experiment: Experiment, winner: str, fit: bool = True) -> Experiment:
    """The experiment about this candidate. The gates of the selection have done their work and only
    warn, if the winner is fit; of the others, those about losers alone are left out. A claim that
    names no variant is about the winner."""
    how = experiment.selection
    assert how is not None
    out = {name for name in how.among if name != winner}
    kept = [gate for gate in map(_without(out, how.dataset), experiment.gates) if gate]
    gates = tuple(
        replace(gate, severity="warn") if fit and gate.at.dataset == how.dataset else gate
        for gate in kept
    )
    names = {gate.name for gate in gates}
    claims = tuple(
        claim if claim.variant else replace(claim, variant=winner) for claim in experiment.claims
    )
    waivers = tuple(waiver for waiver in experiment.waivers if waiver.gate in names)
    return replace(experiment, candidate=winner, gates=gates, claims=claims, waivers=waivers)


def _without(out: set[str], dataset: str) -> Callable[[GateSpec], GateSpec | None]:
    """Gates without the losers, but on the selection's data set; None where nobody is left."""

    def narrowed(gate: GateSpec) -> GateSpec | None:
        if gate.at.dataset == dataset or not gate.variants:
            return gate
        left = tuple(name for name in gate.variants if name not in out)
        return replace(gate, variants=left) if left else None

    return narrowed


def _values(experiment: Experiment, scored: pd.DataFrame, locate: Locate) -> dict[str, float]:
    """The selection's metric by variant, lower is better; those without a figure are left out."""
    how = experiment.selection
    assert how is not None
    named = spec.find_metric(how.metric, locate)
    found = scored[(scored["metric"] == how.metric) & (scored["workload"] == how.dataset)]
    sign = 1.0 if named.metric.better == "lower" else -1.0
    resampling = Resampling(seed=experiment.seed)
    values = {
        str(name): sign * scoring.estimate(cell, named, resampling).estimate
        for name, cell in found.groupby("variant", sort=False)
    }
    return {name: value for name, value in values.items() if name in how.among and value == value}


def _failing(experiment: Experiment, seen: SelectionData, scored: pd.DataFrame) -> set[str]:
    """The variants that a gate on the selection's data set rules out."""
    how, locate = experiment.selection, spec.locator(seen.file)
    assert how is not None
    mine = []
    for gate in experiment.gates:
        named = tuple(name for name in how.among if name in (gate.variants or how.among))
        if gate.at.dataset == how.dataset and named:
            mine.append(replace(gate, variants=named))
    asked = replace(experiment, gates=tuple(mine), waivers=())
    by_name = {one.name: one for one in decision.metrics(asked, locate)}
    case = verdict.Case(asked, by_name, "default", datetime.date.today(), seen.file.parent)
    variants = tables.frame("variants", [row(name, one) for name, one in seen.made.items()])
    found = verdict.checks(case, {**seen.tables, "scores": scored, "variants": variants})
    hard = found[found["severity"] == "fail"]
    return {
        str(row["variant"])
        for row in tables.records(hard)
        if misses(row, spec.load_plugin("gates", row["kind"], locate))
    }
