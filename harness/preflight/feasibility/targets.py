"""Which targets and claims contradict what is known: warnings, never errors."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from harness.plugins import kinds
from harness.preflight.feasibility import anchors
from harness.preflight.feasibility.costs import bits_of, model_of
from harness.preflight.feasibility.gates import Terms, data_of, language_of
from harness.spec import Claim, GateSpec, Variant


@dataclass(frozen=True)
class Contradiction:
    """One target that is beyond what is known, in words and with the source."""

    target: str  # "gate wer@cv-es-prompts", "claim wer 0.02"
    text: str
    source: str


@dataclass(frozen=True)
class _Target:
    """A limit or a claimed value: the easiest value that would still meet it."""

    name: str
    metric: str
    value: float
    variant: str
    operation: str
    dataset: str


def contradictions(terms: Terms, cores: int) -> list[Contradiction]:
    """In the experiment's order, gates first."""
    return [
        found
        for target in _targets(terms)
        for found in (*_beyond_best(terms, target), *_below_floor(terms, target, cores))
    ] + [found for claim in terms.experiment.claims for found in _notes(claim)]


def size_limit(terms: Terms) -> float:
    """The largest size in MB that the experiment would accept or claims; inf where none is."""
    experiment = terms.experiment
    limits = [
        (gate, terms.kinds[gate.kind]) for gate in experiment.gates if gate.metric == "size_mb"
    ]
    gates = [
        rule.limit_on(gate.limit)
        for gate, rule in limits
        if rule.on == "value" and kinds.side_of(rule, gate.limit) == "upper"
    ]
    claims = [c.value + c.tolerance for c in experiment.claims if c.metric == "size_mb"]
    return min((*gates, *claims), default=math.inf)


def _targets(terms: Terms) -> Iterator[_Target]:
    experiment = terms.experiment
    for gate in experiment.gates:
        if terms.kinds[gate.kind].on == "value":
            variant = experiment.candidate if not gate.variants else gate.variants[0]
            yield _of_gate(gate, variant)
    for claim in experiment.claims:
        yield _of_claim(terms, claim)


def _of_gate(gate: GateSpec, variant: str) -> _Target:
    name = f"gate {gate.name}"
    return _Target(name, gate.metric, gate.limit, variant, gate.operation, gate.at.dataset)


def _of_claim(terms: Terms, claim: Claim) -> _Target:
    sign = 1 if _lower(terms, claim.metric) else -1
    return _Target(
        f"claim {claim.metric} {claim.value:g}",
        claim.metric,
        claim.value + sign * claim.tolerance,
        claim.variant or terms.experiment.candidate,
        claim.operation,
        claim.at.dataset,
    )


def _lower(terms: Terms, metric: str) -> bool:
    return terms.metrics[metric].metric.better == "lower"


def _beyond_best(terms: Terms, target: _Target) -> Iterator[Contradiction]:
    """A value that nobody has published within the scope: size, data set, language."""
    experiment = terms.experiment
    limit = size_limit(terms)
    where, language = data_of(experiment, target.dataset), language_of(experiment)
    best = anchors.best(anchors.Scope(target.metric, where, language, limit))
    if best is None:
        return
    better = target.value < best.value if best.better == "lower" else target.value > best.value
    if better:
        within = f" within {limit:g} MB at 8 bits a weight" if math.isfinite(limit) else ""
        text = f"best known{within} is {best.value:g}, {best.about} ({best.conditions})"
        yield Contradiction(target.name, f"contradicts what is known: {text}", str(best.source))


def _below_floor(terms: Terms, target: _Target, cores: int) -> Iterator[Contradiction]:
    """A size below the bytes of the weights, a latency below the machine's arithmetic."""
    found = {variant.name: variant for variant in terms.experiment.variants}.get(target.variant)
    if found is None:
        return
    if target.metric == "size_mb":
        yield from _size_floor(terms, target, found)
    elif target.metric.startswith("latency_") and target.operation in ("", "pipeline", "encoder"):
        yield from _latency_floor(terms, target, found, cores)


def _size_floor(terms: Terms, target: _Target, variant: Variant) -> Iterator[Contradiction]:
    """Of a quantized variant: each weight takes its bits, whichever method made them."""
    size = anchors.parameters_millions(model_of(terms.experiment, variant))
    bits = bits_of(variant, terms.costs.locate) if variant.quantize else 0
    for floor in anchors.find("floor", "size_mb"):
        least = floor.value * size * bits / floor.bits
        if bits and target.value < least:
            text = f"cannot be reached: {size:g} M parameters take {least:g} MB in {bits} bits"
            yield Contradiction(target.name, text, str(floor.source))


def _latency_floor(
    terms: Terms, target: _Target, variant: Variant, cores: int
) -> Iterator[Contradiction]:
    """For the full 30 s context only: a shorter one computes less."""
    experiment = terms.experiment
    if getattr(experiment.model.params, "context", None) is not None or cores < 1:
        return
    model = model_of(experiment, variant)
    for floor in anchors.find("floor", "latency_ms"):
        least = floor.value * floor.cores / cores
        same = (floor.model, floor.bits) == (model, bits_of(variant, terms.costs.locate))
        if same and target.value < least:
            text = f"contradicts what is known: {floor.about} take {least:.0f} ms on {cores} cores"
            scaled = "" if cores == floor.cores else ", scaled by cores"
            yield Contradiction(
                target.name, f"{text} ({floor.conditions}{scaled})", str(floor.source)
            )


def _notes(claim: Claim) -> Iterator[Contradiction]:
    for note in anchors.find("note", claim.metric):
        yield Contradiction(f"claim {claim.metric} {claim.value:g}", note.about, str(note.source))
