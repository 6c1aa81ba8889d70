"""What a report may say of alternatives, gaps, noise and what was cut short."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import filed
import invented_run
import pandas as pd
import pytest

from harness import plugins
from harness.contracts import Result
from harness.decide import resolution, versus
from harness.decide.resolution import Resolution
from harness.report import document, shortfall
from harness.store import queries, tables


@pytest.fixture(scope="module")
def result() -> Result:
    return invented_run.build()


def having(result: Result, **changed: pd.DataFrame) -> Result:
    return invented_run.paired(replace(result, tables={**result.tables, **changed}))


def asking(result: Result, **changed: Any) -> Result:
    return filed.changed(result, **changed)


def said(name: str, result: Result, language: str = "en") -> str:
    return str(plugins.load("sections", name).render(result, language))


def broken(result: Result, error: str) -> Result:
    table = result.variants.copy()
    table.loc[table["variant"] == "int8-qdq", "error"] = error
    return having(result, variants=table)


NOTHING_DONE = "x.onnx: nothing was quantized: asked for MatMul; the graph has 270 Add."


# ---------------------------------------- differences
@pytest.mark.parametrize(
    ("change", "nothing", "reach", "reads"),
    [
        ((0.5, 0.4, 0.6), 1.0, 0.0, "less"),
        ((1.5, 1.4, 1.6), 1.0, 0.0, "more"),
        ((0.9, 0.8, 1.0), 1.0, 0.0, "same"),  # the interval holds 1
        ((0.95, 0.93, 0.97), 1.0, 0.06, "same"),  # inside the A/A band
        ((0.1, -math.inf, math.inf), 1.0, 0.0, "unknown"),
        ((0.1, math.nan, math.nan), 1.0, 0.0, "unknown"),
        ((3.0, 2.0, math.inf), 1.0, 0.0, "more"),  # bounded where it matters
        ((-0.02, -0.03, -0.01), 0.0, 0.0, "less"),
    ],
)
def test_a_difference_is_told_only_beyond_its_interval_and_the_twin(
    change: tuple[float, float, float], nothing: float, reach: float, reads: str
) -> None:
    assert Resolution(reach, nothing).side(change) == reads
    assert Resolution(reach, nothing).apart(change) == (reads in ("less", "more"))


@pytest.mark.parametrize("reach", [math.nan, math.inf])
@pytest.mark.parametrize("change", [(0.2, 0.1, 0.3), (5.0, 4.0, 6.0), (1.0, 1.0, 1.0)])
def test_without_a_twin_no_time_is_told_apart(
    change: tuple[float, float, float], reach: float
) -> None:
    assert Resolution(reach).side(change) == "same"
    assert Resolution(reach).whole(*change[1:]) == "same"


@pytest.mark.parametrize(
    ("low", "high", "reads"),
    [(1.03, 1.2, "more"), (1.01, 1.2, "same"), (0.7, 0.97, "less"), (0.7, 0.99, "same")],
)
def test_where_runs_are_compared_the_whole_interval_lies_beyond_the_twin(
    low: float, high: float, reads: str
) -> None:
    assert Resolution(0.02).whole(low, high) == reads
    assert Resolution(0.02).side(((low + high) / 2, low, high)) in ("more", "less")


@pytest.mark.parametrize(
    ("low", "high", "reach"),
    [
        (0.98, 1.01, 0.02),
        (0.99, 1.05, 0.05),
        (math.nan, math.nan, math.inf),
        (-math.inf, 2, math.inf),
    ],
)
def test_a_twin_reaches_as_far_as_the_further_end_of_its_interval(
    low: float, high: float, reach: float
) -> None:
    assert resolution.reach_of(low, high) == pytest.approx(reach)


def test_another_variant_is_compared_with_the_candidate_itself(result: Result) -> None:
    found = versus.compared(result, queries.Line("int8-qdq", "default", "variant"))
    reads = {one.measure.metric: one.reads for one in found}
    # 0.56 of FP32 in the default session against 0.575 * 0.88, and 42 % of words misheard
    assert reads["latency_p50_ms"] == "worse"
    assert reads["wer"] == "worse"
    words = next(one for one in found if one.measure.metric == "wer")
    assert words.difference
    assert words.change[2] < 0  # candidate minus the other


def test_sizes_that_are_about_equal_are_no_reason(result: Result) -> None:
    found = versus.compared(result, queries.Line("int8-qdq", "default", "variant"))
    assert "size_mb" not in {one.measure.metric for one in found}  # 104.3 and 106.9 MB
    found = versus.compared(result, queries.Line("fp32", "default", "baseline"))
    assert {one.measure.metric: one.reads for one in found}["size_mb"] == "worse"


@pytest.mark.parametrize("verdict", ["REJECTED", "INSUFFICIENT EVIDENCE"])
def test_without_approval_the_baseline_stays_and_no_reason_is_given(
    result: Result, verdict: str
) -> None:
    run = replace(result, verdict={**result.verdict, "verdict": verdict})
    assert "so `fp32` stays" in said("alternatives", run)
    assert "así que `fp32` se queda" in said("alternatives", run, "es")
    assert "stays" not in said("alternatives", result)


def test_what_an_alternative_is_better_in_stands_apart_with_its_figure(result: Result) -> None:
    changes = result.changes.copy()
    mine = (changes["variant"] == "int8") & (changes["metric"] == "latency_p50_ms")
    changes.loc[mine, ["ratio", "ratio_low", "ratio_high"]] = [3.06, 2.19, 3.65]
    table = said("alternatives", having(result, changes=changes))
    row = next(line for line in table.splitlines() if line.startswith("| `fp32`"))
    _, _, worse, better, same, _ = (cell.strip() for cell in row.split("|"))
    assert "3.06× [2.19, 3.65]" in better
    assert "Size 290" in worse
    assert "P50" not in worse + same


def test_a_difference_inside_noise_is_no_reason(result: Result) -> None:
    row = next(
        line for line in said("alternatives", result).splitlines() if line.startswith("| `fp32`")
    )
    worse, better, same = row.split("|")[2:5]
    assert "WER" in same  # +0.7 pp [-0.5, 1.9]
    assert "WER" not in worse + better


# ---------------------------------------- a gap without an interval
def gap(result: Result, low: float, high: float) -> Result:
    changes, calls = result.changes.copy(), result.calls
    mine = (changes["variant"] == "int8") & (changes["metric"] == "latency_p50_ms")
    changes.loc[mine, ["ratio", "ratio_low", "ratio_high"]] = [0.099, low, high]
    changes.loc[mine, "resolved"] = False
    return having(result, changes=changes, calls=calls[calls["replica"] == 0])


def test_a_gap_without_an_interval_is_not_called_noise(result: Result) -> None:
    text = said("evolution", gap(result, -math.inf, math.inf), "es")
    assert "(sin intervalo: faltan muestras)" in text
    assert "ruido" not in text


def test_without_a_twin_the_interval_alone_tells_noise(result: Result) -> None:
    assert "noise" not in said("evolution", gap(result, 0.08, 0.12))
    assert "today's noise" in said("evolution", gap(result, 0.08, 1.2))


def test_nothing_over_nothing_is_no_number_of_times(result: Result) -> None:
    """What takes a time's place may be a metric of one's own, and that may be 0 in each call."""
    summary = result.summary.copy()
    summary.loc[summary["metric"] == "latency_p50_ms", ["value", "low", "high"]] = 0.0
    text = said("evolution", having(result, summary=summary))
    assert "0\u00a0ms → 0\u00a0ms" in text
    assert "nan" not in text


# ---------------------------------------- variants that could not be made
@pytest.mark.parametrize(
    ("error", "clause"),
    [
        (NOTHING_DONE, "nothing was quantized"),
        ("the child process ended with signal 9", "the child process ended with signal 9"),
        ("nothing here: why.", "nothing here"),
    ],
)
def test_the_first_clause_of_an_error_names_no_file(error: str, clause: str) -> None:
    assert versus.clause(error) == clause


def test_a_variant_that_could_not_be_made_says_so_at_once_and_was_not_measured(
    result: Result,
) -> None:
    run = broken(result, NOTHING_DONE)
    assert "- `int8-qdq` could not be made: nothing was quantized." in said("result", run)
    row = next(line for line in said("evolution", run).splitlines() if "int8-qdq |" in line)
    assert row.endswith("| could not be made: nothing was quantized |")


# ---------------------------------------- what was cut short, and noise
def test_rounds_that_the_budget_cut_are_told_and_not_called_all(result: Result) -> None:
    latency = {**filed.data_of(result)["latency"], "rounds": 30, "sweep_rounds": 20}
    run = asking(result, latency=latency)
    line = "20 of 30 rounds of latency. The budget (10\xa0min) held no more"
    assert line in shortfall.told(run, "en")
    assert line in said("result", run)
    assert line in said("errors", run)
    nothing = having(run, calls=run.calls[run.calls["error"] == ""])
    assert "Todo lo planeado" not in said("errors", nothing, "es")
    assert shortfall.told(result, "en") == ""


def test_what_was_decided_early_is_not_cut_short(result: Result) -> None:
    latency = {**filed.data_of(result)["latency"], "rounds": 30}
    run = asking(having(result, stops=result.stops.assign(why="decided")), latency=latency)
    assert shortfall.told(run, "en") == ""


def test_utterances_that_the_budget_cut_are_told(result: Result) -> None:
    stop = {"stage": "quality", "variant": "int8", "session": "default", "operation": "pipeline"}
    stop |= {"workload": "cv-es-prompts", "done": 40, "why": "budget"}
    stops = pd.concat([result.stops, tables.frame("stops", [stop])], ignore_index=True)
    told = shortfall.told(having(result, stops=stops), "es")
    assert "40 de 100 frases de `cv-es-prompts`" in told


@pytest.mark.parametrize(("load", "busy"), [(9.0, True), (0.1, False)])
def test_a_busy_machine_is_told_on_the_first_screen(
    result: Result, load: float, busy: bool
) -> None:
    run = having(result, calls=result.calls.assign(load=load, steal=0.0))
    text = said("result", run, "es")
    assert ("Equipo ocupado: 560 de 560 bloques de latencia (100,0\xa0%)" in text) == busy
    assert ("(#ruido-de-la-medida)" in text) == busy


# ---------------------------------------- configuration and headings
def only_default(result: Result) -> Result:
    sessions = result.sessions[result.sessions["session"] == "default"].assign(chosen=True)
    return replace(
        having(result, sessions=sessions), verdict={**result.verdict, "session": "default"}
    )


def test_no_sweep_is_told_where_only_the_default_session_ran(result: Result) -> None:
    run = only_default(result)
    assert said("sessions", run) == ""
    assert "no other was tried" in said("best_configuration", run)


@pytest.mark.parametrize(
    ("verdict", "heading"),
    [
        ("APPROVED WITH WAIVERS", "## Configuración elegida"),
        ("REJECTED", "## Configuración medida"),
        ("INSUFFICIENT EVIDENCE", "## Configuración medida"),
    ],
)
def test_only_what_was_approved_is_headed_as_a_choice(
    result: Result, verdict: str, heading: str
) -> None:
    run = replace(result, verdict={**result.verdict, "verdict": verdict})
    asked = {"language": "es", "sections": ["best_configuration"]}
    assert f"\n{heading}\n" in document.render(asking(run, report=asked), "es")


def test_a_description_stands_under_the_heading_and_a_dirty_tree_is_marked(result: Result) -> None:
    run = asking(result, description="Does it *pay*?", report={"sections": ["verdict"]})
    run = replace(run, environment={**run.environment, "dirty": True})
    lines = document.render(run, "en").splitlines()
    assert lines[2] == r"Does it \*pay\*?"
    assert lines[4].endswith(" a1c87e5d36+")


def test_the_files_measured_are_named_with_their_hash(result: Result) -> None:
    text = said("best_configuration", result)
    assert "`encoder.onnx`, 31.3 MB. SHA-256 `int8-0011`" in text.replace("\xa0", " ")


def test_a_system_is_no_quantized_baseline(result: Result) -> None:
    table = result.variants.copy()
    mine = table["variant"] == "int8-qdq"
    table.loc[mine, "files"] = '{"fast/encoder.onnx": 1, "slow/encoder.onnx": 1}'
    table.loc[mine, "size_bytes"] = 400_000_000
    text = said("validated", having(result, variants=table))
    assert "`int8-qdq` is another model or a system of several, not `fp32` quantized" in text
    assert "(+37.7%)" in text  # 400 / 290.4
    assert "Quantization `static_qdq`: `int8-qdq`" not in text


def test_each_part_of_a_system_is_named_with_its_voice(result: Result) -> None:
    parts = {
        "recogniser": {"family": "whisper", "source": {"asset": "whisper-base"}, "language": "es"},
        "synthesiser": {"family": "kokoro", "source": {"asset": "kokoro"}, "voice": "ef_dora"},
    }
    run = asking(result, model={"family": "turn", "parts": parts}, variants=[{"name": "fp32"}])
    text = said("validated", run)
    assert "- `fp32.recogniser`: `whisper` · `whisper-base` · `language es`." in text
    assert "- `fp32.synthesiser`: `kokoro` · `kokoro` · `voice ef_dora`." in text


def test_a_row_of_cold_figures_says_the_longest_audio_that_it_heard(result: Result) -> None:
    rows = said("cold", result).replace("\xa0", " ").splitlines()
    longest = {
        row.split("|")[1].strip(): row.split("|")[-2].strip() for row in rows if "ms |" in row
    }
    assert longest["int8"] == "5 s"
    assert longest["int8 · spin-stop"] == "29 s"
