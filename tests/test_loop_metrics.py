"""Metrics of loops and invented text: what one call gives."""

from __future__ import annotations

import math

import pytest
from test_metrics import call

from harness import plugins

NAN = float("nan")


def measured(name: str, **changes: object) -> tuple[float, float]:
    found: tuple[float, float] = plugins.load("metrics", name).measure(call(**changes))
    return found


@pytest.mark.parametrize(
    ("text", "reference", "loops", "repeated"),
    [
        ("", "", (0, 1), (0, 0)),
        ("hola", "hola", (0, 1), (0, 1)),
        ("ya " * 15 + "ya", "ya está", (1, 1), (16, 16)),
        ("bien" + " a la conferencia" * 4, "bienvenido a la conferencia", (1, 1), (12, 13)),
        ("cero cero cero cero cero cero", "cero cero cero cero cero cero", (0, 1), (0, 6)),
    ],
)
def test_loops_are_a_share_of_transcripts_and_their_words_one_of_words(
    text, reference, loops, repeated
):
    assert measured("loops", text=text, reference=reference) == loops
    assert measured("repeated_words", text=text, reference=reference) == repeated


def test_the_output_rate_counts_characters_against_the_audio():
    assert measured("output_rate", text="hola año", audio_seconds=4.0) == (8, 4)
    assert plugins.find_metric("output_rate_p95").quantile == pytest.approx(0.95)
    assert math.isnan(plugins.find_metric("output_rate").quantile)


@pytest.mark.parametrize(
    ("note", "tokens", "expected"),
    [
        ("", 12.0, (0, 1)),
        ("budget_spent tokens=75", 75.0, (1, 1)),
        ("slow; repetition_guard tokens=16", 16.0, (1, 1)),
        ('repeated times=2 why="a token budget; budget_spent" seconds=0.0', 16.0, (0, 1)),
        ("token budget of 75 exhausted", 75.0, (1, 1)),  # as runs of before have it
        ("slow; repetition guard stopped after 16 tokens", 16.0, (1, 1)),
        ("slow", 30.0, (0, 1)),
        ("", NAN, (0, 0)),  # no tokens, no budget: nothing is known
    ],
)
def test_a_budget_is_exhausted_where_the_model_says_so(note, tokens, expected):
    assert measured("budget_exhausted", note=note, tokens=tokens) == expected


@pytest.mark.parametrize(
    ("text", "reference", "raw", "share", "words"),
    [
        ("", "", "", (0, 1), (0, 0.5)),
        ("gracias por ver", "", "", (1, 1), (3, 0.5)),
        ("gracias por ver", "hola", "¡Hola!", (0, 0), (0, 0)),
        ("gracias por ver", "", "...", (0, 0), (0, 0)),  # signs alone: nobody knows what was said
    ],
)
def test_text_where_nothing_is_said_is_invented(text, reference, raw, share, words):
    clip = {"text": text, "reference": reference, "raw_reference": raw, "audio_seconds": 30.0}
    assert measured("hallucinations", **clip) == share
    assert measured("hallucinated_words", **clip) == words


def test_only_a_two_speed_system_can_use_its_slow_part():
    assert measured("used_slow", figures={"used_slow": 1.0}) == (1, 1)
    assert measured("used_slow", figures={"confidence": -0.1}) == (0, 0)


@pytest.mark.parametrize("name", ["loops", "budget_exhausted", "hallucinations", "used_slow"])
def test_shares_are_folded_as_shares(name):
    assert plugins.load("metrics", name).fold == "share"
