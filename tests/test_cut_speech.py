"""Real clips cut short: one piece of each length that a clip reaches, without a transcript."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from harness import audio
from harness.datasets import cut_speech
from harness.datasets.cut_speech import Params
from harness.errors import AssetError

DATA = "data/cv-es-prompts"


@pytest.fixture
def locate(root: Path):
    return lambda text: root / text


def test_each_clip_gives_a_piece_of_each_length_that_it_reaches(locate) -> None:
    data = cut_speech.load(Params(DATA, (3.0, 1.0)), locate)
    # clip_durations.tsv: all of the 16 dev clips reach 1 s, 11 of them 3 s
    assert len(data.utterances) == 16 + 11
    ids = [one.id for one in data.utterances]
    assert len(set(ids)) == len(ids)
    assert data.notes["cut_to_seconds"] == "1, 3"


def test_a_piece_is_the_clips_own_beginning_to_the_sample(locate) -> None:
    data = cut_speech.load(Params(DATA, (1.5,), limit=1), locate)
    piece = data.utterances[0]
    samples, rate = soundfile.read(io.BytesIO(piece.audio), dtype="float32")
    clip = next((locate(DATA) / "es" / "clips").glob(f"{piece.id.removesuffix('-1.5s')}.*"))
    whole = audio.decode(clip, 16_000)
    assert rate == 16_000
    assert np.array_equal(samples, whole[:24_000])
    assert (piece.text, piece.seconds) == ("", 1.5)


def test_other_lengths_are_other_data(locate) -> None:
    one, two = (cut_speech.load(Params(DATA, (s,)), locate) for s in (1.0, 2.0))
    assert one.fingerprint != two.fingerprint


def test_where_no_clip_is_long_enough_it_says_so(locate) -> None:
    with pytest.raises(AssetError, match="no clip is as long as 30 s"):
        cut_speech.load(Params(DATA, (30.0,)), locate)
