"""A pipe or a device in the place of a file: it never ends, so one line says so, at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from harness import spec
from harness.app import cli
from harness.errors import HarnessError
from harness.io import places
from harness.plugins.datasets import manifest, sentences
from harness.plugins.families import _modelfiles
from harness.plugins.judges import mos_ratings
from harness.preflight.feasibility import costs
from harness.report import words
from harness.runtime.graph import files as graphs
from harness.store import files as store_files

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no such pipes")
Read = Callable[[Path], Any]


def _beside(path: Path) -> Callable[[str], Path]:
    return lambda name: path.with_name(name)


UNREAD = r"no plain file|no file|not a file|no such file|missing"
READERS: dict[str, Read] = {
    "x.yaml": spec.load,
    "ca.yaml": words.read,
    "config.json": _modelfiles.read_json,
    "model.onnx": graphs.read,
    "calls.parquet": lambda path: store_files.bounded(path, 100),
    "r.csv": lambda path: mos_ratings.ratings(mos_ratings.Params(path=path.name), _beside(path)),
    "m.jsonl": lambda path: manifest.load(manifest.Params(path=path.name), _beside(path)),
    "s.txt": lambda path: sentences.load(sentences.Params(path=path.name), _beside(path)),
}


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Whoever opens a pipe that nobody writes into waits for ever."""

    def waited(number: int, frame: FrameType | None) -> None:
        raise TimeoutError("it was opened")

    before = signal.signal(signal.SIGALRM, waited)
    signal.alarm(10)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
@pytest.mark.parametrize("name", READERS)
def test_what_never_ends_is_one_line(
    make: Callable[[Path], Any], name: str, tmp_path: Path
) -> None:
    make(tmp_path / name)
    with pytest.raises(HarnessError, match=UNREAD) as told:
        READERS[name](tmp_path / name)
    assert len(str(told.value).splitlines()) == 1
    assert name.split(".")[0] in str(told.value)


def test_an_experiment_that_never_ends_names_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.yaml")
    assert spec.own_files_of(tmp_path / "x.yaml") == {}


@pytest.mark.parametrize("name", ["environment.json", "summary.csv"])
def test_an_earlier_run_that_never_ends_is_none(name: str, tmp_path: Path) -> None:
    for other in ("environment.json", "experiment.json"):
        (tmp_path / other).write_text("{}", encoding="utf-8")
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name)
    assert costs.earlier(tmp_path, None, {}) == costs.NOTHING  # type: ignore[arg-type]


def test_a_file_of_somebody_elses_is_read_to_its_bound(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    assert places.content(tmp_path / "x", 3) == b"abc"
    with pytest.raises(OSError, match="has 3 bytes; at most 2 are read"):
        places.content(tmp_path / "x", 2)


@pytest.mark.parametrize(
    "command",
    [
        ["run", ""],
        ["run", "x.yaml", "--out", ""],
        ["report", " "],
        ["compare", "", "b"],
        ["check", ""],
        ["history", "a", "--plot", ""],
        ["export", "a", "--to", "junit", "--out", ""],
    ],
)
def test_an_empty_path_is_not_this_folder(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(command)
    assert left.value.code == 2
    assert "is empty; name a file or a folder" in capsys.readouterr().err
