"""A run writes and removes in folders of its own only, and its result comes there as one."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_store import ROW, result

from harness import store
from harness.app import api
from harness.errors import StoreError
from harness.store import publishing, tables

pytestmark = pytest.mark.disk

REPORT = api.RENDERED


def tree(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def put(folder: Path, name: str, text: str = "the user's own") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


NOT_OURS: dict[str, dict[str, str]] = {
    "an experiment's folder": {"experiment.yaml": "name: x", "figures/a.png": "x"},
    "a data folder": {"es/test.tsv": "path", "audio/a.flac": "x"},
    "a git checkout": {".git/HEAD": "ref"},
    "a home folder": {".bashrc": "x"},
    "a manifest of something else": {"manifest.json": '{"name": "app"}'},
    "a manifest like ours": {"manifest.json": '{"schema": 3, "files": {}}'},
    "a manifest with foreign files": {
        "manifest.json": json.dumps(
            {
                "schema": 3,
                "files": {"calls.parquet": "0" * 64, "verdict.json": "0" * 64, "a.py": "0" * 64},
            }
        )
    },
    "a mark that is none": {".work/run.json": "{}", "a.txt": "x"},
    "a lock beside files": {".work/lock": "", "a.txt": "x"},
    "a report alone": {"report.md": "x"},
}


@pytest.mark.parametrize("kind", NOT_OURS)
def test_a_folder_with_files_that_no_run_wrote_is_refused_and_stays_as_it_is(
    kind: str, tmp_path: Path
) -> None:
    for name, text in NOT_OURS[kind].items():
        put(tmp_path, name, text)
    before = tree(tmp_path)
    with pytest.raises(StoreError, match="no run of harness wrote") as told:
        store.claim(tmp_path, REPORT)
    assert len(str(told.value).splitlines()) == 1
    assert tree(tmp_path) == before


def as_file(path: Path) -> None:
    path.write_text("x", encoding="utf-8")


@pytest.mark.parametrize(
    ("make", "said"),
    [(as_file, "is a file"), (lambda p: p.symlink_to("nowhere"), "leads nowhere")],
)
def test_what_can_be_no_folder_is_refused(
    make: Callable[[Path], Any], said: str, tmp_path: Path
) -> None:
    make(tmp_path / "out")
    with pytest.raises(StoreError, match=said):
        store.claim(tmp_path / "out", REPORT)


def test_a_new_an_empty_a_begun_and_a_published_folder_are_a_runs(tmp_path: Path) -> None:
    def claimed(folder: Path) -> None:
        before = tree(tmp_path)
        store.claim(folder, REPORT)
        assert tree(tmp_path) == before  # it is only asked whose the folder is

    claimed(tmp_path / "new")
    assert not (tmp_path / "new").exists()
    claimed(tmp_path)
    store.mark(tmp_path)
    put(tmp_path, "notes.md")
    claimed(tmp_path)
    store.publish(result(tmp_path), "name: x\n")
    claimed(tmp_path)
    (tmp_path / store.WORK / "run.json").unlink()
    claimed(tmp_path)  # as it is in a checkout
    assert (tmp_path / "notes.md").is_file()


@pytest.mark.parametrize("name", ["report.md", "figures/gates.png", "summary.csv", "history.jsonl"])
def test_a_users_file_with_a_name_of_ours_is_not_written_over(name: str, tmp_path: Path) -> None:
    store.mark(tmp_path)
    put(tmp_path, name)
    with pytest.raises(StoreError, match="no run wrote it"):
        store.claim(tmp_path, REPORT)


@pytest.mark.parametrize("name", [".work", "figures", "audio"])
def test_a_folder_of_the_run_that_is_a_link_is_not_written_through(
    name: str, tmp_path: Path
) -> None:
    folder, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder.mkdir()
    (folder / name).symlink_to(elsewhere)
    with pytest.raises(StoreError, match="is a link"):
        store.inside(folder, f"{name}/x")


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "", "a\0b"])
def test_a_name_that_leads_out_of_the_folder_is_none(name: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no name"):
        store.inside(tmp_path, name)


@pytest.mark.parametrize("name", ["summary.csv", "verdict.json", "manifest.json"])
def test_a_link_is_replaced_and_what_it_leads_to_is_left_alone(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    store.publish(result(folder), "name: x\n")
    target = put(tmp_path, "elsewhere.txt")
    (folder / name).unlink()
    (folder / name).symlink_to(target)
    store.publish(result(folder), "name: x\n")
    assert target.read_text(encoding="utf-8") == "the user's own"
    assert not (folder / name).is_symlink()


def test_a_journal_with_a_second_name_is_copied_before_it_grows(tmp_path: Path) -> None:
    unit = store.Unit(tmp_path, "sweep", "a" * 64)
    store.mark(tmp_path)
    unit.append([ROW])
    journal = next((tmp_path / store.WORK).glob("*.jsonl"))
    backup = tmp_path / "backup"
    os.link(journal, backup)
    before = backup.read_bytes()
    unit.append([ROW])
    assert backup.read_bytes() == before
    assert len(unit.blocks()) == 2


def test_a_history_that_leads_elsewhere_is_not_copied_into_the_run(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret", encoding="utf-8")
    folder = tmp_path / "run"
    store.publish(result(folder), "name: x\n")
    (folder / "history.jsonl").symlink_to(tmp_path / "key")
    before = tree(tmp_path)
    with pytest.raises(StoreError, match=r"history.jsonl: is a link"):
        store.claim(folder, REPORT)
    assert tree(tmp_path) == before


def test_only_audio_that_rows_named_is_removed(tmp_path: Path) -> None:
    store.mark(tmp_path)
    for name in ("mine.flac", "a/old.flac", "a/kept.flac", "a/mine.flac", "a/changed.flac"):
        put(tmp_path / "audio", name, name)
    spoken = ("a/old.flac", "a/kept.flac", "a/changed.flac")
    rows = {name: hashlib.sha256(name.encode()).hexdigest() for name in spoken}
    rows["../../mine.flac"] = hashlib.sha256(b"the user's own").hexdigest()
    put(tmp_path.parent, "mine.flac")
    store.remove_audio(tmp_path, rows, "audio")
    put(tmp_path / "audio", "a/changed.flac", "edited by the user")
    store.remove_audio(tmp_path, {"a/kept.flac": rows["a/kept.flac"]}, "audio")
    left = {
        p.relative_to(tmp_path / "audio").as_posix() for p in (tmp_path / "audio").rglob("*.flac")
    }
    assert left == {"mine.flac", "a/kept.flac", "a/mine.flac", "a/changed.flac"}
    assert (tmp_path.parent / "mine.flac").exists()


def test_forgetting_removes_units_and_nothing_else(tmp_path: Path) -> None:
    store.mark(tmp_path)
    store.Unit(tmp_path, "sweep", "a" * 64).append([ROW])
    mine = [".work/notes.txt", ".work/clips/mine.npy", "notes.md", ".work/deep/x-0.parquet"]
    for name in mine:
        put(tmp_path, name)
    put(tmp_path, ".work/clips/2s-0.npy")
    store.forget(tmp_path)
    assert set(tree(tmp_path)) == {*mine, ".work/run.json"}


# ---------------------------------------- publishing
def numbered(folder: Path, number: int) -> Any:
    """A result that says in every file which one it is."""
    made = result(folder)
    made.verdict["verdict"] = str(number)  # type: ignore[index]
    made.tables["summary"]["n"] = number
    made.tables["calls"]["round"] = number
    return made


def seen(folder: Path) -> set[int]:
    """Which results a reader of the folder sees; one where all is well."""
    found = store.read(folder)
    ns = {int(n) for n in found.tables["summary"]["n"]} | {
        int(n) for n in found.tables["calls"]["round"]
    }
    return {*ns, int(found.verdict["verdict"])}


def whole(folder: Path) -> set[int]:
    """Which result every file is of, as a reader finds it, by the manifest that it finds."""
    manifest = store.published(folder)
    for name, digest in manifest["files"].items():
        content = publishing.view(folder, name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest, name
    verdict = publishing.view(folder, "verdict.json").read_text(encoding="utf-8")
    return {int(json.loads(verdict)["verdict"])}


def publish(folder: Path, files: dict[str, bytes]) -> None:
    coming = store.Next(folder)
    for name, content in files.items():
        coming.put(name, content)
    coming.put(store.MANIFEST, store.manifest_of(files, ()))
    store.mark(folder)
    coming.commit()


class Killed(BaseException):
    """Where a kill would have ended the process."""


def killed_after(steps: int, patch: pytest.MonkeyPatch) -> None:
    """End the process at that step of writing, moving or removing."""
    left = [steps]

    def counted(act: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **more: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return act(*arguments, **more)

        return step

    for name in ("replace", "unlink", "rmdir"):
        patch.setattr(Path, name, counted(getattr(Path, name)))
    patch.setattr(os, "fsync", counted(lambda _: None))


def test_a_kill_at_any_step_of_publishing_leaves_the_old_result_or_the_new_one(
    tmp_path: Path,
) -> None:
    outcomes = []
    old, new = (store.files_of(numbered(tmp_path, number), "name: x\n") for number in (1, 2))
    publish(tmp_path / "old", old)
    for steps in range(400):
        folder = tmp_path / str(steps)
        shutil.copytree(tmp_path / "old", folder)
        with pytest.MonkeyPatch.context() as patch:
            killed_after(steps, patch)
            try:
                publish(folder, new)
                ended = True
            except Killed:
                ended = False
        outcomes.append(whole(folder))
        assert outcomes[-1] in ({1}, {2}), steps
        with store.locked(folder):
            assert publishing.view(folder, "calls.parquet") == folder / "calls.parquet"
        assert not (folder / store.WORK / "swap.json").exists()
        assert not (folder / store.WORK / "next").exists()
        if ended:
            break
    assert {1} in outcomes
    assert outcomes[-1] == {2}
    assert outcomes == sorted(outcomes, key=max)  # old, then new, at one moment
    assert len(outcomes) > 30


@pytest.mark.slow
def test_a_reader_beside_a_run_sees_one_result_at_every_moment(tmp_path: Path) -> None:
    store.publish(numbered(tmp_path, 0), "name: x\n")
    wrong: list[Any] = []
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            try:
                found = seen(tmp_path)
            except StoreError as error:
                wrong.append(error)
            else:
                wrong.extend([found] if len(found) != 1 else [])

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 12):
        store.publish(numbered(tmp_path, number), "name: x\n")
    ended.set()
    reader.join()
    assert wrong == []


NOTES = [b"{", b"[]", b"{}", b'{"write": ["../x"], "remove": []}', b'{"write": [1], "remove": []}']
NOTES += [b'{"write": [], "remove": ["notes.md"]}', b'{"write": [], "remove": ["/etc/hostname"]}']


@pytest.mark.parametrize("note", NOTES)
def test_a_note_of_a_publication_that_no_run_writes_moves_and_removes_nothing(
    note: bytes, tmp_path: Path
) -> None:
    store.publish(result(tmp_path), "name: x\n")
    put(tmp_path, "notes.md")
    (tmp_path / store.WORK / "swap.json").write_bytes(note)
    before = tree(tmp_path)
    with pytest.raises(StoreError, match=r"swap\.json"), store.locked(tmp_path):
        pass
    assert {k: v for k, v in tree(tmp_path).items() if k != ".work/lock"} == before


def test_what_the_new_result_lacks_is_removed_only_if_the_old_one_had_it(tmp_path: Path) -> None:
    store.publish(result(tmp_path), "name: x\n")
    put(tmp_path, "figures/speech.png")
    coming = store.Next(tmp_path)
    coming.put("report.md", "# x")
    coming.commit(["figures/speech.png"])
    assert (tmp_path / "figures/speech.png").exists() == (
        "figures/speech.png" not in store.rendered(tmp_path)
    )
    assert publishing.view(tmp_path, "report.md") == tmp_path / "report.md"


@pytest.mark.parametrize("text", ["# notes\n", "", "<!-- harness compare"])
def test_a_file_that_a_user_names_is_written_over_only_if_it_is_ours(
    text: str, tmp_path: Path
) -> None:
    path, sign = tmp_path / "changes.md", b"\n<!-- harness compare -->\n"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StoreError, match="is not ours"):
        store.write_outside(path, b"new" + sign, sign)
    assert path.read_text(encoding="utf-8") == text
    path.unlink()
    for _ in range(2):
        store.write_outside(path, b"new" + sign, sign)
    assert len(tables.TABLES) > 10
