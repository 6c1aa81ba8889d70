"""Whatever is wrong with the evidence, nothing of it approves, and one line says why."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from test_verdict import AT5, CALLS, CV, case, data, gate

from harness.decide import verdict
from harness.errors import StoreError
from harness.store import tables

P50 = gate("latency_p50_ms", AT5, max=250)  # INT8 takes 200 ms
WER = gate("wer", CV, over="fp32", max_increase=0.05)  # both err in one word of a hundred


def judged(given: dict[str, Any], *gates: dict[str, Any]) -> tuple[str, list[str]]:
    it = case(*gates)
    checks = verdict.checks(it, given)
    found = verdict.verdict(it, checks, tables.frame("claims", []))
    return found["verdict"], found["reasons"]


def timed(seconds: Any) -> dict[str, Any]:
    """The calls with other times for INT8: a list, or a function of (call number, seconds)."""
    rows, number = [], 0
    for row in CALLS:
        if row["stage"] == "latency" and row["variant"] == "int8":
            value = seconds(number, row["seconds"])
            number += 1
            if value is None:
                continue
            row = {**row, **({"seconds": value} if not isinstance(value, dict) else value)}
        rows.append(row)
    return data(rows)


def renamed(row: dict[str, Any]) -> dict[str, Any]:
    other = row["variant"] == "fp32" and row["stage"] == "quality"
    return {**row, "item": row["item"] + "x"} if other else row


FAILED = {"seconds": math.nan, "error": "worker crashed (signal 9)"}
CASES = [
    # name, evidence, gate, what the line says
    ("no gate at all", lambda: data(), None, "no gate applies"),
    ("a gate without data", lambda: timed(lambda i, s: None), P50, "nothing was measured"),
    ("all calls failed", lambda: timed(lambda i, s: FAILED), P50, "have no result"),
    ("one call", lambda: timed(lambda i, s: s if i == 0 else None), P50, "too few"),
    ("constant latencies", lambda: timed(lambda i, s: 0.2), P50, "never vary"),
    ("a clock that goes backwards", lambda: timed(lambda i, s: -s), P50, "not a number"),
    (
        "a baseline with other utterances",
        lambda: data([renamed(row) for row in CALLS]),
        WER,
        "not in both",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("evidence", "one", "said"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_bad_evidence_never_approves_and_says_why_in_one_line(evidence, one, said):
    name, reasons = judged(evidence(), *([one] if one else []))
    assert name in ("INSUFFICIENT EVIDENCE", "REJECTED")
    assert any(said in line for line in reasons), reasons
    assert all("\n" not in line for line in reasons)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, -0.2, 0.0])
def test_one_impossible_time_among_many_never_makes_a_gate_easier(bad):
    sound = verdict.checks(case(P50), data()).iloc[0]
    found = verdict.checks(case(P50), timed(lambda i, s: bad if i == 3 else s)).iloc[0]
    assert found["status"] in ("NOT MEASURED", "INCONCLUSIVE") or found["high"] >= sound["high"]


def test_the_sound_evidence_that_these_cases_spoil_is_approved():
    assert judged(data(), P50, WER)[0] == "APPROVED"


def test_a_table_that_mixes_two_runs_is_refused():
    mixed = pd.concat([data()["calls"], data()["calls"].assign(extra=1)])
    with pytest.raises(StoreError, match="unknown columns"):
        tables.check("calls", mixed)


def stopped(level: float, allowance: float) -> dict[str, Any]:
    row = {"stage": "latency", "variant": "int8", "session": "default", "operation": "pipeline"}
    row |= {"workload": "5 s", "done": 30, "level": level, "allowance": allowance, "why": "decided"}
    return {**data(), "stops": tables.frame("stops", [row])}


def test_a_figure_that_was_stopped_early_is_read_more_strictly_and_says_so():
    usual, early = (
        verdict.checks(case(P50), given).iloc[0] for given in (data(), stopped(0.9975, 0.05))
    )
    assert early["high"] > 1.05 * usual["high"]  # the wider bound, and 5 % for what may yet drift
    assert early["low"] < usual["low"] / 1.05
    assert early["level"] == 0.9975
    assert "99.75%" in early["reason"]
    assert "5.0% of drift" in early["reason"]
