"""Each file of a run folder, broken in each way that one can be: one line and exit 2."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import frozen_run
import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from test_pipeline import prepare, run

from harness import plugins
from harness.app import cli
from harness.errors import HarnessError
from harness.report import drawing
from harness.store import encoding

Break = Callable[[Path], Any]
TABLES = ("changed", "changes", "checks", "claims", "datasets", "judged", "judges", "sessions")
TABLES += ("stops", "summary", "variants", "versus")
FACTS = ("experiment", "environment", "verdict")
FILES = [f"{name}.json" for name in (*FACTS, "manifest")]
FILES += [f"{name}.csv" for name in TABLES]
FILES += ["calls.parquet", "own_scores.parquet", "experiment.yaml"]


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def huge(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(1_500_000_000)  # sparse: takes no room


BROKEN: dict[str, Break] = {
    "missing": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "garbage": lambda path: path.write_bytes(os.urandom(400)),
    "no text": lambda path: path.write_bytes(b"\xff\xfe\x00" * 40),
    "one byte more": lambda path: path.write_bytes(path.read_bytes() + b"x"),
    "a folder": as_folder,
    "a list": lambda path: path.write_text("[]", encoding="utf-8"),
    "null": lambda path: path.write_text("null", encoding="utf-8"),
    "a number": lambda path: path.write_text("7", encoding="utf-8"),
    "deep": lambda path: path.write_text("[" * 100_000, encoding="utf-8"),
    "huge": huge,
    "a link to nothing": lambda path: (path.unlink(), path.symlink_to("nowhere")),
}


@pytest.fixture(autouse=True)
def without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "draw", lambda *_: [])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return frozen_run.published(tmp_path / "run")


def answers(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """What `report` leaves with and says; its error is one line and changes nothing."""
    before = tree(folder)
    capsys.readouterr()
    code = cli.main(["report", str(folder)])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    assert code in (0, 2)
    if code:
        assert len(said.err.strip().splitlines()) == 1, said.err
        assert tree(folder) == before
    return code, said.err


def tree(folder: Path) -> dict[str, bytes]:
    found = (p for p in folder.rglob("*") if p.is_file() and p.stat().st_size < 10**8)
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in found}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("way", BROKEN)
def test_a_file_that_is_not_as_it_was_written_is_one_line(
    name: str, way: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    BROKEN[way](folder / name)
    code, said = answers(folder, capsys)
    assert code == 2
    assert name in said or "holds no finished run" in said


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in FILES if name != "manifest.json"])
@pytest.mark.parametrize("way", ["empty", "cut", "garbage", "no text", "a list", "null", "deep"])
def test_so_is_one_whose_manifest_was_made_to_fit(
    name: str, way: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    BROKEN[way](folder / name)
    frozen_run.adjusted(folder)
    code, _ = answers(folder, capsys)
    assert (
        code == 2 or name == "experiment.yaml"
    )  # kept for whoever reads it: nothing is read of it


VALUES = ["", "x", "nan", "inf", "-inf", "1e999", "1" * 400, "-1", "NULL", "\x00", "=1+1", "1,5"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["checks", "sessions", "stops", "summary", "variants"])
def test_a_cell_of_another_kind_is_one_line_or_does_no_harm(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import pandas as pd

    path = folder / f"{name}.csv"
    data = pd.read_csv(path, dtype=str, keep_default_na=False)

    def write(values: dict[str, Any]) -> None:
        changed = data.copy()
        for column, value in values.items():
            changed.loc[0, column] = value
        changed.to_csv(path, index=False, lineterminator="\n")

    changes = dict(zip(data.columns, itertools.cycle(VALUES)))
    assert answers_to_each(changes, write, folder, capsys) == 2  # all at once are no run's table


def answers_to_each(
    changes: dict[str, Any],
    write: Callable[[dict[str, Any]], None],
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> int:
    """What is said of many changes at once; by halves where they are refused, since one that is
    refused hides what comes of the others."""
    write(changes)
    frozen_run.adjusted(folder)
    code, _ = answers(folder, capsys)
    if code and len(changes) > 1:
        names = [*changes]
        for part in (names[: len(names) // 2], names[len(names) // 2 :]):
            answers_to_each({name: changes[name] for name in part}, write, folder, capsys)
    return code


KINDS: list[Any] = [None, 7, "x", [], {}, [None], {"x": None}, 1e308, True]


@pytest.mark.slow
@pytest.mark.parametrize("name", FACTS)
def test_a_fact_of_another_kind_is_one_line_or_does_no_harm(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / f"{name}.json"
    facts = json.loads(path.read_text(encoding="utf-8"))

    def write(values: dict[str, Any]) -> None:
        path.write_text(json.dumps({**facts, **values}), encoding="utf-8")

    def leave_out(values: dict[str, Any]) -> None:
        kept = {key: value for key, value in facts.items() if key not in values}
        path.write_text(json.dumps(kept), encoding="utf-8")

    changes = dict(zip(facts, itertools.cycle(KINDS)))
    assert answers_to_each(changes, write, folder, capsys) == 2
    none_at_all = 0 if name == "environment" else 2  # a machine may say nothing of itself
    assert answers_to_each(facts, leave_out, folder, capsys) == none_at_all


def schema_of(value: Any) -> Break:
    def changed(path: Path) -> None:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**manifest, "schema": value}), encoding="utf-8")

    return changed


def named(old: str, new: str) -> Break:
    def changed(path: Path) -> None:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        digest = manifest["files"].pop(old)
        manifest["files"] |= {new: digest} if new else {}
        path.write_text(json.dumps(manifest), encoding="utf-8")

    return changed


MANIFESTS: dict[str, Break] = {
    "schema 99": schema_of(99),
    "schema text": schema_of("3"),
    "schema none": schema_of(None),
    "schema flag": schema_of(True),
    **{f"without {n}": named(n, "") for n in ("checks.csv", "verdict.json", "calls.parquet")},
    **{f"without {n}.csv": named(f"{n}.csv", "") for n in ("summary", "variants", "judged")},
    "leads out": named("checks.csv", "../checks.csv"),
    "leads to the root": named("checks.csv", "/etc/hostname"),
    "names a foreign file": named("checks.csv", "notes.md"),
    "short hash": lambda path: path.write_text(
        '{"schema": 3, "files": {"calls.parquet": "x", "verdict.json": "y"}}', encoding="utf-8"
    ),
    "files a list": lambda path: path.write_text('{"schema": 3, "files": []}', encoding="utf-8"),
}


@pytest.mark.parametrize("way", MANIFESTS)
def test_a_manifest_that_no_run_writes_is_one_line(
    way: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    MANIFESTS[way](folder / "manifest.json")
    assert answers(folder, capsys)[0] == 2


# ---------------------------------------- verdicts
EDITS = {
    "another verdict": ("verdict.json", '"verdict": "REJECTED"', '"verdict": "APPROVED"'),
    "another exit code": ("verdict.json", '"exit_code": 1', '"exit_code": 0'),
    "another candidate": ("verdict.json", '"candidate": "fast"', '"candidate": "slow"'),
    "a verdict that is none": ("verdict.json", '"verdict": "REJECTED"', '"verdict": "FINE"'),
}


@pytest.fixture(scope="module")
def rejected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run whose gate on latency is out of reach."""
    project = frozen_run.project(tmp_path_factory.mktemp("rejected") / "project")
    text = frozen_run.OWN.replace("max: 150", "max: 90")
    (project / "x.yaml").write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        prepare(project, patch, "")
        assert run(project).verdict["verdict"] == "REJECTED"
    return project / "out"


