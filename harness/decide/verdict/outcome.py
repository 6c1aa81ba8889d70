"""Checks -> verdict: every doubt ends as INSUFFICIENT EVIDENCE, none as an approval.

`name_of_verdict` needs the stored experiment and tables alone, no plugin: whoever reads a result
asks it whether the verdict follows from the checks beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from harness.contracts import Status
from harness.contracts.experiment import Experiment, Waiver
from harness.contracts.plain import plain
from harness.decide.gate_rules import name_of
from harness.decide.verdict.case import Case
from harness.decide.verdict.showing import finding, gates_of, sentence
from harness.plugins.kinds import PURPOSES

APPROVED, WAIVERS = "APPROVED", "APPROVED WITH WAIVERS"
REJECTED, INSUFFICIENT = "REJECTED", "INSUFFICIENT EVIDENCE"
EXIT_CODES = {APPROVED: 0, WAIVERS: 0, REJECTED: 1, INSUFFICIENT: 3}
ONLY = " FOR "  # and a purpose: APPROVED FOR SIZE ONLY
GOOD = {Status.PASS.value, Status.WAIVED.value}


def verdict(
    case: Case, checks: pd.DataFrame, claims: pd.DataFrame, shown: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Plain data: verdict, exit_code, candidate, session, reasons, waivers, claims, shown.

    Only gates with severity `fail` that apply to the candidate decide. A FAIL rejects whatever else
    is open; approval takes every such gate of the experiment, present and passed or waived, and
    among them one that speaks of what the approval is for (`shown`, of showing.py).
    """
    mine = checks[checks["variant"] == case.candidate]
    hard = mine[mine["severity"] == "fail"]
    missing = _missing(case.experiment, hard)
    told = _told(shown, mine, missing)
    name = name_of_verdict(case.experiment, checks, told)
    refuted = claims[claims["status"] == "refuted"]
    lines = [] if told is None else [sentence(one) for one in told["findings"]]
    return {
        "verdict": name,
        "exit_code": exit_code(name),
        "candidate": case.candidate,
        "session": case.session,
        "reasons": [*_reasons(mine, missing), *lines, *_waiver_reasons(case, mine)],
        "waivers": [
            {**{k: str(v) for k, v in plain(w).items()}, "state": _state(case, w, mine)}
            for w in case.experiment.waivers
        ],
        "claims_refuted": [str(metric) for metric in refuted["metric"]],
        **({} if told is None else {"shown": told}),
    }


def name_of_verdict(
    experiment: Experiment, checks: pd.DataFrame, shown: Mapping[str, Any] | None
) -> str:
    """The verdict that follows from the checks: pure, of stored data alone. `shown` is what stands
    beside it in the stored verdict; None where an older version stored none."""
    hard = checks[checks["variant"] == experiment.candidate]
    hard = hard[hard["severity"] == "fail"]
    statuses = set(hard["status"])
    if Status.FAIL.value in statuses:
        return REJECTED
    sound = all(math.isfinite(x) for x in hard["observed"])
    if hard.empty or _missing(experiment, hard) or not sound or not statuses <= GOOD:
        return INSUFFICIENT
    if shown is not None and not _speaks(shown, hard):
        return INSUFFICIENT
    only = "" if shown is None else _only(shown, hard)
    return (WAIVERS if Status.WAIVED.value in statuses else APPROVED) + only


def exit_code(name: str) -> int | None:
    """Of a verdict, also of an approval for one purpose only; None for what is no verdict."""
    base, only, purpose = name.partition(ONLY)
    purposes = {f"{one.upper()} ONLY" for one in PURPOSES}
    if only and (purpose not in purposes or base not in (APPROVED, WAIVERS)):
        return None
    return EXIT_CODES.get(base)


def _speaks(shown: Mapping[str, Any], hard: pd.DataFrame) -> bool:
    """Whether a gate that was met speaks of what the approval is for, and none beyond that."""
    met = set(hard.loc[hard["status"].isin(GOOD), "gate"])
    beyond = any(one["code"] == "beyond" for one in shown["findings"])
    return bool(met & set(shown["gates"])) and not beyond


def _only(shown: Mapping[str, Any], hard: pd.DataFrame) -> str:
    """ " FOR SIZE ONLY" where no gate on quality was met."""
    met = set(hard.loc[hard["status"].isin(GOOD), "gate"])
    if shown["purpose"] == "replacement" or met & set(shown["quality"]):
        return ""
    return f"{ONLY}{shown['purpose'].upper()} ONLY"


def _told(
    shown: Mapping[str, Any] | None, mine: pd.DataFrame, missing: list[str]
) -> dict[str, Any] | None:
    """What was shown, with what nobody looked at in the first place."""
    if shown is None or (mine.empty and not missing):
        return None if shown is None else dict(shown)
    found = list(shown["findings"])
    purpose = str(shown["purpose"])
    if not shown["gates"]:
        code = "unlooked" if purpose == "replacement" else "purpose"
        found.insert(0, finding(code, purpose=purpose))
    elif purpose != "replacement" and not shown["quality"]:
        found.insert(0, finding("only", purpose=purpose))
    return {**shown, "findings": found}


def _missing(experiment: Experiment, hard: pd.DataFrame) -> list[str]:
    """Gates of the experiment without a row: a table that lost one must not approve."""
    asked = map(name_of, gates_of(experiment))
    return [name for name in asked if name not in set(hard["gate"])]


def _reasons(mine: pd.DataFrame, missing: list[str]) -> list[str]:
    if mine.empty and not missing:
        return ["no gate applies to the candidate: nothing can be approved"]
    lines = [f"{name}: NOT MEASURED: the gate has no row in the checks" for name in missing]
    for row in mine[mine["status"] != Status.PASS.value].to_dict("records"):
        soft = " (warning only)" if row["severity"] != "fail" else ""
        lines.append(f"{row['gate']}: {row['status']}{soft}: {row['reason']}")
    return lines


def _waiver_reasons(case: Case, mine: pd.DataFrame) -> list[str]:
    states = [(w, _state(case, w, mine)) for w in case.experiment.waivers]
    return [f"{w.gate}: waiver {state}" for w, state in states if state != "used"]


def _state(case: Case, waiver: Waiver, mine: pd.DataFrame) -> str:
    if case.today > waiver.until:
        return f"expired on {waiver.until}"
    waived = mine[mine["status"] == Status.WAIVED.value]
    return "used" if waiver.gate in set(waived["gate"]) else "unused"
