"""Measured calls -> every table and the verdict of a run; today's date is given, not looked up."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from harness.contracts import Locate, Result
from harness.contracts.experiment import Experiment
from harness.decide import distances, own_metrics, replays, rivals, scoring, slices, twins, verdict
from harness.decide.scoring.scores import Normalise
from harness.plugins import NamedMetric, kinds
from harness.spec import find_metric, locator
from harness.speech.text import normaliser
from harness.store import queries, tables
from harness.store.made import Made, row

ALWAYS = ("size_mb",)
TIMED = (
    "latency_p50_ms",
    "latency_p90_ms",
    "latency_p99_ms",
    "load_ms",
    "first_call_ms",
    "peak_memory_mb",
    "tokens",
)


Asked = tuple[Experiment, Mapping[str, Any]]
"""An experiment, and what its run stored of the user's own so far."""


@dataclass(frozen=True)
class Given:
    """What a decision depends on beside the measurements."""

    chosen: str  # the candidate's session
    today: datetime.date
    experiment_file: Path  # beside which the experiment's own plugins lie


def decide(measured: Result, made: Mapping[str, Made], given: Given) -> Result:
    """The result with every table and the verdict; `measured` has what was measured: calls, what
    judges said, how far it went, the sweep, and which data sets and judges those were."""
    experiment, own = measured.experiment, measured.facts.own
    calls, sessions = measured.tables["calls"], measured.tables["sessions"]
    named = metrics(experiment, locator(given.experiment_file))
    seed, baseline = experiment.seed, experiment.baseline
    heard = scoring.heard(calls, _normalisers(experiment))
    variants = tables.frame("variants", [row(name, one) for name, one in made.items()])
    judged = measured.tables["judged"]
    near = scoring.Nearness(baseline, _fidelity(measured))
    scored = _scored((experiment, own), named, calls, (heard, judged, near))
    data = {
        "calls": calls,
        "judged": judged,
        "fidelity": near.fidelity,
        "stops": measured.tables["stops"],
        "scores": scored.coded,
        "variants": variants,
        **{name: measured.tables[name] for name in ("datasets", "judges")},
    }
    by_name = {one.name: one for one in named}
    case = verdict.Case(
        experiment, by_name, given.chosen, given.today, given.experiment_file.parent
    )
    checks, claims = verdict.checks(case, data), verdict.claims(case, data)
    changes = scoring.changes(scored.coded, variants, named, baseline, seed)
    known = [part.name for part in experiment.quality if "wer" in part.metrics]
    transcribed = heard[heard["dataset"].isin(known)]
    found = {
        **data,
        "scores": scored.table,
        "summary": scoring.summary(scored.coded, calls, variants, named, seed),
        "changes": scoring.matched_segments(changes, transcribed),
        "sessions": scoring.confirm(sessions, calls),
        "changed": scoring.changed(transcribed, scored.coded, baseline),
        "checks": checks,
        "claims": claims,
        "versus": tables.frame("versus", []),
        "twins": twins.table(calls),
        "distances": distances.table(scored.coded, named),
        **replays.made(measured),
        "slices": slices.slices(experiment, calls, scored.coded, named),
    }
    ordered = {name: found[name] for name in tables.TABLES}
    shown = verdict.shown(case, checks, data)
    decided = verdict.verdict(case, checks, claims, shown)
    result = replace(measured, tables=ordered, verdict=decided)
    return replace(result, tables={**ordered, "versus": rivals.table(result, by_name)})


