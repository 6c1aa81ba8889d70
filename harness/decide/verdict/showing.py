"""What the gates of an experiment can show: which of them speak of what an approval is for, where
they were measured, and what nobody looked at.

A gate counts where its limit can fail, where a waiver of it has a bound that can, and where what it
compares with is itself of use. Each finding is plain data with a code, which a report translates.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from harness.contracts import Gate, Metric
from harness.contracts.experiment import Experiment, GateSpec
from harness.decide import stats
from harness.decide.gate_rules import name_of
from harness.decide.scoring.changes import DEFAULT
from harness.decide.verdict import speaking
from harness.decide.verdict.case import AskedFigure, Case, find
from harness.decide.verdict.checks import gate_of
from harness.plugins import kinds

SENTENCES = {
    "free": "{gate}: its limit of {limit:g} lets the worst output pass, so it asks for nothing",
    "closed": "{gate}: no output can meet its limit of {limit:g}",
    "waiver": "{gate}: its waiver up to {limit:g} lets the worst output pass",
    "baseline": "{gate}: {over} itself is at {value:.3g} (bound {bound:.3g}, of use up to"
    " {limit:.3g}), and to be no worse than that shows nothing",
    "mute": "{gate}: {variant} said nothing in {count} of {total} calls, and what is made of that"
    " shows nothing",
    "steady": "{gate}: {variant} gave a steady noise or tone, no speech, in {count} of {total}"
    " calls, and what is made of that shows nothing",
    "misunderstood": "{gate}: {variant} is at a {metric} of {value:.3g} there (of use up to"
    " {most:.3g}): what it says is not understood, and how it sounds shows nothing",
    "unlooked": "no gate decides on quality (errors in texts, opinion of the audio, nearness to a"
    " reference): nobody looked at what it says",
    "purpose": "no gate decides on {purpose}, which is what an approval is asked for",
    "only": "for {purpose} only: nobody looked at what it says",
    "beyond": "{gate}: quality was measured on clips of {low:.3g} to {high:.3g} s; nothing is known"
    " of it at {seconds:g} s",
    "noise": "times were measured on noise: there is no data set whose speech could be cut",
    "longer": "times reach to {seconds:g} s; quality was measured on clips of {low:.3g} to"
    " {high:.3g} s, and nothing is known of it beyond",
}


def shown(case: Case, checks: pd.DataFrame, data: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """{purpose, gates: those that speak of it, quality: those that speak of quality, findings}."""
    purpose = case.experiment.purpose
    hard = [gate for gate in gates_of(case.experiment) if _metric(case, gate) is not None]
    found = [one for gate in hard for one in _doubts(case, gate, data)]
    weak = {one["gate"] for one in found if one["code"] != "closed"}
    strong = [gate for gate in hard if name_of(gate) not in weak]
    wanted = kinds.PURPOSES[purpose]
    quality = [name_of(g) for g in strong if _kind(case, g) in kinds.QUALITY]
    return {
        "purpose": purpose,
        "gates": [name_of(g) for g in strong if _kind(case, g) in wanted],
        "quality": quality,
        "findings": [*found, *_noise(case), *_lengths(case, checks, data, quality)],
    }


def gates_of(experiment: Experiment) -> list[GateSpec]:
    """The gates that decide about the candidate."""
    return [
        gate
        for gate in experiment.gates
        if gate.severity == "fail" and (not gate.variants or experiment.candidate in gate.variants)
    ]


def finding(code: str, **values: Any) -> dict[str, Any]:
    return {"code": code, **values}


def sentence(found: Mapping[str, Any]) -> str:
    return SENTENCES[found["code"]].format(**found)


def _metric(case: Case, gate: GateSpec) -> Metric | None:
    named = case.metrics.get(gate.metric)
    return named.metric if named else None


def _kind(case: Case, gate: GateSpec) -> str:
    metric = _metric(case, gate)
    return kinds.kind_of(metric) if metric else ""


# --------------------------------------------------------------------------- what a gate asks
def _doubts(
    case: Case, gate: GateSpec, data: Mapping[str, pd.DataFrame]
) -> Iterator[dict[str, Any]]:
    """Why a gate says less than it seems to."""
    metric, limit = _metric(case, gate), gate.limit
    assert metric is not None
    plugin, name = gate_of(case, gate.kind), name_of(gate)
    code = kinds.doubt(metric, plugin, limit)
    if code:
        yield finding(code, gate=name, limit=limit)
    for waiver in case.experiment.waivers:
        bound = waiver.up_to
        if waiver.gate == name and not code and kinds.doubt(metric, plugin, bound) == "free":
            yield finding("waiver", gate=name, limit=bound)
    if kinds.of_quality(metric):
        for said in speaking.doubts(case, gate, data):
            yield {**said, "gate": name}
    if plugin.on != "value" and kinds.of_quality(metric):
        yield from _of_baseline(case, gate, plugin, data)


def _of_baseline(
    case: Case, gate: GateSpec, plugin: Gate, data: Mapping[str, pd.DataFrame]
) -> Iterator[dict[str, Any]]:
    """Whether what the gate compares with is itself of no use, with its whole bound."""
    metric, over = _metric(case, gate), gate.over
    assert metric is not None
    own = gate.baseline_up_to
    limit = kinds.useless(metric) if own is None else own
    interval = _figure_of(case, gate, over, data)
    higher = metric.better == "higher"
    bound = interval.high if higher else interval.low
    bound = bound if math.isfinite(bound) else interval.estimate
    if bound < limit if higher else bound > limit:
        told = {"over": over, "value": interval.estimate, "bound": bound, "limit": limit}
        yield finding("baseline", gate=name_of(gate), metric=gate.metric, **told)


def _figure_of(
    case: Case, gate: GateSpec, over: str, data: Mapping[str, pd.DataFrame]
) -> stats.Interval:
    """The figure of what a gate compares with: a variant's, or a recorded one."""
    row = case.recorded(over)
    if row is not None:
        return stats.exactly(row.metrics.get(gate.metric, math.nan), 1, "recorded")
    session = case.session if over == case.candidate else DEFAULT
    asked = AskedFigure(gate.metric, over, session, gate.operation, gate.at)
    return find(case, data, asked).interval


