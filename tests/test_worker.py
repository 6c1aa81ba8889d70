"""A child process: what it answers, and what becomes of one that crashes, hangs or is killed."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from harness.errors import HarnessError, ModelError, OutputError, TextError, WorkerError
from harness.run.worker import Worker
from harness.run.worker.server import Server, serve
from harness.runtime.session import SessionConfig

FAMILY = str(Path(__file__).parent / "fake_family.py")


@pytest.fixture
def clip(tmp_path: Path) -> str:
    path = tmp_path / "1s.npy"
    np.save(path, np.zeros(16_000, dtype=np.float32))
    return str(path)


def opening(folder: Path, **facts: Any) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    said = {"factor": 1.0, "text": "hola", **facts}
    (folder / "facts.json").write_text(json.dumps(said), encoding="utf-8")
    session = SessionConfig("default").to_json()
    body = {"family": FAMILY, "folder": str(folder), "params": {}, "session": session}
    return {"open": body}


def block(clip: str, calls: int = 2) -> dict[str, Any]:
    return {"block": {"operation": "pipeline", "clips": [clip], "calls": calls, "first": 0}}


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker("int8/default")
    yield made
    made.close()


def test_a_worker_opens_a_model_and_measures_a_block(
    worker: Worker, tmp_path: Path, clip: str
) -> None:
    opened = worker.ask(opening(tmp_path / "model"), 60)
    reply = worker.ask(block(clip, calls=3), 60)
    assert opened["rss_bytes"] > 1e6
    assert [call["text"] for call in reply["calls"]] == ["hola"] * 3
    assert all(call["seconds"] >= 0 and call["tokens"] == 7 for call in reply["calls"])
    assert reply["rss_bytes"] >= opened["rss_bytes"]


@pytest.mark.parametrize(
    ("facts", "limit", "said"),
    [
        ({"crash": 3}, 60, "ended with exit code 3"),
        ({"hang": 30}, 0.5, "no answer within 0 s"),
        pytest.param(
            {"killed": True},
            60,
            "out of memory",
            marks=pytest.mark.skipif(sys.platform == "win32", reason="signals"),
        ),
    ],
)
def test_a_child_that_fails_is_one_line_that_names_the_cell(
    worker: Worker, tmp_path: Path, clip: str, facts: dict[str, Any], limit: float, said: str
) -> None:
    worker.ask(opening(tmp_path / "model", **facts), 60)
    with pytest.raises(WorkerError, match=f"int8/default: .*{said}"):
        worker.ask(block(clip), limit)
    with pytest.raises(WorkerError):
        worker.ask(block(clip), 60)  # and it stays dead


def test_a_model_that_does_not_fit_is_a_model_error(worker: Worker, tmp_path: Path) -> None:
    asked = opening(tmp_path / "model")
    (tmp_path / "model" / "facts.json").unlink()
    with pytest.raises((ModelError, WorkerError), match="facts"):
        worker.ask(asked, 60)


def test_a_call_that_gives_nan_is_that_calls_row_and_the_block_goes_on(
    tmp_path: Path, clip: str
) -> None:
    server = Server()
    server.answer(opening(tmp_path / "model", nan=True))
    rows = server.answer(block(clip))["calls"]
    assert [row["error"] for row in rows] == ["decoder output logits: NaN"] * 2
    assert [row["seconds"] for row in rows] == [None, None]


@pytest.mark.parametrize("samples", [None, np.zeros(0)])
def test_a_clip_that_cannot_be_read_is_a_row_with_its_error(
    worker: Worker, tmp_path: Path, samples: np.ndarray | None
) -> None:
    worker.ask(opening(tmp_path / "model"), 60)
    path = tmp_path / "clip.wav"
    if samples is not None:
        soundfile.write(path, samples, 16_000)
    reply = worker.ask({"utterances": {"items": [{"path": str(path)}]}}, 60)
    assert "clip.wav" in reply["calls"][0]["error"]


def test_an_utterance_is_decoded_outside_the_clock_and_says_its_length(tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, np.zeros(8_000), 8_000)
    server = Server()
    server.answer(opening(tmp_path / "model"))
    row = server.answer({"utterances": {"items": [{"path": str(path)}]}})["calls"][0]
    assert row["audio_seconds"] == pytest.approx(1.0)
    assert row["text"] == "hola"


def test_an_unforeseen_failure_becomes_an_answer_and_not_silence() -> None:
    answers = io.StringIO()
    serve(io.StringIO('{"block": {}}\n'), answers, Server())
    reply = json.loads(answers.getvalue())
    assert reply["kind"] == "WorkerError"
    assert "KeyError" in reply["error"]


JUDGE = '''"""Takes nothing."""
from harness.contracts import Judge
from harness.errors import OutputError, TextError


def judged(samples):
    raise {1000: OutputError, 2000: TextError}[len(samples)]("no.")


judge = Judge(Params=dict, version="1", about={}, open=lambda *_: judged)
'''


def test_an_answer_that_is_none_is_told_by_its_kind_and_the_child_goes_on(
    worker: Worker, tmp_path: Path
) -> None:
    (tmp_path / "deaf.py").write_text(JUDGE, encoding="utf-8")
    body = {"judge": str(tmp_path / "deaf.py"), "params": {}, "files": {}, "parts": {}}
    worker.ask({"open_judge": body}, 60)
    kinds: list[type[HarnessError]] = [OutputError, TextError]
    for samples, kind in enumerate(kinds, start=1):
        path = tmp_path / f"{samples}.wav"
        soundfile.write(path, np.full(1000 * samples, 0.1), 16_000)
        with pytest.raises(kind, match=r"no\."):
            worker.ask({"judge": {"path": str(path)}}, 60)
