"""Two runs compared: what changed, how sure that is, what is refused, and how often it is wrong."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import filed
import invented_run
import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from harness import spec, store
from harness.app import api, cli
from harness.contracts import Result
from harness.decide import comparison, decision, stats
from harness.decide.comparison import CompareOptions
from harness.decide.comparison.outcomes import judged
from harness.decide.stats import Interval, Logs
from harness.errors import IncomparableError, StoreError
from harness.plugins import NamedMetric, find_metric
from harness.report.comparison import writing
from harness.store import tables

MEASURED = Path(__file__).parent / "frozen" / "whisper_base_es"
METRICS = {name: find_metric(name) for name in ("latency_p50_ms", "rtf", "wer", "size_mb")}
ENV = {"cpu": "Zen 3", "isa": "avx2", "onnxruntime": "1.31.1", "measured_on": "2026-11-22"}
HEARS = {"use": "round_trip", "beam": 1}
EXPERIMENT: dict[str, Any] = {
    "name": "x",
    "baseline": "fp32",
    "candidate": "int8",
    "model": {"family": "whisper"},
    "measuring": 2,
    "data": {"cv": "ab" * 32},
    "latency": {"audio_seconds": [5.0], "warmup": 1, "calls_per_block": 3},
    "quality": [{"name": "cv", "metrics": ["wer"], "normaliser": "spanish", "judges": [HEARS]}],
    "report": {"language": "es"},
}


# ---------------------------------------- runs from one small generator
def timed_rows(rng: np.random.Generator, machine: float, slower: float) -> Iterator[dict[str, Any]]:
    """20 rounds of 3 calls: baseline 400 ms, its twin, int8 200 ms; blocks vary by 4 %.

    Neighbouring cells of a round share half of that variance; the clips differ by up to 15 %.
    """
    cells = [("fp32", 0, 400.0), ("fp32", 1, 400.0), ("int8", 0, 200.0 * slower)]
    for turn in range(20):
        shared = rng.normal(0, 0.028)
        for variant, replica, usual in cells:
            shift = shared + rng.normal(0, 0.028)
            for order in range(3):
                clip = (turn + order) % 4
                spent = usual * machine * (1 + 0.05 * clip) * math.exp(shift + rng.normal(0, 0.02))
                where = {"round": turn, "block": turn, "item": f"clip{clip}", "workload": "5 s"}
                cell = {"stage": "latency", "variant": variant, "replica": replica}
                row = {**where, **cell, "session": "default", "operation": "pipeline"}
                yield {**row, "metric": "latency_p50_ms", "value": spent, "weight": 1.0}


def text_rows(rng: np.random.Generator, more: float = 0.0) -> Iterator[dict[str, Any]]:
    """60 utterances of ten words by 20 speakers, of which 5 % are misheard; int8: `more`."""
    for place in range(60):
        for variant, wrong in (("fp32", 0.05), ("int8", 0.05 + more)):
            row = {"stage": "quality", "variant": variant, "session": "default", "replica": 0}
            row |= {"operation": "pipeline", "workload": "cv", "metric": "wer", "round": place}
            row |= {"item": f"u{place}", "speaker": f"s{place % 20}", "weight": 10.0}
            yield {**row, "value": float(rng.binomial(10, wrong))}


@functools.cache
def drawn(seed: int, slower: float = 1.0, wer: float = 0.0, machine: float = 0.0) -> Result:
    """A run; `machine`: how much the machine's speed varies from day to day (log sd)."""
    rng = np.random.default_rng(seed)
    speed = math.exp(rng.normal(0, machine))
    rows = [*timed_rows(rng, speed, slower), *text_rows(rng, wer)]
    return as_result(pd.DataFrame(rows))


def days(count: int) -> list[tuple[Result, Result]]:
    """Pairs of runs of the same thing on a machine whose speed differs by 10 % (sd) each day."""
    return [(drawn(2 * i, machine=0.1), drawn(2 * i + 1, machine=0.1)) for i in range(count)]


def slowed(result: Result, factor: float, variant: str = "") -> Result:
    """The run with the times of one variant, or of all, that many times as long."""
    scores = result.scores
    hit = (scores["metric"] != "wer") & ((scores["variant"] == variant) | (variant == ""))
    longer = scores.assign(value=scores["value"].where(~hit, scores["value"] * factor))
    return replace(result, tables={**result.tables, "scores": longer})


