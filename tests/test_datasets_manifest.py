"""Manifests as JSON lines, CSV and TSV: what is in them, and every way in which one can be odd."""

from __future__ import annotations

import json
import math
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from harness.contracts import Dataset, Utterance
from harness.errors import AssetError, AudioError
from harness.plugins.datasets import manifest
from harness.plugins.datasets.manifest import Params
from harness.speech import audio


def load(path: Path, **params: object) -> Dataset:
    return manifest.load(Params(path=str(path), **params), Path)  # type: ignore[arg-type]


def written(
    folder: Path, content: str | bytes, name: str = "test.jsonl", clips: str = "a b"
) -> Path:
    for clip in clips.split():
        path = folder / "clips" / f"{clip}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(clip.encode())
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def line(clip: str, text: str = "hola", **more: object) -> str:
    row = {"audio_filepath": f"clips/{clip}.wav", "text": text, **more}
    return json.dumps(row, ensure_ascii=False) + "\n"


def test_json_lines_as_nemo_writes_them(tmp_path: Path) -> None:
    path = written(tmp_path, line("a", "¿sí?", duration=1.5, speaker="s1") + line("b"))
    data = load(path)
    first, second = data.utterances
    assert (first.id, first.text, first.seconds, first.speaker) == ("a", "¿sí?", 1.5, "s1")
    assert first.audio == tmp_path / "clips" / "a.wav"
    assert (second.speaker, second.error) == ("", "")
    assert math.isnan(second.seconds)
    assert data.name == "test"
    assert (data.notes["rows"], data.notes["used"], data.notes["left_out"]) == ("2", "2", "0")
    again = [data.utterances[i] for i in (1, 0, -1)][1:]
    assert repr(again) == repr([first, data.utterances[1]])  # lengths are NaN, equal to nothing


CASES = [
    ("test.csv", "audio_filepath,text,duration,speaker\nclips/a.wav,{},1.5,s1\n", ","),
    ("test.csv", "audio_filepath;text;duration;speaker\nclips/a.wav;{};1.5;s1\n", ";"),
    ("test.tsv", "audio_filepath\ttext\tduration\tspeaker\nclips/a.wav\t{}\t1.5\ts1\n", "\t"),
]


@pytest.mark.parametrize(("name", "table", "delimiter"), CASES)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_tables_with_a_header_say_the_same(
    tmp_path: Path, name: str, table: str, delimiter: str, mark: str, end: str
) -> None:
    content = mark + table.format("hola").replace("\n", end) + end
    (one,) = load(written(tmp_path, content, name)).utterances
    assert (one.id, one.text, one.seconds, one.speaker, one.error) == ("a", "hola", 1.5, "s1", "")


def test_in_a_csv_quotes_hold_commas_quotes_and_line_ends(tmp_path: Path) -> None:
    content = (
        'audio_filepath,text\nclips/a.wav,"dijo ""sí"",\nluego no"\nclips/b.wav,fin\nx.wav,?\n'
    )
    first, second, third = load(written(tmp_path, content, "test.csv")).utterances
    assert first.text == 'dijo "sí",\nluego no'
    assert second.text == "fin"
    assert third.error == "line 5 of test.csv names x.wav, which is missing."


def test_in_a_tsv_quotes_mean_nothing(tmp_path: Path) -> None:
    content = 'audio_filepath\ttext\nclips/a.wav\t"una comilla\nclips/b.wav\t"dos"\n'
    assert [one.text for one in load(written(tmp_path, content, "test.tsv")).utterances] == [
        '"una comilla',
        '"dos"',
    ]


