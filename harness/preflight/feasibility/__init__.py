"""Feasibility before cost: the plan, what each gate takes and what fits, targets beyond the known.

anchors (published figures, each with its source) -> costs (of a call, and where that is from) ->
budget (stages, calls that fit) -> gates and targets (findings) -> wording; languages: whether
model, data and normaliser speak the same one. Nothing is measured or downloaded; a finding is a
warning and never stops a run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness import contracts
from harness.contracts import Locate
from harness.decide import plan as runs
from harness.plugins import NamedMetric
from harness.preflight.feasibility import (
    budget,
    costs,
    gates,
    languages,
    questions,
    targets,
    wording,
)
from harness.preflight.feasibility.budget import BudgetPlan
from harness.preflight.feasibility.gates import Decidability, Terms
from harness.preflight.feasibility.questions import SayLimit, plain_limit
from harness.preflight.feasibility.targets import Contradiction
from harness.runtime import environment
from harness.spec import Experiment, GateSpec, find_metric, load_family, load_plugin
from harness.speech import audio

__all__ = ["Decidability", "Forecast", "assess", "foresee", "missing", "undecidable"]


@dataclass(frozen=True)
class Forecast:
    """All that is known of an experiment before it runs."""

    minutes: float  # of the budget
    plan: BudgetPlan
    findings: tuple[Decidability, ...]
    warnings: tuple[Contradiction, ...]
    terms: Terms  # what findings and questions are made from
    data: Mapping[str, contracts.Dataset | None] = field(default_factory=dict)  # those on this disk

    def lines(self, say: SayLimit = plain_limit) -> list[str]:
        """As plain aligned text; `say` writes a limit as the report does."""
        found = wording.gates(self.findings, questions.limits(self.terms, say))
        asked = wording.questions(self.questions(say))
        return [*wording.plan(self.minutes, self.plan), *found, *asked,
                *wording.questions(self.narrow()), *wording.questions(self.languages()),
                *wording.warnings(self.warnings)]  # fmt: skip

    def questions(self, say: SayLimit = plain_limit) -> list[str]:
        """What the gates leave unasked."""
        return questions.questions(self.terms, say)

    def languages(self) -> list[str]:
        """Where model, data and normaliser are not of one language."""
        locate = self.terms.costs.locate
        return [] if locate is None else languages.told(self.terms.experiment, locate)

    def narrow(self) -> list[str]:
        """Data sets whose clips lack the upper part of what the model can hear; decodes some."""
        locate = self.terms.costs.locate
        if locate is None:  # an assessment of given sizes has no data
            return []
        family: contracts.Family = load_family(self.terms.experiment.model, locate)
        if family.takes != "audio":
            return []
        said = {
            name: audio.narrow(audio.sound_of(one.utterances), family.sample_rate)
            for name, one in self.data.items()
            if one is not None and one.notes.get("transcripts") != "none"
        }
        return [f"{name}: {text}" for name, text in said.items() if text]


def foresee(
    experiment: Experiment, folder: Path, locate: Locate, call_seconds: float = math.nan
) -> Forecast:
    """Look at an earlier run in `folder`, the machine and local data, and assess the experiment.

    `call_seconds`: what every call is taken to cost instead.
    """
    before = costs.known(folder, experiment, environment.describe())
    found = costs.Costs(experiment, before, call_seconds, environment.cores(), locate)
    counts = {part.name: costs.utterances(part, locate) for part in experiment.quality}
    data = {part.name: costs.here(part, locate) for part in experiment.quality}
    longest = {name: costs.longest(one) for name, one in data.items()}
    return replace(assess(experiment, found, counts, locate, longest), data=data)


def assess(
    experiment: Experiment,
    known: costs.Costs,
    utterances: dict[str, float],
    locate: Locate,
    longest: Mapping[str, float] | None = None,
) -> Forecast:
    """The forecast from given costs and sizes (`longest`: the longest clip of each data set, NaN
    where that is not known); reads nothing but the plugins that are named."""
    known = replace(known, locate=locate)
    metrics = _metrics(experiment, locate)

    remote = runs.elsewhere(experiment, locate)

    def quantile(gate: GateSpec) -> float:
        one = metrics[gate.metric]
        return metrics.get(one.metric.ratio_of, one).quantile

    family: contracts.Family = load_family(experiment.model, locate)
    plugins = budget.Plugins(family.operations, quantile, remote)
    plan = budget.forecast(experiment, known, utterances, plugins)
    kinds = {g.kind: load_plugin("gates", g.kind, locate) for g in experiment.gates}
    terms = Terms(experiment, plan, known, utterances, metrics, kinds, _known(longest or {}))
    return Forecast(
        experiment.budget.minutes,
        plan,
        tuple(gates.findings(terms)),
        tuple(targets.contradictions(terms, known.cores)),
        terms,
    )


def missing(experiment: Experiment, locate: Locate) -> list[str]:
    """One line for each data set of which a split, a folder or a readable table is not there."""
    return costs.missing(experiment, locate)


def undecidable(
    experiment: Experiment, folder: Path, locate: Locate, say: SayLimit = plain_limit
) -> list[str]:
    """One line for each gate that cannot be decided within the budget, or asks for nothing, and
    where languages do not fit together."""
    found = foresee(experiment, folder, locate)
    open_ = [wording.undecidable(one) for one in found.findings if one.decidable == "no"]
    return [*open_, *found.questions(say), *found.languages()]


def _known(lengths: Mapping[str, float]) -> dict[str, float]:
    return {name: seconds for name, seconds in lengths.items() if not math.isnan(seconds)}


def _metrics(experiment: Experiment, locate: Locate) -> dict[str, NamedMetric]:
    """Every metric that a gate or claim names, and what a ratio (speedup) is made of."""
    wanted = [*(g.metric for g in experiment.gates), *(c.metric for c in experiment.claims)]
    found = {name: find_metric(name, locate) for name in wanted}
    made_of = {named.metric.ratio_of for named in found.values()} - {""}
    return {**{name: find_metric(name, locate) for name in made_of}, **found}
