"""Which gates the budget can decide: what each takes, and what fits.

Sample sizes are the usual ones for a bound that must clear a limit with power 0.8 (Julious,
Statistics in Medicine 23, 2004, for non-inferiority): n = ((z_level + z_power) sd / distance)^2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import Literal

from harness import contracts
from harness.decide import stats
from harness.decide.schedule import FEWEST_UTTERANCES, MINIMUM_ROUNDS, Task
from harness.plugins import NamedMetric, kinds
from harness.preflight.feasibility import anchors
from harness.preflight.feasibility.budget import BudgetPlan, Fit
from harness.preflight.feasibility.costs import Costs, Sample, model_of
from harness.spec import DEFAULT_SESSION, Experiment, GateSpec, Use

# calls in a row resemble each other: one in two to four counts (stats/quantiles.py)
SPARE = 4
POWER = 0.8  # a gate is decidable where a clear case is decided so often,
EVEN = 0.5  # and not where it is decided less often than this
CLEAR = 0.10  # how far below a ratio's limit the truth is taken to lie where nothing is known
PROCESSES = 1  # starts of a cell in one run: what load_ms and first_call_ms are counted by

Decidable = Literal["yes", "no", "unknown"]


@dataclass(frozen=True)
class Decidability:
    """Whether a gate can be decided; calls are utterances on a data set, rounds for a ratio."""

    gate: str
    calls_needed: float  # NaN: unknown
    calls_fit: float
    minutes_needed: float
    decidable: Decidable
    why: str


@dataclass(frozen=True)
class Terms:
    """What findings are made from: the plan, its costs and the plugins that the gates name."""

    experiment: Experiment
    plan: BudgetPlan
    costs: Costs
    utterances: Mapping[str, float]
    metrics: Mapping[str, NamedMetric]  # also what a ratio is made of
    kinds: Mapping[str, contracts.Gate]
    longest: Mapping[str, float] = field(default_factory=dict)  # clip of a data set, where known


@dataclass(frozen=True)
class _Guess:
    """What a sample size follows from: spread of one sample, distance of the truth from the limit,
    the fewest samples that give an interval, and a sentence on where they are from."""

    sd: float
    distance: float
    fewest: float
    why: str


def findings(terms: Terms) -> list[Decidability]:
    """One for each gate, in the experiment's order."""
    return [_finding(terms, gate) for gate in terms.experiment.gates]


def chance(sd: float, distance: float, count: float, level: float) -> float:
    """How likely `count` samples clear a limit that lies so far away; NaN where unknown."""
    if not sd > 0 or math.isnan(distance) or math.isnan(count):
        return math.nan
    z = distance * math.sqrt(count) / sd - NormalDist().inv_cdf(level)
    return NormalDist().cdf(z)


def samples(sd: float, distance: float, level: float) -> float:
    """Samples after which a bound clears a limit that lies so far away; inf where it is no way."""
    if not distance > 0:
        return math.inf
    z = NormalDist().inv_cdf(level) + NormalDist().inv_cdf(POWER)
    return float(math.ceil((z * sd / distance) ** 2 - 1e-9))


def _finding(terms: Terms, gate: GateSpec) -> Decidability:
    named = terms.metrics[gate.metric]
    if named.metric.of_variant is not None:
        return Decidability(gate.name, 0, 0, 0.0, "yes", "exact: read off the files")
    if named.metric.fold == "max":
        return Decidability(
            gate.name, 1, 1, 0.0, "yes", "the largest value seen; it has no interval"
        )
    base = terms.metrics[named.metric.ratio_of] if named.metric.ratio_of else named
    if base.metric.operations[0] in ("load", "first_call"):
        return _of_starts(gate, base.quantile)
    if gate.at.dataset:
        return _on_utterances(terms, gate)
    if math.isnan(base.quantile):
        return _unknown(gate, "no rule for a mean over calls")
    measured = {variant.name for variant in terms.experiment.variants}
    paired = named.metric.ratio_of or terms.kinds[gate.kind].on != "value"
    if base.quantile == 0.5 and paired and gate.over in measured:
        return _of_one_process(terms, gate, _of_rounds(terms, gate))
    return _of_one_process(terms, gate, _of_quantile(terms, gate, base.quantile))