# Python 3.10.7 and later refuse to read it; before, it is a number like any other
LONG_NUMBER = "is no JSON: a number" if hasattr(sys, "get_int_max_str_digits") else "names a,"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (line("gone"), "names gone.wav, which is missing"),
        (line("a"), "lists a.wav again; its first row counts"),
        (line("b", ""), "has no transcript of b.wav"),
        (line("b", "  "), "has no transcript of b.wav"),
        ('{"text": "hola"}\n', "has no audio_filepath"),
        ('{"audio_filepath": null, "text": "hola"}\n', "has no audio_filepath"),
        ('{"audio_filepath": "clips/b.wav"}\n', "has no transcript of b.wav"),
        ('{"audio_filepath": "clips/b.wav", "te\n', "is no JSON: Unterminated string starting at"),
        ('["clips/b.wav", "hola"]\n', "is no JSON object"),
        (line("b", {"a": 1}), "holds something in text that is no text"),  # type: ignore[arg-type]
        (line("b", ["l"]), "holds something in text that is no text"),  # type: ignore[arg-type]
        (line("b", True), "holds something in text that is no text"),
        (line("b", speaker=["s"]), "holds something in speaker that is no text"),
        ('{"audio_filepath": 5, "text": "t"}\n', "holds something in audio_filepath that is no"),
        (line("b", offset=-1), "has an offset that is no number of seconds"),
        (line("b", start_ms="x"), "has a start_ms that is no number of milliseconds"),
        (line("b", start=2, end=1), "ends at 1 s, where it starts (2 s) or before"),
        (line("b", start=2, end=3, duration=5), "lasts 5 s by its length, 1 s by its start and"),
        (line("b", start=2, offset=1), "says 1 s by its offset and 2 s by its start"),
        (line("b", offset="none"), "has an offset that is no number"),
        (line("b", offset=10**400), "has an offset that is no number"),
        (line("b", offset=True), "has an offset that is no number"),
        (line("x" * 5000), "names x"),
        ('{"audio_filepath": "clips/\\ud800b.wav", "text": "t"}\n', "names ?b.wav, which is no"),
        ('{"audio_filepath": "\\udcff", "text": "t"}\n', "names ?, which is no Unicode; rename"),
        ('{"audio_filepath": "a", "duration": ' + "9" * 5000 + "}\n", LONG_NUMBER),
        ("[" * 200_000 + "\n", "is no JSON: it is nested too deeply"),
    ],
)
def test_a_row_that_cannot_be_used_says_why_and_the_rest_is_used(
    tmp_path: Path, row: str, says: str
) -> None:
    path = written(tmp_path, line("a") + "\n" + row + line("c"), clips="a c")
    soundfile.write(tmp_path / "clips" / "b.wav", np.full(16_000, 0.1), 8_000)
    data = load(path)
    first, bad, last = data.utterances
    assert bad.error.startswith(f"line 3 of test.jsonl {says}")
    assert bad.audio is None
    assert "{" not in bad.text
    json.dumps([bad.id, bad.error], ensure_ascii=False).encode("utf-8")  # as a journal has them
    assert (first.error, last.error) == ("", "")
    assert (data.notes["rows"], data.notes["used"], data.notes["left_out"]) == ("3", "3", "1")


def test_no_row_shows_where_the_clips_lie(tmp_path: Path) -> None:
    rows = [{"audio_filepath": str(tmp_path / d / "x.wav"), "text": "t"} for d in ("1", "2")]
    data = load(written(tmp_path, "".join(json.dumps(row) + "\n" for row in rows)))
    assert [one.id for one in data.utterances] == ["x", "x#2"]  # two files of one name
    assert not any(str(tmp_path) in f"{one.id}{one.error}" for one in data.utterances)
    assert not any(str(tmp_path) in note for note in data.notes.values())


def test_numbers_and_broken_unicode_are_text(tmp_path: Path) -> None:
    rows = line("a", 0, speaker=0) + line("b", "x").replace('"x"', '"\\ud800x"')  # type: ignore[arg-type]
    first, second = load(written(tmp_path, rows)).utterances
    assert (first.text, first.speaker, first.error) == ("0", "0", "")
    assert (second.text, second.error) == ("?x", "")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("test.jsonl", "[{}]", r"^test\.jsonl is one JSON array; a manifest has one object"),
        ("test.csv", "path,words\na,b\n", r"no column audio_filepath, text; it has path, words\."),
        ("test.csv", "", "no column audio_filepath, text; it has nothing"),
        ("test.csv", "audio_filepath,text\na,año\n".encode("latin-1"), "is not UTF-8: line 2, "),
        (
            "test.jsonl",
            '{"text": "año"}\n'.encode("latin-1"),
            r"^test\.jsonl is not UTF-8: line 1,",
        ),
        ("test.jsonl", "", r"^test\.jsonl holds no row\.$"),
        ("test.csv", "audio_filepath,text\n", r"^test\.csv holds no row\.$"),
        ("test.tsv", "audio_filepath\ttext\n\n", r"^test\.tsv holds no row\.$"),
        (
            "test.tsv",
            "audio_filepath\ttext\rclips/a.wav\thola\r",
            r"^test\.tsv holds no row; does it end its lines with LF\?$",
        ),
        (
            "test.jsonl",
            '\n{"audio": "a.wav", "sentence": "hola"}\n{"audio": "b.wav"}\n',
            r"^test\.jsonl: no key audio_filepath, text; line 2 has audio, sentence\.$",
        ),
        (
            "test.jsonl",
            '{"audio_filepath": "a.wav"}\n',
            r"^test\.jsonl: no key text; line 1 has audio_filepath\.$",
        ),
        ("test.xlsx", "PK", r"^test\.xlsx: a manifest is \.jsonl, \.csv or \.tsv"),
    ],
)
def test_a_file_that_is_no_manifest_is_one_clear_line(
    tmp_path: Path, name: str, content: str | bytes, says: str
) -> None:
    with pytest.raises(AssetError, match=says) as caught:
        load(written(tmp_path, content, name))
    assert "\n" not in str(caught.value)


