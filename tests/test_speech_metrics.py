"""Metrics of synthesised speech: what one call, or what a judge said of it, gives."""

from __future__ import annotations

import math

import pytest

from harness import plugins
from harness.contracts import Call, Judge, Metric

MOS = {
    "dnsmos_ovrl": ("dnsmos", "ovrl"),
    "dnsmos_sig": ("dnsmos", "sig"),
    "dnsmos_bak": ("dnsmos", "bak"),
    "dnsmos_p808": ("dnsmos", "p808"),
    "plcmos": ("plcmos", "plcmos"),
    "utmos": ("utmos", "utmos"),
    "mos": ("mos_ratings", "score"),
}


def metric(name: str) -> Metric:
    found = plugins.load("metrics", name)
    assert isinstance(found, Metric)
    return found


def measured(name: str, text: str = "", reference: str = "", **figures: float) -> object:
    measure = metric(name).measure
    assert measure is not None
    return measure(Call("pipeline", 0.5, 2.0, 12.0, 3e8, text, reference, figures=figures))


@pytest.mark.parametrize(("name", "source"), MOS.items())
def test_a_mos_is_the_figure_of_its_judge(name: str, source: tuple[str, str]) -> None:
    judge, figure = source
    found = metric(name)
    assert (found.judge, found.unit, found.better) == (judge, "MOS", "higher")
    assert measured(name, **{figure: 3.25}) == (3.25, 1.0)
    assert all(math.isnan(x) for x in measured(name))  # the whole is unknown then


@pytest.mark.parametrize("name", [name for name in plugins.names("metrics") if name in MOS])
def test_a_mos_reads_a_figure_that_its_judge_gives(name: str) -> None:
    judge, figure = MOS[name]
    found: Judge = plugins.load("judges", judge)
    assert figure in found.figures


def test_listeners_are_folded_over_raters_and_items() -> None:
    assert metric("mos").fold == "crossed"


@pytest.mark.parametrize("name", [name for name in MOS if name != "mos"])
def test_the_first_line_of_a_predictor_says_what_it_predicts_and_what_not(name: str) -> None:
    line = plugins.docline("metrics", name)
    assert line.startswith("Predicted")
    assert "not " in line or "nothing" in line


@pytest.mark.parametrize("unit", ["wer", "cer"])
def test_the_round_trip_counts_edits_against_the_text_that_was_to_be_said(unit: str) -> None:
    found = metric(f"round_trip_{unit}")
    assert (found.judge, found.needs_reference) == ("round_trip", True)
    edits = {"wer": (1.0, 3.0), "cer": (1.0, 12.0)}  # "esta" for "está", of 3 words, 12 characters
    assert measured(f"round_trip_{unit}", "aquí esta ya", "aquí está ya") == edits[unit]


def test_gibberish_can_have_more_errors_than_words() -> None:
    assert measured("round_trip_wer", "oh la mond oh", "hola mundo") == (4.0, 2.0)  # 200 %


def test_first_sound_is_in_milliseconds_and_not_measured_where_nobody_says() -> None:
    assert measured("first_audio_ms", first_audio_seconds=0.25) == (250.0, 1.0)
    value, _ = measured("first_audio_ms")  # type: ignore[misc]
    assert math.isnan(value)
    assert metric("first_audio_ms").fold == "quantile"


def test_clipping_is_pooled_over_samples() -> None:
    # a tenth of 2 s and none of 8 s: 0.2 s of 10 s
    pairs = [
        measured("clipping", clipped_share=0.1, spoken_seconds=2.0),
        measured("clipping", clipped_share=0.0, spoken_seconds=8.0),
    ]
    assert pairs == [(0.2, 2.0), (0.0, 8.0)]
    assert measured("clipping") == (0.0, 0.0)


def test_length_of_what_was_said_is_a_mean_per_item() -> None:
    assert measured("spoken_seconds", spoken_seconds=2.5) == (2.5, 1.0)
    assert measured("spoken_seconds") == (0.0, 0.0)
