"""Gates pass on whole bounds only, and on nothing that is not a number."""

from __future__ import annotations

import math
from dataclasses import replace

import filed
import invented_run
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import plugins
from harness.contracts import Evidence, Status
from harness.decide.gate_rules import GATES, Rule, of_kind
from harness.io.escaping import results
from harness.report import markdown

UPPER, LOWER = ("max", "max_increase", "max_ratio"), ("min", "min_ratio")
NAN, INF = math.nan, math.inf
PASS, FAIL, OPEN = Status.PASS, Status.FAIL, Status.INCONCLUSIVE
ANY = st.floats(allow_nan=True, allow_infinity=True)


def check(kind, limit, low, observed, high):
    evidence = Evidence(observed, low, high, n=10, method="")
    return plugins.load("gates", kind).check(limit, evidence)


@pytest.mark.parametrize("kind", UPPER)
@pytest.mark.parametrize(
    ("low", "observed", "high", "status"),
    [
        (0.1, 0.2, 0.4, PASS),
        (0.3, 0.4, 0.5, PASS),  # the limit itself is allowed
        (0.3, 0.4, 0.6, OPEN),
        (0.5, 0.6, 0.7, OPEN),
        (0.51, 0.6, 0.7, FAIL),
        (0.51, 0.6, INF, FAIL),  # how bad it is need not be known
        (-INF, 0.1, 0.2, PASS),
        (-INF, 0.1, INF, OPEN),
        (NAN, NAN, NAN, OPEN),
        (NAN, 0.1, 0.2, OPEN),
        (0.3, 0.1, 0.2, OPEN),  # bounds that do not hold their estimate are broken
        (-INF, -INF, -INF, OPEN),
    ],
)
def test_an_upper_limit_reads_the_whole_interval(kind, low, observed, high, status):
    assert check(kind, 0.5, low, observed, high) is status


@pytest.mark.parametrize("kind", LOWER)
@pytest.mark.parametrize(
    ("low", "observed", "high", "status"),
    [
        (0.5, 0.6, 0.7, PASS),
        (0.6, 0.7, INF, PASS),
        (0.4, 0.6, 0.7, OPEN),
        (0.1, 0.2, 0.5, OPEN),
        (0.1, 0.2, 0.49, FAIL),
        (-INF, 0.2, 0.49, FAIL),
        (-INF, 0.9, INF, OPEN),
        (NAN, NAN, NAN, OPEN),
        (0.6, 0.7, NAN, OPEN),
        (INF, INF, INF, OPEN),
    ],
)
def test_a_lower_limit_reads_the_whole_interval(kind, low, observed, high, status):
    assert check(kind, 0.5, low, observed, high) is status


@pytest.mark.parametrize(
    ("low", "observed", "high", "status"),
    [
        (-0.1, 0.0, 0.1, PASS),  # falls by 0.1 at most
        (-0.5, 0.0, 0.1, PASS),  # the limit itself is allowed
        (-0.6, -0.3, 0.1, OPEN),
        (-0.9, -0.7, -0.51, FAIL),
        (-0.9, -0.7, -0.5, OPEN),
        (NAN, NAN, NAN, OPEN),
    ],
)
def test_a_fall_is_a_difference_under_zero(low, observed, high, status):
    assert check("max_decrease", 0.5, low, observed, high) is status
    assert plugins.load("gates", "max_decrease").limit_on(0.5) == -0.5


@pytest.mark.parametrize("kind", [*UPPER, *LOWER])
@given(ANY, ANY, ANY, ANY)
def test_no_gate_passes_without_a_finite_bound_on_the_right_side(kind, limit, low, observed, high):
    if check(kind, limit, low, observed, high) is PASS:
        assert math.isfinite(observed)
        assert low <= observed <= high
        assert math.isfinite(high if kind in UPPER else low)
        assert high <= limit if kind in UPPER else low >= limit


@pytest.mark.parametrize(
    ("kind", "on"),
    [("max", "value"), ("min", "value"), ("max_increase", "difference"), ("max_ratio", "ratio"),
     ("min_ratio", "ratio"), ("max_decrease", "difference")],
)  # fmt: skip
def test_each_gate_says_what_it_reads(kind, on):
    assert plugins.load("gates", kind).on == on


