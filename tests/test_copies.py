"""Copies of one recording, in whatever file, are told; two recordings are two."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

from harness.speech import audio
from harness.speech.audio import copies

RATE = 16_000
CLIPS = sorted((Path(__file__).parents[1] / "data/cv-es-prompts/es/clips").glob("*.mp3"))
TEXT = "Por favor, ingrese su clave."


def clip(number: int) -> np.ndarray:
    """One of the first clips that has two seconds of sound or more."""
    found = (audio.decode(path, RATE) for path in CLIPS)
    long = (samples for samples in found if len(samples) > 2.5 * RATE)
    return next(samples for at, samples in enumerate(long) if at == number)


def written(samples: np.ndarray, rate: int = RATE, **how: str) -> np.ndarray:
    """What is heard of a file of it."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, **how)
    return audio.decode(buffer.getvalue(), RATE)


AGAIN: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "another level": lambda x: 0.1 * x,
    "the other polarity": lambda x: -x,
    "silence around it": lambda x: np.pad(x, (3000, 5000)),
    "8 bits": lambda x: written(x, format="WAV", subtype="PCM_U8"),
    "MP3": lambda x: written(x, format="MP3"),
    "Ogg Vorbis": lambda x: written(x, format="OGG", subtype="VORBIS"),
    "Opus": lambda x: written(x, format="OGG", subtype="OPUS"),
    "48 kHz": lambda x: written(resample_poly(x, 3, 1), 48_000, format="FLAC"),
    "a telephone": lambda x: written(resample_poly(x, 1, 2), 8000, format="WAV", subtype="ULAW"),
    "MP3 of the telephone": lambda x: written(AGAIN["a telephone"](0.5 * x), format="MP3"),
}  # fmt: skip


@pytest.mark.parametrize("how", AGAIN)
def test_a_clip_that_was_written_again_is_a_copy(how: str) -> None:
    samples = clip(0)
    names = [copies.recording(x.astype(np.float32), RATE) for x in (samples, AGAIN[how](samples))]
    first, second = copies.merged(names, [TEXT, "por favor ingrese su clave"])
    assert first == second


def test_of_all_clips_of_the_sample_data_none_is_taken_for_another() -> None:
    """Even if all of them had one text."""
    names = [copies.recording(audio.decode(path, RATE), RATE) for path in CLIPS[:100]]
    assert len(set(copies.merged(names, [TEXT] * len(names)))) == len(names)


def test_another_text_is_another_recording_unless_the_wave_is_the_same() -> None:
    samples = clip(0)
    one, mp3 = copies.recording(samples, RATE), copies.recording(AGAIN["MP3"](samples), RATE)
    assert len(set(copies.merged([one, mp3], ["una cosa", "otra cosa"]))) == 2
    assert len(set(copies.merged([one, one], ["una cosa", "otra cosa"]))) == 1


def test_a_copy_of_a_copy_is_one_of_the_first() -> None:
    samples = clip(1)
    one, mp3 = copies.recording(samples, RATE), copies.recording(AGAIN["MP3"](samples), RATE)
    texts = ["una cosa", "una cosa", "otra cosa"]
    assert len(set(copies.merged([one, mp3, mp3], texts))) == 1


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.3, 0.9])
def test_what_is_short_has_a_hash_alone(seconds: float) -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, round(seconds * RATE)).astype(np.float32)
    assert " " not in copies.recording(samples, RATE)


def test_names_of_an_older_run_and_empty_ones_stay() -> None:
    names = ["", "", "0123456789abcdef", "0123456789abcdef"]
    assert copies.merged(names, [TEXT] * 4) == names


def test_many_clips_of_one_text_take_no_time() -> None:
    draw = np.random.default_rng(0)
    shapes = draw.integers(-30, 0, (1500, copies.POINTS * 4)).astype(np.int8)
    names = [
        f"{n:016x} 3000 {copies.base64.b85encode(shape.tobytes()).decode()}"
        for n, shape in enumerate(shapes)
    ]
    assert len(set(copies.merged(names, [TEXT] * len(names)))) == len(names)
