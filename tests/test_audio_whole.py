"""Clips that end before their end are refused with the reason; odd but legal ones are heard."""

from __future__ import annotations

import struct
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from audio_files import (
    APE,
    ID3V1,
    ID3V2,
    MP3,
    RATE,
    SAMPLES,
    bare_mp3,
    chunk,
    clip,
    encoded,
    flac,
    half,
    header_field,
    noise,
    put,
    rf64,
    sized,
    uncounted_mp3,
    w64,
    wav,
    without_a_page,
    without_last_page,
)

from harness.errors import AudioError, limits
from harness.speech import audio

UNTOLD = [0, 0xFFFF_FFFF, 0x7FFF_FFFF, 0x7FFF_F000, 0x8000_0000]
WAV_KINDS = ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW",
             "IMA_ADPCM", "MS_ADPCM", "GSM610", "G721_32", "NMS_ADPCM_32"]  # fmt: skip
CONTAINERS = ["AIFF", "AU", "CAF", "W64", "RF64", "WAVEX", "NIST", "SVX"]
VORBIS, OPUS = clip("OGG", "VORBIS"), clip("OGG", "OPUS")

# what is odd about it, the clip, how many samples at 16 kHz are heard
LEGAL = [
    *((f"WAV {kind}", clip("WAV", kind), SAMPLES) for kind in WAV_KINDS),
    *((kind, clip(kind), SAMPLES) for kind in CONTAINERS),
    *((f"piped WAV {size:#x}", wav(size, size), SAMPLES) for size in UNTOLD),
    ("WAV that was never closed", wav(0, 36), SAMPLES),
    ("WAV without its RIFF size", wav(riff=0), SAMPLES),
    ("WAV whose RIFF size is one too many", wav(riff=2 * SAMPLES + 37), SAMPLES),
    ("WAV that counts its header as audio", wav(2 * SAMPLES + 44), SAMPLES),
    ("WAV with a LIST", wav(tail=chunk(b"LIST", b"INFOISFT" + bytes(60_001))), SAMPLES),
    ("WAV with an id3 chunk", wav(tail=chunk(b"id3 ", ID3V2 * 40)), SAMPLES),
    ("WAV with two chunks", wav(tail=chunk(b"cue ", bytes(28)) + chunk(b"bext", bytes(9000))),
     SAMPLES),
    ("WAV with an ID3v1 tag", wav(tail=ID3V1), SAMPLES),
    ("WAV filled up with zeros", wav(tail=bytes(65_536)), SAMPLES),
    ("WAV with a stray byte", wav(tail=b"\x0a"), SAMPLES),
    ("WAV of an odd size", encoded(noise(SAMPLES - 1), "WAV", "PCM_U8"), SAMPLES - 1),
    ("WAV of an odd size, not padded", encoded(noise(SAMPLES - 1), "WAV", "PCM_U8")[:-1],
     SAMPLES - 1),
    ("WAV behind an ID3v2 tag", ID3V2 + wav(), SAMPLES),
    *((f"piped AIFF {size:#x}", sized(clip("AIFF"), b"SSND", size, ">I"), SAMPLES)
      for size in (0, 0xFFFF_FFFF, 0x7FFF_FFFF)),
    *((f"piped AU {size:#x}", put(clip("AU"), 8, struct.pack(">I", size)), SAMPLES)
      for size in (0, 0xFFFF_FFFF, 0x7FFF_FFFF)),
    *((f"piped CAF {size}", sized(clip("CAF"), b"data", size, ">q"), SAMPLES) for size in (-1, 0)),
    *((f"piped W64 {size}", w64(size), SAMPLES) for size in (-1, 0, 2**62)),
    *((f"piped RF64 {size}", rf64(size), SAMPLES) for size in (-1, 0, 2**62)),
    ("FLAC", flac(), SAMPLES),
    ("FLAC without a count", flac(0), SAMPLES),
    ("FLAC behind an ID3v2 tag", ID3V2 + flac(), SAMPLES),
    ("FLAC without a count behind an ID3v2 tag", ID3V2 + flac(0), SAMPLES),
    ("FLAC with an ID3v1 tag", flac() + ID3V1, SAMPLES),
    ("FLAC without a count with an ID3v1 tag", flac(0) + ID3V1, SAMPLES),
    ("FLAC of 24 bit", clip("FLAC", "PCM_24"), SAMPLES),
    ("MP3", MP3, SAMPLES),
    ("MP3 behind two ID3v2 tags", ID3V2 + ID3V2 + MP3, SAMPLES),
    ("MP3 with an ID3v1 tag", MP3 + ID3V1, SAMPLES),
    ("MP3 with an APE tag", MP3 + APE, SAMPLES),
    ("MP3 with APE and ID3v1 tags", MP3 + APE + ID3V1, SAMPLES),
    ("MP3 behind zeros", bytes(5000) + MP3, SAMPLES),
    ("MP3 before zeros", MP3 + bytes(5000), SAMPLES),
    ("joined MP3s", MP3 + MP3, 2 * SAMPLES),
    ("joined MP3s with tags", ID3V2 + MP3 + ID3V1 + ID3V2 + MP3 + ID3V1, 2 * SAMPLES),
    ("Vorbis", VORBIS, SAMPLES),
    ("Opus", OPUS, SAMPLES),
    ("chained Vorbis", VORBIS + VORBIS + VORBIS, 3 * SAMPLES),
    ("chained Opus", OPUS + OPUS, 2 * SAMPLES),
]  # fmt: skip


