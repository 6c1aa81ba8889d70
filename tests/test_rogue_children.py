"""A child process whose model does what it likes: each is a row or one line, and never the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from tiny_graphs import save, two_layers

from harness.errors import HangError, HarnessError, WorkerError, limits
from harness.run.worker import Worker, replies
from harness.runtime.session import SessionConfig

pytestmark = pytest.mark.slow

FAMILY = str(Path(__file__).parent / "rogue_family.py")
FAKE = str(Path(__file__).parent / "fake_family.py")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
PATIENCE_SECONDS = 60  # for what takes one, on a machine that is busy


@pytest.fixture
def clip(tmp_path: Path) -> str:
    np.save(tmp_path / "1s.npy", np.zeros(16_000, dtype=np.float32))
    return str(tmp_path / "1s.npy")


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker("int8/default")
    yield made
    made.close()


def opening(folder: Path, do: str, **more: Any) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    (folder / "facts.json").write_text(json.dumps({"do": do, **more}), encoding="utf-8")
    session = SessionConfig("default").to_json()
    return {"open": {"family": FAMILY, "folder": str(folder), "params": {}, "session": session}}


def block(clip: str, calls: int = 2, **more: Any) -> dict[str, Any]:
    asked = {"operation": "pipeline", "clips": [clip], "calls": calls, "first": 0, **more}
    return {"block": asked}


FORGED = {"seconds": 0.1, "cpu_seconds": 0.1, "tokens": 1, "text": "", "note": "", "figures": ""}


def forged(**changes: Any) -> bytes:
    """A reply to the first block, as a model that wants to be fast would write it."""
    row = {**FORGED, **changes}
    machine = {"steal": 0.0, "load": 0.0, "rss_bytes": 1.0}
    return json.dumps({"calls": [row, row], **machine, "turn": 2}).encode() + b"\n"


# ------------------------------------------------------------------- answers that are none
@LINUX
@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"garbage\n", "no JSON"),
        (b"\n", "no JSON"),
        (b"\xff\xfe\x00\n", "no JSON"),
        (b'{"calls": [', "ended with exit code 7|breaks off"),
        (b"[" * 200_000 + b"\n", "no JSON"),
        (b"[]\n", "no question"),
        (b"5\n", "no question"),
        (b"null\n", "no question"),
        (b'{"turn": 1, "seconds": 1, "rss_bytes": 1}\n', "no question"),
        (b'{"turn": 2}\n', "not 2 calls"),
        (b'{"turn": 2, "calls": {}}\n', "not 2 calls"),
        (b'{"turn": 2, "calls": [1, 2]}\n', "without seconds"),
        (b'{"turn": 2, "kind": []}\n', "without text"),
        (b'{"turn": 2, "kind": "SpecError"}\n', "without text"),
        (b'{"turn": 2, "row": 5}\n', "without seconds"),
        (forged(seconds=-1), "seconds"),
        (forged(seconds="fast"), "seconds"),
        (forged(seconds=float("nan")), "seconds"),
        (forged(seconds=None), "neither"),
        (forged(variant="fp32"), "variant"),
        (forged(warm=False), "warm"),
        (forged(text=5), "text"),
        (forged(figures="[1]"), "figures"),
        (forged(figures="{"), "figures"),
        (forged(more={"a": 1}), "more"),
    ],
)
def test_an_answer_that_is_none_is_one_line_and_the_process_is_ended(
    worker: Worker, tmp_path: Path, clip: str, said: bytes, why: str
) -> None:
    (tmp_path / "said").write_bytes(said)
    do = f"say(open({str(tmp_path / 'said')!r}, 'rb').read()); os._exit(7)"
    worker.ask(opening(tmp_path / "model", do), PATIENCE_SECONDS)
    with pytest.raises(WorkerError, match=why) as caught:
        worker.ask(block(clip), PATIENCE_SECONDS)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("int8/default: ")
    with pytest.raises(WorkerError):
        worker.ask(block(clip), PATIENCE_SECONDS)


@LINUX
def test_an_answer_without_an_end_is_cut_at_its_bound(
    worker: Worker, tmp_path: Path, clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REPLY_BYTES", 100_000)
    do = "say(b'x' * 1_000_000); time.sleep(600)"
    worker.ask(opening(tmp_path / "model", do), PATIENCE_SECONDS)
    with pytest.raises(WorkerError, match="more than 100000 bytes"):
        worker.ask(block(clip), PATIENCE_SECONDS)


@pytest.mark.parametrize("kind", ["open", "open_judge", "block", "utterances", "judge", "probe"])
@pytest.mark.parametrize("reply", [{}, {"seconds": "1"}, {"calls": None}, {"graphs": [1]}])
def test_each_kind_of_answer_is_looked_at(kind: str, reply: dict[str, Any]) -> None:
    line = json.dumps({**reply, "turn": 1}).encode() + b"\n"
    request = {kind: {"calls": 1, "items": [{}]}}
    with pytest.raises(replies.BrokenReplyError):
        replies.read(line, request, 1)


# ------------------------------------------------------------------- what it does beside
@pytest.mark.parametrize(
    "do",
    [
        "print('hello')",
        'os.write(1, b\'{"turn": 2, "calls": []}\\n\')',
        "os.system('echo a library prints')",
        "sys.stdout.buffer.write(b'\\xff\\n'); sys.stdout.flush()",
        "assert not sys.stdin.read()",
        "assert not os.read(0, 10)",
        "os.system('cat > /dev/null')",
        "sys.stderr.write('x' * 3_000_000)",
        "os.write(2, b'\\xff' * 60_000)",
        "sys.stdout.close()",
        "sys.stderr.close()",
    ],
)
def test_what_a_library_prints_or_reads_is_no_part_of_the_answers(
    worker: Worker, tmp_path: Path, clip: str, do: str
) -> None:
    worker.ask(opening(tmp_path / "model", do), PATIENCE_SECONDS)
    rows = worker.ask(block(clip, calls=1), PATIENCE_SECONDS)["calls"]
    assert [row["text"] for row in rows] == ["hola"]


@pytest.mark.parametrize(
    ("do", "said"),
    [
        ("raise ValueError('no\\nsuch tensor')", "ValueError: no such tensor"),
        ("raise MemoryError", "out of memory"),
        ("def down(): down()\ndown()", "RecursionError"),
        ("import json; json.loads('[' * 200_000)", "RecursionError"),
        ("b'\\xff'.decode()", "UnicodeDecodeError"),
        ("1 / 0", "ZeroDivisionError"),
        ("said = None", "gave NoneType, not an Output"),
        ("said = Output(text=5)", "not an Output with a text"),
        ("import nothing_of_that_name", "nothing_of_that_name"),
        ("os.remove(folder / 'nothing')", "FileNotFoundError"),
    ],
)
def test_an_error_that_nobody_foresaw_is_that_calls_row_and_the_process_goes_on(
    worker: Worker, tmp_path: Path, clip: str, do: str, said: str
) -> None:
    worker.ask(opening(tmp_path / "model", do), PATIENCE_SECONDS)
    for _ in range(2):
        rows = worker.ask(block(clip), PATIENCE_SECONDS)["calls"]
        assert [row["seconds"] for row in rows] == [None, None]
        assert all(said in row["error"] for row in rows), rows
        assert all("\n" not in row["error"] for row in rows)


@pytest.mark.parametrize(
    ("do", "said"),
    [
        ("sys.exit(0)", "SystemExit: 0"),
        ("raise KeyboardInterrupt", "ended with exit code|signal 2"),
        ("raise GeneratorExit('x')", "GeneratorExit"),
        ("os._exit(0)", "ended with exit code 0"),
        ("os.abort()", "crashed with signal 6"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "crashed with signal 11"),
        ("os.closerange(3, 40); time.sleep(600)", "closed the pipe|ended|crashed"),
        ("sys.stderr.write('a' * 2_000_000 + ' the end'); os._exit(3)", "code 3: a+ the end"),
        ("sys.stderr.write('\\x1b[31mred'); os._exit(3)", r"code 3: \\x1b\[31mred"),
        ("sys.stderr.write('last\\n\\n\\n'); os._exit(3)", "code 3: last"),
        ("said = Output(text='x', figures={'a': np.float32(1)}, tokens=np.int64(1))", "int64"),
    ],
)
def test_a_process_that_ends_says_how_in_one_short_line(
    worker: Worker, tmp_path: Path, clip: str, do: str, said: str
) -> None:
    worker.ask(opening(tmp_path / "model", do), PATIENCE_SECONDS)
    with pytest.raises(WorkerError, match=said) as caught:
        worker.ask(block(clip), PATIENCE_SECONDS)
    assert len(str(caught.value)) < 600
    assert "\n" not in str(caught.value)


def test_a_process_that_does_not_read_holds_up_nobody(worker: Worker, tmp_path: Path) -> None:
    worker.ask(opening(tmp_path / "model", ""), PATIENCE_SECONDS)
    os.kill(worker.pid, signal.SIGSTOP)
    with pytest.raises(HangError):
        worker.ask({"utterances": {"items": [{"text": "x" * 5_000_000}]}}, 0.5)


def test_rows_that_were_answered_before_a_failure_are_kept(
    worker: Worker, tmp_path: Path, clip: str
) -> None:
    do = "n = len(list(folder.iterdir())); (folder / str(n)).touch(); n < 3 or os._exit(9)"
    worker.ask(opening(tmp_path / "model", do), PATIENCE_SECONDS)
    with pytest.raises(WorkerError) as caught:
        worker.ask(block(clip, calls=5, told=True), PATIENCE_SECONDS)
    assert [row["text"] for row in caught.value.done] == ["hola"] * 2


def test_whoever_waits_is_told_and_by_when_it_is_given_up(
    worker: Worker, tmp_path: Path, clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TOLD_AFTER_SECONDS", 0.05)
    worker.ask(opening(tmp_path / "model", "time.sleep(600)"), PATIENCE_SECONDS)
    told: list[str] = []
    worker.waiting = told.append
    with pytest.raises(HangError, match="no answer within 1 s"):
        worker.ask(block(clip, calls=3, told=True), 1.0)
    assert told[0].startswith("int8/default: call 1 of 3 has taken 0 s, given up at 1 s")
    assert 2 <= len(told) <= 5  # at doubling times


# ------------------------------------------------------------------- nobody is left behind
PARENT = """
import json, sys, threading
from harness.run.worker import Worker
asked = json.loads(sys.argv[1])
worker = Worker("int8/default")
worker.ask(asked[0], 600)
print(worker.pid, flush=True)
worker.ask(asked[1], 600)
"""
BUSY = """
import ctypes
ctypes.PyDLL(None).sleep(600)  # keeps the lock of Python, as native code may
"""


def gone(pid: int) -> bool:
    """Whether a process ends within a generous time."""
    for _ in range(600):
        if gone_now(pid):
            return True
        time.sleep(0.1)
    return False


def gone_now(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize(
    "do", ["time.sleep(600)", pytest.param(BUSY, marks=LINUX), "while True: pass"]
)
def test_no_child_outlives_its_parent_whatever_it_is_doing(
    tmp_path: Path, clip: str, do: str, number: int
) -> None:
    asked = json.dumps([opening(tmp_path / "model", do), block(clip)])
    heard: Any = (
        (lambda: signal.signal(number, signal.SIG_DFL)) if number != signal.SIGKILL else None
    )
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, asked],
        **pipes,
        preexec_fn=heard,  # also under nohup
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        time.sleep(0.3)  # it may be in the call by then; either way it must end
        parent.send_signal(number)
    assert gone(child)


def test_what_a_child_started_ends_with_it(worker: Worker, tmp_path: Path, clip: str) -> None:
    do = (
        "import subprocess\n"
        "left = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "said = Output(text=str(left.pid))"
    )
    worker.ask(opening(tmp_path / "model", do), PATIENCE_SECONDS)
    rows = worker.ask(block(clip, calls=1), PATIENCE_SECONDS)["calls"]
    worker.close()
    assert gone(int(rows[0]["text"]))


STARTS = """
import subprocess
how = [sys.executable, '-c', 'import time; time.sleep(600)']
pipes = dict.fromkeys(('stdin', 'stdout', 'stderr'), subprocess.DEVNULL)
left = subprocess.Popen(how, {how}, **pipes)
"""
FORKS = """
def daemon(told):
    os.setsid()
    if os.fork() == 0:
        os.write(told, str(os.getpid()).encode())
        time.sleep(600)
    os._exit(0)