def as_result(scores: pd.DataFrame, **experiment: Any) -> Result:
    sizes = {"fp32": 290_000_000, "int8": 104_000_000}
    variants = [
        {"variant": v, "size_bytes": size, "fingerprint": v * 8} for v, size in sizes.items()
    ]
    data = {
        "calls": tables.frame("calls", []),
        "scores": tables.frame("scores", scores.to_dict("records")),
        "variants": tables.frame("variants", variants),
    }
    verdict = {"candidate": "int8", "session": "default"}
    return filed.result(Path("x"), {**EXPERIMENT, **experiment}, ENV, verdict, data)


def compared(before: Result, after: Result, **how: Any) -> comparison.Comparison:
    return comparison.compare(before, after, METRICS, CompareOptions(draws=2000, **how))


def row_of(found: comparison.Comparison, metric: str, variant: str = "int8") -> comparison.Row:
    mine = [r for r in found.rows if (r.place.metric, r.place.variant) == (metric, variant)]
    assert len(mine) == 1
    return mine[0]


# ---------------------------------------- how often it is wrong, and how often it finds
@pytest.mark.simulation
def test_two_runs_of_the_same_thing_are_rarely_called_different() -> None:
    found = [compared(*pair) for pair in days(30)]
    different = sum(any(one.count(o) for o in ("regression", "improvement")) for one in found)
    # two families (texts, times) at 5 % each, times besides beyond the twins: at most 30 x 10 %
    assert different <= 3


@pytest.mark.simulation
def test_without_the_control_another_day_looks_like_a_change() -> None:
    found = [row_of(compared(*pair, control=False), "latency_p50_ms", "fp32") for pair in days(20)]
    # two days differ by 14 % (sd), the noise and the interval reach 5 %: two of three look changed
    assert sum(row.outcome in ("regression", "improvement") for row in found) >= 10


@pytest.mark.simulation
def test_a_slow_down_of_a_tenth_is_a_regression_whatever_the_machine_did_that_day() -> None:
    rows = [
        row_of(compared(before, slowed(after, 1.1, "int8")), "latency_p50_ms")
        for before, after in days(30)
    ]
    assert sum(row.outcome == "regression" for row in rows) >= 26
    assert sum(row.outcome == "improvement" for row in rows) == 0
    covered = sum(row.change.low <= 1.1 <= row.change.high for row in rows)
    assert covered >= 26  # 28.5 of 30 expected; 26 or more in 98 % of such series


def test_a_speed_up_is_an_improvement_and_no_regression() -> None:
    found = compared(drawn(1), drawn(2, slower=0.85))
    assert row_of(found, "latency_p50_ms").outcome == "improvement"
    assert found.exit_code == 0


def test_what_slows_the_baseline_as_well_is_drift_and_stands_in_its_row() -> None:
    before, after = drawn(1), slowed(drawn(2), 1.2)
    found = compared(before, after)
    base = row_of(found, "latency_p50_ms", "fp32")
    assert base.outcome == "drift"
    assert base.change.low < 1.2 < base.change.high
    assert row_of(found, "latency_p50_ms").outcome not in ("regression", "improvement")
    assert found.exit_code == 0
    plain = compared(before, after, control=False)
    assert row_of(plain, "latency_p50_ms").outcome == "regression"
    assert plain.exit_code == 1


def test_a_wer_that_rises_by_ten_points_is_a_regression_paired_by_utterance() -> None:
    found = compared(drawn(1), drawn(2, wer=0.1))
    row = row_of(found, "wer")
    assert (row.kind, row.outcome) == ("text", "regression")
    assert row.change.low < 0.1 < row.change.high
    assert row.change.units == 20  # speakers, not utterances
    assert found.exit_code == 1


def test_the_same_transcripts_are_unchanged_exactly() -> None:
    one = drawn(1)
    row = row_of(compared(one, one), "wer")
    assert (row.change.low, row.change.high, row.outcome) == (0.0, 0.0, "unchanged")


