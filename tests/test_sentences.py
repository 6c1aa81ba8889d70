"""Sentences to be said: what is read from .txt, .tsv and .csv, how ids are made, samples drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.contracts import Dataset
from harness.errors import AssetError
from harness.plugins.datasets import sentences
from harness.plugins.datasets.sentences import Params


def load(path: Path, **params: object) -> Dataset:
    return sentences.load(Params(path=str(path), **params), Path)  # type: ignore[arg-type]


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def said(data: Dataset) -> list[str]:
    return [one.text for one in data.utterances]


def test_a_text_file_has_a_sentence_per_line(tmp_path: Path) -> None:
    data = load(write(tmp_path / "s.txt", "\ufeffUno.\r\n\r\n  Dos, y tres. \nCuatro"))
    assert said(data) == ["Uno.", "Dos, y tres.", "Cuatro"]
    assert all(one.audio is None and not one.error for one in data.utterances)
    assert data.name == "s"
    assert data.notes == {"rows": "3", "used": "3", "left_out": "0"}


def test_quotes_mean_nothing_in_a_tsv_and_something_in_a_csv(tmp_path: Path) -> None:
    tsv = write(tmp_path / "s.tsv", 'path\tsentence\na\t"Uno\nb\tDos "y" tres\n')
    csv = write(tmp_path / "s.csv", 'id,sentence\r\na,"Uno, ""dos""\r\ny tres"\r\nb,Cuatro\r\n')
    assert said(load(tsv)) == ['"Uno', 'Dos "y" tres']
    assert said(load(csv)) == ['Uno, "dos"\ny tres', "Cuatro"]


def test_an_id_is_of_the_sentence_and_not_of_its_place(tmp_path: Path) -> None:
    first = load(write(tmp_path / "a.txt", "¿Qué hora es ahora, Pepe?\nAdiós.\nAdiós.\n"))
    moved = load(write(tmp_path / "b.txt", "Hola.\nAdiós.\n¿Qué hora es ahora, Pepe?\n"))
    ids = [one.id for one in first.utterances]
    assert ids[0].startswith("que-hora-es-ahora-")
    assert ids[2] == f"{ids[1]}-2"
    assert {ids[0], ids[1]} < {one.id for one in moved.utterances}
    assert first.utterances[1].sentence == first.utterances[2].sentence
    assert all(set(one) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for one in ids)
    assert first.fingerprint != moved.fingerprint


def test_composed_and_decomposed_accents_have_one_id(tmp_path: Path) -> None:
    one = load(write(tmp_path / "a.txt", "El ni\u00f1o."))
    two = load(write(tmp_path / "b.txt", "El nin\u0303o."))
    assert one.utterances[0].id == two.utterances[0].id


def test_a_row_that_cannot_be_said_keeps_its_reason(tmp_path: Path) -> None:
    path = write(tmp_path / "s.tsv", "id\tsentence\na\tUno\nb\t \nc\nd\tDos\ttres\n")
    data = load(path)
    assert [one.error for one in data.utterances] == [
        "",
        "line 3 of s.tsv has no sentence.",
        "line 4 of s.tsv has 1 fields instead of 2.",
        "line 5 of s.tsv has 3 fields instead of 2.",
    ]
    assert data.notes["left_out"] == "3"
    assert len({one.id for one in data.utterances}) == 4


def test_a_sample_is_drawn_by_the_seed(root: Path) -> None:
    path = root / "data" / "sentences-en.txt"
    first, again = load(path, limit=10, seed=1), load(path, limit=10, seed=1)
    other = load(path, limit=10, seed=2)
    whole = said(load(path))
    assert said(first) == said(again) != said(other)
    assert [whole.index(one) for one in said(first)] == sorted(whole.index(t) for t in said(first))
    assert first.notes["used"] == "10"
    assert first.notes["seed"] == "1"


def test_the_shipped_sentences_are_fifty_different_ones(root: Path) -> None:
    data = load(root / "data" / "sentences-en.txt", language="en")
    assert len(data.utterances) == len({one.id for one in data.utterances}) == 50
    assert not any(one.error for one in data.utterances)
    assert data.notes["language"] == "en"


def test_the_prompts_of_a_release_can_be_said(root: Path) -> None:
    data = load(root / "data" / "cv-es-prompts" / "es" / "test.tsv")
    assert len(data.utterances) == 100
    assert data.utterances[0].text.startswith("Ese agente ya ha sido autenticado.")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("s.txt", b"\n \n", "s.txt holds no sentence."),
        ("s.txt", "x\naño".encode("latin-1"), "s.txt is not UTF-8: line 2, "),
        ("s.tsv", b"text\nHola\n", "s.tsv: no column sentence; it has text."),
        ("s.csv", b"", "s.csv: no column sentence; it has nothing."),
        ("s.tsv", b"sentence\n", "s.tsv holds no sentence."),
        ("s.md", b"Hola", "s.md: sentences come as .txt, .tsv or .csv."),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(AssetError) as found:
        load(tmp_path / name)
    assert str(found.value).startswith(message)
    assert "\n" not in str(found.value)


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match=r"^no\.txt cannot be read: "):
        load(tmp_path / "no.txt")
