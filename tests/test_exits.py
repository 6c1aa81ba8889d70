"""What a command leaves with: no error, and nothing that a plugin does, looks like a verdict."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml
from tiny_graphs import save, two_layers

from harness import spec, store
from harness.app import api, cli, exits
from harness.decide.verdict.outcome import EXIT_CODES
from harness.errors import HarnessError, StoreError, faults

VERDICTS = {0, 1, 3}
TESTS = Path(__file__).parent
EXPERIMENT: dict[str, Any] = {
    "name": "fake",
    "model": {"family": "./fake_family.py", "source": {"path": "model"}},
    "variants": [{"name": "slow"}, {"name": "fast", "source": {"path": "model"}}],
    "baseline": "slow",
    "quality": [
        {
            "dataset": {"use": "common_voice", "path": "data", "split": "test"},
            "metrics": ["wer", "./own.py"],
            "normaliser": "spanish",
        }
    ],
    "gates": [{"metric": "wer", "max_increase": 0.5}],
    "budget": {"minutes": 5},
    "report": {"language": "en"},
}
# a plugin's code -> what the line says beside the plugin's own file and line
ENDS = "would end the process"
PLUGIN_ERRORS = {
    "import sys; sys.exit(0)": ENDS,
    "import sys; sys.exit(1)": ENDS,
    "import sys; sys.exit(3)": ENDS,
    "import sys; sys.exit()": ENDS,
    "import sys; sys.exit('all is well')": ENDS,
    "raise SystemExit": ENDS,
    "exit()": ENDS,
    "import os; os._exit(0)": ENDS,
    "from os import _exit; _exit(1)": ENDS,
    "raise GeneratorExit('x')": "GeneratorExit: x",
    "raise BaseException('odd')": "BaseException: odd",
    "import asyncio; raise asyncio.CancelledError": "CancelledError",
    "raise MemoryError": "MemoryError",
    "def down(): down()\ndown()": "RecursionError",
    "b'\\xff'.decode()": "UnicodeDecodeError",
    "1 / 0": "ZeroDivisionError",
    "open('/nothing/of/that/name')": "/nothing/of/that/name",
    "raise BrokenPipeError(32, 'Broken pipe')": "BrokenPipe",
    "raise ValueError('two\\nlines \\x1b[31mred')": "ValueError",
    "import warnings; warnings.simplefilter('error'); warnings.warn('old')": "UserWarning: old",
    "raise StopIteration": "StopIteration",
    "assert False, 'never'": "AssertionError: never",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an experiment whose own metric is `own.py`, to be written."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HARNESS_DEBUG", raising=False)
    shutil.copy(TESTS / "fake_family.py", tmp_path)
    (tmp_path / "model").mkdir()
    facts = json.dumps({"factor": 1.0, "text": "hola mundo"})
    (tmp_path / "model" / "facts.json").write_text(facts, encoding="utf-8")
    save(two_layers(), tmp_path / "model" / "model.onnx")
    clips = tmp_path / "data" / "es" / "clips"
    clips.mkdir(parents=True)
    soundfile.write(clips / "0.wav", np.random.default_rng(0).normal(0, 0.1, 16_000), 16_000)
    rows = "client_id\tpath\tsentence\na\t0.wav\tHola, mundo.\n"
    (clips.parent / "test.tsv").write_text(rows, encoding="utf-8")
    (tmp_path / "x.yaml").write_text(yaml.safe_dump(EXPERIMENT), encoding="utf-8")
    return tmp_path


def own(project: Path, code: str) -> Path:
    """The user's own file: its docstring, then the code."""
    path = project / "own.py"
    path.write_text(f'"""Own."""\n{code}\n', encoding="utf-8")
    return path


