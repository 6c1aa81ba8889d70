"""A disk that takes no more: one line that names the file, and the folder is as it was before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import frozen_run
import pytest

from harness.app import cli
from harness.report import drawing

resource = pytest.importorskip("resource")  # Windows has none


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The system refuses to write more into a file, as it does where the disk is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
    }


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(drawing, "asked", lambda _, name: name == "gates")
    monkeypatch.chdir(tmp_path)
    return frozen_run.published(tmp_path / "run")


@pytest.mark.parametrize(
    ("command", "named"),
    [
        (["report", "run"], "gates.png"),
        (["export", "run", "--to", "junit", "--out", "x.xml"], "x.xml"),
        (["compare", "run", "run", "--markdown", "x.md"], "x.md"),
        (["history", "run", "--metric", "wer", "--plot", "x.png"], "x.png"),
    ],
)
def test_what_the_disk_refuses_is_one_line_and_nothing_is_half_written(
    command: list[str], named: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree(folder.parent)
    with files_of_at_most(100):
        assert cli.main(command) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{named}: cannot be written" in line
    assert tree(folder.parent) == before
    assert cli.main(command) == 0  # with room, the same command does what it says


def test_a_report_that_the_disk_refuses_after_its_figures_changes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "asked", lambda *_: False)
    before = tree(folder)
    with files_of_at_most(100):
        assert cli.main(["report", str(folder)]) == 2
    assert "report.md: cannot be written" in capsys.readouterr().err
    assert tree(folder) == before