@pytest.mark.slow
@pytest.mark.parametrize("way", EDITS)
def test_a_verdict_that_does_not_follow_from_its_checks_is_refused(
    way: str, rejected: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(rejected, folder)
    name, old, new = EDITS[way]
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")
    frozen_run.adjusted(folder)
    code, said = answers(folder, capsys)
    assert code == 2
    assert "does not follow from the checks" in said


@pytest.mark.parametrize(
    ("column", "value"),
    [("status", "PASS"), ("severity", "warn"), ("limit", "300"), ("observed", "50"), ("gate", "x")],
)
def test_neither_does_an_approval_with_edited_checks(
    column: str, value: str, rejected: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import pandas as pd

    folder = tmp_path / "run"
    shutil.copytree(rejected, folder)
    verdict = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    approved = {**verdict, "verdict": "APPROVED", "exit_code": 0}
    (folder / "verdict.json").write_text(json.dumps(approved), encoding="utf-8")
    checks = pd.read_csv(folder / "checks.csv", dtype=str, keep_default_na=False)
    failed = checks["status"] == "FAIL"
    checks.loc[failed, "status"] = "PASS"
    checks.loc[failed, column] = value
    checks.to_csv(folder / "checks.csv", index=False, lineterminator="\n")
    frozen_run.adjusted(folder)
    code, said = answers(folder, capsys)
    assert code == 2
    assert "does not follow from the checks" in said


# ---------------------------------------- nothing of a result is run
EVIL = "from pathlib import Path\nPath({!r}).write_text('ran')\nmetric = section = gate = None\n"
NAMED: dict[str, Callable[[dict[str, Any], str], Any]] = {
    "metric": lambda e, f: e["quality"][0]["metrics"].append(f),
    "gate's metric": lambda e, f: e["gates"][0].update(metric=f),
    "gate": lambda e, f: e["gates"][0].update({f: e["gates"][0].pop("max")}),
    "section": lambda e, f: e.update(report={"language": "en", "sections": ["verdict", f]}),
    "family": lambda e, f: e["model"].update(family=f),
    "data set": lambda e, f: e["quality"][0]["dataset"].update(use=f),
    "judge": lambda e, f: e["quality"][0].update(judges=[{"use": f}]),
    "method": lambda e, f: e["variants"][0].update(quantize={"use": f}),
    "claim": lambda e, f: e.update(claims=[{"metric": f, "variant": "fast", "value": 1.0}]),
    "stored metric": lambda e, f: e["own"]["metrics"].update({f: e["own"]["metrics"]["./long.py"]}),
}


@pytest.mark.slow
@pytest.mark.parametrize("absolute", [True, False])
@pytest.mark.parametrize("place", NAMED)
def test_no_code_that_a_result_names_is_run(
    place: str,
    absolute: bool,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran = folder.parent / "ran"
    evil = folder / "evil.py"
    evil.write_text(EVIL.format(str(ran)), encoding="utf-8")
    monkeypatch.chdir(folder)
    path = folder / "experiment.json"
    experiment = json.loads(path.read_text(encoding="utf-8"))
    experiment["beside"] = "."
    NAMED[place](experiment, str(evil) if absolute else "./evil.py")
    path.write_text(json.dumps(experiment), encoding="utf-8")
    frozen_run.adjusted(folder)
    for command in (["report", "."], ["history", "."], ["compare", ".", "."]):
        assert cli.main(command) in (0, 2)
        assert not ran.exists(), command
    with plugins.data_only(), pytest.raises(HarnessError, match="without running code"):
        plugins.load("metrics", str(evil))


def test_a_table_that_pickles_something_into_its_types_is_read_without_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "calls.parquet"
    table = pyarrow.parquet.read_table(path)
    ran = folder.parent / "ran"
    pickled = b"cposix\nsystem\n(S'touch " + str(ran).encode() + b"'\ntR."
    about = {b"ARROW:extension:name": b"arrow.py_extension_type"}
    about[b"ARROW:extension:metadata"] = pickled
    place = table.schema.get_field_index("item")
    field = table.schema.field(place).with_metadata(about)
    table = table.cast(table.schema.set(place, field))
    pyarrow.parquet.write_table(table, path)
    frozen_run.adjusted(folder)
    answers(folder, capsys)
    assert not ran.exists()


@pytest.mark.parametrize(("text", "rows"), [("x", 21_000_000), ("x" * 200_000, 50_000)])
def test_a_small_file_that_unpacks_to_gigabytes_is_one_line(
    text: str, rows: int, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "calls.parquet"
    places = pyarrow.array(np.zeros(rows, dtype=np.int8))
    column = pyarrow.DictionaryArray.from_arrays(places, pyarrow.array([text]))
    pyarrow.parquet.write_table(pyarrow.table({"item": column}), path)
    assert path.stat().st_size < 10**6
    frozen_run.adjusted(folder)
    code, said = answers(folder, capsys)
    assert code == 2
    assert "more than the" in said


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        ("list", pyarrow.array([[1] * 9])),
        ("struct", pyarrow.array([{"a": 1}])),
        ("map", pyarrow.array([[("a", 1)]], pyarrow.map_(pyarrow.string(), pyarrow.int8()))),
        ("binary", pyarrow.array([b"x"])),
    ],
)
def test_a_column_of_lists_or_bytes_is_refused_before_it_is_read(
    kind: str,
    column: Any,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(encoding, "_column", None)
    pyarrow.parquet.write_table(pyarrow.table({"text": column}), folder / "calls.parquet")
    frozen_run.adjusted(folder)
    code, said = answers(folder, capsys)
    assert code == 2
    assert f"the column text holds {kind}" in said


def test_texts_that_unpack_to_gigabytes_are_refused_before_they_are_read(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "_column", None)
    monkeypatch.setattr(encoding.limits, "DECODED_BYTES", 1_000)
    code, said = answers(folder, capsys)
    assert code == 2
    assert "unpacks to more than the 1,000 bytes" in said


# ---------------------------------------- .work
@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = frozen_run.project(tmp_path / "project")
    prepare(found, monkeypatch, "")
    return found


WORK_FILES = ["*.parquet", "sweep-*.stops.json", "sweep-????????????????.json", "finished.json"]
WORK_FILES += ["run.json"]


@pytest.mark.slow
@pytest.mark.parametrize("way", [way for way in BROKEN if way != "missing"])
@pytest.mark.parametrize("pattern", WORK_FILES)
def test_a_broken_unit_is_one_line_or_measured_again(
    pattern: str, way: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = sorted((project / "out" / ".work").glob(pattern))
    assert found
    BROKEN[way](found[0])
    try:
        assert run(project).verdict["verdict"]
    except HarnessError as error:
        lines = str(error).splitlines()
        assert len(lines) == 1
        assert found[0].stem.split(".")[0] in lines[0]
        if way == "garbage":
            assert run(project, fresh=True).verdict["verdict"]  # the way out that the line names


JOURNALS = [b"[", b'{"a": 1}', b"7", b"[7]", b'[{"stage": 1}]', b'[{"stage": "sweep"}]', b"\xff"]
JOURNALS += [b'[{"stage": "sweep", "variant": "slow", "seconds": "x"}]', b"[" * 100_000, b"null"]
JOURNALS += [b'[{"stage": "sweep", "variant": "slow", "seconds": [1]}]', b'["stage"]', b" "]


@pytest.mark.slow
@pytest.mark.parametrize("line", JOURNALS)
def test_a_journal_that_holds_no_rows_is_one_line_that_names_it(line: bytes, project: Path) -> None:
    work = project / "out" / ".work"
    done = next(work.glob("sweep-*.parquet"))
    done.unlink()
    done.with_suffix(".jsonl").write_bytes(line + b"\n")
    with pytest.raises(HarnessError, match=r"sweep-\w+") as told:
        run(project)
    assert len(str(told.value).splitlines()) == 1
    if line == b"null":
        assert run(project, fresh=True).verdict["verdict"]