def harness(*arguments: object, **how: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness", *map(str, arguments)]
    given = {"capture_output": True, "text": True, "timeout": 120, "encoding": "utf-8", **how}
    return subprocess.run(command, **given)


# ------------------------------------------------------------------- errors of a plugin
@pytest.mark.parametrize("code", PLUGIN_ERRORS)
@pytest.mark.parametrize("command", ["check", "run"])
def test_whatever_a_plugin_raises_is_one_line_with_its_file_and_no_verdict(
    project: Path, command: str, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    own(project, code)
    out = ["--out", str(project / "OUT")] if command == "run" else []
    assert cli.main([command, str(project / "x.yaml"), *out]) == 2
    said = capsys.readouterr().err
    assert "own.py" in said
    assert PLUGIN_ERRORS[code] in said
    assert "Traceback" not in said
    assert "\x1b" not in said
    assert not (project / "OUT" / "verdict.json").exists()


@pytest.mark.parametrize(
    ("given", "wrong", "says"),
    [
        ("sample_rate=16_000", "sample_rate='16 kHz'", "sample_rate='16 kHz' should be a whole"),
        ("sample_rate=16_000", "sample_rate=True", "sample_rate=True should be a whole"),
        ("sample_rate=16_000", "sample_rate=0", "from 4,000 to 384,000"),
        ("sample_rate=16_000", "sample_rate=10**12", "from 4,000 to 384,000"),
        ("operations=(", "operations=() and (", "operations should be a tuple"),
        ("operations=(", "operations=None and (", "operations should be a tuple"),
        ("operations=(", "operations=(1,) or (", "operations should be a tuple"),
    ],
)
def test_a_family_that_takes_no_audio_or_has_no_operation_is_told_with_its_line(
    project: Path, given: str, wrong: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    own(project, "")
    path = project / "fake_family.py"
    code = path.read_text(encoding="utf-8")
    assert given in code
    path.write_text(code.replace(given, wrong), encoding="utf-8")
    assert cli.main(["check", str(project / "x.yaml")]) == 2
    said = capsys.readouterr().err
    assert "fake_family.py:" in said
    assert says in said


def test_a_plugin_that_may_not_be_read_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = own(project, "")
    monkeypatch.setattr(os, "access", lambda place, mode: Path(place) != path)
    assert cli.main(["check", str(project / "x.yaml")]) == 2
    assert "own.py: cannot be read: Permission denied." in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("code", list(PLUGIN_ERRORS)[:16:2])
def test_so_it_is_in_a_process_of_its_own(project: Path, code: str) -> None:
    own(project, code)
    done = harness("run", project / "x.yaml", "--out", project / "OUT")
    assert done.returncode == 2, done.stderr
    assert "own.py" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (project / "OUT" / "verdict.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import atexit, os; atexit.register(os._exit, 0)", 2),
        ("import atexit; atexit.register(lambda: 1 / 0)", 2),
        ("import atexit, sys; atexit.register(sys.exit, 0)", 2),
        ("import threading, time; threading.Thread(target=time.sleep, args=(900,)).start()", 2),
        ("import threading; threading.Thread(target=lambda: 1 / 0).start()", 2),
        ("import threading, os; threading.Thread(target=os._exit, args=(0,)).start()", 2),
        ("class A:\n    def __del__(self): 1 / 0\nA()", 2),
        ("import sys; sys.stdout.close()", 2),
        ("import sys; sys.stdout = None", 2),
        ("import os; os.close(1)", 2),
        ("import os; os.closerange(1, 3)", 2),
    ],
)
def test_what_a_plugin_leaves_to_be_done_at_the_end_changes_no_code(
    project: Path, code: str, expected: int
) -> None:
    """The file exports no metric, which is exit 2."""
    own(project, code)
    done = harness("check", project / "x.yaml")
    assert done.returncode == expected, done.stderr
    assert "Traceback" not in done.stderr


def test_the_whole_traceback_is_there_for_who_asks(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(path: Path) -> None:
        raise LookupError("a fault of ours")

    monkeypatch.setattr(spec, "load", broken)
    monkeypatch.setenv("HARNESS_DEBUG", "1")
    assert cli.main(["check", str(project / "x.yaml")]) == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.slow
def test_the_line_of_the_users_own_file_is_named(project: Path) -> None:
    own(project, "\n\nimport sys; sys.exit(0)")
    done = harness("check", "x.yaml", cwd=project)
    assert "own.py:4" in done.stderr


# ------------------------------------------------------------------- errors of ours
@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RecursionError("maximum recursion depth exceeded"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
        SystemExit(0),
        SystemExit(None),
        KeyError("x"),
        AttributeError("x"),
        AssertionError(),
        OSError(28, "No space left on device"),
        OSError(28, "No space left on device", "/tmp/x"),
        PermissionError(13, "Permission denied", "x"),
        OSError("no number"),
        GeneratorExit(),
        StopIteration(0),
        HarnessError("said"),
        LookupError("x"),
        UnicodeEncodeError("ascii", "é", 0, 1, "ordinal not in range"),
        TimeoutError("late"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("command", ["run", "report", "compare", "check"])
def test_an_error_of_ours_is_one_line_and_exit_code_2(
    error: BaseException,
    command: str,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from harness.preflight import feasibility

    def fails(*_: Any, **__: Any) -> None:
        raise error

    own(project, "")
    for name in ("run", "render", "compare"):
        monkeypatch.setattr(api, name, fails)
    monkeypatch.setattr(feasibility, "foresee", fails)
    monkeypatch.setattr("harness.spec.load", lambda path: type("X", (), {"name": "x"}))
    monkeypatch.setattr("harness.spec.results_folder", lambda *_: project)
    monkeypatch.setattr("harness.spec.locator", lambda *_: None)
    folders = {"compare": ["a", "b"], "report": ["a"]}.get(command, [str(project / "x.yaml")])
    assert cli.main([command, *folders]) == 2
    said = capsys.readouterr().err.strip()
    assert len(said.splitlines()) == 1
    assert len(said) > 3


@pytest.mark.parametrize("value", [0, 1, 3, None, True, "0", 2.0])
def test_only_what_is_decided_leaves_with_a_code_that_says_something(value: Any) -> None:
    assert exits.leave(lambda: value) == 2
    assert exits.leave(lambda: exits.Decided(1)) == 1


@pytest.mark.parametrize(("word", "code"), EXIT_CODES.items())
def test_the_code_of_a_run_is_that_of_the_verdict_on_disk(
    tmp_path: Path, word: str, code: int
) -> None:
    written = {"verdict": word, "exit_code": code}
    (tmp_path / "verdict.json").write_text(json.dumps(written), encoding="utf-8")
    assert exits.of_run(tmp_path) == code


@pytest.mark.parametrize(
    "text",
    [
        None, "", "{", "[]", "5", "{}", '{"verdict": "APPROVED"}', '{"verdict": "FINE"}',
        '{"verdict": "REJECTED", "exit_code": 0}', '{"verdict": [], "exit_code": 0}',
        '{"verdict": "APPROVED", "exit_code": "0"}', "[" * 100_000,
    ],
)  # fmt: skip
def test_no_verdict_on_disk_is_no_code(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "verdict.json").write_text(text, encoding="utf-8")
    with pytest.raises(StoreError, match=r"verdict\.json"):
        exits.of_run(tmp_path)


def test_a_run_that_left_no_verdict_is_a_failure_whatever_it_says(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"verdict": "APPROVED", "exit_code": 0, "reasons": []}
    result = type("Result", (), {"verdict": said, "folder": project})
    monkeypatch.setattr(api, "run", lambda *_, **__: result)
    assert cli.main(["run", str(project / "x.yaml")]) == 2
    assert cli.main(["run", "--exit-zero", str(project / "x.yaml")]) == 2


# ------------------------------------------------------------------- streams
@pytest.mark.slow
@pytest.mark.parametrize(
    ("redirection", "expected"),
    [
        (">&-", 0),
        ("2>&-", 0),
        (">&- 2>&-", 0),
        ("<&-", 0),
        (">/dev/full", 2),
        ("2>/dev/full", 0),
        ("| true; exit ${PIPESTATUS[0]}", 141),
    ],
)
def test_a_stream_that_is_closed_full_or_unread_is_no_traceback(
    tmp_path: Path, redirection: str, expected: int
) -> None:
    if "/dev/full" in redirection and not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    line = f"{shlex.quote(sys.executable)} -m harness.app.cli schema {redirection}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert done.returncode in (expected, 0 if expected == 141 else expected), done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_a_letter_that_the_terminal_does_not_have_is_no_error(project: Path, encoding: str) -> None:
    other = project / "año-é-日本.yaml"
    other.write_text("name: [", encoding="utf-8")
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "LC_ALL": "C"}
    done = harness("check", other, env=environment, text=False, encoding=None)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert b"yaml" in done.stderr


# ------------------------------------------------------------------- signals
WAITING = "import time; print('ready', flush=True); time.sleep(900)"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)],
)
def test_a_signal_ends_a_command_with_its_code_and_one_line(
    project: Path, number: int, code: int
) -> None:
    own(project, WAITING)
    command = [sys.executable, "-m", "harness", "check", str(project / "x.yaml")]
    both: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    heard = partial(signal.signal, number, signal.SIG_DFL)  # the tests may run under nohup
    with subprocess.Popen(command, **both, preexec_fn=heard) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(number)
        _, said = process.communicate(timeout=120)
    assert process.returncode == code
    assert b"Traceback" not in said
    assert b"goes on from here" in said


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130)])
def test_a_signal_while_a_plugin_is_loaded_is_no_error_of_the_plugin(
    project: Path, command: str, name: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    own(project, f"import os, signal, time\nos.kill(os.getpid(), signal.{name})\ntime.sleep(60)")
    assert cli.main([command, str(project / "x.yaml")]) == code
    said = capsys.readouterr().err
    assert "own.py" not in said
    assert "goes on from here" in said


@pytest.mark.slow
def test_a_second_signal_ends_what_does_not_listen_to_the_first(project: Path) -> None:
    own(
        project,
        "import time\nwhile True:\n"
        "    try:\n        print('ready', flush=True)\n        time.sleep(900)\n"
        "    except BaseException: pass",
    )
    command = [sys.executable, "-m", "harness", "check", str(project / "x.yaml")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(2):
            while process.stdout.readline() != b"ready\n":
                pass
            process.terminate()
        assert process.wait(120) == -signal.SIGTERM


def test_signals_and_ways_out_are_as_before_after_a_command() -> None:
    before = signal.getsignal(signal.SIGTERM), os._exit, threading.excepthook
    assert cli.main(["list", "gates"]) == 0
    assert (signal.getsignal(signal.SIGTERM), os._exit, threading.excepthook) == before


def test_a_command_can_run_in_a_thread() -> None:
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(cli.main(["list", "gates"])))
    thread.start()
    thread.join(60)
    assert codes == [0]


# ------------------------------------------------------------------- too little memory
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space")
@pytest.mark.parametrize("megabytes", [60, 150, 400])
@pytest.mark.parametrize("command", ["check", "doctor"])
def test_with_too_little_memory_a_command_does_not_look_like_a_verdict(
    project: Path, command: str, megabytes: int
) -> None:
    own(project, "")
    python = shlex.quote(sys.executable)
    line = f"ulimit -v {megabytes * 1024}; exec {python} -m harness {command} x.yaml"
    done = subprocess.run(["bash", "-c", line], cwd=project, capture_output=True, timeout=120)
    assert done.returncode != 127  # bash did not find it
    assert done.returncode not in VERDICTS or (command == "doctor" and done.returncode == 0)


# ------------------------------------------------------------------- the line itself
@pytest.mark.parametrize("text", ["\x1b[2J", "\x07", "\r", "\u202e", "\x9b31m", "\ud800"])
def test_control_characters_of_a_message_are_spelled_out(text: str) -> None:
    shown = faults.plainly(f"a{text}b")
    assert text not in shown
    assert re.fullmatch(r"a\\.*b", shown)


@pytest.mark.parametrize(
    "arguments", [["check", "x.yaml", "--\x1b[31m.yaml"], ["\x1b[31m"], ["list", "\x9b31m"]]
)
def test_arguments_that_no_command_knows_steer_no_terminal(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.main(arguments)
    said = capsys.readouterr().err
    assert "31m" in said
    assert "\x1b" not in said
    assert "\x9b" not in said


def test_a_very_long_message_is_cut() -> None:
    assert len(faults.told(ValueError("x" * 100_000))) < 1000


def test_places_of_installed_packages_are_not_the_users(tmp_path: Path) -> None:
    for file in (json.__file__, pytest.__file__, store.__file__, "<string>"):
        assert not faults.is_own((str(file), 1))
    assert faults.is_own((str(tmp_path / "mine.py"), 1))
    assert time.monotonic() > 0
