"""From raw calls to scores, summary, changes and the choice of a session, on invented calls."""

from __future__ import annotations

import itertools
import math
from typing import Any

import jiwer
import numpy as np
import pandas as pd
import pytest

from harness import plugins
from harness.contracts import Metric
from harness.decide import resolution, scoring
from harness.decide.scoring.cells import cells
from harness.decide.scoring.summary import CELL
from harness.errors import PluginError
from harness.store import tables

METRICS = [
    plugins.find_metric(name)
    for name in ("latency_p50_ms", "latency_p99_ms", "wer", "rtf", "size_mb", "peak_memory_mb",
                 "load_ms")
]  # fmt: skip
WORDS = ["uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez"]
FACTOR = {"fp32": 1.0, "int8": 0.55, "spin": 0.85, "default": 1.0, "parallel": 1.0}


def call(stage: str, cell: tuple[str, str, int], **more: Any) -> dict[str, Any]:
    variant, session, replica = cell
    row = {"stage": stage, "variant": variant, "session": session, "replica": replica}
    row |= {"operation": "pipeline", "warm": True, "audio_seconds": 5.0, "rss_bytes": 3e8}
    return row | more


def timed(
    stage: str, cells: list[tuple[str, str, int]], rounds: int = 12, each: int = 3
) -> list[Any]:
    rng = np.random.default_rng(7)
    rows = [call(stage, c, operation="load", warm=False, audio_seconds=math.nan, round=-1,
                 block=-1, seconds=1.5) for c in cells]  # fmt: skip
    for turn in range(rounds):
        drift = rng.lognormal(0, 0.05)
        for cell in cells:
            for order in range(each):
                spent = 0.4 * drift * FACTOR[cell[0]] * FACTOR[cell[1]] * rng.lognormal(0, 0.01)
                rows.append(call(stage, cell, round=turn, block=turn, order=order, seconds=spent))
    return rows


def spoken(n: int = 60, speakers: int = 1) -> list[dict[str, Any]]:
    rng = np.random.default_rng(3)
    rows = []
    for i in range(n):
        reference = " ".join(rng.choice(WORDS, 6))
        for cell, wrong in ((("fp32", "default", 0), 0.1), (("int8", "spin", 0), 0.12)):
            said = " ".join(w if rng.random() > wrong else "nada" for w in reference.split())
            rows.append(
                call("quality", cell, dataset="cv", item=f"c{i}", speaker=f"s{i % speakers}",
                     sentence=reference, text=said.upper(), reference=reference, round=i, block=i,
                     audio_seconds=3.0, seconds=0.1 * rng.lognormal(0, 0.1))
            )  # fmt: skip
    return rows


BASE, TWIN = ("fp32", "default", 0), ("fp32", "default", 1)
LATENCY = timed("latency", [BASE, TWIN, ("int8", "default", 0), ("int8", "spin", 0)])
SWEEP = timed("sweep", [BASE, TWIN, *(("int8", s, 0) for s in ("default", "spin", "parallel"))])
VARIANTS = tables.frame(
    "variants",
    [
        {"variant": "fp32", "size_bytes": 290_000_000},
        {"variant": "int8", "size_bytes": 100_000_000},
    ],
)
OPTIONS = {"default": {}, "spin": {"name": "spin", "stop": "1"}, "parallel": {}}