def test_a_wer_within_the_margin_of_its_gate_is_unchanged_and_undecided_without_one() -> None:
    before, after = drawn(1), drawn(5)
    gates = [{"metric": "wer", "max_increase": 0.5}]
    assert row_of(compared(before, after), "wer").outcome == "undecided"
    gated = filed.changed(after, gates=gates)
    assert row_of(compared(before, gated), "wer").outcome == "unchanged"


# ---------------------------------------- exact figures, peaks, missing cells
@pytest.mark.parametrize(
    ("after", "outcome"),
    [
        (104_000_000, "unchanged"),
        (104_000_100, "unchanged"),  # a version string: 0.0001 %
        (105_040_000, "regression"),  # 1.01 times
        (100_000_000, "improvement"),
    ],
)
def test_sizes_are_exact_and_some_bytes_are_no_change(after: int, outcome: str) -> None:
    one, other = drawn(1), drawn(1)
    variants = other.variants.assign(size_bytes=[290_000_000, after])
    found = compared(one, replace(other, tables={**other.tables, "variants": variants}))
    row = row_of(found, "size_mb")
    assert row.outcome == outcome
    assert row.change.low == row.change.high == row.change.estimate == after / 104e6


def test_a_cell_of_one_run_only_is_listed_with_where_it_is_missing() -> None:
    one, other = drawn(1), drawn(2)
    scores = other.scores[(other.scores["metric"] != "wer") | (other.scores["variant"] != "int8")]
    found = compared(one, replace(other, tables={**other.tables, "scores": scores}))
    assert [(a.place.metric, a.place.variant, a.missing_in) for a in found.alone] == [
        ("wer", "int8", "after")
    ]
    assert "wer int8: missing in the second" in writing.plain(found, "en")
    assert found.exit_code == 0


def test_a_cell_whose_calls_all_fail_now_is_worse_and_says_with_what() -> None:
    one, other = drawn(1), drawn(2)
    scores = other.scores[(other.scores["metric"] != "wer") | (other.scores["variant"] != "int8")]
    lost = {"stage": "quality", "variant": "int8", "session": "default", "operation": "pipeline"}
    lost |= {"dataset": "cv", "warm": True, "error": "the child process ended with signal 9"}
    calls = tables.frame("calls", [lost])
    found = compared(one, replace(other, tables={**other.tables, "scores": scores, "calls": calls}))
    assert found.alone[0].error == "the child process ended with signal 9"
    assert found.exit_code == 1


def test_more_than_one_in_a_hundred_utterances_lost_anew_is_a_regression() -> None:
    one = drawn(1)
    lost = {"stage": "quality", "variant": "int8", "session": "default", "operation": "pipeline"}
    lost |= {"dataset": "cv", "warm": True, "error": "hangs"}
    # 1 of 61 calls: 1.6 %
    calls = tables.frame("calls", [lost])
    found = compared(one, replace(one, tables={**one.tables, "calls": calls}))
    row = row_of(found, "wer")
    assert (row.outcome, row.why) == ("regression", "failed")
    back = compared(replace(one, tables={**one.tables, "calls": calls}), one)
    assert (
        row_of(back, "wer").outcome == "undecided"
    )  # lost in the first run: nothing to hold it to


def test_utterances_of_one_run_only_are_counted_in_the_row() -> None:
    one, other = drawn(1), drawn(2)
    kept = other.scores[~other.scores["item"].isin(["u0", "u1"])]
    found = compared(one, replace(other, tables={**other.tables, "scores": kept}))
    assert row_of(found, "wer").left_out == 2
    assert "(2 utterances in one only)" in writing.plain(found, "en")


def test_transcripts_are_compared_also_where_the_sweep_chose_another_session() -> None:
    one, other = drawn(1), drawn(2)
    moved = other.scores.assign(
        session=[
            "spin-stop" if (v, s) == ("int8", "quality") else "default"
            for v, s in zip(other.scores["variant"], other.scores["stage"], strict=True)
        ]
    )
    found = compared(one, replace(other, tables={**other.tables, "scores": moved}))
    row = row_of(found, "wer")
    assert (row.place.session, row.session_after) == ("default", "spin-stop")
    assert "int8 · default → spin-stop" in writing.plain(found, "en")


