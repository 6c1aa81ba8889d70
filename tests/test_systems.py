"""Systems made of models: which part is asked when, and what of it the row says."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError
from test_metrics import call

from harness import plugins
from harness.contracts import Composite, Output
from harness.errors import AudioError, SpecError, TextError
from harness.plugins.families import spoken_turn, two_speed

SPEECH = np.zeros(16_000, np.float32)
STOPPED = "repetition_guard tokens=16"


@dataclass
class Part:
    """A model that gives one output, or raises; counts what it was asked."""

    output: Output | Exception
    seconds: float = 0.0
    prepared: list[Any] = field(default_factory=list)
    calls: int = 0

    def prepare(self, operation: str, item: Any) -> Callable[[], Output]:
        assert operation == "pipeline"
        self.prepared.append(item)

        def call() -> Output:
            self.calls += 1
            time.sleep(self.seconds)
            if isinstance(self.output, Exception):
                raise self.output
            return self.output

        return call


def sure(text: str, confidence: float, tokens: float = 5.0, notes: str = "") -> Output:
    return Output(text=text, tokens=tokens, notes=notes, figures={"confidence": confidence})


# ---------------------------------------------------------------------------------------- two_speed
def two(fast: Output, slow: Output, unsure_below: float = -0.5) -> tuple[Any, Part, Part]:
    parts = Part(fast), Part(slow)
    models = dict(zip(("fast", "slow"), parts, strict=True))
    params = two_speed.Params(unsure_below)
    return two_speed.assemble(models, {"fast": 16_000, "slow": 16_000}, params), *parts


@pytest.mark.parametrize(
    ("confidence", "notes", "used"),
    [
        (-0.1, "", False),
        (-0.5, "", False),  # at the limit is not under it
        (-0.51, "", True),
        (-0.01, STOPPED, True),  # a loop is sure of every word
        (-0.01, "budget_spent tokens=40", True),
        (math.nan, "", True),  # what is no number is not sure
    ],
)
def test_the_slow_one_is_asked_where_the_fast_one_is_unsure_or_was_stopped(confidence, notes, used):
    model, fast, slow = two(sure("hola", confidence, 5, notes), sure("ola", -0.05, 7))
    found = model.prepare("pipeline", SPEECH)()
    assert (fast.calls, slow.calls) == (1, int(used))
    assert found.text == ("ola" if used else "hola")
    assert found.tokens == (12 if used else 5)
    assert found.notes == ("slow" if used else "")
    assert found.figures["used_slow"] == float(used)
    assert found.figures["confidence"] == (-0.05 if used else confidence)


def test_the_notes_are_those_of_the_text_that_counts():
    model, *_ = two(sure("a a a", -0.1, 16, STOPPED), sure("b", -0.9, 30, "token budget of 30"))
    assert model.prepare("pipeline", SPEECH)().notes == "slow; token budget of 30"


def test_a_slow_part_without_confidence_or_tokens_is_fine():
    model, *_ = two(sure("a", -2.0), Output(text="b"))
    found = model.prepare("pipeline", SPEECH)()
    assert found.figures == {"used_slow": 1.0, "fast_confidence": -2.0}
    assert found.tokens == 5  # of the one that counts them
    model, *_ = two(sure("a", -2.0, math.nan), Output(text="b"))
    assert math.isnan(model.prepare("pipeline", SPEECH)().tokens)


def test_a_budget_that_a_part_spent_is_seen_beside_a_part_without_steps():
    """As of a CTC model before Whisper, which gives no tokens."""
    model, *_ = two(sure("a", -2.0, math.nan), sure("b", -0.9, 30, "budget_spent tokens=30"))
    said = model.prepare("pipeline", SPEECH)()
    assert said.tokens == 30
    measure = plugins.load("metrics", "budget_exhausted").measure
    assert measure(call(tokens=said.tokens, note=said.notes)) == (1, 1)


def test_a_fast_part_without_confidence_is_a_spec_error():
    model, _, slow = two(Output(text="a", tokens=3), sure("b", -0.1))
    with pytest.raises(SpecError, match="`confidence: true`"):
        model.prepare("pipeline", SPEECH)()
    assert slow.calls == 0


def test_both_parts_can_be_timed_alone():
    model, fast, slow = two(sure("a", -2.0), sure("b", -0.1))
    assert model.prepare("fast", SPEECH)().text == "a"
    assert model.prepare("slow", SPEECH)().text == "b"
    assert (fast.calls, slow.calls) == (1, 1)


@pytest.mark.parametrize("value", [math.nan, math.inf, "often", None])
def test_a_threshold_that_is_no_number_is_refused(value):
    with pytest.raises(ValidationError):
        TypeAdapter(two_speed.Params).validate_python({"unsure_below": value})


def test_the_threshold_has_no_default():
    with pytest.raises(ValidationError):
        TypeAdapter(two_speed.Params).validate_python({})


# -------------------------------------------------------------------------------------- spoken_turn
SAID = Output(audio=np.ones(24_000, np.float32), sample_rate=24_000)


def turn(heard: Any, said: Any, **seconds: float) -> tuple[Any, Part, Part]:
    parts = (
        Part(heard, seconds.get("hear", 0.0)),
        Part(said, seconds.get("say", 0.0)),
    )
    models = {"recogniser": parts[0], "synthesiser": parts[1]}
    rates = {"recogniser": 16_000, "synthesiser": 24_000}
    return spoken_turn.assemble(models, rates, spoken_turn.Params()), *parts


def test_a_turn_says_what_was_heard():
    model, _, synthesiser = turn(sure("hola", -0.2, 4), SAID)
    found = model.prepare("pipeline", SPEECH)()
    assert synthesiser.prepared == ["hola"]
    assert (found.text, found.tokens, found.notes) == ("hola", 4, "")
    assert found.audio is SAID.audio
    assert found.sample_rate == 24_000
    assert found.figures["confidence"] == -0.2


def test_the_parts_of_the_latency_add_up_and_the_first_sound_counts_from_the_start():
    early = Output(audio=SAID.audio, sample_rate=24_000, figures={"first_audio_seconds": 0.005})
    for said, first in ((early, 0.005), (SAID, 0.02)):
        model, *_ = turn(sure("hola", -0.2), said, hear=0.03, say=0.02)
        started = time.perf_counter()
        figures = model.prepare("pipeline", SPEECH)().figures
        total = time.perf_counter() - started
        hear, say = figures["recogniser_seconds"], figures["synthesiser_seconds"]
        assert hear >= 0.03
        assert say >= 0.02
        assert hear + say <= total
        assert figures["first_audio_seconds"] >= hear + first
        assert figures["first_audio_seconds"] <= hear + say


@pytest.mark.parametrize("text", ["", "  "])
def test_where_nothing_is_heard_nothing_is_said(text):
    model, _, synthesiser = turn(sure(text, -0.9, 1, STOPPED), SAID)
    found = model.prepare("pipeline", SPEECH)()
    assert synthesiser.prepared == []
    assert found.audio is None
    assert found.notes == f"{STOPPED}; nothing_heard"
    assert "synthesiser_seconds" not in found.figures
    model.prepare("synthesiser", SPEECH)()
    assert synthesiser.calls == 0


def test_a_rate_that_the_synthesiser_leaves_out_is_its_familys():
    model, *_ = turn(sure("hola", -0.2), Output(audio=SAID.audio))
    assert model.prepare("pipeline", SPEECH)().sample_rate == 24_000


def test_each_part_can_be_timed_alone():
    model, recogniser, synthesiser = turn(sure("hola", -0.2), SAID)
    assert model.prepare("recogniser", SPEECH)().text == "hola"
    assert synthesiser.calls == 0
    call = model.prepare("synthesiser", SPEECH)
    assert recogniser.calls == 2
    assert call().audio is SAID.audio


@pytest.mark.parametrize("error", [TextError("no sound for ¿"), AudioError("no")])
def test_what_a_part_cannot_do_is_the_turns_error(error):
    model, *_ = turn(sure("¿", -0.2), error)
    with pytest.raises(type(error)):
        model.prepare("pipeline", SPEECH)()


# ----------------------------------------------------------------------------------------- contract
@pytest.mark.parametrize("name", ["two_speed", "spoken_turn"])
def test_a_system_names_its_parts_and_refuses_another_rate(name):
    family = plugins.load("families", name)
    assert isinstance(family, Composite)
    assert family.operations[0] == "pipeline"
    models = {role: Part(Output()) for role in family.parts}
    params = two_speed.Params(-1.0) if name == "two_speed" else spoken_turn.Params()
    with pytest.raises(SpecError, match="8000"):
        family.assemble(models, dict.fromkeys(models, 8_000), params)


# ----------------------------------------------------------------------------------- the real model
@pytest.mark.model
def test_whisper_twice_is_a_two_speed_system(root: Path, whisper_fp32: Path) -> None:
    import whisper_tiny as tiny

    from harness.plugins.families.whisper import Context, Params, family
    from harness.speech import audio

    clips = root / "data" / "cv-es-prompts" / "es" / "clips"
    clip = audio.decode(clips / "common_voice_es_agent-newlocation.mp3", 16_000)
    params = Params(context=Context(min_seconds=10), confidence=True)
    model = family.open(whisper_fp32, tiny.start, params)
    alone = model.prepare("pipeline", clip)()
    # sure of most words: the confidence of the 40 clips that were looked at is -0.9 to -0.07
    assert -1 < alone.figures["confidence"] < 0
    rates = {"fast": 16_000, "slow": 16_000}
    for limit, used in ((-1.0, 0.0), (0.0, 1.0)):
        both = two_speed.assemble(
            {"fast": model, "slow": model}, rates, two_speed.Params(unsure_below=limit)
        )
        found = both.prepare("pipeline", clip)()
        assert found.text == alone.text
        assert found.figures["used_slow"] == used
        assert found.tokens == alone.tokens * (1 + used)
