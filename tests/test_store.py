"""The run folder: nothing is lost by a kill, nothing is half-written, edits are noticed."""

from __future__ import annotations

import json
from pathlib import Path

import filed
import pandas as pd
import pytest

from harness import store
from harness.contracts import Result
from harness.errors import StoreError
from harness.store import encoding, tables

pytestmark = pytest.mark.disk

ROW = {"stage": "sweep", "variant": "fp32", "session": "default", "replica": 0, "seconds": 0.25}
ROW |= {"operation": "pipeline", "round": 0, "block": 0, "warm": True}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / store.WORK).mkdir()
    return tmp_path


def test_a_unit_gives_back_what_was_appended_with_missing_numbers_as_nan(folder: Path) -> None:
    unit = store.Unit(folder, "sweep", "k" * 64)
    unit.append([ROW, {**ROW, "seconds": None, "error": "crashed"}])
    unit.finish()
    calls = unit.table()
    assert unit.complete
    assert calls["seconds"].tolist()[0] == 0.25
    assert pd.isna(calls["seconds"][1])
    assert calls["error"].tolist() == ["", "crashed"]
    assert dict(calls.dtypes.astype(str))["round"] == "int64"


def test_a_run_from_before_calls_had_all_their_columns_is_read() -> None:
    """`recording` and others came later: tables.LATER."""
    path = Path(__file__).parent / "frozen" / "whisper_base_es"
    written = set(pd.read_parquet(path / "calls.parquet"))
    later = set(tables.TABLES["calls"]) - written
    calls = store.read(path).calls
    assert later
    assert all(
        (calls[name].astype(object).isin(["", None, 0]) | calls[name].isna()).all()
        for name in later
    )


@pytest.mark.parametrize("torn", [b'[{"stage": "sw', b"[", b'[{"stage": "sweep"}]'])
def test_a_line_torn_by_a_kill_is_left_out_and_the_next_block_starts_clean(
    folder: Path, torn: bytes
) -> None:
    unit = store.Unit(folder, "sweep", "k" * 64)
    unit.append([ROW])
    journal = next((folder / store.WORK).glob("*.jsonl"))
    journal.write_bytes(journal.read_bytes() + torn)
    assert [row["round"] for block in unit.blocks() for row in block] == [0]
    unit.append([{**ROW, "round": 1}])
    assert [row["round"] for block in unit.blocks() for row in block] == [0, 1]


def test_units_of_another_key_do_not_see_each_other(folder: Path) -> None:
    store.Unit(folder, "sweep", "a" * 64).append([ROW])
    assert store.Unit(folder, "sweep", "b" * 64).blocks() == []


def test_only_one_run_at_a_time_is_let_into_a_folder(tmp_path: Path) -> None:
    with (
        store.locked(tmp_path),
        pytest.raises(StoreError, match="another run"),
        store.locked(tmp_path),
    ):
        pass
    with store.locked(tmp_path):
        assert (tmp_path / store.WORK).is_dir()


def result(folder: Path) -> Result:
    full = {name: tables.frame(name, []) for name in tables.TABLES}
    full["calls"] = tables.frame("calls", [ROW])
    numbers = {"variant": "int8", "metric": "wer", "value": 0.1 + 0.2, "low": float("nan"), "n": 3}
    full["summary"] = tables.frame("summary", [{**numbers, "workload": 'a, "b"'}])
    return filed.result(folder, {"name": "x"}, {"cpu": "y"}, {"verdict": "Z"}, full)


def test_what_is_published_is_read_back_to_the_last_digit(folder: Path) -> None:
    store.publish(result(folder), "name: x\n")
    back = store.read(folder)
    assert back.verdict == {"verdict": "Z"}
    for name in set(tables.TABLES) - {"scores"}:
        pd.testing.assert_frame_equal(back.tables[name], result(folder).tables[name])


@pytest.mark.parametrize("column", tables.LATER["calls"])
def test_calls_from_before_a_column_came_are_read_with_it_empty(column: str) -> None:
    calls = tables.frame("calls", [ROW])
    read = encoding.read_parquet("calls", Path("x"), encoding.parquet(calls.drop(columns=column)))
    assert list(read.columns) == list(calls.columns)
    assert read["item"].tolist() == calls["item"].tolist()


@pytest.mark.parametrize("name", ["summary.csv", "verdict.json", "calls.parquet"])
def test_an_edited_file_is_refused_by_name(folder: Path, name: str) -> None:
    store.publish(result(folder), "name: x\n")
    with (folder / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(StoreError, match=name):
        store.read(folder)


def test_a_folder_of_another_schema_is_refused_with_both_numbers(folder: Path) -> None:
    store.publish(result(folder), "name: x\n")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    store.write_atomic(folder / "manifest.json", store.as_json({**manifest, "schema": 99}))
    with pytest.raises(StoreError, match=rf"schema 99, this version reads {tables.SCHEMA}"):
        store.read(folder)


@pytest.mark.parametrize("content", [None, "{", "[]", '{"schema": 1'])
def test_a_folder_without_a_readable_manifest_is_no_run(folder: Path, content: str | None) -> None:
    if content is not None:
        (folder / "manifest.json").write_text(content, encoding="utf-8")
    with pytest.raises(StoreError, match="run"):
        store.read(folder)


def test_a_full_disk_is_one_line_and_leaves_the_old_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = folder / "report.md"
    store.write_atomic(target, "old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreError, match=r"report\.md: cannot be written: No space left on device"):
        store.write_atomic(target, "new")
    assert target.read_text(encoding="utf-8") == "old"
    assert not list(folder.glob("*.partial"))


def test_a_finished_run_is_known_until_one_of_its_files_changes(folder: Path) -> None:
    store.publish(result(folder), "name: x\n")
    (folder / "notes.md").write_text("the user's own", encoding="utf-8")
    store.note_finished(folder, "key")
    (folder / "notes.md").write_text("more", encoding="utf-8")
    assert store.finished(folder) == "key"
    (folder / "summary.csv").write_text("other", encoding="utf-8")
    assert store.finished(folder) == ""


def test_half_a_pair_of_surrogates_costs_a_sign_and_not_the_run(folder: Path) -> None:
    unit = store.Unit(folder, "sweep", "k" * 64)
    unit.append([{**ROW, "text": "hola \ud83d"}])
    assert unit.rows()[0]["text"] == "hola ?"
    unit.finish()
    assert unit.table()["text"].tolist() == ["hola ?"]


def test_rows_are_struck_from_the_journal_of_a_unit_that_is_under_way(folder: Path) -> None:
    unit = store.Unit(folder, "sweep", "k" * 64)
    unit.append([ROW, {**ROW, "round": 1}])
    unit.reopen(lambda row: row["round"] == 1)
    unit.append([{**ROW, "round": 2}])
    assert [row["round"] for row in unit.rows()] == [1, 2]
    assert not unit.complete
