"""The figures: one for each that the report shows, small, and the same bytes every time."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import filed
import invented_run
import invented_speech
import pytest

from harness import plugins
from harness.contracts import Result
from harness.report import document, drawing
from harness.report.drawing import labels, style
from harness.report.figures import audit
from harness.store import tables

MOST_BYTES = 150_000


@pytest.fixture(scope="module")
def result() -> Result:
    return invented_run.build()


@pytest.fixture(scope="module")
def spoken() -> Result:
    return invented_speech.build()


@pytest.fixture(scope="module")
def drawn(result: Result, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return drawing.draw(result, tmp_path_factory.mktemp("figures"), "es")


@pytest.mark.slow
def test_the_same_tables_give_the_same_bytes(
    result: Result, drawn: list[Path], tmp_path: Path
) -> None:
    again = drawing.draw(result, tmp_path, "es")
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in drawn]


def test_the_report_shows_every_figure_and_no_other(result: Result, drawn: list[Path]) -> None:
    shown = re.findall(r"\]\(figures/(\w+)\.png\)", document.render(result, "es"))
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
    assert drawing.draw(replace(result, tables=nothing, verdict={}), tmp_path, language) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("table", ["calls", "summary", "checks", "scores"])
@pytest.mark.parametrize("run", ["result", "spoken"])
def test_report_and_figures_agree_on_what_is_missing(
    run: str, table: str, request: pytest.FixtureRequest
) -> None:
    """Only whether each figure would be drawn: drawing them all again would take seconds."""
    made: Result = request.getfixturevalue(run)
    without = replace(made, tables={**made.tables, table: tables.frame(table, [])})
    shown = set(re.findall(r"\]\(figures/(\w+)\.png\)", document.render(without, "en")))
    made = {n for n in plugins.names("figures") if plugins.load("figures", n).draw(without, "en")}
    assert shown == made


def test_one_variant_alone_can_be_drawn(result: Result, tmp_path: Path) -> None:
    """A run of the baseline only: no candidate, no sweep, nothing to compare with."""
    kept = {
        name: data[data["variant"] == "fp32"] if "variant" in data else data
        for name, data in result.tables.items()
    }
    alone = filed.changed(result, variants=[{"name": "fp32"}], recorded=[])
    alone = replace(alone, tables=kept, verdict={"verdict": "x"})
    names = {path.stem for path in drawing.draw(alone, tmp_path, "en")}
    assert {"latency_cells", "latency_lengths", "parts"} <= names
    assert "gates" not in names


def test_a_sweep_of_two_rounds_is_drawn_without_a_band(result: Result, tmp_path: Path) -> None:
    """Two rounds give the A/A twin no bound: its band reaches without end."""
    sessions = result.sessions.assign(reach=math.inf)
    short = replace(result, tables={**result.tables, "sessions": sessions})
    assert plugins.load("figures", "sessions").draw(short, "es") is not None
    assert "no tiene cota" in document.render(short, "es")


def test_the_figure_claims_no_gain_that_did_not_hold(result: Result) -> None:
    lost = result.sessions.assign(holds=False)
    for sessions, said in (
        (result.sessions, "cuts the time by"),
        (lost, "measured again it is no faster"),
        (lost.assign(confirmed=math.nan), "was not measured again"),
    ):
        run = replace(result, tables={**result.tables, "sessions": sessions})
        figure = plugins.load("figures", "sessions").draw(run, "en")
        assert figure is not None
        assert said in " ".join(str(figure.get_suptitle()).split())


def heading(figure: Any) -> str:
    return " ".join(str(figure.get_suptitle()).split())


def test_speech_is_drawn_by_the_opinion_that_most_variants_have(spoken: Result) -> None:
    """Listeners heard two of four variants only, the predictor all of them."""
    figure = plugins.load("figures", "speech").draw(spoken, "en")
    assert figure is not None
    assert heading(figure) == "int8 loses 0.17 of DNSMOS OVRL against fp32"
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["DNSMOS OVRL", "Difference from fp32, by sentence", "Round-trip WER"]


def test_the_figure_of_speech_says_that_a_predictor_is_fooled(spoken: Result) -> None:
    voice = replace(spoken, verdict={**spoken.verdict, "candidate": "english-voice"})
    figure = plugins.load("figures", "speech").draw(voice, "en")
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
    figure = plugins.load("figures", "speech").draw(voice, "en")
    assert figure is not None
    assert heading(figure).startswith("The recogniser does not understand english-voice")


def test_without_a_latency_stage_the_trade_off_is_by_the_real_time_factor(spoken: Result) -> None:
    figure = plugins.load("figures", "tradeoff").draw(spoken, "en")
    assert figure is not None
    (axes,) = figure.axes
    assert axes.get_xlabel() == "RTF on sentences-es"
    assert axes.get_ylabel() == "Round-trip WER on sentences-es"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("factor", "scale"), [(1.0, "log"), (0.0, "linear"), (-1.0, "linear")])
def test_what_is_not_above_nought_stands_on_no_logarithmic_axis(
    spoken: Result, factor: float, scale: str
) -> None:
    summary = spoken.summary.copy()
    summary.loc[summary["metric"] == "rtf", ["value", "low", "high"]] *= factor
    figure = plugins.load("figures", "tradeoff").draw(
        replace(spoken, tables={**spoken.tables, "summary": summary}), "en"
    )
    assert figure is not None
    assert figure.axes[0].get_xscale() == scale
    figure.canvas.draw()


def test_an_opinion_is_better_above_and_is_no_share(spoken: Result) -> None:
    kept = spoken.summary[~spoken.summary["metric"].isin(("round_trip_wer", "round_trip_cer"))]
    figure = plugins.load("figures", "tradeoff").draw(
        replace(spoken, tables={**spoken.tables, "summary": kept}), "en"
    )
    assert figure is not None
    (axes,) = figure.axes
    assert axes.get_title(loc="left").startswith("Upper left is better")
    assert axes.get_ylim()[0] > 2


# ---------------------------------------- what titles, colours, ticks and labels say
def chosen(result: Result, variant: str) -> Result:
    """With another candidate, in the default session: no longer the last of the lines."""
    return replace(result, verdict={**result.verdict, "candidate": variant, "session": "default"})


@pytest.mark.parametrize("name", ["latency_cells", "latency_lengths", "tradeoff"])
def test_a_title_names_the_candidate_and_not_the_last_variant(result: Result, name: str) -> None:
    figure = plugins.load("figures", name).draw(chosen(result, "int8"), "en")
    assert figure is not None
    title = heading(figure)
    assert "int8" in title
    assert "int8-qdq" not in title


def test_with_one_length_nothing_is_said_of_others(result: Result) -> None:
    main = f"{invented_run.MAIN:g} s"
    kept = {
        name: data[data["workload"].isin((main, "cv-es-prompts", "silence", ""))]
        for name, data in result.tables.items()
        if name in ("summary", "changes")
    }
    one = replace(result, tables={**result.tables, **kept})
    figure = plugins.load("figures", "latency_lengths").draw(one, "en")
    assert figure is not None
    (axes,) = figure.axes
    assert "depending on the length" not in heading(figure)
    assert heading(figure).endswith(f"with {main} of audio")
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    assert labels[0] == "fp32"
    assert len(axes.containers) == len(labels)  # an interval each


def test_however_many_variants_have_a_colour_each(result: Result) -> None:
    names = ["fp32", *(f"v{n}" for n in range(16))]
    about = chosen(filed.changed(result, variants=[{"name": name} for name in names]), "v7")
    assert len({style.colour(about, name) for name in names}) == len(names)
    assert style.colour(about, "fp32") == style.BASELINE
    assert style.colour(about, "v7") == style.HUES[0][0]


@pytest.mark.parametrize(
    ("language", "shares", "expected"),
    [
        ("es", [0.025, 0.05], ["2,5\u00a0%", "5,0\u00a0%"]),
        ("en", [0.0, 0.5, 1.0], ["0%", "50%", "100%"]),
        ("en", [-0.5, 0.0], ["\u221250%", "0%"]),
    ],
)
def test_ticks_in_percent_have_the_decimals_of_their_step(
    language: str, shares: list[float], expected: list[str]
) -> None:
    assert style.percent(language).format_ticks(shares) == expected


@pytest.mark.parametrize(("low", "high"), [(70.0, 2300.0), (270.0, 6000.0), (0.05, 0.2)])
def test_ticks_of_a_logarithmic_axis_leave_room_for_their_labels(low: float, high: float) -> None:
    found = style.ticks(low, high)
    steps = [math.log(b / a) / math.log(high / low) for a, b in itertools.pairwise(found)]
    assert len(found) >= 4
    assert min(steps) >= style.ROOM - 1e-9


@pytest.mark.parametrize(("factor", "sign"), [(-9.0, "<"), (9.0, ">")])
def test_what_lies_beyond_the_picture_of_the_gates_has_an_arrow_to_its_side(
    result: Result, factor: float, sign: str
) -> None:
    wer = result.checks["kind"] == "max_increase"
    checks = result.checks.copy()
    for end in ("observed", "low", "high"):
        checks[end] = checks[end].mask(wer, factor * checks["limit"])
    run = replace(result, tables={**result.tables, "checks": checks})
    figure = plugins.load("figures", "gates").draw(run, "en")
    assert figure is not None
    arrows = [line for line in figure.axes[0].lines if line.get_marker() == sign]
    assert len(arrows) >= 1
    assert abs(arrows[0].get_xdata()[0]) in (0.5, 1.5)


def test_parts_of_a_system_are_not_called_a_decoder(result: Result) -> None:
    figure = plugins.load("figures", "parts").draw(result, "es")
    assert figure is not None
    assert figure.axes[0].get_legend() is None  # it would lie over the bars
    (legend,) = figure.legends
    assert legend.get_texts()[-1].get_text() == "decodificación y resto"
    summary = result.summary.copy()
    operations = {"encoder": "recogniser", "features": "synthesiser"}
    summary["operation"] = summary["operation"].replace(operations)
    model = {**filed.data_of(result)["model"], "family": "spoken_turn"}
    turn = replace(
        filed.changed(result, model=model),
        tables={**result.tables, "summary": summary},
    )
    figure = plugins.load("figures", "parts").draw(turn, "es")
    assert figure is not None
    named = {text.get_text() for text in figure.legends[0].get_texts()}
    assert named == {"reconocedor", "sintetizador", "resto"}
    assert "decodificador" not in figure.axes[0].get_title(loc="left")


def test_utterances_are_counted_in_whole_numbers(result: Result) -> None:
    figure = plugins.load("figures", "utterances").draw(result, "es")
    assert figure is not None
    assert all(float(tick).is_integer() for tick in figure.axes[1].get_xticks())


def test_circles_that_would_hide_each_other_are_drawn_above_each_other() -> None:
    _, axes = style.new("", "", 3)
    audit._repeats(axes, {1: 0.862, 2: 0.858, 3: 0.95}, 5.0, "black")
    places = [line.get_ydata()[0] for line in axes.lines if line.get_marker() == "o"]
    assert places[0] == places[2] == 5
    assert places[1] < 5 - 0.2


def test_labels_lie_neither_over_bubbles_nor_over_each_other() -> None:
    figure, axes = style.new("", "", 4)
    axes.set(xlim=(0, 10), ylim=(0, 10))
    bubbles = [
        labels.Bubble(5, 5, 20, "two-speed\n374 MB", "black", left=True),
        labels.Bubble(4.9, 5.1, 9, "fast\n81.3 MB", "black"),
    ]
    labels.place(axes, bubbles)
    figure.draw_without_rendering()
    first, second = (text.get_window_extent() for text in axes.texts)
    assert not first.overlaps(second)
    for text in (first, second):
        x, y = axes.transData.transform((5, 5))
        across = max(text.x0 - x, x - text.x1, text.y0 - y, y - text.y1)
        assert across * 72 / figure.dpi > 20 * math.sqrt(0.5)


def test_a_title_is_not_broken_inside_a_name() -> None:
    title = "El codificador se lleva el 46 % de la llamada con 5 s de audio"
    for name in ("at-least-10-plus-2", "at-least-10"):
        assert f"({name})" in style.blank(f"{title} ({name}), y el resto", 3).get_suptitle()
