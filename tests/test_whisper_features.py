"""Log-mel features against faster-whisper's FeatureExtractor 1.2.1, an independent implementation
(run on `chirp` padded with zeros to 30 s, `padding=0`, last frame dropped)."""

from __future__ import annotations

import numpy as np
import pytest

from harness.plugins.families.whisper.features import SAMPLE_RATE, WINDOW, log_mel
from harness.speech.mel import filters as slaney


def chirp(seconds: float) -> np.ndarray:
    t = np.arange(round(16_000 * seconds)) / 16_000
    sweep = np.sin(2 * np.pi * (100 + 1500 * t / max(seconds, 1)) * t)
    return (0.4 * sweep + 0.05 * np.cos(2 * np.pi * 5000 * t)).astype(np.float32)


SHORT = {
    (0, 0): 1.3281, (5, 0): 1.003, (10, 40): -0.47155, (20, 75): -0.59823, (40, 100): -0.28449,
    (33, 149): -0.11248, (60, 150): 0.54955, (12, 1500): -0.59823, (64, 2999): -0.59823,
}  # fmt: skip
LONG = {
    (0, 0): 1.34622, (5, 0): 0.99001, (10, 40): -0.05318, (20, 75): -0.59573, (7, 2999): -0.21851,
    (64, 2999): -0.34719,
}  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "values", "mean", "deviation"),
    [(1.5, SHORT, -0.587713, 0.114964), (30, LONG, -0.411053, 0.451208)],
)
def test_features_equal_those_of_faster_whisper(
    seconds: float, values: dict[tuple[int, int], float], mean: float, deviation: float
) -> None:
    found = log_mel(chirp(seconds), 80, 3000)
    assert found.shape == (1, 80, 3000)
    assert found.dtype == np.float32
    for at, expected in values.items():
        assert found[0][at] == pytest.approx(expected, abs=2e-5), at
    assert found.mean() == pytest.approx(mean, abs=1e-5)
    assert found.std() == pytest.approx(deviation, abs=1e-5)


@pytest.mark.parametrize(
    ("mels", "values"),
    [
        (80, {(0, 1): 0.0248626, (10, 11): 0.0049544, (40, 45): 0.0, (60, 92): 0.0054479,
              (79, 197): 0.0013463}),
        (128, {(0, 1): 0.012374, (10, 12): 0.0, (127, 199): 0.0011143}),
    ],
)  # fmt: skip
def test_filters_equal_those_of_faster_whisper(
    mels: int, values: dict[tuple[int, int], float]
) -> None:
    filters = slaney(mels, WINDOW, SAMPLE_RATE)
    assert filters.shape == (mels, 201)
    for at, expected in values.items():
        assert filters[at] == pytest.approx(expected, abs=1e-7), at


@pytest.mark.parametrize("samples", [1, 160, 199, 200, 201, 5_000, 15_999, 16_000])
def test_silence_after_the_clip_is_the_same_as_zeros_in_it(samples: int) -> None:
    clip = chirp(1.0)[:samples]
    padded = np.zeros(16_000, np.float32)
    padded[:samples] = clip
    np.testing.assert_allclose(log_mel(clip, 80, 100), log_mel(padded, 80, 100), atol=1e-6)


def test_a_shorter_context_gives_the_first_frames_of_a_longer_one() -> None:
    clip = chirp(1.0)
    np.testing.assert_allclose(
        log_mel(clip, 80, 150), log_mel(clip, 80, 300)[:, :, :150], atol=1e-6
    )


def test_silence_alone_is_the_floor() -> None:
    # log10(1e-10) = -10, (-10 + 4) / 4 = -1.5
    floor = np.full((1, 80, 100), -1.5)
    np.testing.assert_allclose(log_mel(np.zeros(800, np.float32), 80, 100), floor, atol=1e-6)