def test_without_a_common_baseline_no_time_is_judged_and_texts_are() -> None:
    one, other = drawn(1), drawn(2, slower=1.5, wer=0.1)
    variants = other.variants.assign(fingerprint=["another", "int8int8"])
    found = compared(one, replace(other, tables={**other.tables, "variants": variants}))
    row = row_of(found, "latency_p50_ms")
    assert (row.outcome, row.why) == ("undecided", "control")
    assert row_of(found, "wer").outcome == "regression"


def test_without_an_a_a_twin_no_time_is_judged() -> None:
    one, other = drawn(1), drawn(2, slower=1.5)
    scores = other.scores[other.scores["replica"] == 0]
    found = compared(one, replace(other, tables={**other.tables, "scores": scores}))
    row = row_of(found, "latency_p50_ms")
    assert (row.outcome, row.why) == ("undecided", "twin")


def test_runs_that_share_nothing_that_decides_end_with_three() -> None:
    one, other = drawn(1), drawn(2)
    cut = {**other.tables, "scores": other.scores.iloc[:0], "variants": other.variants.iloc[:0]}
    found = compared(one, replace(other, tables=cut))
    assert found.rows == ()
    assert len(found.alone) == 6  # 2 sizes, 2 latencies, 2 WER
    assert found.exit_code == 3
    assert "No cell is in both" in writing.plain(found, "en")


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0, 0.0])
def test_numbers_that_are_none_decide_nothing(value: float) -> None:
    one, other = drawn(1), drawn(2)
    bad = other.scores.assign(
        value=other.scores["value"].where(other.scores["metric"] == "wer", value)
    )
    found = compared(one, replace(other, tables={**other.tables, "scores": bad}))
    assert row_of(found, "latency_p50_ms").outcome == "undecided"
    assert not judged(row_of(found, "latency_p50_ms"))


# ---------------------------------------- what is refused
def test_another_onnxruntime_is_refused_with_the_key_and_both_values() -> None:
    other = replace(drawn(2), environment={**ENV, "onnxruntime": "1.23.0"})
    with pytest.raises(IncomparableError, match=r"onnxruntime: 1\.31\.1 \| 1\.23\.0"):
        compared(drawn(1), other)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"data": {"cv": "cd" * 32}}, "data.cv: abababababab | cdcdcdcdcdcd"),
        ({"data": {}}, "data.cv: abababababab | not recorded"),
        ({"measuring": 3}, "measuring: 2 | 3"),
        ({"model": {"family": "parakeet"}}, "model.family: whisper | parakeet"),
        (
            {"quality": [{"name": "cv", "metrics": ["wer"], "normaliser": "none"}]},
            "quality.cv.normaliser: spanish | none",
        ),
        ({"latency": {**EXPERIMENT["latency"], "warmup": 5}}, "latency.warmup: 1 | 5"),
        (
            {"quality": [{**EXPERIMENT["quality"][0], "judges": [{**HEARS, "beam": 2}]}]},
            'quality.cv.judges.round_trip: {"beam": 1} | {"beam": 2}',
        ),
    ],
)
def test_what_figures_depend_on_is_refused_by_its_key(change: Mapping[str, Any], said: str) -> None:
    other = filed.changed(drawn(2), **change)
    with pytest.raises(IncomparableError) as caught:
        compared(drawn(1), other)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def judge(version: str, recogniser: str, rater: str = "") -> dict[str, pd.DataFrame]:
    where = {"dataset": "cv", "judge": "round_trip"}
    notes = json.dumps({"recogniser": recogniser})
    return {
        "judges": tables.frame("judges", [{**where, "version": version, "notes": notes}]),
        "judged": tables.frame("judged", [{**where, "rater": rater}]),
    }


def test_another_judge_or_recogniser_is_refused() -> None:
    one, other = drawn(1), drawn(2)
    before = replace(one, tables={**one.tables, **judge("v1", "whisper, 3f2a")})
    after = replace(other, tables={**other.tables, **judge("v2", "whisper, 77c0")})
    with pytest.raises(IncomparableError) as caught:
        compared(before, after)
    assert "judge round_trip of cv: v1 | v2" in str(caught.value)
    assert "judge round_trip of cv, recogniser: whisper, 3f2a | whisper, 77c0" in str(caught.value)


