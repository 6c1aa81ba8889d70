"""Decoding: formats, rates, channels and what is wrong with a clip; speech cut to exact lengths."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import AudioError
from harness.speech import audio

RATE = 16_000
CLIP = "data/cv-es-prompts/es/clips/common_voice_es_agent-user.mp3"


def tone(rate: int, seconds: float = 0.5, hertz: float = 440.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)


def encoded(samples: np.ndarray, rate: int, kind: str = "WAV", subtype: str = "FLOAT") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=kind, subtype=subtype)
    return buffer.getvalue()


def test_a_clip_of_the_sample_data_is_decoded(root: Path) -> None:
    samples = audio.decode(root / CLIP, RATE)
    assert samples.dtype == np.float32
    assert len(samples) / RATE == pytest.approx(6.679, abs=0.001)  # clip_durations.tsv
    assert audio.hear(root / CLIP, RATE).source_rate == 16_000
    assert np.array_equal(samples, audio.decode((root / CLIP).read_bytes(), RATE))


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
def test_any_rate_becomes_the_wanted_one(rate: int) -> None:
    samples = audio.decode(encoded(tone(rate), rate), RATE)
    assert len(samples) == RATE // 2
    middle = slice(1000, 7000)  # away from the filter's run-in
    assert np.abs(samples[middle] - tone(RATE)[middle]).max() < 5e-3


def test_what_lies_above_half_the_rate_does_not_fold_back() -> None:
    samples = audio.decode(encoded(tone(48_000, hertz=12_000), 48_000), RATE)
    assert np.abs(samples[1000:7000]).max() < 0.01  # 12 kHz would alias to 4 kHz


def test_channels_are_averaged() -> None:
    stereo = np.stack([tone(RATE), np.zeros(RATE // 2)], axis=1)
    assert np.allclose(audio.decode(encoded(stereo, RATE), RATE), tone(RATE) / 2, atol=1e-6)


@pytest.mark.parametrize(("kind", "subtype"), [("WAV", "PCM_16"), ("FLAC", "PCM_16")])
def test_integer_formats_lie_between_minus_one_and_one(kind: str, subtype: str) -> None:
    samples = audio.decode(encoded(tone(RATE), RATE, kind, subtype), RATE)
    assert np.allclose(samples, tone(RATE), atol=2**-15)


def test_silence_is_a_clip_like_any_other() -> None:
    assert not audio.decode(encoded(np.zeros(160), RATE), RATE).any()


def test_a_minute_is_a_clip_like_any_other() -> None:
    assert len(audio.decode(encoded(tone(8_000, 60), 8_000), RATE)) == 60 * RATE


@pytest.mark.parametrize(
    ("clip", "says"),
    [
        (encoded(np.zeros(0), RATE), r"a clip of \d+ bytes holds no samples"),
        (encoded(np.array([0.1, np.nan]), RATE), "holds a sample that is not a number"),
        (encoded(np.array([0.1, np.inf]), RATE), "holds a sample that is not a number"),
        (b"", "a clip of 0 bytes cannot be read as audio"),
        (b"not audio" * 100, "cannot be read as audio"),
        (Path("nowhere/clip.mp3"), r"^clip\.mp3 is missing\.$"),
    ],
)
def test_a_bad_clip_is_one_clear_line(clip: Path | bytes, says: str) -> None:
    with pytest.raises(AudioError, match=says) as caught:
        audio.decode(clip, RATE)
    assert "\n" not in str(caught.value)


def test_a_damaged_mp3_is_one_clear_line(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    whole = (root / CLIP).read_bytes()
    with pytest.raises(AudioError, match=r"is damaged|cannot be read"):
        audio.decode(whole[:3000] + bytes(2000) + whole[5000:], RATE)
    capfd.readouterr()  # libmpg123 writes its own remarks to the terminal


def frames(content: bytes) -> list[int]:
    """Where the frames of the sample clip begin: all have the header of the first."""
    return [i for i in range(len(content) - 3) if content[i : i + 4] == content[:4]]


def broken(content: bytes) -> bytes:
    """The clip with one frame's header overwritten, in the middle."""
    starts = frames(content)
    at = starts[len(starts) // 2]
    return content[:at] + bytes(4) + content[at + 4 :]


def with_id3(content: bytes) -> bytes:
    """The same with an ID3v2 tag of 300 bytes before it: sizes are four bytes of seven bits."""
    return b"ID3\x03\x00\x00\x00\x00\x02\x2c" + bytes(300) + content


@pytest.mark.parametrize("tag", [bytes, with_id3])
@pytest.mark.parametrize("damage", [broken, lambda content: content[: len(content) // 2]])
def test_an_mp3_with_a_broken_frame_or_cut_off_is_damaged(
    root: Path, capfd: pytest.CaptureFixture[str], tag: Any, damage: Any
) -> None:
    content = (root / CLIP).read_bytes()
    assert len(audio.decode(tag(content), RATE)) == 106_860  # 6.679 s, as clip_durations.tsv says
    with pytest.raises(AudioError, match=r"is damaged: 288 bytes in its middle|is cut short"):
        audio.decode(tag(damage(content)), RATE)
    capfd.readouterr()  # libmpg123 writes its own remarks to the terminal


def test_an_mp3_that_does_not_announce_its_length_is_taken_as_it_is(root: Path) -> None:
    loud = np.random.default_rng(0).normal(size=RATE) * 0.2
    samples = np.concatenate([np.zeros(RATE), loud])
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, RATE, format="MP3", bitrate_mode="VARIABLE")
    content = buffer.getvalue()
    assert b"Xing" in content[:64]
    bare = content[content.index(content[:2], 64) :]  # without the frame that says how long it is
    with soundfile.SoundFile(io.BytesIO(bare)) as file:
        assert file.frames > 1.05 * len(samples)  # libsndfile's guess by the first frame's rate
    assert len(audio.decode(bare, RATE)) == pytest.approx(len(samples), abs=2 * 576)


def test_a_flac_that_is_cut_off_is_damaged() -> None:
    noise = np.random.default_rng(0).normal(size=RATE) * 0.1
    content = encoded(noise, RATE, "FLAC", "PCM_16")
    with pytest.raises(AudioError, match="is damaged"):
        audio.decode(content[: len(content) // 2], RATE)


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "MP3", "OGG"])
def test_stereo_at_48_khz_becomes_mono_at_16_khz(kind: str) -> None:
    left, right = tone(48_000, hertz=440), tone(48_000, hertz=1000)
    buffer = io.BytesIO()
    soundfile.write(buffer, np.stack([left, right], axis=1), 48_000, format=kind)
    samples = audio.decode(buffer.getvalue(), RATE)
    assert (samples.dtype, samples.ndim) == (np.float32, 1)
    assert len(samples) == pytest.approx(RATE // 2, abs=2)
    expected = (tone(RATE, hertz=440) + tone(RATE, hertz=1000)) / 2
    middle = slice(1000, 7000)
    assert np.abs(samples[middle] - expected[: len(samples)][middle]).max() < 0.03  # lossy codecs


@pytest.mark.parametrize(
    ("samples", "silent"),
    [
        (np.zeros(160), True),
        (np.full(160, 1e-4), True),  # -80 dB of full scale
        (np.array([*np.zeros(159), 2e-4]), False),
        (np.array([-0.5]), False),
        (np.zeros(0), True),
    ],
)
def test_silence_is_told_by_the_loudest_sample(samples: np.ndarray, silent: bool) -> None:
    assert audio.is_silent(samples.astype(np.float32)) is silent


# ---------------------------------------------------------------------------------------- lengths
def speech(*seconds: float, rate: int = 100) -> list[audio.Clip]:
    """Clips named a, b, c ... whose samples tell where they come from: 1.xx, 2.xx, ..."""
    return [
        (chr(ord("a") + i), (i + 1 + np.arange(round(s * rate)) / 1e4).astype(np.float32))
        for i, s in enumerate(seconds)
    ]


def test_long_clips_are_cut_and_no_more_are_read_than_needed() -> None:
    clips = iter(speech(3, 1, 5, 4, 9))
    found = audio.lengths(clips, 2, 100, 2)
    assert [(name, len(samples)) for name, samples in found] == [("a", 200), ("c", 200)]
    assert next(clips)[0] == "d"


def test_short_clips_are_joined_and_the_id_says_so() -> None:
    found = audio.lengths(speech(2, 1.5, 1), 3, 100, 2)
    assert [name for name, _ in found] == ["a+b"]  # "c+a" would hold the speech of a again
    assert [len(samples) for _, samples in found] == [300]
    first = found[0][1]
    assert first[199] == pytest.approx(1.0199)
    assert first[200] == 2.0  # the second clip follows at once


def test_joined_clips_stand_in_where_long_ones_are_too_few() -> None:
    found = audio.lengths(speech(1, 4, 2), 3, 100, 2)
    assert [name for name, _ in found] == ["b", "a+c"]


def test_fewer_long_clips_are_given_where_the_rest_is_too_short_to_join() -> None:
    assert [name for name, _ in audio.lengths(speech(1, 4), 3, 100, 5)] == ["b"]


def test_too_little_speech_is_one_clear_line() -> None:
    with pytest.raises(AudioError, match=r"there are only 2\.0 s of speech; 29 s are needed"):
        audio.lengths(speech(1, 1), 29, 100, 1)


@given(st.lists(st.floats(0.01, 6), min_size=1, max_size=8), st.floats(0.1, 9), st.integers(1, 4))
def test_each_piece_is_exactly_as_long_as_asked(
    have: list[float], seconds: float, count: int
) -> None:
    clips = speech(*have)
    total = sum(len(samples) for _, samples in clips)
    if total < round(seconds * 100):
        return
    found = audio.lengths(clips, seconds, 100, count)
    assert 1 <= len(found) <= count
    assert {len(samples) for _, samples in found} == {round(seconds * 100)}


def test_cutting_gives_the_beginning_exactly() -> None:
    samples = np.arange(100, dtype=np.float32)
    assert np.array_equal(audio.cut(samples, 10, 2.5), samples[:25])
    with pytest.raises(AudioError, match=r"10\.0 s of audio cannot be cut to 11 s"):
        audio.cut(samples, 10, 11)
