"""The figures: one for each that the report shows, small, and the same bytes every time."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import invented_run
import invented_speech
import pytest

from harness import plots, report, tables
from harness.contracts import Result

MOST_BYTES = 150_000


@pytest.fixture(scope="module")
def result() -> Result:
    return invented_run.build()


@pytest.fixture(scope="module")
def spoken() -> Result:
    return invented_speech.build()


@pytest.fixture(scope="module")
def drawn(result: Result, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return plots.draw(result, tmp_path_factory.mktemp("figures"), "es")


def test_the_same_tables_give_the_same_bytes(
    result: Result, drawn: list[Path], tmp_path: Path
) -> None:
    again = plots.draw(result, tmp_path, "es")
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in drawn]


def test_the_report_shows_every_figure_and_no_other(result: Result, drawn: list[Path]) -> None:
    shown = re.findall(r"\]\(figures/(\w+)\.png\)", report.render(result, "es"))
    assert sorted(shown) == sorted(path.stem for path in drawn)
    assert len(drawn) >= 6


def test_a_figure_is_small_and_tells_neither_date_nor_program(drawn: list[Path]) -> None:
    for path in drawn:
        data = path.read_bytes()
        assert len(data) < MOST_BYTES, path.name
        assert b"tEXt" not in data
        assert b"tIME" not in data


@pytest.mark.parametrize("language", ["es", "en"])
def test_without_data_there_is_no_figure_and_an_old_one_goes(
    result: Result, language: str, tmp_path: Path
) -> None:
    (tmp_path / "gates.png").write_bytes(b"old")
    nothing = {name: tables.frame(name, []) for name in tables.TABLES}
    assert plots.draw(replace(result, tables=nothing, verdict={}), tmp_path, language) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("table", ["calls", "summary", "checks", "scores"])
@pytest.mark.parametrize("run", ["result", "spoken"])
def test_report_and_figures_agree_on_what_is_missing(
    run: str, table: str, request: pytest.FixtureRequest
) -> None:
    """Only whether each figure would be drawn: drawing them all again would take seconds."""
    made: Result = request.getfixturevalue(run)
    without = replace(made, tables={**made.tables, table: tables.frame(table, [])})
    shown = set(re.findall(r"\]\(figures/(\w+)\.png\)", report.render(without, "en")))
    made = {name for name, draw in plots.FIGURES.items() if draw(without, "en") is not None}
    assert shown == made


def test_one_variant_alone_can_be_drawn(result: Result, tmp_path: Path) -> None:
    """A run of the baseline only: no candidate, no sweep, nothing to compare with."""
    kept = {
        name: data[data["variant"] == "fp32"] if "variant" in data else data
        for name, data in result.tables.items()
    }
    experiment = {**result.experiment, "variants": [{"name": "fp32"}], "recorded": []}
    alone = replace(result, tables=kept, experiment=experiment, verdict={"verdict": "x"})
    names = {path.stem for path in plots.draw(alone, tmp_path, "en")}
    assert {"latency_cells", "latency_lengths", "parts"} <= names
    assert "gates" not in names


def test_a_sweep_of_two_rounds_is_drawn_without_a_band(result: Result, tmp_path: Path) -> None:
    """Two rounds give the A/A twin no bound: its band reaches without end."""
    sessions = result.sessions.assign(reach=math.inf)
    short = replace(result, tables={**result.tables, "sessions": sessions})
    assert plots.FIGURES["sessions"](short, "es") is not None
    assert "no tiene cota" in report.render(short, "es")


def test_the_figure_claims_no_gain_that_did_not_hold(result: Result) -> None:
    lost = result.sessions.assign(holds=False)
    for sessions, said in (
        (result.sessions, "cuts the time by"),
        (lost, "measured again it is no faster"),
        (lost.assign(confirmed=math.nan), "was not measured again"),
    ):
        run = replace(result, tables={**result.tables, "sessions": sessions})
        figure = plots.FIGURES["sessions"](run, "en")
        assert figure is not None
        assert said in " ".join(str(figure.get_suptitle()).split())


def heading(figure: Any) -> str:
    return " ".join(str(figure.get_suptitle()).split())


def test_speech_is_drawn_by_the_opinion_that_most_variants_have(spoken: Result) -> None:
    """Listeners heard two of four variants only, the predictor all of them."""
    figure = plots.FIGURES["speech"](spoken, "en")
    assert figure is not None
    assert heading(figure) == "int8 loses 0.17 of DNSMOS OVRL against fp32"
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["DNSMOS OVRL", "Difference from fp32, by sentence", "Round-trip WER"]


def test_the_figure_of_speech_says_that_a_predictor_is_fooled(spoken: Result) -> None:
    voice = replace(spoken, verdict={**spoken.verdict, "candidate": "english-voice"})
    figure = plots.FIGURES["speech"](voice, "en")
    assert figure is not None
    assert "approves english-voice; the recogniser does not understand it" in heading(figure)


def test_a_predictor_that_dislikes_gibberish_is_not_said_to_approve_it(spoken: Result) -> None:
    """2.0 of five is under fair, and further than 0.3 under the baseline's 3.3."""
    hit = (spoken.summary["variant"] == "english-voice") & (
        spoken.summary["metric"] == "dnsmos_ovrl"
    )
    summary = spoken.summary.assign(value=spoken.summary["value"].mask(hit, 2.0))
    voice = replace(
        spoken,
        verdict={**spoken.verdict, "candidate": "english-voice"},
        tables={**spoken.tables, "summary": summary},
    )
    figure = plots.FIGURES["speech"](voice, "en")
    assert figure is not None
    assert heading(figure).startswith("The recogniser does not understand english-voice")


def test_without_a_latency_stage_the_trade_off_is_by_the_real_time_factor(spoken: Result) -> None:
    figure = plots.FIGURES["tradeoff"](spoken, "en")
    assert figure is not None
    (axes,) = figure.axes
    assert axes.get_xlabel() == "RTF on sentences-es"
    assert axes.get_ylabel() == "Round-trip WER"


def test_an_opinion_is_better_above_and_is_no_share(spoken: Result) -> None:
    kept = spoken.summary[~spoken.summary["metric"].isin(("round_trip_wer", "round_trip_cer"))]
    figure = plots.FIGURES["tradeoff"](
        replace(spoken, tables={**spoken.tables, "summary": kept}), "en"
    )
    assert figure is not None
    (axes,) = figure.axes
    assert axes.get_title(loc="left").startswith("Upper left is better")
    assert axes.get_ylim()[0] > 2