def test_the_file_of_another_listening_test_is_no_reason_to_refuse() -> None:
    one, other = drawn(1), drawn(2)
    before = replace(one, tables={**one.tables, **judge("a.csv", "", "r1")})
    after = replace(other, tables={**other.tables, **judge("b.csv", "", "r1")})
    assert compared(before, after).forced == ()


def test_what_a_variant_sets_of_its_own_is_told() -> None:
    """Before it had everyone's model."""
    own = {"family": "whisper", "context": {"min_seconds": 10}}
    before, after = (
        [{"name": "fp32"}, {"name": "int8"}],
        [{"name": "fp32"}, {"name": "int8", "model": own}],
    )
    found = compared(
        filed.changed(drawn(1), variants=before), filed.changed(drawn(2), variants=after)
    )
    told = [str(one) for one in found.differences]
    assert 'variant int8 model.context: — | {"min_seconds": 10}' in told
    assert not [
        one for one in told if one.startswith(("variant fp32 model", "variant int8 model.f"))
    ]


def test_data_that_neither_run_recorded_is_not_known_to_be_the_same() -> None:
    one, other = (filed.changed(drawn(seed), data={}) for seed in (1, 2))
    with pytest.raises(IncomparableError, match=r"data\.cv: not recorded \| not recorded"):
        compared(one, other)


@pytest.mark.parametrize("key", ["cpu", "isa", "cores", "quota_cpus", "python_minor"])
def test_another_machine_is_refused(key: str) -> None:
    other = replace(drawn(2), environment={**ENV, key: "another"})
    with pytest.raises(IncomparableError, match=f"{key}: .* | another"):
        compared(drawn(1), other)


def test_force_compares_nevertheless_and_marks_the_result_in_both_forms() -> None:
    other = replace(drawn(2), environment={**ENV, "cpu": "Zen 4"})
    found = compared(drawn(1), other, force=True)
    assert [str(one) for one in found.forced] == ["cpu: Zen 3 | Zen 4"]
    assert "NOT COMPARABLE" in writing.plain(found, "en")
    assert "NO COMPARABLES" in writing.markdown(found, "es")
    assert "cpu: Zen 3 | Zen 4" in writing.markdown(found, "es")


def test_another_model_or_commit_is_no_reason_to_refuse_and_is_told() -> None:
    other = replace(drawn(2), environment={**ENV, "commit": "b" * 40})
    variants = other.variants.assign(fingerprint=["fp32" * 8, "int8-new"])
    found = compared(drawn(1), replace(other, tables={**other.tables, "variants": variants}))
    told = [str(one) for one in found.differences]
    assert "variant int8: int8int8int8int8int8int8int8int8 | int8-new" in told
    assert f"commit: — | {'b' * 12}" in told


# ---------------------------------------- the statistics, against other sources
def logs(values: list[float], items: list[str] | None = None) -> Logs:
    names = np.array(items or ["a"] * len(values), dtype=np.str_)
    return Logs(np.array(values), np.arange(len(values)), names)


def test_on_one_clip_the_interval_is_welchs_as_scipy_has_it() -> None:
    before, after = [1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 4.0, 6.0, 8.0, 10.0, 11.0]
    found = stats.unpaired_means(logs(after), logs(before))
    scipys = scipy_stats.ttest_ind(after, before, equal_var=False)
    bounds = scipys.confidence_interval(0.95)
    assert found.p == pytest.approx(scipys.pvalue)
    assert (found.low, found.high) == pytest.approx((bounds.low, bounds.high))


def test_a_run_that_had_the_slow_clip_more_often_is_not_slower() -> None:
    # clip b takes 1 more than clip a; the second run has b three times of four, and adds 0.1
    noise = [0.001, -0.001, 0.002, -0.002, 0.001, -0.001, 0.002, -0.002]
    one, other = list("aaabaaab"), list("abbbabbb")
    before = [n + (item == "b") for n, item in zip(noise, one, strict=True)]
    after = [n + 0.1 + (item == "b") for n, item in zip(noise, other, strict=True)]
    found = stats.unpaired_means(logs(after, other), logs(before, one))
    assert found.estimate == pytest.approx(0.1, abs=0.002)
    assert found.high < 0.11


