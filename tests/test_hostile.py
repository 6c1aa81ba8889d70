"""Inputs that went wrong, each with the right answer beside it: tests/hostile/README.md."""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import resource
import runpy
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from harness.app import cli
from harness.report import drawing

pytestmark = pytest.mark.slow

HOSTILE = Path(__file__).parent / "hostile"
CASES = sorted(path.parent for path in HOSTILE.glob("cases/*/case.yaml"))
KEYS = {"fault", "shared", "make", "server", "process", "memory_mb", "seconds", "figures", "steps"}
STEP_KEYS = {"run", "exit", "says", "unsaid", "tables", "report", "untouched", "absent"}


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_what_went_wrong_once_has_its_right_answer(
    case: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    wanted = yaml.safe_load((case / "case.yaml").read_text(encoding="utf-8"))
    assert set(wanted) <= KEYS, f"unknown keys {set(wanted) - KEYS}"
    folder = tmp_path / "case"
    laid(case, folder, wanted.get("shared", ()))
    monkeypatch.chdir(folder)
    if "make" in wanted:
        made(folder, wanted["make"], monkeypatch)
    if not wanted.get("figures"):
        monkeypatch.setattr(drawing, "draw", lambda *_: [])
    with served(folder, wanted.get("server", ())):
        for step in wanted["steps"]:
            assert set(step) <= STEP_KEYS, f"unknown keys {set(step) - STEP_KEYS}"
            before = {name: digests(folder / name) for name in step.get("untouched", ())}
            code, said = done(shlex.split(step["run"]), wanted, capfd)
            holds(step, folder, code, said)
            for name, bytes_before in before.items():
                assert digests(folder / name) == bytes_before, f"{name} was changed\n{said}"


def made(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the case's script here, where numpy and onnx are imported already; what it imports from
    beside itself is forgotten, since another case may have a file of the same name."""
    monkeypatch.syspath_prepend(folder)
    before = set(sys.modules)
    runpy.run_path(script, run_name="__main__")
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]


def laid(case: Path, folder: Path, shared: list[str]) -> None:
    """The case's files and those that it shares with others."""
    shutil.copytree(case, folder, symlinks=True)
    for name in shared:
        source = HOSTILE / "shared" / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        else:
            shutil.copyfile(source, folder / name)


@contextlib.contextmanager
def served(folder: Path, command: list[str]) -> Iterator[None]:
    """The case's server, with {port} written into its YAML files."""
    if not command:
        yield
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for path in folder.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("{port}", str(port)), encoding="utf-8")
    words = [word.replace("{port}", str(port)) for word in command]
    server = subprocess.Popen([sys.executable, *words], cwd=folder)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield
    finally:
        server.kill()
        server.wait()


def done(
    arguments: list[str], wanted: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> tuple[int, str]:
    """Exit code and all that was printed."""
    capfd.readouterr()
    if not wanted.get("process"):
        code = cli.main(arguments)
        printed = capfd.readouterr()
        return code, printed.out + printed.err
    megabytes = wanted.get("memory_mb")

    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20, megabytes * 2**20))

    process = subprocess.run(
        [sys.executable, "-m", "harness", *arguments],
        capture_output=True,
        timeout=wanted.get("seconds", 120),
        preexec_fn=bounded if megabytes else None,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    )
    return process.returncode, (process.stdout + process.stderr).decode("utf-8", "replace")


def holds(step: dict[str, Any], folder: Path, code: int, said: str) -> None:
    """All that a step says of the exit code, the output, the tables and the report."""
    codes = step["exit"] if isinstance(step["exit"], list) else [step["exit"]]
    assert code in codes, said
    flowing = " ".join(said.split())  # a table wraps its texts
    for text in step.get("says", ()):
        assert text in said or text in flowing, said
    for text in ("Traceback", *step.get("unsaid", ())):
        assert text not in said, said
    for row in step.get("tables", ()):
        of_table(row, folder)
    for text in step.get("report", ()):
        assert text in (folder / "OUT/report.md").read_text(encoding="utf-8"), text
    for name in step.get("absent", ()):
        assert not (folder / name).exists(), f"{name} is there\n{said}"


def of_table(wanted: dict[str, Any], folder: Path) -> None:
    """The rows of one table of the run in OUT."""
    parquet = folder / "OUT" / f"{wanted['in']}.parquet"
    stem = parquet.with_suffix(".csv")
    table = pd.read_parquet(parquet) if parquet.exists() else pd.read_csv(stem)
    for column, value in wanted.get("where", {}).items():
        table = table[table[column] == value]
    assert len(table) == wanted["rows"] if "rows" in wanted else len(table), wanted
    for column, value in wanted.get("has", {}).items():
        for found in table[column]:
            if isinstance(value, str):
                assert value in str(found), f"{column}: {found!r}, not {value!r}"
            else:
                assert math.isclose(found, value, abs_tol=1e-9), f"{column}: {found}, not {value}"


def digests(path: Path) -> dict[str, str]:
    """The bytes of a file, or of all files below a folder."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return {file.as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