def test_other_names_of_columns_can_be_given(tmp_path: Path) -> None:
    content = "file,words,who\nclips/a.wav,hola,s9\n"
    path = written(tmp_path, content, "test.csv")
    (one,) = load(path, audio="file", text="words", speaker="who").utterances
    assert (one.text, one.speaker, one.error) == ("hola", "s9", "")


def test_the_fingerprint_sees_texts_clips_and_choice(tmp_path: Path) -> None:
    path = written(tmp_path, line("a") + line("b"))
    first = load(path).fingerprint
    assert load(path).fingerprint == first
    assert load(path, limit=1).fingerprint != first
    (tmp_path / "clips" / "a.wav").write_bytes(b"A")
    assert load(path).fingerprint != first


@pytest.mark.parametrize(
    ("more", "part"),
    [
        ({"offset": 0.5, "duration": 1.0}, (0.5, 1.5)),
        ({"offset": "0.5", "duration": "1.0"}, (0.5, 1.5)),
        ({"offset": 0, "duration": 1.0}, (0.0, 1.0)),
        ({"start": 0.5, "end": 1.5}, (0.5, 1.5)),
        ({"start_time": 0.5, "end_time": 1.5, "duration": 1.01}, (0.5, 1.5)),
        ({"start_ms": 500, "stop_ms": 1500}, (0.5, 1.5)),
        ({"stop": 1.5}, (0.0, 1.5)),
        ({"offset": 0.5}, (0.5, math.inf)),
    ],
)
def test_a_row_may_name_a_part_of_its_file(
    tmp_path: Path, more: dict[str, object], part: tuple[float, float]
) -> None:
    rows = line("b", **more) + line("b", offset=1.75)
    path = written(tmp_path, rows, clips="a")
    soundfile.write(tmp_path / "clips" / "b.wav", np.full(16_000, 0.1), 8_000)
    one, other = load(path).utterances
    assert (one.part, one.error, other.part, other.error) == (part, "", (1.75, math.inf), "")
    assert one.id == ("b" if not part[0] else "b@0.5-" + ("1.5" if part[1] < 9 else ""))
    assert isinstance(one.audio, Path)
    lasts = min(part[1], 2.0) - part[0]
    assert len(audio.decode(one.audio, 8_000, one.part)) == round(lasts * 8_000)


def test_another_length_makes_another_fingerprint(tmp_path: Path) -> None:
    found = {load(written(tmp_path, line("a", duration=d))).fingerprint for d in (1.0, 2.0)}
    assert len(found) == 2


@pytest.mark.parametrize(
    "more",
    [
        {"offset": 0, "duration": 2.0},
        {"offset": 0.0, "duration": 1.6},  # within half a second
        {"offset": 0, "duration": 9.0},  # all that there is
        {"offset": 0},
        {"offset": None, "duration": 1.0},
        {"offset": "", "duration": 1.0},
        {"duration": 1.0},  # a whole clip's length, which is checked when it is decoded
    ],
)
def test_a_whole_clip_is_used_whatever_says_so(tmp_path: Path, more: dict[str, object]) -> None:
    path = written(tmp_path, line("b", **more), clips="a")
    soundfile.write(tmp_path / "clips" / "b.wav", np.full(16_000, 0.1), 8_000)
    (one,) = load(path).utterances
    assert one.error == ""
    assert one.audio is not None