# ------------------------------------------------------------------------------------- latency
def _of_quantile(terms: Terms, gate: GateSpec, q: float) -> Decidability:
    """A quantile's bound: the fewest independent calls, times what calls in a row are worth."""
    found = _cell(terms, gate)
    if found is None:
        return _unknown(gate, "its cell is not in the plan")
    _, fit = found
    least = stats.needed_calls(q, terms.plan.level)
    needed, calls = SPARE * least, math.floor(fit.calls)
    state: Decidable = "no" if calls < least else "unknown" if calls < needed else "yes"
    why = {
        "no": f"a pass takes {least} calls even if each is independent; a miss may show sooner",
        "unknown": f"{least} independent calls would do, calls in a row take up to {SPARE} x that",
        "yes": f"{SPARE} x the {least} calls that would do if each were independent",
    }[state]
    return Decidability(gate.name, needed, calls, needed * fit.seconds / 60, state, why)


def _of_rounds(terms: Terms, gate: GateSpec) -> Decidability:
    """A paired median: rounds, by the spread of one round's ratio."""
    found = _cell(terms, gate)
    if found is None:
        return _unknown(gate, "its cell is not in the plan")
    task, fit = found
    spread = next(anchors.find("spread", "latency_ms"))
    key = (_variant(terms, gate), task.operation, str(gate.at), gate.metric, "ratio")
    seen = terms.costs.earlier.paired.get(key)
    if seen is not None and not math.isnan(seen.sd) and terms.kinds[gate.kind].on == "ratio":
        sd, distance = seen.sd, abs(gate.limit - seen.value)
        why = f"rounds; the ratio was {seen.value:.3g}, {terms.costs.earlier.source}"
    else:
        sd, distance = spread.value, CLEAR
        why = (
            f"rounds, if the truth is {100 * CLEAR:.0f} % clear of the limit and a round varies by"
        )
        why += f" {100 * spread.value:.0f} % ({spread.source.title})"
    guess = _Guess(sd, distance, float(MINIMUM_ROUNDS), why)
    # the baseline is called as often
    each = 2 * fit.calls / max(fit.rounds, 1) * fit.seconds
    return _judged(gate, guess, (math.floor(fit.rounds), each), terms.plan.level)


def _of_one_process(terms: Terms, gate: GateSpec, found: Decidability) -> Decidability:
    """No time of one process is approved where there could be several."""
    cell = _cell(terms, gate)
    if found.decidable == "no" or cell is None or not cell[1].alone:
        return found
    why = "the budget holds one process of each cell, and how processes differ is not in its bound"
    return replace(found, decidable="no", why=why)


def _of_starts(gate: GateSpec, q: float) -> Decidability:
    needed = stats.needed_calls(q, stats.last(0).level)
    state: Decidable = "no" if needed > PROCESSES else "yes"
    why = "each run starts a cell's process once"
    return Decidability(gate.name, needed, PROCESSES, math.nan, state, why)


def _cell(terms: Terms, gate: GateSpec) -> tuple[Task, Fit] | None:
    """The task that a gate looks at, and what fits of it."""
    wanted = (_variant(terms, gate), gate.session or DEFAULT_SESSION, gate.operation or "pipeline")
    for task, fit in terms.plan.tasks.items():
        entry = task.entry
        cell = (entry.variant, entry.session.name, task.operation)
        if cell == wanted and not entry.replica and task.audio_seconds == gate.at.audio_seconds:
            return task, fit
    return None


# ------------------------------------------------------------------------------------ data sets
def _on_utterances(terms: Terms, gate: GateSpec) -> Decidability:
    count = terms.utterances.get(gate.at.dataset, math.nan)
    variant, named = _variant(terms, gate), terms.metrics[gate.metric]
    cost = terms.costs.of(variant, DEFAULT_SESSION, "pipeline", gate.at.dataset).seconds
    each = cost if terms.kinds[gate.kind].on == "value" else 2 * cost
    if math.isnan(named.quantile):
        return _judged(gate, _distance(terms, gate, variant), (count, each), _level(count))
    least = stats.needed_calls(named.quantile, _level(count))
    state: Decidable = "no" if count < least else "yes" if count >= SPARE * least else "unknown"
    why = f"{least} utterances if each is independent, up to {SPARE} x that as they come"
    return Decidability(gate.name, SPARE * least, count, SPARE * least * each / 60, state, why)


def _level(utterances: float) -> float:
    """Of a bound at the end of a data set, after the looks that may be taken on the way."""
    looks = () if math.isnan(utterances) else stats.looks(FEWEST_UTTERANCES, int(utterances))
    return stats.last(len(looks)).level