def test_clips_of_one_run_only_are_left_out() -> None:
    one = logs([0.0, 0.1, 0.0, 0.1, 5.0], ["a", "b", "a", "b", "c"])
    other = logs([0.2, 0.3, 0.21, 0.3, 9.0], ["a", "b", "a", "b", "d"])
    # means by clip: a 0.205 - 0, b 0.3 - 0.1; the average of 0.205 and 0.2
    assert stats.unpaired_means(other, one).estimate == pytest.approx(0.2025)
    none = stats.unpaired_means(logs([1.0, 2.0], ["x", "y"]), one)
    assert none.why == "broken"


@pytest.mark.simulation
@pytest.mark.parametrize("rounds", [(9, 9), (7, 20)])
def test_the_unpaired_interval_covers_in_19_of_20(rounds: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)

    def run(n: int, shift: float) -> Logs:
        turns = np.arange(n)
        values = shift + rng.normal(0, 0.05, n) + 0.1 * (turns % 4)
        return Logs(values, turns, (turns % 4).astype(str))

    found = [stats.unpaired_means(run(rounds[1], 0.1), run(rounds[0], 0.0)) for _ in range(600)]
    covered = np.mean([one.low <= 0.1 <= one.high for one in found])
    assert 0.925 <= covered <= 0.98  # 95 %, Monte-Carlo error 0.9 %


def test_holm_as_worked_by_hand() -> None:
    # sorted 0.005 x 4, 0.01 x 3, 0.03 x 2, 0.04 x 1, each at least the one before; NaN not counted
    found = stats.holm([0.01, 0.04, math.nan, 0.03, 0.005])
    assert [found[i] for i in (0, 1, 3, 4)] == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert math.isnan(found[2])
    assert stats.holm([]) == []


def test_the_p_value_of_a_bound_is_5_per_cent_where_the_bound_touches_no_change() -> None:
    assert stats.p_of_bound(Interval(1.0, 0.0, 3.0, 20, 10, "x")) == pytest.approx(0.05)
    assert stats.p_of_bound(Interval(-1.0, -3.0, 0.0, 20, 10, "x")) == pytest.approx(0.05)
    # half the width: t = 2 x 2.262 with 9 degrees of freedom
    expected = 2 * scipy_stats.t.sf(2 * scipy_stats.t.ppf(0.975, 9), 9)
    assert stats.p_of_bound(Interval(1.0, 0.5, 3.0, 20, 10, "x")) == pytest.approx(expected)
    assert math.isnan(stats.p_of_bound(Interval(1.0, -math.inf, math.inf, 3, 3, "x")))


# ---------------------------------------- from disk, through the command line
def published(folder: Path, seed: int, **environment: Any) -> Path:
    """An invented run as `harness run` leaves it."""
    made = invented_run.build(folder, seed)
    known = {"data": {"cv-es-prompts": "ab" * 32, "silence": "cd" * 32}, "measuring": 2}
    result = replace(filed.changed(made, **known), environment={**made.environment, **environment})
    store.publish(result, "name: x\n")
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    base = tmp_path_factory.mktemp("reports")
    return published(base / "a", 1), published(base / "b", 2, commit="c" * 40)