@pytest.mark.parametrize("duration", [10**400, 1e308, -(10**400), "1e999", "9" * 5000])
def test_lengths_that_no_clip_has_are_unknown(tmp_path: Path, duration: object) -> None:
    rows = line("a", duration=duration) + line("b", duration=duration) + line("c", duration=2.0)
    data = load(written(tmp_path, rows, clips="a b c"), minutes=1, limit=3)
    assert [one.error for one in data.utterances] == ["", "", ""]
    assert math.isnan(data.utterances[0].seconds)


def test_names_that_show_alike_are_numbered(tmp_path: Path) -> None:
    rows = "".join(
        f'{{"audio_filepath": "{name}", "text": "t"}}\n' for name in ("\\ud800", "\\ud801")
    )
    assert [one.id for one in load(written(tmp_path, rows)).utterances] == ["?", "?#2"]


def test_minutes_use_the_manifests_durations(tmp_path: Path) -> None:
    names = [f"c{i}" for i in range(20)]
    rows = "".join(line(name, duration=30.0) for name in names)
    data = load(written(tmp_path, rows, clips=" ".join(names)), minutes=2)
    assert (data.notes["used"], data.notes["drawn"]) == ("4", "stratified strata=10")


def test_clips_of_every_condition_are_heard_or_say_why(tmp_path: Path) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    soundfile.write(clips / "good.wav", np.full(1600, 0.1), 16_000)
    soundfile.write(clips / "silence.wav", np.zeros(1600), 16_000)
    soundfile.write(clips / "empty.wav", np.zeros(0), 16_000)
    (clips / "zero.wav").touch()
    names = ["good", "silence", "empty", "zero"]
    data = load(written(tmp_path, "".join(line(name) for name in names), clips=""))
    assert data.notes["left_out"] == "0"  # nothing is decoded to find out: that is the row's part
    assert [said(one) for one in data.utterances] == [
        "1600 samples",
        "1600 samples, silent",
        "empty.wav holds no samples.",
        "zero.wav cannot be read as audio.",
    ]


def said(one: Utterance) -> str:
    assert isinstance(one.audio, Path)
    try:
        samples = audio.decode(one.audio, 16_000)
    except AudioError as error:
        return str(error)
    return f"{len(samples)} samples{', silent' if audio.is_silent(samples) else ''}"


def huge(folder: Path, rows: int) -> Path:
    """A manifest of which no clip is there: rows whose clip is missing cost the same."""
    row = line("speaker-{0}/clip-{0}", "frase {1}", duration=1.5)
    row = row.replace("{", "{{", 1).replace("}\n", "}}\n").replace("1.5", "{2}")
    path = folder / f"{rows}.jsonl"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(row.format(i % 500, i, 1 + i % 97 / 10) for i in range(rows))
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rows", "params", "kept", "peak"),
    [
        # of 200,000 rows, the sample is kept; at the peak: places (16 bytes), lengths (8), the walk
        (200_000, {"limit": 100}, 5, 90),
        # all are used: places (16) and two counts (8) are kept; as a list, a row takes 480 bytes.
        # At the peak, 90 a row and the megabyte that is read at once: 214 measured
        (10_000, {}, 28, 260),
    ],
)
def test_memory_is_a_few_bytes_per_row_of_a_huge_manifest(
    tmp_path: Path, rows: int, params: dict[str, int], kept: float, peak: float
) -> None:
    path = huge(tmp_path, rows)
    load(written(tmp_path, line("a")))  # imports are no rows
    # Python's table of the names in paths grows in leaps, unless they are in it all the while
    names = [(tmp_path / f"clips/speaker-{i}/clip-{i}.wav").parts for i in range(500)]
    tracemalloc.start()
    try:
        data = load(path, **params)
        _, most = tracemalloc.get_traced_memory()
        held = tracemalloc.take_snapshot()
    finally:
        tracemalloc.stop()
    held = held.filter_traces([tracemalloc.Filter(False, "*pathlib*")])  # Python interns names
    now = sum(part.size for part in held.statistics("filename"))
    assert data.notes["rows"] == str(rows)
    assert len(names) == 500
    assert now / rows < kept
    assert most / rows < peak
    assert data.utterances[len(data.utterances) // 2].text.startswith("frase ")