# --------------------------------------------------------------------------- at which lengths
def _noise(case: Case) -> Iterator[dict[str, Any]]:
    """Times without any data set: a first step, that says nothing of speech."""
    if case.experiment.latency and not case.experiment.quality:
        yield finding("noise")


def _lengths(
    case: Case,
    checks: pd.DataFrame,
    data: Mapping[str, pd.DataFrame],
    quality: list[str],
) -> Iterator[dict[str, Any]]:
    """Lengths at which speed was measured and quality was not."""
    mine = checks[(checks["variant"] == case.candidate) & (checks["severity"] == "fail")]
    sets = set(mine.loc[mine["gate"].isin(quality), "workload"])
    calls = data["calls"]
    keep = (calls["stage"] == "quality") & calls["dataset"].isin(sets) & calls["warm"]
    keep &= (calls["error"] == "") & (calls["variant"] == case.candidate)
    heard = calls.loc[keep, "audio_seconds"].dropna()
    latency = case.experiment.latency
    timed = latency.audio_seconds if latency else ()
    if heard.empty:
        return
    low, high = float(heard.min()), float(heard.max())
    told = {"low": low, "high": high}
    for row in mine.to_dict("records"):
        seconds = _seconds(str(row["workload"]))
        if seconds > kinds.BEYOND * high:
            yield finding("beyond", gate=row["gate"], seconds=seconds, **told)
    if max(timed, default=0.0) > high:
        yield finding("longer", seconds=max(timed), **told)


def _seconds(workload: str) -> float:
    """ "5 s" as 5.0; NaN for a data set's name."""
    amount, _, unit = workload.partition(" ")
    try:
        return float(amount) if unit == "s" else math.nan
    except ValueError:
        return math.nan
