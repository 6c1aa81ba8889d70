"""Checks -> verdict: every doubt ends as INSUFFICIENT EVIDENCE, none as an approval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from harness.contracts import Status
from harness.verdict.case import Case
from harness.verdict.checks import day, name_of

APPROVED, WAIVERS = "APPROVED", "APPROVED WITH WAIVERS"
REJECTED, INSUFFICIENT = "REJECTED", "INSUFFICIENT EVIDENCE"
EXIT_CODES = {APPROVED: 0, WAIVERS: 0, REJECTED: 1, INSUFFICIENT: 3}
GOOD = {Status.PASS.value, Status.WAIVED.value}


def verdict(case: Case, checks: pd.DataFrame, claims: pd.DataFrame) -> dict[str, Any]:
    """Plain data: verdict, exit_code, candidate, session, reasons, waivers, claims.

    Only gates with severity `fail` that apply to the candidate decide. A FAIL rejects whatever else
    is open; approval takes every such gate of the experiment, present and passed or waived.
    `reasons` has one line each; `waivers` tells which were used, unused or expired.
    """
    mine = checks[checks["variant"] == case.candidate]
    hard = mine[mine["severity"] == "fail"]
    missing = _missing(case, hard)
    name = _name(hard, missing)
    refuted = claims[claims["status"] == "refuted"]
    return {
        "verdict": name,
        "exit_code": EXIT_CODES[name],
        "candidate": case.candidate,
        "session": case.session,
        "reasons": [*_reasons(mine, missing), *_waiver_reasons(case, mine)],
        "waivers": [
            {**{k: str(v) for k, v in w.items()}, "state": _state(case, w, mine)}
            for w in case.experiment.get("waivers") or []
        ],
        "claims_refuted": [str(metric) for metric in refuted["metric"]],
    }


def _name(hard: pd.DataFrame, missing: list[str]) -> str:
    statuses = set(hard["status"])
    if Status.FAIL.value in statuses:
        return REJECTED
    sound = all(math.isfinite(x) for x in hard["observed"])
    if hard.empty or missing or not sound or not statuses <= GOOD:
        return INSUFFICIENT
    return WAIVERS if Status.WAIVED.value in statuses else APPROVED


def _missing(case: Case, hard: pd.DataFrame) -> list[str]:
    """Gates of the experiment without a row: a table that lost one must not approve."""
    asked = [
        name_of(gate)
        for gate in case.experiment.get("gates") or []
        if (gate.get("severity") or "fail") == "fail"
        and case.candidate in (gate.get("variants") or [case.candidate])
    ]
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
    states = [(w, _state(case, w, mine)) for w in case.experiment.get("waivers") or []]
    return [f"{w['gate']}: waiver {state}" for w, state in states if state != "used"]


def _state(case: Case, waiver: Mapping[str, Any], mine: pd.DataFrame) -> str:
    if case.today > day(waiver):
        return f"expired on {waiver['until']}"
    waived = mine[mine["status"] == Status.WAIVED.value]
    return "used" if waiver["gate"] in set(waived["gate"]) else "unused"
