"""Checks, claims and the verdict: approved only on evidence, and every doubt in one line."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import filed
import numpy as np
import pandas as pd
import pytest

from harness import plugins
from harness.decide import scoring, verdict
from harness.decide.scoring.estimates import Needed
from harness.decide.verdict import Case
from harness.decide.verdict.checks import _more
from harness.store import tables

NAMES = ("latency_p50_ms", "latency_p99_ms", "wer", "rtf", "size_mb", "speedup", "peak_memory_mb")
METRICS = {name: plugins.find_metric(name) for name in NAMES}
TODAY = datetime.date(2026, 11, 22)
AT5, CV = {"audio_seconds": 5.0}, {"dataset": "cv"}


def call(variant: str, stage: str = "latency", **more: Any) -> dict[str, Any]:
    row = {"stage": stage, "variant": variant, "session": "default", "replica": 0, "warm": True}
    return row | {"operation": "pipeline", "audio_seconds": 5.0, "rss_bytes": 3e8} | more


def latency(rounds: int = 60, each: int = 20) -> list[dict[str, Any]]:
    """FP32 near 400 ms, INT8 near 200 ms, calls of a round sharing a shift of 1 %."""
    rng = np.random.default_rng(8)
    return [
        call(
            v,
            round=i,
            block=i,
            generation=i % 6,
            order=k,
            seconds=level * shift * rng.lognormal(0, 0.02),
        )
        for i, shift in enumerate(rng.lognormal(0, 0.01, rounds))
        for v, level in (("fp32", 0.4), ("int8", 0.2))
        for k in range(each)
    ]


def spoken(n: int = 300) -> list[dict[str, Any]]:
    """Five words each; one in 20 utterances has an error, another one in each variant."""
    words = "uno dos tres cuatro cinco"
    rows = []
    for i in range(n):
        for place, variant in enumerate(("fp32", "int8")):
            said = words.replace("tres", "seis") if i % 20 == place else words
            rows.append(call(variant, "quality", dataset="cv", item=f"c{i}", sentence=f"c{i}",
                             text=said, reference=words, round=i, block=i, generation=i % 6,
                             seconds=0.1 + i * 1e-4))  # fmt: skip
    return rows


CALLS = latency() + spoken()
VARIANTS = [
    {"variant": "fp32", "size_bytes": 290_000_000},
    {"variant": "int8", "size_bytes": 100_000_000},
]


def data(
    calls: list[dict[str, Any]] | None = None, variants: Any = None, names: Any = NAMES
) -> dict[str, Any]:
    frame = tables.frame("calls", CALLS if calls is None else calls)
    return {
        "calls": frame,
        "stops": tables.frame("stops", []),
        "scores": scoring.scores(frame, [METRICS[name] for name in names], str.lower),
        "variants": tables.frame("variants", VARIANTS if variants is None else variants),
    }


ALL = data()


def gate(metric: str, at: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    timed = {"operation": "pipeline"} if at else {}
    return {"metric": metric, "at": at or {}, "variants": ["int8"], **timed, **more}


def case(*gates: dict[str, Any], **more: Any) -> Case:
    recorded = [{"name": "30b", "source": "elsewhere", "latency_p50_ms": 10660.0}]
    experiment = {"seed": 1, "baseline": "fp32", "candidate": "int8", "recorded": recorded}
    return Case(
        filed.experiment({**experiment, "gates": list(gates), **more}), METRICS, "default", TODAY
    )


def decide(
    one: Case, tables_: Mapping[str, pd.DataFrame] = ALL
) -> tuple[pd.DataFrame, dict[str, Any]]:
    checks = tables.check("checks", verdict.checks(one, tables_))
    return checks, verdict.verdict(one, checks, verdict.claims(one, tables_))


def status(one: dict[str, Any], tables_: Mapping[str, pd.DataFrame] = ALL) -> tuple[str, str]:
    row = decide(case(one), tables_)[0].iloc[0]
    return row["status"], row["reason_code"]


P50 = gate("latency_p50_ms", AT5, max=240.0)
WER = gate("wer", CV, over="fp32", max_increase=0.01)
SIZE = gate("size_mb", max=200.0)


# ------------------------------------------------------------------------------------------ checks
@pytest.mark.parametrize(
    ("needed", "sentence"),
    [
        (Needed(math.nan, math.nan), ""),
        (Needed(40, 1200), " Probably settled by 40 to 1,200 in all."),
        (Needed(40, math.inf), " Probably settled by 40 or more in all."),
        (Needed(40, 120, clips=30), " Probably settled by 40 to 120 in all, on 30 clips."),
    ],
)
def test_a_reason_says_how_many_would_settle_it(needed: Needed, sentence: str) -> None:
    assert _more(needed) == sentence


def test_a_time_of_one_process_is_not_approved_unless_there_can_be_no_other() -> None:
    once = [row | {"generation": 0} for row in CALLS]
    faster = gate("latency_p50_ms", AT5, over="fp32", max_ratio=0.6)
    quick = gate("rtf", CV, max=0.5)
    waived = {"gate": "latency_p50_ms", "up_to": 240.0, "until": "2027-01-01", "because": "x"}
    for one, more in ((P50, {}), (faster, {}), (quick, {}), (P50 | {"max": 150.0}, waived)):
        waivers = [waived] if more else []
        checks = decide(case(one, waivers=waivers), data(once))[0]
        assert checks["status"].tolist() == ["INCONCLUSIVE"], one
        assert checks["reason_code"].tolist() == ["one_process"]
    assert status(P50 | {"max": 150.0}, data(once)) == ("FAIL", "beyond")
    server = [VARIANTS[0], {"variant": "int8", "size_bytes": 0}]
    assert status(P50, data(once, server)) == ("PASS", "within")
    assert status(WER, data(once)) == ("PASS", "within")  # texts do not depend on the process


def test_what_was_looked_at_once_has_bounds_of_95_percent() -> None:
    checks = decide(case(P50, WER))[0]
    assert checks["level"].tolist() == pytest.approx([0.95, 0.95])
    assert checks["allowance"].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (P50, ("PASS", "within")),
        (P50 | {"max": 150.0}, ("FAIL", "beyond")),
        (P50 | {"max": 200.0}, ("INCONCLUSIVE", "straddles")),
        (gate("latency_p99_ms", AT5, max=350.0), ("PASS", "within")),
        (gate("latency_p50_ms", AT5, over="fp32", max_ratio=0.6), ("PASS", "within")),
        (gate("latency_p50_ms", AT5, over="fp32", max_ratio=0.4), ("FAIL", "beyond")),
        (gate("latency_p50_ms", AT5, over="30b", max_ratio=0.1), ("PASS", "within")),
        (gate("speedup", AT5, over="fp32", min=1.9), ("PASS", "within")),
        (gate("speedup", AT5, over="30b", min=10.0), ("PASS", "within")),
        (gate("speedup", AT5, over="30b", min=100.0), ("FAIL", "beyond")),
        (gate("wer", CV, max=0.05), ("PASS", "within")),
        (gate("wer", CV, max=0.008), ("INCONCLUSIVE", "straddles")),
        (gate("wer", CV, max=0.001), ("FAIL", "beyond")),
        (WER, ("PASS", "within")),
        (WER | {"max_increase": 0.001}, ("INCONCLUSIVE", "straddles")),
        (SIZE, ("PASS", "within")),
        (gate("size_mb", over="fp32", max_ratio=0.3), ("FAIL", "beyond")),
        (gate("peak_memory_mb", AT5, max=500.0), ("PASS", "within")),
        (gate("latency_p50_ms", {"audio_seconds": 29.0}, max=1.0), ("NOT MEASURED", "nothing")),
        (gate("mos", CV, min=4.0), ("NOT MEASURED", "nothing")),
        (gate("speedup", AT5, over="nobody", min=2.0), ("NOT MEASURED", "nothing")),
    ],
)
def test_a_gate_is_decided_by_its_whole_bound(one, expected):
    assert status(one) == expected


def test_a_check_says_how_it_was_decided_and_what_more_would_take():
    few = data(latency(rounds=4, each=5))
    row = decide(case(gate("latency_p99_ms", AT5, max=350.0)), few)[0].iloc[0]
    assert (row["status"], row["reason_code"], row["n"], row["units"]) == (
        "INCONCLUSIVE",
        "few",
        20,
        4,
    )
    assert row["high"] == math.inf
    assert row["needs"] >= 299  # 0.99^299 = 0.0495: none over in fewer calls proves nothing
    assert row["method"] == "binomial tail over blocks, clips and processes"
    assert "\n" not in row["reason"]
    assert decide(case(P50))[0].iloc[0]["needs"] != row["needs"]


def test_a_recorded_figure_is_taken_as_exact_and_the_reason_says_so():
    row = decide(case(gate("speedup", AT5, over="30b", min=10.0)))[0].iloc[0]
    median = decide(case(P50))[0].iloc[0]
    assert row["low"] == pytest.approx(10660 / median["high"])
    assert "taken as exact" in row["reason"]


# --------------------------------------------------------------------------------------- bad input
@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0])
def test_one_impossible_time_is_never_a_pass(bad):
    rows = [*CALLS, call("int8", round=99, block=99, seconds=bad)]
    assert status(P50, data(rows)) == ("NOT MEASURED", "broken")


def test_times_that_never_vary_are_never_a_pass():
    still = [row | {"seconds": 0.2} for row in CALLS]
    for one in (P50, gate("rtf", AT5, max=0.5), gate("speedup", AT5, over="fp32", min=0.5)):
        assert status(one, data(still)) == ("INCONCLUSIVE", "constant")
    assert status(gate("rtf", AT5, max=0.01), data(still)) == ("FAIL", "beyond")


def test_one_call_and_no_call_are_never_a_pass():
    assert status(P50, data([call("int8", seconds=0.1)]))[0] == "INCONCLUSIVE"
    assert status(P50, data([])) == ("NOT MEASURED", "nothing")
    assert status(WER, data([])) == ("NOT MEASURED", "nothing")
    assert status(SIZE, data([], [])) == ("NOT MEASURED", "nothing")


def test_a_variant_that_could_not_be_made_has_no_size():
    failed = [VARIANTS[0], VARIANTS[1] | {"error": "nothing was quantized"}]
    assert status(SIZE, data(variants=failed))[0] == "NOT MEASURED"


@pytest.mark.parametrize(
    ("failed", "expected"), [(3, "PASS"), (4, "NOT MEASURED"), (300, "NOT MEASURED")]
)
def test_more_than_one_in_a_hundred_failed_utterances_is_not_measured(failed, expected):
    rows = [
        row | {"error": "no sound", "text": ""}
        if row["variant"] == "int8" and int(row["item"][1:]) < failed else row
        for row in spoken()
    ]  # fmt: skip
    assert status(gate("wer", CV, max=0.05), data(rows))[0] == expected


def test_utterances_that_one_side_lacks_are_named():
    rows = [
        r
        for r in spoken()
        if not (r["variant"] == "fp32" and r["item"] in ("c3", "c4", "c5", "c6"))
    ]
    row = decide(case(WER), data(rows))[0].iloc[0]
    assert row["status"] == "NOT MEASURED"
    assert "4 of 300" in row["reason"]
    assert "c3, c4, c5 and 1 more" in row["reason"]


@pytest.mark.parametrize(
    "one", [P50, WER, gate("wer", CV, max=0.05), gate("latency_p99_ms", AT5, max=350.0)]
)
@pytest.mark.parametrize("start", [0.0, 0.5, 1.0])
def test_more_errors_never_turn_anything_into_a_pass(one, start):
    """Errors are added to a table in which the gate passes, is open, or has no data at all."""
    kept = CALLS[int(len(CALLS) * start) :]
    before, _ = status(one, data(kept, names=[one["metric"]]))
    for count in (1, 100):
        stage = "quality" if one["at"] == CV else "latency"
        dead = [call("int8", stage, dataset="cv" if stage == "quality" else "", error="x")] * count
        after, _ = status(one, data([*kept, *dead], names=[one["metric"]]))
        assert after != "PASS" or before == "PASS"


P99 = gate("latency_p99_ms", AT5, max=350.0)


def test_calls_that_hang_are_the_tail_of_a_p99_even_where_they_are_under_one_in_a_hundred():
    assert status(P99)[0] == "PASS"
    rows = list(CALLS)
    mine = [i for i, row in enumerate(rows) if row["variant"] == "int8" and not row.get("dataset")]
    for i in mine[:200:20]:  # 10 of 1200, in ten blocks
        rows[i] = rows[i] | {"seconds": math.nan, "error": "no answer within 60 s"}
    row = decide(case(P99), data(rows))[0].iloc[0]
    assert (row["status"], row["high"], row["n"]) == ("INCONCLUSIVE", math.inf, 1200)
    assert "10 without a result count as worse than every other one" in row["reason"]
    assert row["needs"] > 1200
    assert status(P50, data(rows))[0] == "PASS"
    ratio = gate("latency_p99_ms", AT5, over="fp32", max_ratio=0.9)
    assert status(ratio)[0] == "PASS"
    assert status(ratio, data(rows))[0] != "PASS"


def test_the_failures_of_one_side_are_not_diluted_by_the_calls_of_the_other():
    """3 of 200 calls is more than 1 %, whatever the 1200 of the baseline."""
    one = gate("latency_p50_ms", AT5, over="fp32", max_ratio=0.6)
    rows = [r for r in latency() if r["variant"] == "fp32" or r["round"] < 10]
    assert status(one, data(rows))[0] == "PASS"
    mine = [i for i, row in enumerate(rows) if row["variant"] == "int8"]
    for i in mine[:3]:
        rows[i] = rows[i] | {"error": "crashed"}
    row = decide(case(one), data(rows))[0].iloc[0]
    assert row["reason_code"] == "failed"
    assert row["reason"].startswith("3 of 200 calls")
    assert ": crashed; n =" in row["reason"]


def test_one_load_is_too_few_and_never_constant():
    METRICS["load_ms"] = plugins.find_metric("load_ms")
    rows = [call("int8", operation="load", warm=False, seconds=0.6, round=-1, block=-1)]
    one = gate("load_ms", max=2000.0, operation="load")
    row = decide(case(one), data(rows, names=["load_ms"]))[0].iloc[0]
    assert (row["status"], row["reason_code"], row["n"]) == ("INCONCLUSIVE", "few", 1)
    assert "samples" in row["reason"]
    assert row["needs"] >= 5  # 0.5^5 = 0.031


@pytest.mark.parametrize("one", [P50, WER, SIZE, P50 | {"over": "fp32", "max_ratio": 0.6}])
def test_the_reason_says_why_a_variant_could_not_be_built_or_opened(one):
    one = {k: v for k, v in one.items() if k != "max" or "max_ratio" not in one}
    stage, at = ("quality", "cv") if one["at"] == CV else ("latency", "")
    dead = [call("int8", stage, dataset=at, error="given up after 3 failures in a row")] * 9
    dead += [call("int8", stage, dataset=at, error="once")] * 3
    alive = [r for r in CALLS if r["variant"] == "fp32"]
    broken = [VARIANTS[0], VARIANTS[1] | {"size_bytes": 0, "error": "nothing was\nquantized."}]
    checks, found = decide(case(one), data(alive + dead, broken))
    assert checks["status"].tolist() == ["NOT MEASURED"]
    assert ": nothing was quantized" in checks["reason"].iloc[0]
    assert "nothing was quantized" in found["reasons"][0]
    if one is not SIZE and one["metric"] != "size_mb":  # built, but could not be opened
        row = decide(case(one), data(alive + dead))[0].iloc[0]
        assert ": given up after 3 failures in a row" in row["reason"]


def test_what_a_quantile_over_a_recorded_figure_needs_is_what_the_quantile_itself_needs():
    few = data(latency(rounds=4, each=5))
    plain = decide(case(P99), few)[0].iloc[0]
    experiment = {"recorded": [{"name": "old", "source": "x", "latency_p99_ms": 700.0}]}
    over = gate("latency_p99_ms", AT5, over="old", max_ratio=0.5)
    row = decide(case(over, **experiment), few)[0].iloc[0]
    assert row["needs"] == plain["needs"] >= 299
    paired = decide(case(gate("latency_p99_ms", AT5, over="fp32", max_ratio=0.9)), few)[0].iloc[0]
    assert paired["status"] == "INCONCLUSIVE"
    assert math.isnan(paired["needs"])  # no square root of n tells it


def test_a_gate_file_of_the_users_own_is_found_in_a_folder_above_the_experiment(tmp_path):
    (tmp_path / "experiments").mkdir()
    source = plugins.folder("gates") / "max.py"
    (tmp_path / "mine.py").write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    own = {k: v for k, v in P50.items() if k != "max"} | {"mine.py": 240.0}
    one = replace(case(own), beside=tmp_path / "experiments")
    assert decide(one)[0]["status"].tolist() == ["PASS"]


def test_cold_calls_of_the_quality_stage_are_no_planned_utterances():
    cold = [call("int8", "quality", dataset="cv", operation=name, warm=False, seconds=1.0,
                 item="c0", text="otra", reference="cosa") for name in ("load", "first_call")
            for _ in range(50)]  # fmt: skip
    rows = [r | {"error": "no sound"} if r["variant"] == "int8" and r.get("item") in
            ("c0", "c1", "c2", "c3") else r for r in spoken()]  # fmt: skip
    row = decide(case(gate("wer", CV, max=0.05)), data([*cold, *rows]))[0].iloc[0]
    assert row["reason"].startswith("4 of 300 calls")


# ----------------------------------------------------------------------------------------- waivers
def waiver(up_to: float, until: str = "2026-11-22") -> dict[str, Any]:
    return {"gate": "latency_p50_ms", "up_to": up_to, "until": until, "because": "not noticed"}


@pytest.mark.parametrize(
    ("limit", "given", "code", "name", "state"),
    [
        (150.0, waiver(240.0), "waived", "APPROVED WITH WAIVERS", "used"),
        (150.0, waiver(240.0, "2026-11-21"), "waiver_expired", "REJECTED", "expired on 2026-11-21"),
        (150.0, waiver(160.0), "waiver_exceeded", "REJECTED", "unused"),
        (150.0, waiver(200.0), "waiver_exceeded", "REJECTED", "unused"),  # not the whole bound
        (240.0, waiver(260.0), "within", "APPROVED", "unused"),
        (200.0, waiver(260.0), "straddles", "INSUFFICIENT EVIDENCE", "unused"),
    ],
)
def test_a_waiver_covers_a_miss_inside_its_bound_until_its_day(limit, given, code, name, state):
    checks, found = decide(case(P50 | {"max": limit}, waivers=[given]))
    assert checks["reason_code"].tolist() == [code]
    assert found["verdict"] == name
    assert found["waivers"][0]["state"] == state
    if state != "used":
        assert f"latency_p50_ms: waiver {state}" in found["reasons"]


def test_a_waiver_does_not_cover_what_was_not_measured():
    found = decide(case(P50, waivers=[waiver(1e6)]), data([]))[1]
    assert found["verdict"] == "INSUFFICIENT EVIDENCE"


# ---------------------------------------------------------------------------------------- decision
MISS, OPEN = P50 | {"max": 150.0, "name": "miss"}, P50 | {"max": 200.0, "name": "open"}


@pytest.mark.parametrize(
    ("gates", "name", "code"),
    [
        ([P50, SIZE, WER], "APPROVED", 0),
        ([P50, MISS, OPEN], "REJECTED", 1),  # a miss decides, whatever else is open
        ([P50, OPEN], "INSUFFICIENT EVIDENCE", 3),
        ([P50, gate("mos", CV, min=4.0)], "INSUFFICIENT EVIDENCE", 3),
        ([P50, MISS | {"severity": "warn"}], "APPROVED", 0),
        ([MISS | {"severity": "warn"}], "INSUFFICIENT EVIDENCE", 3),  # a warning proves nothing
        ([], "INSUFFICIENT EVIDENCE", 3),
        ([P50, MISS | {"variants": ["fp32"]}], "APPROVED", 0),  # about another variant
        ([P50 | {"variants": ["fp32"]}], "INSUFFICIENT EVIDENCE", 3),
    ],
)
def test_approval_takes_every_gate_of_the_candidate(gates, name, code):
    found = decide(case(*gates))[1]
    assert (found["verdict"], found["exit_code"]) == (name, code)
    assert name == "APPROVED" or found["reasons"]


@pytest.mark.parametrize(
    "edit",
    [
        lambda checks: checks.iloc[1:],
        lambda checks: checks.assign(status="GREAT"),
        lambda checks: checks.assign(observed=math.nan),
        lambda checks: checks.iloc[:0],
    ],
)
def test_an_edited_table_of_checks_does_not_approve(edit):
    one = case(P50, SIZE)
    checks, found = decide(one)
    assert found["verdict"] == "APPROVED"
    claims = tables.frame("claims", [])
    assert verdict.verdict(one, edit(checks), claims)["verdict"] == "INSUFFICIENT EVIDENCE"


@pytest.mark.simulation
def test_many_gates_err_no_oftener_than_one_because_all_of_them_must_pass():
    """One gate at its limit among many that pass: the whole errs only where that one does, in at
    most 5 % of the runs (intersection-union test, Berger 1982), so no gate needs a correction."""
    gates = [P50 | {"name": "a"}, *(P50 | {"name": f"b{i}", "max": 400.0} for i in range(4))]
    approved = alone = 0
    for i in range(100):
        rng = np.random.default_rng(i)
        times = 0.240 * rng.lognormal(0, 0.05, 24)
        rows = [
            call("int8", round=k, block=k, generation=k // 4, seconds=t)
            for k, t in enumerate(times)
        ]
        found, verdict_ = decide(case(*gates), data(rows, names=["latency_p50_ms"]))
        approved += verdict_["verdict"] == "APPROVED"
        alone += found.set_index("gate")["status"]["a"] == "PASS"
        assert (found.set_index("gate").loc[["b0", "b1", "b2", "b3"], "status"] == "PASS").all()
    assert approved == alone
    assert approved <= 11  # 100 x 5 % and three Monte-Carlo errors of 2.2


def test_the_verdict_is_about_the_candidate_in_its_session():
    rows = [r | {"session": "spin"} if r["variant"] == "int8" else r for r in CALLS]
    one = replace(case(P50, gate("speedup", AT5, over="fp32", min=1.9)), session="spin")
    checks, found = decide(one, data(rows))
    assert checks["status"].tolist() == ["PASS", "PASS"]
    assert (found["candidate"], found["session"]) == ("int8", "spin")


# --------------------------------------------------------------------------------------- listeners
OUT = "line 7: the score 9 is not from 1 to 5."
RULE = "screened: 2 ratings, fewer than 5."


def heard(bad: list[tuple[str, str]]) -> dict[str, Any]:
    """20 raters of 10 items, of fp32; then scores with (variant, error) that do not count."""
    mos = plugins.find_metric("mos")
    calls = [call("fp32", "quality", dataset="cv", item=f"c{i}", audio=f"{i}.flac",
                  audio_sha256=f"{i}", seconds=0.1, round=i) for i in range(10)]  # fmt: skip
    shared = {"session": "default", "dataset": "cv", "judge": "mos_ratings"}
    good = [
        {**shared, "variant": "fp32", "item": f"c{i}", "rater": f"r{r}", "audio_sha256": f"{i}",
         "figures": json.dumps({"score": 3 + (i * 7 + r * 3) % 3})}
        for i in range(10) for r in range(20)
    ]  # fmt: skip
    left = [{**shared, "variant": v, "rater": "zoe", "error": error} for v, error in bad]
    frame, judged = tables.frame("calls", calls), tables.frame("judged", [*good, *left])
    scores = scoring.scores(frame, [mos], judged=judged)
    return {**data(calls), "judged": judged, "scores": scores}


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        ([], "PASS"),
        ([("fp32", OUT)] * 2, "PASS"),  # 2 of 202: under 1 in 100
        ([("fp32", OUT)] * 3, "NOT MEASURED"),  # 3 of 203
        ([("fp32", "no item 'z' in this data set.")] * 3, "NOT MEASURED"),
        ([("", "line 7: names no system.")] * 3, "NOT MEASURED"),  # they may be anybody's
        ([("fp32", RULE)] * 100, "PASS"),
        # the rule's are no part of what was asked: 3 of 203, not 3 of 303
        ([("fp32", RULE)] * 100 + [("fp32", OUT)] * 3, "NOT MEASURED"),
        ([("other", OUT)] * 50, "PASS"),
    ],
)
def test_scores_that_are_none_leave_a_mos_not_measured_and_screened_ones_do_not(bad, expected):
    one = case(gate("mos", CV, min=3.0, variants=["fp32"]))
    one = replace(one, metrics={**one.metrics, "mos": plugins.find_metric("mos")})
    checks, _ = decide(one, heard(bad))
    assert checks["status"].tolist() == [expected]


# ------------------------------------------------------------------------------------------ claims
@pytest.mark.parametrize(
    ("metric", "at", "value", "tolerance", "expected"),
    [
        ("wer", CV, 0.01, 0.02, "confirmed"),
        ("wer", CV, 0.10, 0.02, "refuted"),
        ("wer", CV, 0.01, 0.001, "undecided"),
        ("size_mb", {}, 100.0, 0.0, "confirmed"),
        ("size_mb", {}, 96.0, 1.0, "refuted"),
        ("mos", CV, 4.3, 0.2, "not measured"),
        ("speedup", AT5, 2.0, 0.2, "confirmed"),
    ],
)
def test_a_claim_is_read_against_the_whole_interval(metric, at, value, tolerance, expected):
    claim = {"metric": metric, "value": value, "tolerance": tolerance, "source": "a summary"}
    claim |= {"at": at, "operation": "pipeline" if at else "", "over": "fp32" if at == AT5 else ""}
    one = case(P50, claims=[claim])
    claims = tables.check("claims", verdict.claims(one, ALL))
    assert claims["status"].tolist() == [expected]
    found = decide(one)[1]
    assert found["verdict"] == "APPROVED"  # a claim is no gate
    assert found["claims_refuted"] == ([metric] if expected == "refuted" else [])