@pytest.mark.parametrize("place", ["memory", "disk"])
@pytest.mark.parametrize(("content", "samples"), [row[1:] for row in LEGAL],
                         ids=[row[0] for row in LEGAL])  # fmt: skip
def test_an_odd_but_legal_clip_is_heard_whole(
    tmp_path: Path, content: bytes, samples: int, place: str
) -> None:
    (tmp_path / "clip").write_bytes(content)
    heard = audio.hear(tmp_path / "clip" if place == "disk" else content, RATE)
    assert samples <= len(heard.samples) <= samples + 512  # ADPCM fills its last block


@pytest.mark.parametrize(
    ("content", "files"), [(bare_mp3(), 1), (bare_mp3() + bare_mp3(1), 2), (uncounted_mp3(), 1)]
)
def test_an_mp3_that_does_not_count_its_frames_is_heard_to_its_end(
    content: bytes, files: int
) -> None:
    frames = files * (SAMPLES / 576 + 1)
    assert len(audio.decode(content, RATE)) == pytest.approx(frames * 576, abs=2 * 576)


UNCHECKED = dict.fromkeys(("VOC", "IRCAM", "PAF", "MAT4", "PVF", "SDS", "AVR", "MPC2K"), "PCM_16")
UNCHECKED |= {"MAT5": "FLOAT", "XI": "DPCM_16", "WVE": "ALAW"}
CUT = r"is cut short|is damaged|cannot be read"
BROKEN = [
    *((f"half a WAV {kind}", half(clip("WAV", kind)), "is cut short: its header counts")
      for kind in WAV_KINDS),
    *((f"half a {kind}", half(clip(kind)), "is cut short: its header counts")
      for kind in CONTAINERS),
    *((f"a {kind}", clip(kind, sub), f"is {kind}, which does not show whether it is whole")
      for kind, sub in UNCHECKED.items()),
    ("WAV less 10 ms", clip("WAV")[:-320], "is cut short: its header counts 48000"),
    ("WAV that lost all but its header", clip("WAV")[:44], "is cut short|holds no samples"),
    ("half a FLAC", half(flac()), CUT),
    ("FLAC less its last byte", flac()[:-1], CUT),
    ("half a FLAC without a count", half(flac(0)), "it does not end with a whole FLAC frame"),
    ("FLAC that counts too many", flac(SAMPLES * 2), CUT),
    ("FLAC that counts too few", flac(SAMPLES // 2), "12000 samples in its header and has 24000"),
    ("half an MP3", half(MP3), "is cut short"),
    ("half an MP3 behind a tag", ID3V2 + half(MP3), "is cut short"),
    ("half an MP3 without a count", half(bare_mp3())[:-7], "its last MP3 frame lacks"),
    ("MP3 that counts half", put(MP3, max(MP3.find(b"Info"), MP3.find(b"Xing")) + 8,
                                 struct.pack(">I", 20)), "counts 20 MP3 frames in its header"),
    ("MP3 with a hole", half(MP3)[:-500] + bytes(1000) + MP3[len(MP3) // 2 + 500 :],
     "bytes in its middle are no MP3 frame|is damaged"),
    ("half a Vorbis", half(VORBIS), "is cut short"),
    ("half an Opus", half(OPUS), "is cut short"),
    ("Vorbis without its last page", without_last_page(VORBIS), "has no last page"),
    ("Opus without its last page", without_last_page(OPUS), "has no last page"),
    ("Vorbis without a page", without_a_page(clip("OGG", "VORBIS")), "pages are missing|damaged"),
    ("chained Opus, the second cut", OPUS + half(OPUS), "is cut short"),
    *((f"joined {kind}s", clip(kind) * 2, "is two files one behind the other")
      for kind in ("WAV", "AIFF", "AU", "CAF", "W64", "RF64", "NIST", "FLAC")),
    ("WAV that counts a part", wav(4096), "holds 48000 bytes behind its header, which counts 4096"),
    ("a rate of 0", header_field(24, "<I", 0), "cannot be read as audio"),
    ("a rate of 1", header_field(24, "<I", 1), "has 1 samples a second by its header"),
    ("a rate of 10^9", header_field(24, "<I", 10**9), "has 1000000000 samples a second"),
    ("no channel", header_field(22, "<H", 0), "cannot be read as audio"),
    ("255 channels", header_field(22, "<H", 255), "has 255 channels by its header; 64 are read"),
    ("65535 channels", header_field(22, "<H", 65535), "cannot be read as audio"),
    ("blocks of no bytes", header_field(32, "<H", 0), ""),
    ("integers as floats", encoded(noise() * 32768, "WAV", "FLOAT"), "integers written as floats"),
    ("infinity in one channel", encoded(np.array([[np.inf, 0.0]] * 200), "WAV", "FLOAT"),
     "holds a sample that is not a number"),
    ("doubles beyond float", encoded(np.full(200, 1e300), "WAV", "DOUBLE"), "not a number"),
    ("all NaN", encoded(np.full(200, np.nan), "WAV", "FLOAT"), "not a number"),
    ("one sample", encoded(np.ones(1) * 0.1), "holds 1 samples, 0.0625 ms: too short"),
    ("an empty FLAC", encoded(np.zeros(0), "FLAC", "PCM_16"), "holds no samples|cannot|cut"),
    ("an empty MP3", MP3[:400], CUT),
    ("zeros", bytes(1000), "cannot be read as audio"),
    ("a tag alone", ID3V2, "cannot be read as audio"),
    ("M4A", b"\0\0\0\x20ftypM4A " + bytes(500), r"it is MP4 \(M4A, AAC\). WAV or FLAC is read"),
    ("WebM", b"\x1a\x45\xdf\xa3" + bytes(500), "it is Matroska"),
    ("a pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "a pointer of Git"),
    ("a page", b"<!DOCTYPE html><html>404</html>", "it is HTML"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "says"), [row[1:] for row in BROKEN],
                         ids=[row[0] for row in BROKEN])  # fmt: skip
def test_what_is_not_the_whole_clip_is_one_line(
    tmp_path: Path, content: bytes, says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "clip.bin"
    path.write_bytes(content)
    if not says:
        audio.decode(content, RATE)
        return
    for given, name in ((path, "clip.bin"), (content, f"a clip of {len(content)} bytes")):
        with pytest.raises(AudioError, match=says) as caught:
            audio.decode(given, RATE)
        assert str(caught.value).startswith(name)
        assert "\n" not in str(caught.value)
    capfd.readouterr()  # libmpg123 writes its own remarks to the terminal


def test_a_raw_mp3_cut_between_two_frames_cannot_be_told_but_by_the_length_in_its_row() -> None:
    content = bare_mp3()
    starts = [at for at in range(len(content)) if content[at : at + 2] == content[:2]]
    cut = content[: starts[len(starts) // 2]]
    assert len(audio.decode(cut, RATE)) < SAMPLES * 0.6
    with pytest.raises(AudioError, match=r"lasts 0\.\d+ s, not 1\.5 s as its row says"):
        audio.decode(cut, RATE, told=1.5)


def test_a_file_of_a_mac_beside_a_clip_is_not_taken_for_it(tmp_path: Path) -> None:
    """`._clip.mp3` is what a Mac's archive leaves; libsndfile would take it for a resource fork."""
    (tmp_path / "clip.mp3").write_bytes(MP3)
    (tmp_path / "._clip.mp3").write_bytes(b"\0\x05\x16\x07" + bytes(159))
    assert len(audio.decode(tmp_path / "clip.mp3", RATE)) == SAMPLES


# ------------------------------------------------------------------------------------------ bombs
@pytest.mark.slow
@pytest.mark.parametrize("counted", [True, False])
def test_a_clip_of_a_few_kilobytes_that_decodes_to_gigabytes_is_refused_at_once(
    tmp_path: Path, counted: bool
) -> None:
    bomb = tmp_path / "bomb.flac"
    samples = limits.CLIP_SAMPLES + 5_000_000
    with soundfile.SoundFile(bomb, "w", 384_000, 1, "PCM_16") as file:
        for _ in range(samples // 1_000_000 + 1):
            file.write(np.zeros(1_000_000, np.int16))
    if not counted:
        read = bomb.read_bytes()
        bomb.write_bytes(put(read, 21, bytes([read[21] & 0xF0]) + bytes(4)))
    assert bomb.stat().st_size < 2_000_000
    started = time.monotonic()
    tracemalloc.start()
    try:
        with pytest.raises(AudioError, match=r"bomb.flac is too long: \d+ samples or more, 260 s"):
            audio.decode(bomb, RATE)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 50e6
    assert time.monotonic() - started < 60  # no measurement: it is milliseconds


def test_a_header_that_lies_is_met_while_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CLIP_SAMPLES", SAMPLES)
    with pytest.raises(AudioError, match="is too long"):
        audio.decode(bare_mp3(), RATE)  # its count is not told
    with pytest.raises(AudioError, match="is too long"):
        audio.decode(MP3 + MP3, RATE)  # each is within the bound


@pytest.mark.parametrize(
    ("bound", "value", "content", "says"),
    [
        ("CLIP_SECONDS", 1.0, clip("WAV"), r"24000 samples or more, 1 s at 16000 Hz are heard"),
        ("CLIP_SAMPLES", 20_000, clip("FLAC"), "is too long"),
        ("HELD_BYTES", 1000, MP3, r"is 0 MB; a clip of its kind is read up to 0 MB"),
        ("HELD_BYTES", 1000, flac(0), "a clip of its kind is read up to"),
        ("CLIP_CHANNELS", 1, encoded(np.zeros((200, 2))), "has 2 channels by its header; 1 are"),
        ("SKIPPED_SAMPLES", 100, clip("WAV", "IMA_ADPCM"), "is too long"),
    ],
)
def test_each_bound_is_met_with_a_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, bound: str, value: float, content: bytes,
    says: str,
) -> None:  # fmt: skip
    (tmp_path / "clip").write_bytes(content)
    monkeypatch.setattr(limits, bound, value)
    with pytest.raises(AudioError, match=says):
        audio.decode(tmp_path / "clip", RATE, (1.2, 1.4) if bound == "SKIPPED_SAMPLES" else None)


# -------------------------------------------------------------------------------- channels, parts
def channels(*each: np.ndarray) -> bytes:
    return encoded(np.stack(each, axis=1), "WAV", "FLOAT")


A, B, NONE = noise(seed=1), noise(seed=2), np.zeros(SAMPLES)


@pytest.mark.parametrize(
    ("content", "expected", "note"),
    [
        (channels(A, A), A, ""),
        (channels(A, B), (A + B) / 2, ""),
        (channels(A, NONE), A / 2, ""),  # 6 dB lower, and all of it there
        (channels(A, -A), A, "1"),
        (channels(A, -0.5 * A), A, "1"),
        (channels(-0.5 * A, A), A, "2"),
        (channels(A, -0.8 * A + 0.4 * B), A, "1"),
        (channels(A, -0.3 * A + B), (0.7 * A + B) / 2, ""),
        (channels(NONE, NONE, A, NONE, NONE, NONE), A / 6, ""),  # 5.1, speech in the centre
        (channels(A, -A, NONE, NONE, NONE, NONE), A, "1"),
        (channels(NONE, NONE), NONE, ""),
        (channels(*[A] * 6), A, ""),
    ],
)
def test_channels_are_averaged_unless_they_cancel(
    content: bytes, expected: np.ndarray, note: str
) -> None:
    heard = audio.hear(content, RATE)
    assert np.allclose(heard.samples, expected, atol=1e-5)
    assert heard.note == (f"channels_cancel channel={note}" if note else "")


@pytest.mark.parametrize(
    "content",
    [clip("WAV"), flac(), flac(0), clip("WAV", "IMA_ADPCM"), clip("WAV", "GSM610"), MP3, VORBIS],
)
@pytest.mark.parametrize("part", [(0.0, 0.5), (0.25, 0.75), (0.5, 1.5), (1.0, float("inf"))])
def test_a_part_is_cut_to_the_sample(content: bytes, part: tuple[float, float]) -> None:
    whole = audio.decode(content, RATE)
    found = audio.decode(content, RATE, part)
    first, last = round(part[0] * RATE), min(round(min(part[1], 9) * RATE), len(whole))
    assert np.array_equal(found, whole[first:last])


def test_a_part_that_begins_with_the_file_and_nearly_ends_with_it_is_all_of_it() -> None:
    assert len(audio.decode(clip("WAV"), RATE, (0.0, 1.3))) == SAMPLES
    assert len(audio.decode(clip("WAV"), RATE, (0.0, 1.7))) == SAMPLES


@pytest.mark.parametrize(
    ("part", "told", "says"),
    [
        ((1.5, 2.0), 0, r"lasts 1\.5 s; its row names 1\.5 s to 2 s\."),
        ((0.5, 2.5), 0, r"its row names 0\.5 s to 2\.5 s"),
        ((7.0, float("inf")), 0, "its row names 7 s to its end"),
        ((0.0, 1500.0), 0, "its row names 0 s to 1500 s"),  # milliseconds
        (None, 1500.0, r"lasts 1\.5 s, not 1500 s as its row says"),
        (None, 0.7, r"lasts 1\.5 s, not 0\.7 s as its row says. If the row means a part"),
        (None, 2.0, "not 2 s"),
    ],
)
def test_a_row_that_does_not_fit_its_file_says_so(
    part: tuple[float, float] | None, told: float, says: str
) -> None:
    with pytest.raises(AudioError, match=says):
        audio.decode(clip("WAV"), RATE, part, told)


@pytest.mark.parametrize("told", [1.5, 1.2, 1.85, float("nan")])  # to a quarter, at most 0.5 s
def test_a_length_that_was_rounded_is_the_files(told: float) -> None:
    assert len(audio.decode(clip("WAV"), RATE, told=told)) == SAMPLES


# -------------------------------------------------------------------------------------- bandwidth
@pytest.mark.parametrize(
    ("top", "rate", "expected"),
    [(3400, 16_000, 3400), (4000, 16_000, 4000), (8000, 16_000, 8000), (3400, 48_000, 3400)],
)
def test_a_telephones_band_in_a_wide_file_shows(top: int, rate: int, expected: int) -> None:
    spectrum = np.fft.rfft(np.random.default_rng(0).normal(size=4 * rate))
    spectrum[np.fft.rfftfreq(4 * rate, 1 / rate) > top] = 0
    samples = np.fft.irfft(spectrum) * 0.1
    assert audio.bandwidth_hz(samples, rate) == pytest.approx(expected, abs=200)
    found = audio.sound([(encoded(samples, rate=rate), None), (b"broken", None)])
    assert found.rates == {rate: 1}
    assert found.bandwidth_hz == pytest.approx(expected, abs=200)


def test_silence_has_no_bandwidth() -> None:
    assert np.isnan(audio.bandwidth_hz(np.zeros(1600), RATE))
    assert np.isnan(audio.sound([]).bandwidth_hz)