def scores(
    experiment: Experiment, locate: Locate, data: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """The scores table of a run's `calls`, of what judges say of the audio that they gave
    (`judged`), and of outputs beside the baseline's (`fidelity`); none where a table is missing."""
    given = {name: data.get(name, tables.frame(name, [])) for name in ("judged", "fidelity")}
    heard = scoring.heard(data["calls"], _normalisers(experiment))
    near = scoring.Nearness(experiment.baseline, given["fidelity"])
    said = (heard, given["judged"], near)
    return _scored((experiment, {}), metrics(experiment, locate), data["calls"], said).table


def _scored(
    asked: Asked,
    named: Sequence[NamedMetric],
    calls: pd.DataFrame,
    said: tuple[pd.DataFrame, pd.DataFrame, scoring.Nearness],
) -> scoring.Scored:
    """`said`: the calls with their texts comparable, what judges said of their audio, and how near
    outputs are to the baseline's."""
    heard, judged, near = said
    listened = scoring.heard(judged, _normalisers(asked[0]))
    return _asked(scoring.scored(heard, named, calls, listened, near), named, asked)


def asked_of(asked: Asked, dataset: str) -> set[str]:
    """The metrics that are asked of a data set: listed, gated or claimed there, and companions."""
    experiment, own = asked
    names: set[str] = set()
    for part in experiment.quality:
        if part.name == dataset:
            known = [n for n in part.metrics if _is_known(n, own)]
            names |= {*part.metrics, *_companions(known, _stored(own))}
    names |= {gate.metric for gate in experiment.gates if gate.at.dataset == dataset}
    return names | {claim.metric for claim in experiment.claims if claim.at.dataset == dataset}


def _asked(scored: scoring.Scored, metrics: Sequence[NamedMetric], asked: Asked) -> scoring.Scored:
    """Without the scores of texts that nobody asked of that data set: a word error rate of clips
    whose transcript is not known, or hallucinations of speech."""
    texts = {named.name for named in metrics if scoring.of_texts(named)}
    rows = scored.coded
    keep = ~(rows["metric"].isin(texts) & (rows["stage"] == "quality"))
    for name in rows.loc[~keep, "workload"].unique():
        here = (rows["workload"] == name) & (rows["stage"] == "quality")
        keep |= here & rows["metric"].isin(asked_of(asked, str(name)))
    return scored.only(keep.to_numpy(dtype=bool))


def _companions(
    metrics: Sequence[str], find: Callable[[str], NamedMetric], ours: bool = False
) -> Iterator[str]:
    """What stands beside a metric whether asked for or not, as the metric says: other rules of
    comparing texts beside WER, length and clipping beside an opinion of speech."""
    for name in metrics:
        if not (ours and name.endswith(".py")):
            yield from kinds.beside(find(name).metric)


def _stored(own: Mapping[str, Any]) -> Callable[[str], NamedMetric]:
    return lambda name: own_metrics.find_metric(name, own)


def stored_scores(result: Result) -> pd.DataFrame:
    """The scores of a run that is read: by our metrics from its calls, by the user's own as they
    were stored, since no code of theirs is run."""
    asked, calls = (result.experiment, result.facts.own), result.tables["calls"]
    ours = [named for named in stored_metrics(result, lenient=True) if _is_ours(named)]
    heard = scoring.heard(calls, _normalisers(result.experiment))
    near = scoring.Nearness(queries.baseline(result), _fidelity(result))
    found = _scored(asked, ours, calls, (heard, result.tables["judged"], near)).table
    theirs = result.tables.get("scores")
    return found if theirs is None else in_order(pd.concat([found, theirs]))


def _fidelity(result: Result) -> pd.DataFrame:
    """How near outputs are to the baseline's; empty where none was compared."""
    found = result.tables.get("fidelity")
    return tables.frame("fidelity", []) if found is None else found


def in_order(scores: pd.DataFrame) -> pd.DataFrame:
    """Those by our metrics first, then those by the user's own, which alone are stored."""
    own = scores["metric"].str.endswith(".py").to_numpy(dtype=bool)
    return pd.concat([scores[~own], scores[own]], ignore_index=True)


def stored_versus(result: Result) -> pd.DataFrame:
    """The candidate against each other variant, of a run from before that was stored."""
    named = stored_metrics(result, lenient=True)
    return rivals.table(result, {one.name: one for one in named})


def completed(result: Result) -> Result:
    """With the tables that a run from before they came does not store, made as a run makes them."""
    known = dict(result.tables)
    if "versus" not in known:
        known["versus"] = stored_versus(result)
    if "twins" not in known:
        known["twins"] = twins.table(known["calls"])
    if "distances" not in known:
        known["distances"] = tables.frame("distances", [])
    if not {"audit_repeats", "audit_rounds"} <= set(known):
        known |= replays.made(result)
    return replace(result, tables={name: known[name] for name in tables.TABLES if name in known})


def stored_metrics(result: Result, lenient: bool = False) -> list[NamedMetric]:
    """Every metric that a result's tables hold, as it was stored; `lenient`: without those of the
    user's own, of which older runs tell nothing. Raises: PluginError."""
    whole = queries.rows(result.tables["summary"], stage="")

    def find(name: str) -> NamedMetric:
        mine = queries.rows(whole, metric=name)
        figures = dict(zip(mine["variant"], mine["value"], strict=True))
        return own_metrics.find_metric(name, result.facts.own, figures)

    return _named(result.experiment, find, ours=lenient)


def _is_ours(named: NamedMetric) -> bool:
    return not named.name.endswith(".py")


def _is_known(name: str, own: Mapping[str, Any]) -> bool:
    """Whether a metric can be found without running code of the user's own."""
    return not name.endswith(".py") or name in own_metrics.stored(own)


def metrics(experiment: Experiment, locate: Locate) -> list[NamedMetric]:
    """Every metric that the experiment's tables hold: asked for, gated, claimed, and the usual."""
    return _named(experiment, lambda name: find_metric(name, locate))


def _named(
    experiment: Experiment, find: Callable[[str], NamedMetric], ours: bool = False
) -> list[NamedMetric]:
    names = [*ALWAYS, *(TIMED if experiment.latency else ())]
    for part in experiment.quality:
        names += [*part.metrics, *_companions(part.metrics, find, ours)]
    names += [gate.metric for gate in experiment.gates]
    names += [claim.metric for claim in experiment.claims]
    wanted_names = [n for n in dict.fromkeys(names) if not (ours and n.endswith(".py"))]
    found = {name: find(name) for name in wanted_names}
    for named in list(found.values()):
        made_of = named.metric.ratio_of
        if made_of:
            found.setdefault(made_of, find(made_of))
    return list(found.values())


def _normalisers(experiment: Experiment) -> dict[str, Normalise]:
    return {part.name: normaliser(part.normaliser) for part in experiment.quality}
