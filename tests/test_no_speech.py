"""Clips without speech: the same bytes for a seed, made one at a time, at the levels they name."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from harness.plugins.datasets import no_speech
from harness.plugins.datasets.no_speech import Params, load
from harness.speech import audio

RATE = 16_000


def made(**params: object):
    return load(TypeAdapter(Params).validate_python(params), Path)


def samples(clip) -> np.ndarray:
    assert isinstance(clip.audio, bytes)
    return audio.decode(clip.audio, RATE)


def decibels(x: np.ndarray) -> float:
    return 20 * math.log10(float(np.sqrt(np.mean(x.astype(np.float64) ** 2))))


def test_there_is_a_clip_of_each_kind_and_length_and_none_has_words():
    found = made()
    clips = list(found.utterances)
    assert len(found.utterances) == len(clips) == 14 * 5
    assert len({clip.id for clip in clips}) == len(clips)
    assert {clip.text for clip in clips} == {""}
    assert {clip.seconds for clip in clips} == {1, 2, 5, 10, 29}
    assert clips[0].id == "silence-1s"
    assert found.notes["seed"] == "0"


def test_clips_are_16_bit_mono_at_16_khz_of_the_length_that_their_id_says():
    for clip in made(seconds=[0.5, 3]).utterances:
        assert len(audio.decode(clip.audio, 16_000)) / 16_000 == clip.seconds
        assert clip.id == f"{clip.speaker}-{clip.seconds:g}s"


def test_a_clip_is_made_when_it_is_asked_for(monkeypatch):
    asked: list[int] = []
    silence = no_speech.SOUNDS["silence"]

    def counted(size, random):
        asked.append(size)
        return silence(size, random)

    monkeypatch.setitem(no_speech.SOUNDS, "silence", counted)
    found = made(sounds=["silence"], seconds=[1, 29])
    asked.clear()
    assert found.utterances[-1].id == "silence-29s"
    assert asked == [29 * RATE]


def test_clips_come_in_any_order_and_more_than_once():
    clips = made(seconds=[1, 2]).utterances
    assert clips[5] == clips[5]
    assert [clip.id for clip in clips[2:5]] == [clips[i].id for i in (2, 3, 4)]
    assert clips[-1] == clips[27]
    with pytest.raises(IndexError):
        clips[28]


def test_the_seed_makes_the_noise_and_the_fingerprint_knows_it():
    one, same, other = (made(sounds=["pink-40db"], seconds=[1], seed=s) for s in (1, 1, 2))
    assert one.utterances[0].audio == same.utterances[0].audio != other.utterances[0].audio
    assert one.fingerprint == same.fingerprint != other.fingerprint
    assert made(seconds=[1]).fingerprint != made(seconds=[1, 2]).fingerprint


def test_a_clip_does_not_depend_on_which_others_are_made():
    alone, among = made(sounds=["brown-20db"], seconds=[2]), made(seconds=[1, 2])
    assert alone.utterances[0] in list(among.utterances)


@pytest.mark.parametrize("colour", ["white", "pink", "brown"])
@pytest.mark.parametrize("level", [-60, -40, -20])
def test_noise_has_the_level_that_its_name_says(colour, level):
    clip = made(sounds=[f"{colour}{level}db"], seconds=[5]).utterances[0]
    assert decibels(samples(clip)) == pytest.approx(level, abs=0.2)  # clipping and 16 bits


@pytest.mark.parametrize(("colour", "fall"), [("white", 0), ("pink", 10), ("brown", 20)])
def test_noise_falls_by_its_colours_decibels_per_decade(colour, fall):
    """Power spectra: white flat, pink 10 dB and brown 20 dB a decade (their definitions)."""
    x = samples(made(sounds=[f"{colour}-20db"], seconds=[29]).utterances[0])
    power = np.abs(np.fft.rfft(x)) ** 2
    hertz = np.fft.rfftfreq(x.size, 1 / RATE)
    near = [power[(hertz > 0.8 * f) & (hertz < 1.25 * f)].mean() for f in (100, 1000)]
    assert 10 * math.log10(near[0] / near[1]) == pytest.approx(fall, abs=1.5)


def test_silence_is_silent_and_hum_is_at_50_hertz():
    assert not samples(made(sounds=["silence"], seconds=[1]).utterances[0]).any()
    hum = samples(made(sounds=["hum"], seconds=[2]).utterances[0])
    assert np.abs(np.fft.rfft(hum)).argmax() / 2 == 50


@pytest.mark.parametrize(
    "params",
    [
        {"sounds": ["music"]},
        {"sounds": []},
        {"seconds": []},
        {"seconds": [0]},
        {"seconds": [31]},
    ],
)
def test_what_cannot_be_made_is_refused(params):
    with pytest.raises(ValidationError):
        TypeAdapter(Params).validate_python(params)