def _distance(terms: Terms, gate: GateSpec, variant: str) -> _Guess:
    """How far the likely truth is from the limit, and how much an utterance says."""
    on, fewest = terms.kinds[gate.kind].on, stats.FEWEST
    sd, spread = _spread(terms, gate, variant)
    if on == "difference":
        return _Guess(sd, abs(gate.limit), fewest, f"if as good as {gate.over}; {spread}")
    if on == "ratio":
        seen = _seen(terms, gate, variant, "ratio")
        truth, source = (seen.value, terms.costs.earlier.source) if seen else (math.nan, "")
    else:
        truth, source = _likely(terms, gate, variant)
    if math.isnan(truth):
        return _Guess(sd, math.nan, fewest, "how far the truth is from the limit is not known")
    miss = ", a miss" if _beyond(terms, gate, truth) else ""
    why = f"if it is {truth:.3g}{miss} ({source}); {spread}"
    return _Guess(sd, abs(gate.limit - truth), fewest, why)


def _spread(terms: Terms, gate: GateSpec, variant: str) -> tuple[float, str]:
    """Standard deviation of one utterance, from an earlier run or an anchor, and its sentence."""
    on = terms.kinds[gate.kind].on
    seen = _seen(terms, gate, variant, on)
    if seen is not None and not math.isnan(seen.sd):
        return seen.sd, f"an utterance varies by {seen.sd:.2g}, {terms.costs.earlier.source}"
    found = (a for a in anchors.find("spread", gate.metric) if a.operation == on)
    anchor = next(found, None)
    if anchor is None:
        return math.nan, "how much an utterance varies is not known"
    return (
        anchor.value,
        f"an utterance is taken to vary by {anchor.value:g} ({anchor.source.title})",
    )


def _seen(terms: Terms, gate: GateSpec, variant: str, on: str) -> Sample | None:
    """An earlier run's figure for what the gate reads."""
    key = (variant, gate.operation or "pipeline", gate.at.dataset, gate.metric)
    if on == "value":
        return terms.costs.earlier.single.get(key)
    kind = "delta" if on == "difference" else "ratio"
    return terms.costs.earlier.paired.get((*key, kind))


def _likely(terms: Terms, gate: GateSpec, variant: str) -> tuple[float, str]:
    """The value to expect: an earlier run's, else what is published of this very model."""
    seen = _seen(terms, gate, variant, "value")
    if seen is not None:
        return seen.value, terms.costs.earlier.source
    one = next(v for v in terms.experiment.variants if v.name == variant)
    model = model_of(terms.experiment, one)
    where = data_of(terms.experiment, gate.at.dataset)
    scope = anchors.Scope(gate.metric, where, language_of(terms.experiment))
    anchor = anchors.of_model(model, scope)
    if anchor is None:
        return math.nan, ""
    return anchor.value, f"{anchor.about}, {anchor.conditions}: {anchor.source.title}"


def _beyond(terms: Terms, gate: GateSpec, value: float) -> bool:
    better = terms.metrics[gate.metric].metric.better
    side = kinds.side_of(terms.kinds[gate.kind], gate.limit)
    lower = better == "lower" or (better == "neither" and side == "upper")
    return value > gate.limit if lower else value < gate.limit


# --------------------------------------------------------------------------------------- shared
def data_of(experiment: Experiment, name: str) -> str:
    """Any words that tell which data set an entry of the quality section is."""
    uses = [part.dataset for part in experiment.quality if part.name == name or not name]
    return " ".join(f"{use.use} {_words(use)}" for use in uses)


def language_of(experiment: Experiment) -> str:
    """The language that the model is told to hear; "" where the family has no such parameter."""
    return str(getattr(experiment.model.params, "language", ""))


def _words(use: Use) -> str:
    return " ".join(str(value) for value in vars(use.params).values())


def _variant(terms: Terms, gate: GateSpec) -> str:
    """The candidate, or the first that the gate applies to."""
    candidate = terms.experiment.candidate
    return candidate if candidate in gate.variants or not gate.variants else gate.variants[0]


def _judged(gate: GateSpec, guess: _Guess, fit: tuple[float, float], level: float) -> Decidability:
    """The finding for a mean-like figure; `fit` is (samples that fit, seconds of each)."""
    count, each = fit
    if math.isnan(guess.distance) or math.isnan(guess.sd):
        return _unknown(gate, guess.why, count)
    needed = max(samples(guess.sd, guess.distance, level), guess.fewest)
    likely, why = chance(guess.sd, guess.distance, count, level), guess.why
    state: Decidable = "yes" if count >= needed else "no"
    if math.isnan(count):
        state, why = "unknown", f"{why}; how many there are is not known"
    elif count < needed:
        state = "no" if likely < EVEN or count < guess.fewest else "unknown"
        why = f"{math.floor(100 * likely)} % likely {why}"
    return Decidability(gate.name, needed, count, needed * each / 60, state, why)


def _unknown(gate: GateSpec, why: str, fit: float = math.nan) -> Decidability:
    return Decidability(gate.name, math.nan, fit, math.nan, "unknown", why)