@pytest.mark.slow
def test_the_command_prints_a_table_writes_markdown_and_ends_with_the_outcome(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "changes.md"
    code = cli.main(["compare", *map(str, folders), "--markdown", str(target)])
    printed = capsys.readouterr().out
    assert code == 0
    assert "Regressions: 0." in printed
    table = [line for line in printed.splitlines() if line.startswith(("Outcome", "undecided"))]
    starts = {line.index("  ") for line in table}
    assert len(table) > 10
    assert len(starts) <= 2  # aligned: "Outcome" is shorter than "undecided"
    text = target.read_text(encoding="utf-8")
    assert text.startswith("# Comparación de ")
    assert "| sin decidir | WER | `int8 · spin-stop` |" in text


def test_each_cell_of_both_runs_is_in_the_table_or_in_a_list(folders: tuple[Path, Path]) -> None:
    found = api.compare(*folders, CompareOptions(draws=500))
    text = writing.plain(found, "en", everything=True)
    lines = [line for line in text.splitlines() if "\xa0ms " in line or "\xa0MB " in line]
    timed = [row for row in found.rows if row.unit in ("ms", "MB") and row.before == row.before]
    assert len(lines) == len(timed)
    short = writing.plain(found, "en")
    assert "latency_p99_ms: too few independent samples for a bound" in short


def test_an_edited_table_is_refused_by_name(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edited = published(tmp_path / "edited", 3)
    path = edited / "variants.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("104300000", "94300000"), "utf-8")
    with pytest.raises(StoreError, match=r"variants\.csv"):
        api.compare(folders[0], edited)
    assert cli.main(["compare", str(folders[0]), str(edited)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_another_schema_is_refused_with_both_numbers(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = published(tmp_path / "old", 3)
    manifest = json.loads((old / "manifest.json").read_text(encoding="utf-8"))
    (old / "manifest.json").write_text(json.dumps({**manifest, "schema": 0}), "utf-8")
    assert cli.main(["compare", str(old), str(folders[1]), "--force"]) == 2
    assert f"schema 0, this version reads {tables.SCHEMA}" in capsys.readouterr().err


@pytest.mark.slow
def test_unlike_runs_end_with_2_and_one_line_and_with_force_they_are_marked(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = published(tmp_path / "other", 2, onnxruntime="1.23.0")
    assert cli.main(["compare", str(folders[0]), str(other)]) == 2
    said = capsys.readouterr().err
    assert "onnxruntime: 1.31.1 | 1.23.0" in said
    assert said.count("\n") == 1
    assert cli.main(["compare", str(folders[0]), str(other), "--force"]) == 0
    assert "NOT COMPARABLE" in capsys.readouterr().out


# ---------------------------------------- on what was really measured
def measured() -> tuple[Result, dict[str, NamedMetric]]:
    """The calls and variants of a run of Whisper base, kept as it was; scores by today's code."""
    stored = json.loads((MEASURED / "experiment.json").read_text(encoding="utf-8"))
    experiment = filed.experiment(stored)
    environment = json.loads((MEASURED / "environment.json").read_text(encoding="utf-8"))
    calls = pd.read_parquet(MEASURED / "calls.parquet").to_dict("records")
    variants = pd.read_csv(MEASURED / "variants.csv", keep_default_na=False).to_dict("records")
    data = {"calls": tables.frame("calls", calls), "variants": tables.frame("variants", variants)}
    data["judged"] = tables.frame("judged", [])
    locate = spec.locator(MEASURED / "experiment.yaml")
    data["scores"] = decision.scores(experiment, locate, data)
    metrics = {named.name: named for named in decision.metrics(experiment, locate)}
    return filed.result(MEASURED, stored, environment, {}, data), metrics


def test_a_real_run_compared_with_itself_has_changed_in_nothing_and_loses_no_row() -> None:
    run, metrics = measured()
    found = comparison.compare(run, run, metrics, CompareOptions(draws=1000))
    assert found.exit_code == 0
    assert not found.alone
    assert {row.outcome for row in found.rows} <= {"unchanged", "undecided", "steady"}
    timed = [row for row in found.rows if row.kind in ("time", "text") and not row.change.why]
    assert all(abs(row.change.estimate - row.nothing) < 1e-9 for row in timed)
    assert row_of(found, "wer").outcome == "unchanged"


def test_in_a_real_run_a_candidate_that_takes_half_as_long_again_is_a_regression() -> None:
    run, metrics = measured()
    calls = run.calls
    slow = (calls["variant"] == "int8") & (calls["stage"] == "latency")
    slower = calls.assign(seconds=calls["seconds"].where(~slow, calls["seconds"] * 1.5))
    locate = spec.locator(MEASURED / "experiment.yaml")
    scores = decision.scores(run.experiment, locate, {**run.tables, "calls": slower})
    after = replace(run, tables={**run.tables, "calls": slower, "scores": scores})
    found = comparison.compare(run, after, metrics, CompareOptions(draws=1000))
    worse = [row for row in found.rows if row.outcome == "regression"]
    at = {(row.place.metric, row.place.operation, row.place.workload) for row in worse}
    assert ("latency_p50_ms", "pipeline", "5 s") in at
    assert {row.place.variant for row in worse} == {"int8"}
    assert found.exit_code == 1