read, told = os.pipe()
first = os.fork() or daemon(told)
os.waitpid(first, 0)
said = Output(text=os.read(read, 20).decode())
"""


@LINUX
@pytest.mark.parametrize(
    "do",
    [
        STARTS.format(how="start_new_session=True") + "said = Output(text=str(left.pid))",
        STARTS.format(how="preexec_fn=os.setpgrp") + "said = Output(text=str(left.pid))",
        FORKS,
    ],
    ids=["a session of its own", "a group of its own", "a daemon"],
)
def test_what_a_child_started_and_let_go_of_ends_with_it(
    worker: Worker, tmp_path: Path, clip: str, do: str
) -> None:
    worker.ask(opening(tmp_path / "model", do), PATIENCE_SECONDS)
    rows = worker.ask(block(clip, calls=1), PATIENCE_SECONDS)["calls"]
    assert not gone_now(int(rows[0]["text"]))
    worker.close()
    assert gone(int(rows[0]["text"]))


@LINUX
def test_what_a_child_that_crashed_had_started_ends_too(
    worker: Worker, tmp_path: Path, clip: str
) -> None:
    do = (
        STARTS.format(how="close_fds=True")
        + "(folder / 'pid').write_text(str(left.pid)); os.abort()"
    )
    worker.ask(opening(tmp_path / "model", do), PATIENCE_SECONDS)
    with pytest.raises(WorkerError, match="signal 6"):
        worker.ask(block(clip), PATIENCE_SECONDS)
    assert gone(int((tmp_path / "model" / "pid").read_text(encoding="utf-8")))


@LINUX
def test_a_child_ends_nothing_that_others_started(worker: Worker) -> None:
    other = Worker("fp32/default")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as mine:
        worker.close()
        assert not gone_now(mine.pid)
        assert not gone_now(other.pid)
        mine.kill()
    other.close()


# ------------------------------------------------------------------- onnxruntime tells nobody
TELLING = """
import os, sys
os.environ.pop("ORT_DISABLE_TELEMETRY", None)
import onnxruntime
onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
"""


@LINUX
def test_a_child_that_opens_sessions_writes_nothing_home_and_has_no_thread_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, control = tmp_path / "home", tmp_path / "control"
    model = tmp_path / "model"
    for folder in (home, control, model):
        folder.mkdir()
    save(two_layers(), model / "model.onnx")
    (model / "facts.json").write_text("{}", encoding="utf-8")
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "ORT_DISABLE_TELEMETRY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("HOME", str(home))
    one = SessionConfig("one", (("intra_op_num_threads", 1),)).to_json()
    worker = Worker("int8/default")
    try:
        worker.ask({"probe": {"family": FAKE, "folder": str(model), "session": one}}, 120)
        threads = psutil.Process(worker.pid).num_threads()
    finally:
        worker.close()
    assert list(home.rglob("*")) == []
    assert threads == 2  # its own, and the one that reads requests
    environment = {**os.environ, "HOME": str(control)}
    command = [sys.executable, "-c", TELLING, str(model / "model.onnx")]
    subprocess.run(command, check=True, env=environment)
    if not list(control.rglob("*")):
        pytest.skip("this onnxruntime has no telemetry to be seen")


def test_an_error_of_opening_is_a_line_too(worker: Worker, tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="SystemExit: 0"):
        worker.ask(opening(tmp_path / "model", "", open="sys.exit(0)"), PATIENCE_SECONDS)
