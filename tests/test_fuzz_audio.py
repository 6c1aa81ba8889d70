"""Files of each container, mutated: samples or one line, never another error, within bounds."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from audio_files import MP3, RATE, bare_mp3, clip, flac, noise
from effort import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import AudioError, limits
from harness.speech import audio

SEEDS = {
    "WAV": clip("WAV"),
    "GSM": clip("WAV", "GSM610"),
    "ADPCM": clip("WAV", "MS_ADPCM"),
    **{kind: clip(kind) for kind in ("AIFF", "AU", "CAF", "W64", "RF64", "NIST", "SVX")},
    "FLAC": flac(),
    "FLAC without a count": flac(0),
    "MP3": MP3,
    "bare MP3": bare_mp3(),
    "Vorbis": clip("OGG", "VORBIS"),
    "Opus": clip("OGG", "OPUS"),
}
NUMBERS = [0, 1, 2, 0x7F, 0xFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 10**9]


@st.composite
def mutated(draw: st.DrawFn, content: bytes) -> bytes:
    """A few edits, most of them where the header lies."""
    out = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        reach = draw(st.sampled_from([64, 256, len(out)]))
        at = draw(st.integers(0, max(min(reach, len(out)) - 1, 0)))
        edit = draw(st.sampled_from(["byte", "number", "cut", "drop", "double", "insert"]))
        if edit == "byte":
            out[at : at + 1] = bytes([draw(st.integers(0, 255))])
        elif edit == "number":
            order = draw(st.sampled_from("<>"))
            out[at : at + 4] = struct.pack(f"{order}I", draw(st.sampled_from(NUMBERS)))
        elif edit == "cut":
            del out[at:]
        elif edit == "drop":
            del out[at : at + draw(st.integers(1, 64))]
        elif edit == "double":
            out[at:at] = out[: draw(st.integers(0, len(out)))]
        else:
            out[at:at] = draw(st.binary(max_size=32))
    return bytes(out)


@pytest.mark.parametrize("kind", SEEDS)
def test_a_mutated_clip_is_samples_or_one_line(
    kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    @settings(max_examples=examples(15), suppress_health_check=list(HealthCheck))
    @given(mutated(SEEDS[kind]), st.sampled_from([None, (0.0, 0.5), (0.5, 1.0)]))
    def tried(content: bytes, part: audio.Part | None) -> None:
        try:
            heard = audio.hear(content, RATE, part)
        except AudioError as error:
            assert "\n" not in str(error)  # noqa: PT017
            return
        finally:
            capfd.readouterr()  # libmpg123 writes its own remarks to the terminal
        assert heard.samples.dtype == np.float32
        assert np.isfinite(heard.samples).all()
        assert len(heard.samples) <= limits.CLIP_SECONDS * RATE

    tried()


@settings(max_examples=examples(60))
@given(st.binary(max_size=600), st.sampled_from([seed[:48] for seed in SEEDS.values()]))
def test_bytes_behind_a_header_are_samples_or_one_line(content: bytes, head: bytes) -> None:
    for given_ in (content, head + content):
        try:
            audio.hear(given_, RATE)
        except AudioError as error:
            assert "\n" not in str(error)  # noqa: PT017


def test_the_seeds_themselves_are_heard() -> None:
    assert all(len(audio.decode(seed, RATE)) > len(noise()) * 0.9 for seed in SEEDS.values())
