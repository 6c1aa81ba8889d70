"""Every gate against its evidence: one row with its status, why, and what more would take.

Each bound holds with 95 % on its own, and several gates need no correction: approval needs every
one of them, and a candidate that misses one is approved only if that one errs (intersection-union
test: Berger, Technometrics 24, 1982), so the whole errs in at most 5 % of the cases.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from harness import plugins
from harness.contracts import Evidence, Gate, Status
from harness.contracts.experiment import GateSpec, Waiver
from harness.decide.gate_rules import name_of
from harness.decide.scoring.estimates import Needed
from harness.decide.stats import Interval
from harness.decide.verdict.case import AskedFigure, Case, FigureEvidence, find
from harness.decide.verdict.reasons import sentence, unmeasured
from harness.spec import load_plugin, locator
from harness.store import tables


@dataclass(frozen=True)
class _Answer:
    status: Status
    code: str  # of reasons.SENTENCES
    waiver: Waiver | None = None


def checks(case: Case, data: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The checks table: a row per gate and variant, from scores, calls and variants."""
    return tables.frame("checks", _rows(case, data))


def _rows(case: Case, data: Mapping[str, pd.DataFrame]) -> Iterator[dict[str, Any]]:
    for gate in case.experiment.gates:
        plugin = gate_of(case, gate.kind)
        for variant in gate.variants or (case.candidate,):
            session = case.heard_in(variant, gate.at, gate.session)
            figure = AskedFigure(gate.metric, variant, session, gate.operation, gate.at, gate.over)
            found = find(case, data, figure, plugin.on)
            rule = (plugin, gate.limit)
            outcome = _outcome(found, rule, _answer(case, gate, rule, found))
            yield {**_place(case, gate, figure), **outcome, "kind": gate.kind}


def gate_of(case: Case, kind: str) -> Gate:
    """The gate's plugin; a file of the user's own is looked for where `check` looks for it."""
    if case.beside is None:
        found: Gate = plugins.load("gates", kind)
        return found
    beside: Gate = load_plugin("gates", kind, locator(case.beside / "experiment.yaml"))
    return beside


def _place(case: Case, gate: GateSpec, figure: AskedFigure) -> dict[str, Any]:
    named = case.metrics.get(figure.metric)
    exact = named is not None and named.metric.of_variant is not None
    return {
        "gate": name_of(gate),
        "variant": figure.variant,
        "session": "" if exact else figure.session,
        "metric": figure.metric,
        "operation": figure.operation,
        "workload": figure.workload,
        "over": figure.over,
        "severity": gate.severity,
        "unit": named.metric.unit if named else "",
    }


def _answer(case: Case, gate: GateSpec, rule: tuple[Gate, float], found: FigureEvidence) -> _Answer:
    code = unmeasured(found)
    if code:
        return _Answer(Status.NOT_MEASURED, code)
    plugin, limit = rule
    status = plugin.check(limit, evidence(found.interval))
    if status is Status.PASS and found.interval.why != "constant":
        if found.alone:
            return _Answer(Status.INCONCLUSIVE, "one_process")
        return _Answer(status, "within")
    if status is not Status.FAIL:
        return _Answer(Status.INCONCLUSIVE, found.interval.why or "straddles")
    return _waived(case, gate, plugin, found)


def _more(needed: Needed) -> str:
    """What would settle it, from an even chance to four in five."""
    if math.isnan(needed.even):
        return ""
    most = f" to {needed.likely:,.0f}" if math.isfinite(needed.likely) else " or more"
    clips = "" if math.isnan(needed.clips) else f", on {needed.clips:,.0f} clips"
    return f" Probably settled by {needed.even:,.0f}{most} in all{clips}."


def evidence(interval: Interval) -> Evidence:
    """What a gate sees of an interval."""
    return Evidence(interval.estimate, interval.low, interval.high, interval.n, interval.method)


def _waived(case: Case, gate: GateSpec, plugin: Gate, found: FigureEvidence) -> _Answer:
    """A FAIL is waived where the gate would pass at the waiver's bound, until the waiver's day.

    The whole confidence bound has to be inside, as for the gate itself: a waiver moves a limit, it
    does not lower what counts as evidence.
    """
    mine = [w for w in case.experiment.waivers if w.gate == name_of(gate)]
    if not mine:
        return _Answer(Status.FAIL, "beyond")
    standing = [w for w in mine if case.today <= w.until]
    for waiver in standing:
        if plugin.check(waiver.up_to, evidence(found.interval)) is Status.PASS:
            if found.alone:
                return _Answer(Status.INCONCLUSIVE, "one_process")
            return _Answer(Status.WAIVED, "waived", waiver)
    if standing:
        return _Answer(Status.FAIL, "waiver_exceeded", standing[0])
    return _Answer(Status.FAIL, "waiver_expired", mine[0])


def _outcome(found: FigureEvidence, rule: tuple[Gate, float], answer: _Answer) -> dict[str, Any]:
    plugin, limit = rule
    interval, open_ = found.interval, answer.status is Status.INCONCLUSIVE
    needed = found.needed(plugin.limit_on(limit)) if open_ else Needed(math.nan, math.nan)
    return {
        "observed": interval.estimate,
        "low": interval.low,
        "high": interval.high,
        "limit": limit,
        "status": answer.status.value,
        "reason": sentence(answer.code, found, answer.waiver) + _more(needed),
        "reason_code": answer.code,
        "needs": next((x for x in (needed.likely, needed.even) if math.isfinite(x)), math.nan),
        "level": found.look.level,
        "allowance": found.look.allowance,
        "n": interval.n,
        "units": interval.units,
        "method": interval.method,
        "waiver": answer.waiver.gate if answer.waiver else "",
    }
