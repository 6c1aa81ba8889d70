"""Whether a stored verdict follows from the checks beside it: an edited table or verdict must not
read as an approval."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from harness import plugins
from harness.contracts import Evidence, Gate, Status
from harness.contracts.experiment import Experiment, GateSpec
from harness.decide.gate_rules import name_of
from harness.decide.verdict.outcome import (
    APPROVED,
    GOOD,
    ONLY,
    REJECTED,
    WAIVERS,
    exit_code,
    name_of_verdict,
)
from harness.decide.verdict.showing import gates_of


def contradiction(experiment: Experiment, checks: pd.DataFrame, verdict: Mapping[str, Any]) -> str:
    """What in the verdict the checks do not bear out, "" where it follows from them.

    An approval needs each hard gate of the experiment on the candidate, passed or waived by what
    its row says of figure, bounds and limit; a rejection needs one that failed. What a run found
    insufficient may stay so.
    """
    if not verdict and checks.empty:
        return ""
    name, shown = str(verdict.get("verdict")), verdict.get("shown")
    if verdict.get("exit_code") != exit_code(name):
        return f"the exit code {verdict.get('exit_code')!r} is not that of {name!r}"
    candidate = experiment.candidate
    if str(verdict.get("candidate") or "") != candidate:
        return f"it is about {verdict.get('candidate')!r}, the experiment about {candidate!r}"
    mine = checks[checks["variant"] == candidate]
    hard = mine[mine["severity"] == "fail"]
    if shown is not None and (follows := name_of_verdict(experiment, checks, shown)) != name:
        return f"{name}, and {follows} follows from them"
    return next(_wrong(experiment, candidate, hard, str(name)), "")


def _wrong(experiment: Experiment, candidate: str, hard: pd.DataFrame, name: str) -> Iterator[str]:
    failed = hard[hard["status"] == Status.FAIL.value]
    if name == REJECTED and failed.empty:
        yield "REJECTED, and no gate failed"
    if name != REJECTED and len(failed):
        yield f"{name}, and the gate {failed['gate'].iloc[0]} failed"
    if name.partition(ONLY)[0] in (APPROVED, WAIVERS):
        yield from _unproven(experiment, candidate, hard, name)


def _unproven(
    experiment: Experiment, candidate: str, hard: pd.DataFrame, name: str
) -> Iterator[str]:
    """Why an approval does not follow."""
    if hard.empty:
        yield f"{name}, and no gate was checked"
    open_ = hard[~hard["status"].isin(GOOD)]
    for gate, status in zip(open_["gate"], open_["status"], strict=True):
        yield f"{name}, and the gate {gate} is {status}"
    waived = bool((hard["status"] == Status.WAIVED.value).any())
    if waived != (name.partition(ONLY)[0] == WAIVERS):
        yield f"{name}, and {'a' if waived else 'no'} gate is waived"
    for gate in gates_of(experiment):
        rows = hard[hard["gate"] == name_of(gate)]
        if rows.empty:
            yield f"{name}, and the gate {name_of(gate)} has no row"
        for row in rows.to_dict("records"):
            yield from _unlike(experiment, gate, {str(k): v for k, v in row.items()})


def _unlike(experiment: Experiment, gate: GateSpec, row: Mapping[str, Any]) -> Iterator[str]:
    """What a row says that is not its gate's, or that its figure and bounds do not bear out."""
    kind, limit = gate.kind, gate.limit
    if row["kind"] != kind or row["metric"] != gate.metric or row["limit"] != limit:
        yield f"the gate {row['gate']} has another kind, metric or limit in its row"
    if not math.isfinite(row["observed"]):
        yield f"the gate {row['gate']} is {row['status']} with no figure"
    if kind not in plugins.names("gates"):
        return  # the user's own: its code is not run to read a result
    rule: Gate = plugins.load("gates", kind)
    seen = Evidence(row["observed"], row["low"], row["high"], int(row["n"]), str(row["method"]))
    passed = rule.check(limit, seen) is Status.PASS
    if row["status"] == Status.PASS.value and not passed:
        yield f"the gate {row['gate']} is PASS, which its bounds do not bear out"
    if row["status"] == Status.WAIVED.value and not _waivable(experiment, row, rule, seen):
        yield f"the gate {row['gate']} is WAIVED, and no waiver reaches its bounds"


def _waivable(experiment: Experiment, row: Mapping[str, Any], rule: Gate, seen: Evidence) -> bool:
    mine = [w for w in experiment.waivers if w.gate == row["gate"]]
    return any(rule.check(w.up_to, seen) is Status.PASS for w in mine)