# ---------------------------------------- where a limit lies, and how much of it is used
@pytest.mark.parametrize(
    ("side", "bound", "value", "share"),
    [
        ("upper", 0.5, 0.25, 0.5),  # limits below 1, as those of shares are
        ("upper", 0.5, 0.75, 1.5),
        ("upper", 240.0, 240.0, 1.0),
        ("upper", 0.5, -0.25, -0.5),
        ("upper", 0.0, 1.0, NAN),  # of nothing there is no share
        ("upper", -1.0, 1.0, NAN),
        ("lower", 0.8, 0.4, 2.0),  # half of what is asked for
        ("lower", 0.8, 1.6, 0.5),
        ("lower", 0.8, 0.0, NAN),
        ("lower", 0.8, -1.0, NAN),
        ("lower", -0.5, -0.25, 0.5),  # a change that may be so much for the worse
        ("lower", -0.5, -1.0, 2.0),
        ("lower", 0.0, 1.0, NAN),
        (None, 1.0, 1.0, NAN),
    ],
)
def test_a_value_uses_a_share_of_its_limit(side, bound, value, share):
    assert Rule("value", side, "", bound, bound).share(value) == pytest.approx(share, nan_ok=True)


@pytest.mark.parametrize(("on", "level"), [("value", 0.5), ("difference", 2.5), ("ratio", 1.0)])
def test_a_limit_over_a_baseline_lies_at_the_baselines_own_level(on, level):
    assert Rule(on, "upper", "", 0.5, 0.5).level(2.0) == level


def test_a_stored_rule_holds_for_the_limits_that_were_stored_with_it_and_for_no_other():
    limits = [7, {"limit": 1.0, "bound": 2.0, "side": "upper"}, {"limit": 3.0, "bound": "x"}]
    stored = {GATES: {"./x.py": {"on": "value", "sign": "≤", "limits": limits}}}
    assert of_kind(stored, "./x.py", 1.0) == Rule("value", "upper", "≤", 1.0, 2.0)
    assert of_kind(stored, "./x.py", 2.0) is None
    assert of_kind(stored, "./x.py", 3.0) is None
    assert of_kind(stored, "./y.py", 1.0) is None


# a gate of the user's own, as its run stored it: what its limit and its figure are said in
@pytest.mark.parametrize(
    ("on", "sign", "limit", "limited", "observed", "up_to"),
    [
        ("ratio", "≤ ×", 1.5, "≤ ×1.5", "1.20× [1.10, 1.30]", "≤ ×1.3"),
        ("difference", "≤ +", 20.0, "≤ +20 ms", "+1.20 ms [1.10, 1.30]", "≤ +1.3 ms"),
        ("value", "≤", 240.0, "≤ 240 ms", "1.20 ms [1.10, 1.30]", "≤ 1.3 ms"),
    ],
)  # fmt: skip
def test_a_gate_of_ones_own_is_shown_in_what_it_reads(on, sign, limit, limited, observed, up_to):
    kind = "./my_*own*_gate.py"
    made = invented_run.build()
    checks = made.checks[made.checks["gate"] == "latency_p50_ms@5 s"].head(1)
    checks = checks.assign(kind=kind, limit=limit, observed=1.2, low=1.1, high=1.3, unit="ms")
    stored = {"on": on, "sign": sign, "limits": [{"limit": limit, "bound": 9, "side": "upper"}]}
    waiver = {**filed.data_of(made)["waivers"][0], "up_to": 1.3}
    own = {"own": {"gates": {kind: stored}}, "waivers": [waiver]}
    result = replace(filed.changed(made, **own), tables={**made.tables, "checks": checks})
    harmless = results.for_report(result, "…")
    told = (plugins.load("sections", name).render(harmless, "en") for name in ("result", "waivers"))
    said = "\n".join(told).replace(markdown.NBSP, " ")
    rows = [line for line in said.splitlines() if line.startswith("| **Latency P50")]
    shown, waived = rows[0].split(" | ")[1:3], rows[-1].split(" | ")[1:3]
    assert shown == [limited, observed]
    assert waived == [up_to, observed]
