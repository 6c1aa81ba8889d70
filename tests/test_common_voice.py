"""Common Voice release folders: the sample data, and every way in which a table can be odd."""

from __future__ import annotations

import math
import threading
from pathlib import Path

import pytest

from harness.contracts import Dataset, Utterance
from harness.datasets import common_voice
from harness.datasets.common_voice import Params
from harness.errors import AssetError

HEADER = "client_id\tpath\tsentence_id\tsentence\tlocale"


def load(folder: Path, **params: object) -> Dataset:
    return common_voice.load(Params(path=str(folder), **params), Path)  # type: ignore[arg-type]


def release(folder: Path, *rows: str, clips: str = "a b c", header: str = HEADER) -> Path:
    """A release folder with one split; rows as lines of the table."""
    language = folder / "cv-corpus-99.0" / "es"
    (language / "clips").mkdir(parents=True)
    for name in clips.split():
        (language / "clips" / f"{name}.mp3").write_bytes(name.encode())
    text = "\n".join([header, *rows]) + "\n"
    (language / "test.tsv").write_bytes(text.encode("utf-8"))
    return language.parent


def row(path: str, sentence: str = "hola", speaker: str = "s1") -> str:
    return f"{speaker}\t{path}\tid-{path}\t{sentence}\tes"


def only(data: Dataset) -> Utterance:
    (one,) = data.utterances
    return one


def test_the_sample_data_is_read_whole(root: Path) -> None:
    data = load(root / "data" / "cv-es-prompts")
    found = list(data.utterances)
    assert data.notes == {
        "release": "cv-es-prompts",
        "locale": "es",
        "split": "test",
        "rows": "100",
        "used": "100",
        "left_out": "0",
    }
    assert len(found) == len({one.id for one in found}) == 100
    assert not any(one.error for one in found)
    assert len({one.speaker for one in found}) == 1
    # shell: awk over clip_durations.tsv for the test split: 1.3 to 29 s (the data's README)
    assert 1.2 < min(one.seconds for one in found) < max(one.seconds for one in found) < 30
    assert list(data.utterances) == found  # it can be walked again


def test_the_language_folder_itself_will_do_as_well(root: Path) -> None:
    data = load(root / "data" / "cv-es-prompts" / "es", split="dev")
    assert data.name == "cv-es-prompts"
    assert data.notes["rows"] == "16"


def test_calibration_and_evaluation_share_no_utterance(root: Path) -> None:
    folder = root / "data" / "cv-es-prompts"
    test, dev = (
        {(one.id, one.sentence) for one in load(folder, split=split).utterances}
        for split in ("test", "dev")
    )
    assert not test & dev


@pytest.mark.parametrize(
    "sentence",
    [
        '"Hola", dijo',
        '"una comilla que no cierra',
        "NA",
        "null",
        "1,5",
        "niño — ¿sí?",
        "con\u2028separador y \u00a0 espacio",
        "",
    ],
)
def test_a_sentence_comes_out_as_it_was_written(tmp_path: Path, sentence: str) -> None:
    folder = release(tmp_path, row("a.mp3", sentence), row("b.mp3", "siguiente"))
    assert [one.text for one in load(folder).utterances] == [sentence, "siguiente"]


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_the_table(tmp_path: Path) -> None:
    table = release(tmp_path, row("a.mp3")) / "es" / "test.tsv"
    table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes().replace(b"\n", b"\r\n") + b"\r\n")
    one = only(load(table.parent))
    assert (one.speaker, one.text, one.error) == ("s1", "hola", "")


def test_a_tab_in_a_sentence_costs_that_row_only(tmp_path: Path) -> None:
    data = load(release(tmp_path, row("a.mp3", "hola\tmundo"), row("b.mp3"), "\n", "s1\tc.mp3"))
    first, second, third = data.utterances
    assert first.error == (
        "line 2 of test.tsv has 6 fields instead of 5; is there a tab in the sentence?"
    )
    assert first.audio is None
    assert second.error == ""
    assert "has 2 fields instead of 5" in third.error
    assert data.notes["left_out"] == "2"


def test_missing_double_and_impossible_clips_become_rows_with_their_reason(tmp_path: Path) -> None:
    names = ["a.mp3", "gone.mp3", "a.mp3", "../test.tsv", "b"]
    data = load(release(tmp_path, *(row(name) for name in names)))
    found = list(data.utterances)
    assert [one.error for one in found] == [
        "",
        "gone.mp3 is missing in clips/.",
        "a.mp3 is listed more than once; its first row counts.",
        "'../test.tsv' is not the name of a clip.",
        "",
    ]
    assert len({one.id for one in found}) == len(found)
    assert found[4].audio == tmp_path / "cv-corpus-99.0" / "es" / "clips" / "b.mp3"
    assert data.notes["left_out"] == "3"