def scored(rows: list[dict[str, Any]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    calls = tables.frame("calls", rows)
    return calls, scoring.scores(calls, METRICS, str.lower)


def only(data: pd.DataFrame, **equal: Any) -> pd.DataFrame:
    for name, value in equal.items():
        data = data[data[name] == value]
    return data


# ------------------------------------------------------------------------------------------ scores
def test_scores_are_a_row_per_call_and_metric_in_the_columns_of_the_table():
    calls, scores = scored(LATENCY + spoken())
    pd.testing.assert_frame_equal(tables.check("scores", scores), scores)
    assert len(only(scores, metric="latency_p50_ms")) == calls["warm"].sum()
    assert set(only(scores, metric="wer")["workload"]) == {"cv"}  # needs a reference
    assert set(only(scores, metric="rtf", stage="latency")["workload"]) == {"5 s"}
    assert set(only(scores, metric="load_ms")["operation"]) == {"load"}


def test_warm_up_calls_and_failed_calls_are_not_scored():
    rows = [
        call("latency", BASE, seconds=0.4),
        call("latency", BASE, seconds=9.0, warm=False),
        call("latency", BASE, seconds=9.0, error="crashed"),
        call("latency", BASE, seconds=9.0, warm=False, operation="first_call"),
    ]
    _, scores = scored(rows)
    assert only(scores, metric="latency_p50_ms")["value"].tolist() == [400.0]


def test_a_clock_that_goes_backwards_makes_its_cell_unknown():
    rows = [call("latency", BASE, seconds=s, round=i) for i, s in enumerate([0.4, -0.1, 0.5])]
    calls, scores = scored(rows)
    row = only(scoring.summary(scores, calls, VARIANTS, METRICS), metric="latency_p50_ms").iloc[0]
    assert np.isnan([row["value"], row["low"], row["high"]]).all()


def test_pooled_wer_is_that_of_jiwer_over_the_corpus():
    rows = spoken()
    calls, scores = scored(rows)
    summary = scoring.summary(scores, calls, VARIANTS, METRICS)
    for variant in ("fp32", "int8"):
        mine = [r for r in rows if r["variant"] == variant]
        expected = jiwer.wer([r["reference"] for r in mine], [r["text"].lower() for r in mine])
        found = only(summary, metric="wer", variant=variant).iloc[0]
        assert found["value"] == pytest.approx(expected, abs=0)
        assert found["low"] < expected < found["high"]


def test_wer_is_a_ratio_of_sums_and_an_empty_reference_counts_its_insertions():
    """Four words said into silence, and 1 wrong of 9: 5 / 9; the mean of the rates has no value."""
    said = {
        "silence": ("", "sigue la misma frase"),
        "speech": ("a b c d e f g h i", "a b c d e f g h x"),
    }
    rows = [
        call("quality", cell, dataset="cv", item=item, reference=reference, text=text)
        for item, (reference, text) in said.items()
        for cell, text in ((BASE, reference), (("int8", "spin", 0), text))
    ]  # fmt: skip
    calls, scores = scored(rows)
    wer = only(scoring.summary(scores, calls, VARIANTS, METRICS), metric="wer")
    assert only(wer, variant="int8")["value"].tolist() == [5 / 9]
    assert only(wer, variant="fp32")["value"].tolist() == [0.0]
    change = only(scoring.changes(scores, VARIANTS, METRICS, "fp32"), metric="wer").iloc[0]
    assert (change["delta"], change["n"]) == (5 / 9, 2)
    changed = scoring.changed(calls, scores, "fp32")
    assert changed["variant_edits"].tolist() == [4, 1]
    assert changed["words"].tolist() == [0, 9]


def test_each_data_set_may_have_its_own_normaliser():
    calls = tables.frame("calls", spoken(4))
    scores = scoring.scores(calls, METRICS, {"cv": lambda text: "igual"})
    assert only(scores, metric="wer")["value"].sum() == 0


# ----------------------------------------------------------------------------------------- summary
def test_summary_counts_errors_also_of_cells_that_never_worked():
    dead = [call("latency", ("qdq", "default", 0), error="killed", audio_seconds=5.0)] * 2
    calls, scores = scored([*LATENCY, *dead, call("latency", BASE, error="once")])
    summary = scoring.summary(scores, calls, VARIANTS, METRICS)
    gone = only(summary, variant="qdq").iloc[0]
    assert (gone["errors"], gone["n"]) == (2, 0)
    assert np.isnan(gone["value"])
    row = only(summary, stage="latency", variant="fp32", replica=0, metric="latency_p50_ms").iloc[0]
    assert (row["errors"], row["n"]) == (1, 36)


def test_a_size_is_exact_and_unknown_where_the_variant_could_not_be_made():
    failed = tables.frame("variants", [{"variant": "qdq", "size_bytes": 0, "error": "no nodes"}])
    calls, scores = scored(LATENCY)
    rows = pd.concat([VARIANTS, failed], ignore_index=True)
    sizes = only(scoring.summary(scores, calls, rows, METRICS), metric="size_mb")
    assert sizes["low"].tolist()[:2] == sizes["high"].tolist()[:2] == [290.0, 100.0]
    assert np.isnan(sizes["value"].iloc[2])


def own_metric(**how: Any) -> plugins.NamedMetric:
    return plugins.NamedMetric("./own.py", Metric(unit="", better="lower", **how), 0.5)


@pytest.mark.parametrize(
    "given",
    [None, 1.0, "wer", (), (1.0,), (1.0, 2.0, 3.0), ("a", 1.0), (1j, 1.0),
     (10**400, 1), ([1.0, 2.0], 1.0)],
    ids=lambda given: repr(given)[:20],
)  # fmt: skip
def test_a_metric_of_ones_own_that_gives_no_pair_of_numbers_is_told_by_its_name(given: Any):
    numbers = itertools.count()
    own = own_metric(measure=lambda _: given if next(numbers) == 3 else (1.0, 1.0))
    with pytest.raises(PluginError, match=r"^\./own\.py: `measure` gave .* \(value, weight\)\.$"):
        scoring.scores(tables.frame("calls", LATENCY), [own], str.lower)


def test_a_pair_of_one_call_never_becomes_that_of_the_next():
    given = iter([(1.0,), (2.0, 3.0, 4.0)] * 500)  # as many numbers as two for each
    own = own_metric(measure=lambda _: next(given))
    with pytest.raises(PluginError, match=r"gave \(1.0,\) for a call"):
        scoring.scores(tables.frame("calls", LATENCY), [own], str.lower)


@pytest.mark.parametrize("given", [None, "a", 1j, [1.0, 2.0]])
def test_a_figure_of_a_variant_that_is_no_number_is_told_by_its_name(given: Any):
    own = own_metric(of_variant=lambda _: given)
    calls = tables.frame("calls", LATENCY)
    scores = scoring.scores(calls, [own], str.lower)
    with pytest.raises(PluginError, match=r"^\./own\.py: `of_variant` gave .* 'fp32'"):
        scoring.summary(scores, calls, VARIANTS, [own])


def test_the_order_of_the_calls_does_not_matter():
    rows = LATENCY + spoken()
    mixed = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
    keys = [*CELL, "metric"]
    one, two = (
        scoring.summary(scores, calls, VARIANTS, METRICS).sort_values(keys, ignore_index=True)
        for calls, scores in (scored(rows), scored(mixed))
    )
    pd.testing.assert_frame_equal(one, two)


# ----------------------------------------------------------------------------------------- changes
def test_changes_are_paired_and_the_twin_sets_what_is_resolved():
    _, scores = scored(LATENCY + SWEEP + spoken())
    changes = scoring.changes(scores, VARIANTS, METRICS, "fp32")
    median = only(changes, metric="latency_p50_ms", stage="latency")
    faster = only(median, session="spin").iloc[0]
    assert faster["ratio_low"] < 0.55 * 0.85 < faster["ratio_high"]
    assert faster["ratio_high"] - faster["ratio_low"] < 0.03  # drift of 5 % a round is gone
    assert faster["resolved"]
    twin = only(median, variant="fp32").iloc[0]
    assert not twin["resolved"]
    reach = resolution.reaches(changes)["latency", "pipeline", "5 s", "latency_p50_ms"]
    assert reach == max(abs(twin["ratio_low"] - 1), abs(twin["ratio_high"] - 1))
    assert set(changes["stage"]) == {"latency", "quality", ""}


def test_wer_changes_are_paired_by_item_and_clustered_by_speaker_where_there_are_some():
    many = scoring.changes(scored(spoken(60, 20))[1], VARIANTS, METRICS, "fp32")
    one = scoring.changes(scored(spoken(60, 1))[1], VARIANTS, METRICS, "fp32")
    rows = [only(changes, metric="wer").iloc[0] for changes in (many, one)]
    assert [row["method"].split()[-1] for row in rows] == ["speaker", "sentence"]
    assert rows[0]["n"] == 60
    assert rows[0]["delta"] == rows[1]["delta"]
    assert rows[0]["delta_low"] < rows[0]["delta"] < rows[0]["delta_high"]


def test_utterances_that_only_one_variant_has_are_left_out_of_the_change():
    rows = spoken(30)
    ours = [r for r in rows if not (r["variant"] == "int8" and r["item"] in ("c1", "c2"))]
    changes = scoring.changes(scored(ours)[1], VARIANTS, METRICS, "fp32")
    both = [r for r in rows if r["item"] not in ("c1", "c2")]
    assert only(changes, metric="wer").iloc[0]["n"] == 28
    expected = only(scoring.changes(scored(both)[1], VARIANTS, METRICS, "fp32"), metric="wer")
    assert only(changes, metric="wer").iloc[0]["delta"] == expected.iloc[0]["delta"]


def test_without_a_twin_nothing_is_resolved():
    _, scores = scored([row for row in LATENCY if row["replica"] == 0])
    changes = scoring.changes(scores, VARIANTS, METRICS, "fp32")
    assert not only(changes, stage="latency")["resolved"].any()


def test_changed_holds_the_transcripts_that_differ_once_normalised():
    rows = spoken(20)
    calls, scores = scored(rows)
    changed = scoring.changed(scoring.heard(calls, str.lower), scores, "fp32")
    said = {(r["variant"], r["item"]): r["text"].lower() for r in rows}
    expected = [f"c{i}" for i in range(20) if said["fp32", f"c{i}"] != said["int8", f"c{i}"]]
    assert sorted(changed["item"]) == sorted(expected)
    row = changed.iloc[0]
    assert row["words"] == 6
    assert row["baseline_edits"] == row["baseline_text"].split().count("nada")


def clips(stage: str, cells: dict[tuple[str, str, int], int], rounds: int = 12) -> list[Any]:
    """Blocks of so many calls that begin at the round's clip: .5, .5, .52 and .8 s in all cells."""
    rng = np.random.default_rng(2)
    spent = (0.5, 0.5, 0.52, 0.8)
    return [
        call(stage, cell, round=i, block=i, order=k, item=f"c{(i + k) % 4}",
             seconds=spent[(i + k) % 4] * rng.lognormal(0, 0.002))
        for i in range(rounds) for cell, each in cells.items() for k in range(each)
    ]  # fmt: skip


def test_equal_systems_with_unequal_blocks_have_equal_times():
    cells = {BASE: 16, TWIN: 3, ("int8", "default", 0): 1, ("int8", "spin", 0): 2}
    rows = clips("latency", cells)
    metrics = [*METRICS, plugins.find_metric("latency_p90_ms")]
    scores = scoring.scores(tables.frame("calls", rows), metrics, str.lower)
    changes = scoring.changes(scores, VARIANTS, metrics, "fp32")
    for metric in ("latency_p50_ms", "latency_p90_ms", "rtf"):
        ratios = only(changes, metric=metric, stage="latency")["ratio"].tolist()
        assert ratios == pytest.approx([1, 1, 1], abs=0.01), metric
    reach = resolution.reaches(changes)["latency", "pipeline", "5 s", "latency_p50_ms"]
    assert reach < 0.01
    calls = tables.frame("calls", clips("sweep", cells) + rows)
    sessions = scoring.sweep(calls, OPTIONS)
    assert only(sessions, session="spin")["ratio"].tolist() == pytest.approx([1], abs=0.01)
    again = scoring.confirm(sessions.assign(chosen=sessions["session"] == "spin"), calls)
    assert only(again, session="spin")["confirmed"].tolist() == pytest.approx([1], abs=0.01)


def test_cold_calls_of_the_quality_stage_are_no_utterances():
    rows = spoken(20)
    cold = [
        r | {"operation": name, "warm": False, "text": "otra cosa", "seconds": 9.0}
        for r in rows if r["item"] in ("c0", "c7") for name in ("load", "first_call")
    ]  # fmt: skip
    calls, scores = scored([*cold, *rows])
    plain, plain_scores = scored(rows)
    for metric in ("wer", "rtf"):
        pd.testing.assert_frame_equal(
            only(scores, metric=metric).reset_index(drop=True),
            only(plain_scores, metric=metric).reset_index(drop=True),
        )
    pd.testing.assert_frame_equal(
        scoring.changed(scoring.heard(calls, str.lower), scores, "fp32"),
        scoring.changed(scoring.heard(plain, str.lower), plain_scores, "fp32"),
    )
    summary = scoring.summary(scores, calls, VARIANTS, METRICS)
    assert set(only(summary, metric="load_ms")["n"]) == {2}
    assert not scoring.changes(scores, VARIANTS, METRICS, "fp32").empty


# ---------------------------------------------------------------------------------------- sessions
def test_the_sweep_chooses_a_session_that_is_faster_beyond_the_twin_and_confirms_it_afresh():
    sessions = scoring.sweep(tables.frame("calls", SWEEP), OPTIONS)
    assert scoring.chosen(sessions, "int8") == "spin"
    assert scoring.chosen(sessions, "fp32") == "default"
    spin = only(sessions, variant="int8", session="spin").iloc[0]
    assert spin["options"] == '{"stop": "1"}'
    assert np.isnan(spin["confirmed"])
    again = scoring.confirm(sessions, tables.frame("calls", LATENCY))
    spin = only(again, variant="int8", session="spin").iloc[0]
    assert spin["confirmed_low"] < spin["confirmed"] < spin["confirmed_high"] < 0.9
    assert spin["confirmed"] == pytest.approx(0.85, abs=0.01)
    assert again["confirmed"].notna().sum() == 1


def test_a_sweep_in_which_nothing_differs_keeps_the_default():
    rows = [r | {"seconds": r["seconds"] / FACTOR[r["session"]]} for r in SWEEP]
    sessions = scoring.sweep(tables.frame("calls", rows), OPTIONS)
    assert scoring.chosen(sessions, "int8") == "default"
    other = only(sessions, variant="int8", session="parallel").iloc[0]
    assert other["reason"] == "cannot be told apart from the default"


def test_a_sweep_without_a_twin_or_with_crashes_chooses_nothing():
    alone = [r for r in SWEEP if r["replica"] == 0]
    assert scoring.chosen(scoring.sweep(tables.frame("calls", alone), OPTIONS), "int8") == "default"
    crash = call("sweep", ("int8", "spin", 0), error="killed (signal 9)")
    sessions = scoring.sweep(tables.frame("calls", [*SWEEP, crash]), OPTIONS)
    assert scoring.chosen(sessions, "int8") == "default"
    assert only(sessions, session="spin")["error"].tolist() == ["killed (signal 9)"]


def test_the_first_of_equally_fast_sessions_is_chosen():
    equal = {"default": {}, "parallel": {}, "spin": {}}
    rows = [
        r | {"seconds": r["seconds"] * (0.85 if r["session"] == "parallel" else 1)} for r in SWEEP
    ]
    sessions = scoring.sweep(tables.frame("calls", rows), equal)
    assert scoring.chosen(sessions, "int8") == "parallel"


def test_a_gain_that_is_gone_when_measured_again_does_not_hold():
    sessions = scoring.sweep(tables.frame("calls", SWEEP), OPTIONS)
    flat = [r | {"seconds": r["seconds"] / FACTOR[r["session"]]} for r in LATENCY]
    for rows, held, said in (
        (LATENCY, True, "held when measured again"),
        (flat, False, "did not hold when measured again"),
        ([r for r in LATENCY if r["replica"] == 0], False, "did not hold when measured again"),
        ([], False, "was not measured again"),
    ):
        again = scoring.confirm(sessions, tables.frame("calls", rows))
        spin = only(again, variant="int8", session="spin").iloc[0]
        assert spin["holds"] == held
        assert spin["reason"] == f"fastest; {said}"
        assert spin["chosen"]  # it is what was measured, and the verdict is about it
        pd.testing.assert_frame_equal(scoring.confirm(again, tables.frame("calls", rows)), again)


def test_a_gain_is_confirmed_at_the_length_of_the_sweep_and_not_where_it_looks_best():
    sessions = scoring.sweep(tables.frame("calls", SWEEP), OPTIONS)
    flatter = [
        r | {"audio_seconds": 1.0, "seconds": r["seconds"] * (0.5 if r["session"] == "spin" else 1)}
        for r in LATENCY
    ]
    calls = tables.frame("calls", [*SWEEP, *flatter, *LATENCY])
    again = scoring.confirm(sessions, calls)
    assert only(again, session="spin")["confirmed"].tolist() == pytest.approx([0.85], abs=0.01)


def contest(seed: int, factors: dict[str, float], rounds: int = 8) -> pd.DataFrame:
    """A sweep whose sessions take `factors` of the default's time; noise of 4 % a call."""
    rng = np.random.default_rng(seed)
    cells = {("int8", name, 0): factor for name, factor in factors.items()}
    cells[("int8", "default", 1)] = 1.0
    rows = [
        call("sweep", cell, round=turn, block=turn,
             seconds=0.1 * drift * factor * rng.lognormal(0, 0.04))
        for turn in range(rounds) for drift in [rng.lognormal(0, 0.05)]
        for cell, factor in cells.items()
    ]  # fmt: skip
    return tables.frame("calls", rows)


EQUAL = {"default": 1.0, **{f"s{i}": 1.0 for i in range(16)}}


def test_the_best_of_sixteen_equal_sessions_is_seldom_called_faster():
    """At most 2.5 % of sweeps by the simultaneous bounds: over 2 of 25 has a chance of 2 %."""
    options = {name: {} for name in EQUAL}
    named = [scoring.chosen(scoring.sweep(contest(i, EQUAL), options), "int8") for i in range(25)]
    assert sum(name != "default" for name in named) <= 2


def test_sweeps_of_the_same_sessions_name_the_same_winner():
    factors = {**EQUAL, "s3": 0.8, "s7": 0.7, "s9": 0.7, "s12": 1.5}
    options = {name: {} for name in factors}
    named = {scoring.chosen(scoring.sweep(contest(i, factors), options), "int8") for i in range(8)}
    assert named == {"s7"}


def test_other_operations_can_be_swept():
    calls = contest(1, {"default": 1.0, "fast": 0.7}).assign(operation="encoder")
    sessions = scoring.sweep(calls, {"default": {}, "fast": {}}, "encoder")
    assert scoring.chosen(sessions, "int8") == "fast"
    again = scoring.confirm(sessions, calls.assign(stage="latency"), "encoder")
    assert only(again, session="fast")["holds"].all()
    mine = calls[calls["variant"] == "int8"]
    assert scoring.ratios_so_far(mine, ["fast"], "encoder")["fast"] == pytest.approx(0.7, rel=0.05)


def test_no_calls_give_empty_tables():
    calls, scores = scored([])
    assert scores.empty
    assert scoring.summary(scores, calls, tables.frame("variants", []), METRICS).empty
    assert scoring.changes(scores, tables.frame("variants", []), METRICS, "fp32").empty
    assert scoring.changed(scoring.heard(calls, str.lower), scores, "fp32").empty
    assert scoring.sweep(calls, OPTIONS).empty


# --------------------------------------------------------------------------------------- benchmark
def test_scoring_many_utterances(benchmark: Any) -> None:
    """100,000 utterances in `make bench`; a few hundred where benchmarks are off."""
    rows = spoken(50_000 if benchmark.enabled else 200)
    calls = tables.frame("calls", rows)
    scores = benchmark.pedantic(
        scoring.scores, args=(calls, METRICS, str.lower), rounds=1, iterations=1
    )
    assert len(only(scores, metric="wer")) == len(rows)


def both_forms() -> scoring.Scored:
    calls = tables.frame("calls", [*timed("latency", [("fp32", "default", 0)]), *spoken()])
    return scoring.scored(calls, METRICS, calls, tables.frame("judged", []))


def test_scores_as_categories_are_the_same_rows() -> None:
    found = both_forms()
    texts = [name for name, kind in tables.TABLES["scores"].items() if kind == tables.TEXT]
    assert all(isinstance(found.coded[n].dtype, pd.CategoricalDtype) for n in texts)
    assert all(found.coded[n].cat.categories.is_monotonic_increasing for n in texts)
    pd.testing.assert_frame_equal(tables.check("scores", found.coded), found.table)
    kept = found.only((found.table["metric"] == "wer").to_numpy())
    pd.testing.assert_frame_equal(tables.check("scores", kept.coded), kept.table)
    assert set(kept.table["metric"]) == {"wer"}


def test_cells_are_groups_in_the_order_of_their_first_rows() -> None:
    found, by = both_forms(), ["workload", "metric", "variant", "replica"]
    mixed = np.random.default_rng(5).permutation(len(found.table))
    table, coded = (form.iloc[mixed] for form in (found.table, found.coded))
    groups = list(table.groupby(by, sort=False))
    for form in (table, coded):
        own = list(cells(form, by))
        assert [key for key, _ in own] == [key for key, _ in groups]
        for (_, mine), (_, group) in zip(own, groups, strict=True):
            assert mine.index.tolist() == group.index.tolist()
    assert list(cells(table[:0], by)) == []
