"""Real clips cut short: one piece of each length that a clip reaches, without a transcript."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from harness import spec
from harness.decide import stats
from harness.errors import AssetError, SpecError
from harness.plugins.datasets import cut_speech
from harness.plugins.datasets.cut_speech import Params
from harness.speech import audio

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


@pytest.fixture
def unmeasured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A release that does not tell lengths: two clips, of 2.5 and 1.2 s, and one that is none."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    clips = tmp_path / "cv" / "es" / "clips"
    clips.mkdir(parents=True)
    for name, seconds in (("long", 2.5), ("short", 1.2)):
        samples = np.random.default_rng(0).normal(0, 0.1, round(seconds * 16_000))
        soundfile.write(clips / f"{name}.wav", samples, 16_000)
    (clips / "broken.wav").write_bytes(b"no audio")
    rows = [f"ana\t{name}.wav\thola" for name in ("long", "broken", "short")]
    table = "\n".join(["client_id\tpath\tsentence", *rows])
    (clips.parent / "dev.tsv").write_text(table, encoding="utf-8")
    return tmp_path / "cv"


def test_a_clip_that_cannot_be_decoded_is_an_error_for_each_length(unmeasured: Path) -> None:
    data = cut_speech.load(Params(str(unmeasured), (1.0, 2.0)), Path)
    assert [(one.id, one.error) for one in data.utterances] == [
        ("long-1s", ""),
        ("long-2s", ""),
        ("broken-1s", "broken.wav cannot be read as audio."),
        ("broken-2s", "broken.wav cannot be read as audio."),
        ("short-1s", ""),
    ]
    assert {name: data.notes[name] for name in ("rows", "clips", "used", "left_out")} == {
        "rows": "3", "clips": "3", "used": "5", "left_out": "2",
    }  # fmt: skip


def test_a_clip_is_decoded_once_for_all_its_lengths(
    unmeasured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[str] = []
    real = audio.decode

    def noting(clip: Path, rate: int, *more: Any) -> np.ndarray:
        decoded.append(clip.stem)
        return real(clip, rate, *more)

    monkeypatch.setattr(audio, "decode", noting)
    cut_speech.load(Params(str(unmeasured), (0.5, 1.0, 2.0)), Path)
    assert decoded == ["long", "broken", "short"]


def test_the_pieces_of_a_clip_belong_together(unmeasured: Path) -> None:
    data = cut_speech.load(Params(str(unmeasured), (1.0, 2.0)), Path)
    assert [one.sentence for one in data.utterances] == [*["long"] * 2, *["broken"] * 2, "short"]
    shared = stats.share([1.0, 1.0, 0.0, 0.0] * 5, np.repeat(np.arange(10), 2))
    alone = stats.share([1.0, 1.0, 0.0, 0.0] * 5, np.arange(20))
    # two pieces of one clip that always agree are worth one: the exact bound of 5 of 10, not 10/20,
    # and no better, as the design effect of 2 is known from 10 clips only
    assert shared.high >= stats.share([1.0, 0.0] * 5, np.arange(10)).high > alone.high


def test_where_no_clip_is_long_enough_it_says_so(locate) -> None:
    with pytest.raises(AssetError, match="no clip is as long as 30 s"):
        cut_speech.load(Params(DATA, (30.0,)), locate)


@pytest.mark.parametrize("metric", ["ser", "hallucinations", "hallucinated_words"])
def test_a_metric_of_what_is_said_is_refused_where_that_is_unknown(
    root: Path, tmp_path: Path, metric: str
) -> None:
    """Each word that was really said would count as invented."""
    written = (root / "experiments" / "whisper_context_es.yaml").read_text("utf-8")
    listed = "metrics: [rtf, loops, repeated_words, output_rate, budget_exhausted]"
    text = written.replace(listed, f"metrics: [rtf, loops, {metric}, budget_exhausted]", 1)
    path = tmp_path / "x.yaml"
    path.write_text(text.replace("data/cv", f"{root}/data/cv"), "utf-8")
    told = rf"quality\[0\]\.metrics\[2\]: {metric} needs to know what is said, and cut_speech does"
    with pytest.raises(SpecError, match=told):
        spec.load(path)