def test_lengths_come_from_the_release_where_it_has_them(tmp_path: Path) -> None:
    folder = release(tmp_path, row("a.mp3"), row("b.mp3"))
    assert all(math.isnan(one.seconds) for one in load(folder).utterances)
    table = "clip\tduration[ms]\na.mp3\t1500\nb.mp3\tx\nother.mp3\t9\n"
    (folder / "es" / "clip_durations.tsv").write_text(table)
    first, second = load(folder).utterances
    assert first.seconds == 1.5
    assert math.isnan(second.seconds)


def test_a_sample_is_drawn_by_its_seed_and_keeps_the_order(tmp_path: Path) -> None:
    names = [f"c{i:03}" for i in range(60)]
    folder = release(tmp_path, *(row(f"{n}.mp3") for n in names), clips=" ".join(names))
    ids = [one.id for one in load(folder, limit=20, seed=7).utterances]
    assert ids == sorted(ids)
    assert len(set(ids)) == 20
    assert ids == [one.id for one in load(folder, limit=20, seed=7).utterances]
    assert ids != [one.id for one in load(folder, limit=20, seed=8).utterances]
    data = load(folder, limit=20, seed=7)
    assert (data.notes["rows"], data.notes["used"], data.notes["seed"]) == ("60", "20", "7")
    assert "seed" not in load(folder, limit=60).notes


def test_the_fingerprint_sees_texts_clips_and_choice_but_not_the_place(tmp_path: Path) -> None:
    rows = (row("a.mp3"), row("b.mp3"))
    one, two = release(tmp_path / "x", *rows), release(tmp_path / "y", *rows)
    first = load(one).fingerprint
    assert load(two).fingerprint == first
    assert load(two, limit=1).fingerprint != first
    (two / "es" / "clips" / "a.mp3").write_bytes(b"A")  # same size
    assert load(two).fingerprint != first
    (two / "es" / "clips" / "a.mp3").write_bytes(b"a")
    assert load(two).fingerprint == first
    table = two / "es" / "test.tsv"
    table.write_text(table.read_text().replace("hola", "HOLA", 1))
    assert load(two).fingerprint != first


def test_old_releases_without_speaker_or_sentence_ids_are_read(tmp_path: Path) -> None:
    folder = release(tmp_path, "a.mp3\thola", "b.mp3\thola", header="path\tsentence")
    first, second = load(folder).utterances
    assert first.speaker == ""
    assert first.sentence == second.sentence  # the same sentence, told by its text
    assert first.error == ""


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"split": "train"}, r"no train\.tsv, neither there nor in es/; there is: test\."),
        ({"locale": "fr"}, "there is: no table at all"),
    ],
)
def test_a_split_that_is_not_there_is_one_clear_line(
    tmp_path: Path, params: dict[str, str], says: str
) -> None:
    with pytest.raises(AssetError, match=says):
        load(release(tmp_path, row("a.mp3")), **params)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"path\ttext\na.mp3\thola\n", r"test\.tsv: no column sentence; it has path, text\."),
        (b"", r"test\.tsv: no column path, sentence"),
        ("path\tsentence\na.mp3\taño\n".encode("latin-1"), r"test\.tsv is not UTF-8"),
    ],
)
def test_a_table_that_is_none_is_one_clear_line(tmp_path: Path, content: bytes, says: str) -> None:
    folder = release(tmp_path)
    (folder / "es" / "test.tsv").write_bytes(content)
    with pytest.raises(AssetError, match=says):
        load(folder)


def test_an_empty_split_is_an_empty_data_set(tmp_path: Path) -> None:
    data = load(release(tmp_path))
    assert list(data.utterances) == []
    assert data.notes["rows"] == "0"


def test_nothing_is_written_beside_the_data_and_odd_folder_names_are_fine(tmp_path: Path) -> None:
    folder = release(tmp_path / "data [v1] * ñ", row("a.mp3"))
    before = sorted(tmp_path.rglob("*"))
    assert only(load(folder)).text == "hola"
    assert sorted(tmp_path.rglob("*")) == before


def test_two_readers_at_once_see_the_same(tmp_path: Path) -> None:
    folder = release(tmp_path, row("a.mp3"), row("b.mp3"))
    found: list[str] = []
    readers = [
        threading.Thread(target=lambda: found.append(load(folder).fingerprint)) for _ in range(4)
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert len(found) == 4
    assert len(set(found)) == 1
