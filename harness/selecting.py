"""Chooses the candidate among several variants by what one data set says of them."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from harness import contracts, deciding, scoring, spec, tables, verdict
from harness.contracts import Evidence, Locate, Status
from harness.spec import Experiment, Gate
from harness.stats import Resampling
from harness.variants import Made, row


@dataclass(frozen=True)
class Seen:
    """What was measured on the selection's data set."""

    calls: pd.DataFrame
    judged: pd.DataFrame
    stops: pd.DataFrame
    made: Mapping[str, Made]
    file: Path  # the experiment's


def select(experiment: Experiment, seen: Seen) -> Experiment:
    """The experiment with its candidate chosen: the best by the selection's metric of those that
    miss no gate on its data set; the best of all where none is left, whose gates then stay as
    strict as they are.
    """
    how = experiment.selection
    assert how is not None
    values = _values(experiment, seen)
    fit = [name for name in how.among if name not in _failing(experiment, seen)]
    ranked = sorted(values, key=lambda name: values[name])
    winner = next((name for name in ranked if name in fit), (ranked or list(how.among))[0])
    return chosen(experiment, winner, bool(fit))


def chosen(experiment: Experiment, winner: str, fit: bool = True) -> Experiment:
    """The experiment about this candidate. The selection's own gates have done their work and only
    warn; the others, and claims, are about the winner and not about who else might have won."""
    how = experiment.selection
    assert how is not None
    out = {name for name in how.among if name != winner}
    gates = tuple(
        (replace(gate, severity="warn") if fit else gate)
        if gate.at.dataset == how.dataset
        else _without(gate, out)
        for gate in experiment.gates
    )
    claims = tuple(
        replace(claim, variant=winner) if claim.variant == experiment.candidate else claim
        for claim in experiment.claims
    )
    return replace(experiment, candidate=winner, gates=gates, claims=claims)


def _without(gate: Gate, out: set[str]) -> Gate:
    return replace(gate, variants=tuple(name for name in gate.variants if name not in out))


def _values(experiment: Experiment, seen: Seen) -> dict[str, float]:
    """The selection's metric by variant, lower is better; those without a figure are left out."""
    how = experiment.selection
    assert how is not None
    locate = spec.locator(seen.file)
    named = spec.find_metric(how.metric, locate)
    data = spec.to_json(experiment)
    scored = deciding.scores(data, seen.calls, locate, seen.judged)
    found = scored[(scored["metric"] == how.metric) & (scored["workload"] == how.dataset)]
    sign = 1.0 if named.metric.better == "lower" else -1.0
    resampling = Resampling(seed=experiment.seed)
    values = {
        str(name): sign * scoring.estimate(cell, named, resampling).estimate
        for name, cell in found.groupby("variant", sort=False)
    }
    return {name: value for name, value in values.items() if name in how.among and value == value}


def _failing(experiment: Experiment, seen: Seen) -> set[str]:
    """The variants that a gate on the selection's data set rules out."""
    how, locate = experiment.selection, spec.locator(seen.file)
    assert how is not None
    mine = [
        replace(gate, variants=tuple(how.among))
        for gate in experiment.gates
        if gate.at.dataset == how.dataset
    ]
    data: dict[str, Any] = spec.to_json(replace(experiment, gates=tuple(mine), waivers=()))
    named = deciding.metrics(data, locate)
    by_name = {one.name: one for one in named}
    case = verdict.Case(data, by_name, "default", datetime.date.today(), seen.file.parent)
    variants = tables.frame("variants", [row(name, one) for name, one in seen.made.items()])
    found = verdict.checks(
        case,
        {
            "calls": seen.calls,
            "judged": seen.judged,
            "stops": seen.stops,
            "scores": deciding.scores(data, seen.calls, locate, seen.judged),
            "variants": variants,
        },
    )
    hard = found[found["severity"] == "fail"]
    return {str(row["variant"]) for row in tables.records(hard) if _misses(row, locate)}


def _misses(check: Mapping[str, Any], locate: Locate) -> bool:
    """Whether the figure itself misses the limit: who is chosen is proved on fresh data, so that no
    bound is asked for here."""
    if not math.isfinite(check["observed"]) or check["status"] == Status.NOT_MEASURED.value:
        return True
    gate: contracts.Gate = spec.load_plugin("gates", check["kind"], locate)
    exact = Evidence(check["observed"], check["observed"], check["observed"], 1, "exact")
    return gate.check(check["limit"], exact) is Status.FAIL
