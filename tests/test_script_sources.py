"""Models made by a script of the user's own: once for what it depends on, and whatever the script
does, one line and nothing half-made."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from harness import spec
from harness.app import cli
from harness.errors import AssetError, SpecError, limits
from harness.preflight import doctor
from harness.run.variants import Maker, scripts
from harness.run.worker import program
from harness.spec import Origin

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
PATIENCE_SECONDS = 300  # for what takes one, on a machine that is busy

# writes a graph of one product, with as many rows as it is told
ONNX = """
import argparse
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

asked = argparse.ArgumentParser()
asked.add_argument("--rows", type=int, default=4)
asked.add_argument("--weights")
asked.add_argument("--double", action="store_true")
given = asked.parse_args()
values = np.ones((given.rows, 4), dtype=np.float32)
if given.weights:
    values = values * float(open(given.weights).read())
graph = helper.make_graph(
    [helper.make_node("MatMul", ["x", "w"], ["y"], name="product")],
    "made",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", given.rows])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    [numpy_helper.from_array(2 * values if given.double else values, "w")],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
model.ir_version = 8
onnx.save(model, "model.onnx")
"""
SMALL = "open('model.txt', 'w').write('1')\n"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The folder of the experiment."""
    (tmp_path / "mine").mkdir()
    return tmp_path / "mine"


def write(place: Path, text: str, name: str = "make.py") -> Path:
    (place / name).write_text(text, encoding="utf-8")
    return place / name


def make(place: Path, **keys: Any) -> tuple[Path, str, list[str]]:
    """What the source in that folder gives, and what was told."""
    said: list[str] = []
    origin = Origin(script="make.py", **keys)
    return *scripts.made(origin, spec.locator(place / "x.yaml"), said.append), said


def refused(place: Path, text: str, **keys: Any) -> tuple[str, list[str]]:
    """The line that a script gets, and what was told before."""
    write(place, text)
    said: list[str] = []
    with pytest.raises(AssetError) as caught:
        scripts.made(Origin(script="make.py", **keys), spec.locator(place / "x.yaml"), said.append)
    assert "\n" not in str(caught.value)
    return str(caught.value), said


def kept(cache: Path) -> list[str]:
    """What lies in the cache of models, finished or not."""
    folder = cache / "variants"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


# ------------------------------------------------------------------------------------ made once
def test_a_script_makes_a_graph_that_is_made_once(place: Path) -> None:
    import onnx

    write(place, ONNX)
    folder, seal, said = make(place, args={"rows": 3})
    assert [path.name for path in folder.iterdir()] == ["model.onnx"]
    assert onnx.load(folder / "model.onnx").graph.initializer[0].dims == [3, 4]
    assert len(said) == 1
    assert "at most 60 min" in said[0]
    assert make(place, args={"rows": 3}) == (folder, seal, [])


def weights(place: Path, text: str) -> dict[str, Any]:
    (place / "w.txt").write_text(text)
    return {"inputs": {"weights": "w.txt"}}


AGAIN: list[tuple[str, Callable[[Path], dict[str, Any]]]] = [
    ("another argument", lambda p: {"args": {"rows": 5}}),
    ("a flag", lambda p: {"args": {"rows": 3, "double": True}}),
    ("another input", lambda p: {"args": {"rows": 3}, **weights(p, "2.5")}),
    ("another script", lambda p: write(p, ONNX + "# \n") and {"args": {"rows": 3}}),
    ("a module beside it", lambda p: write(p, "X = 1", "onnx_help.py")
     and write(p, "import onnx_help\n" + ONNX) and {"args": {"rows": 3}}),
]  # fmt: skip


@pytest.mark.parametrize(("what", "change"), AGAIN, ids=[what for what, _ in AGAIN])
def test_it_is_made_again_for(what: str, change: Callable[[Path], dict[str, Any]],
                              place: Path) -> None:  # fmt: skip
    write(place, ONNX)
    first = make(place, args={"rows": 3})
    again = make(place, **change(place))
    assert again[0] != first[0]
    assert len(again[2]) == 1


def test_a_flag_that_is_false_is_left_out(place: Path) -> None:
    write(place, "import sys\nopen('said.txt', 'w').write(' '.join(sys.argv[1:]))\n")
    folder, _, _ = make(place, args={"a": True, "b": False, "c": 0.5, "d": "-x y"})
    assert (folder / "said.txt").read_text() == "--a --c=0.5 --d=-x y"


def test_what_a_module_imports_beside_it_counts_too(place: Path) -> None:
    write(place, "import one\n" + SMALL)
    write(place, "from package import two\n", "one.py")
    (place / "package").mkdir()
    write(place / "package", "", "__init__.py")
    write(place / "package", "X = 1\n", "two.py")
    first = make(place)
    write(place / "package", "X = 2\n", "two.py")
    assert make(place)[0] != first[0]


def test_of_a_script_that_only_another_python_reads_all_modules_beside_count(place: Path) -> None:
    script = write(place, "from __future__ import braces\nprint 'x'\n")
    write(place, "", "beside.py")
    assert [p.name for p in scripts._imported(script)[0]] == ["beside.py"]


@pytest.mark.parametrize("told", [{"python": "3.1"}, {"packages": {"torch": "9"}}])
def test_another_interpreter_or_package_makes_it_again(
    place: Path, monkeypatch: pytest.MonkeyPatch, told: dict[str, Any]
) -> None:
    write(place, SMALL)
    first, real = make(place), scripts._interpreter
    monkeypatch.setattr(scripts, "_interpreter", lambda script: {**real(script), **told})
    assert make(place)[0] != first[0]


def test_versions_are_those_of_what_the_script_imports(place: Path) -> None:
    import onnx

    write(place, "import json\n" + ONNX)
    locate = spec.locator(place / "x.yaml")
    found = scripts._interpreter(scripts._found(Origin(script="make.py"), locate))
    assert found["python"] == sys.version
    assert found["packages"]["onnx"] == onnx.__version__
    assert set(found["packages"]) == {"onnx", "numpy"}


def test_an_interpreter_may_have_much_to_say(place: Path) -> None:
    text = "#!/usr/bin/env python3\nimport json\n"  # one whose path may hold a space
    text += "print('a warning')\nprint(json.dumps({'python': '3', 'packages': {str(n): '1.0' for n "
    write(place, SMALL)
    name = interpreter(place, text + "in range(200)}}))\n")
    locate = spec.locator(place / "x.yaml")
    found = scripts._interpreter(scripts._found(Origin(script="make.py", python=name), locate))
    assert len(found["packages"]) == 200


def test_an_input_folder_counts_by_its_files(place: Path) -> None:
    (place / "data").mkdir()
    (place / "data" / "a.txt").write_text("1")
    write(place, "import sys, os\nopen('n', 'w').write(str(os.listdir(sys.argv[1][7:])))\n")
    folder, *_ = make(place, inputs={"data": "data"})
    assert (folder / "n").read_text() == "['a.txt']"
    (place / "data" / "b.txt").write_text("2")
    assert (make(place, inputs={"data": "data"})[0] / "n").read_text() != "['a.txt']"


def test_what_was_changed_in_the_cache_is_made_again(place: Path) -> None:
    write(place, SMALL)
    folder, seal, _ = make(place)
    (folder / "model.txt").write_text("2")
    again, same, said = make(place)
    assert (again, same) == (folder, seal)
    assert "files/model.txt has changed in the cache" in said[0]


def test_it_may_call_a_file_as_our_own_record_is_called(place: Path) -> None:
    write(place, "open('record.json', 'w').write('mine')\n")
    assert (make(place)[0] / "record.json").read_text() == "mine"


def test_some_of_its_files_are_chosen(place: Path) -> None:
    write(place, "for n in ('a.txt', 'b.txt'): open(n, 'w').write(n)\n")
    maker = Maker(spec.locator(place / "x.yaml"))
    folder, _ = maker._source(Origin(script="make.py", files=("b.txt",)))
    assert sorted(p.name for p in folder.iterdir() if p.suffix == ".txt") == ["b.txt"]


# ----------------------------------------------------------------------- scripts that go wrong
BAD: list[tuple[str, str, str]] = [
    ("fails", "raise SystemExit('no weights here')", "ended with exit code 1: no weights here"),
    ("raises", "print('reading'); 1 / 0", "exit code 1: ZeroDivisionError: division by zero"),
    ("is no Python", "def (", "ended with exit code 1: SyntaxError"),
    ("says nothing", "import sys; sys.exit(3)", "ended with exit code 3: it left no message"),
    ("writes nothing", "pass", "wrote no file into the folder that it is started in."),
    ("only a hidden file", "open('.x', 'w').write('1')", "wrote no file"),
    ("beside itself", "from pathlib import Path\n"
     "Path(__file__).with_name('model.onnx').write_text('1')", "it wrote model.onnx beside itself"),
    ("above its folder", SMALL + "open('../out.onnx', 'w').write('1')", "wrote ../out.onnx, out"),
    ("a link out", SMALL + "import os; os.symlink('/etc/hostname', 'h')", "'h' as a link"),
    ("a folder as a link", SMALL + "import os; os.symlink('/etc', 'e')", "'e' as a link"),
    ("a pipe", SMALL + "import os; os.mkfifo('p')", "'p', which is no plain file"),
    ("a name of no text", SMALL + r"open(b'\xff', 'w').write('1')", "which is no plain file"),
    ("is killed", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "killed (signal 9)"),
    ("crashes", "import os; os.abort()", "crashed with signal 6"),
    ("removes its folder", "import os, shutil; shutil.rmtree(os.getcwd())", "wrote no file"),
    ("changes itself", SMALL + "open(__file__, 'a').write('#')", "the script changed while it ran"),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("what", "text", "told"), BAD, ids=[what for what, _, _ in BAD])
def test_a_script_gets_one_line_when_it(
    what: str, text: str, told: str, place: Path, cache: Path
) -> None:
    line, _ = refused(place, text)
    assert line.startswith(("make.py ", "make.py: the script"))
    assert told in line
    assert kept(cache) == []


def test_what_lies_beside_does_not_count_and_is_told(place: Path) -> None:
    write(place, SMALL + "open(__file__ + '.log', 'w').write('1')\n")
    folder, _, said = make(place)
    assert [path.name for path in folder.iterdir()] == ["model.txt"]
    assert "make.py.log was written beside it" in said[-1]


@pytest.mark.slow
def test_its_last_lines_are_shown(place: Path) -> None:
    line, said = refused(place, "for n in range(100): print('step', n)\nraise ValueError('lost')")
    assert "ValueError: lost" in line
    shown = [text for text in said if " | " in text]
    assert len(shown) == scripts.SHOWN
    assert shown[0].startswith("make.py | step 9")
    assert shown[-1] == "make.py | ValueError: lost"


@pytest.mark.slow
def test_of_a_hundred_megabytes_that_it_prints_only_the_end_is_kept(place: Path) -> None:
    before = psutil.Process().memory_info().rss
    text = "import sys\nfor _ in range(100): sys.stdout.write('x' * 10**6)\nsys.exit('\\nthe end')"
    line, said = refused(place, text)
    assert line == "make.py ended with exit code 1: the end."
    assert max(map(len, said)) < 400
    assert psutil.Process().memory_info().rss - before < 50 * 10**6


@pytest.mark.slow
def test_control_characters_of_its_output_are_spelled_out(place: Path) -> None:
    line, _ = refused(place, r"import sys; sys.exit('\x1b[2J\x07gone')")
    assert r"\x1b[2J\x07gone" in line


HANGING = """
import subprocess, sys, time
from pathlib import Path
print("waiting for", "Godot")
if len(sys.argv) == 1:
    child = subprocess.Popen([sys.executable, __file__, "child"], start_new_session=True)
    Path(__file__).with_name("child.pid").write_text(str(child.pid))
time.sleep(600)
"""


@LINUX
@pytest.mark.slow
def test_one_that_hangs_is_ended_with_what_it_started(
    place: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its hour is over as soon as it has begun to wait: on a clock of its own."""
    begun = place / "child.pid"

    def hours() -> float:
        return 3600.0 if begun.is_file() and begun.read_text() else 0.0

    monkeypatch.setattr(program, "time", SimpleNamespace(monotonic=hours))
    line, said = refused(place, HANGING)
    assert line == "make.py has not ended after 3600 s and was ended."
    assert said[-1] == "make.py | waiting for Godot"
    _gone(int((place / "child.pid").read_text()))
    assert kept(cache) == []


@LINUX
@pytest.mark.slow
def test_what_it_leaves_behind_is_ended(place: Path) -> None:
    write(
        place, HANGING.replace("time.sleep(600)", "time.sleep(600 * (len(sys.argv) > 1))") + SMALL
    )
    make(place)
    _gone(int((place / "child.pid").read_text()))


@LINUX
@pytest.mark.slow
def test_it_ends_with_a_run_that_is_killed(place: Path) -> None:
    write(place, "import os, time\nfrom pathlib import Path\n"
                 "Path(__file__).with_name('child.pid').write_text(str(os.getpid()))\n"
                 "time.sleep(600)\n")  # fmt: skip
    code = (
        "from pathlib import Path\nfrom harness import spec\nfrom harness.run.variants import "
        "scripts\nscripts.made(spec.Origin(script='make.py'), "
        f"spec.locator(Path({str(place / 'x.yaml')!r})), print)"
    )
    run = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL)
    until = time.monotonic() + PATIENCE_SECONDS
    try:
        while not (place / "child.pid").is_file() or not (place / "child.pid").read_text():
            assert time.monotonic() < until
            time.sleep(0.05)
    finally:
        run.kill()
        run.wait()
    _gone(int((place / "child.pid").read_text()))


def _gone(pid: int) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bound", "value", "text", "told"),
    [
        ("SCRIPT_BYTES", 10**6, "open('x', 'wb').truncate(10**9)", "wrote over 1 MB"),
        ("SCRIPT_FILES", 5, "for n in range(9): open(str(n), 'w')", "wrote over 5 files"),
        ("SCRIPT_BYTES", 10**6, "open('x', 'wb').truncate(10**9)\nimport time\ntime.sleep(600)",
         "wrote over 1 MB"),
    ],
)  # fmt: skip
def test_what_it_writes_is_bounded(
    place: Path, cache: Path, monkeypatch: pytest.MonkeyPatch,
    bound: str, value: int, text: str, told: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(limits, bound, value)
    assert told in refused(place, text)[0]
    assert kept(cache) == []


@pytest.mark.slow
def test_who_waits_long_is_told_so(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TOLD_AFTER_SECONDS", 0.5)
    write(place, "import time\nprint('layer 3', flush=True)\ntime.sleep(4)\n" + SMALL)
    *_, said = make(place)
    assert any(line.endswith("s so far: layer 3") for line in said)


# ---------------------------------------------------------------------------- the interpreter
def interpreter(place: Path, text: str, executable: bool = True) -> str:
    path = place / "python"
    path.write_text(text)
    path.chmod(0o755 if executable else 0o644)
    return "./python"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "executable", "told"),
    [
        ("#!/bin/sh\nexit 0\n", True, "it does not answer as one"),
        ("#!/bin/sh\necho '{}'\n", True, "it does not answer as one"),
        ("#!/bin/sh\necho sorry\nexit 4\n", True, "ended with exit code 4: sorry"),
        ("\x00\x01", True, "Exec format error"),
        ("#!/nowhere/python\n", True, "No such file or directory"),
    ],
)
def test_an_interpreter_that_is_none_is_one_line(
    place: Path, text: str, executable: bool, told: str
) -> None:
    line, _ = refused(place, SMALL, python=interpreter(place, text, executable))
    assert "is no Python that works" in line
    assert told in line


def test_an_interpreter_of_its_own_runs_it(place: Path) -> None:
    write(place, "import sys\nopen('who.txt', 'w').write(sys.executable)\n")
    (place / "venv").symlink_to(sys.executable)
    folder, _, _ = make(place, python="./venv")
    assert (folder / "who.txt").read_text() == str(place / "venv")


def test_a_link_to_an_interpreter_is_kept_for_it_tells_where_packages_are(place: Path) -> None:
    (place / "bin").mkdir()
    (place / "bin" / "python").symlink_to(sys.executable)
    found = spec.interpreter("bin/python", spec.locator(place / "x.yaml"))
    assert found == place / "bin" / "python"
    assert spec.interpreter("", Path) == Path(sys.executable)


# --------------------------------------------------------------------------------- before a run
FAMILY = str(Path(__file__).parent / "fake_family.py")
YAML = f"""name: scripted
model:
  family: {FAMILY}
  source: SOURCE
variants: [{{name: fp32}}]
latency: {{audio_seconds: [1]}}
gates: [{{metric: size_mb, max: 10}}]
"""


def experiment(place: Path, source: str) -> Path:
    write(place, SMALL)
    (place / "x.yaml").write_text(YAML.replace("SOURCE", source), encoding="utf-8")
    return place / "x.yaml"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("{script: make.py, path: .}", "should have exactly one of asset, path, hub, script"),
        ("{script: gone.py}", "model.source.script: no 'gone.py'"),
        ("{path: ., args: {a: 1}}", "model.source.args: has a meaning with script only"),
        ("{path: ., minutes: 3}", "model.source.minutes: has a meaning with script only"),
        ("{script: make.py, args: {'a b': 1}}", "'a b' is no name of an argument"),
        ("{script: make.py, args: {a: [1]}}", "model.source.args.a"),
        ('{script: make.py, args: {a: "x\\0"}}', "holds a zero byte"),
        ("{script: make.py, inputs: {w: gone.pt}}", "model.source.inputs.w: no 'gone.pt'"),
        ("{script: make.py, inputs: {w: make.py}, args: {w: 1}}", "already the name of an argum"),
        ("{script: make.py, python: ../gone/python}", "no interpreter '../gone/python'"),
        ("{script: make.py, python: no-such-python-9}", "no interpreter 'no-such-python-9'"),
        ("{script: make.py, minutes: 0}", "model.source.minutes: should be over 0"),
    ],
)
def test_what_is_wrong_with_a_source_is_told_when_it_is_read(
    place: Path, source: str, told: str
) -> None:
    with pytest.raises(SpecError, match=r"x\.yaml:\d+: ") as caught:
        spec.load(experiment(place, source))
    assert told in str(caught.value)


def test_check_does_not_run_the_script_but_says_that_a_run_does(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "run", lambda *_: pytest.fail("the script was run"))
    path = experiment(place, "{script: make.py, args: {file: make.py}, inputs: {me: make.py}}")
    code = cli.main(["check", str(path)])
    said = capsys.readouterr()
    assert (code, said.err) == (0, "")
    assert f"{path}: a run starts the script make.py: {place / 'make.py'}" in said.out
    assert "runs make.py" not in said.out
    assert f"runs {FAMILY}" in said.out


def test_the_doctor_says_that_it_is_the_users_code(place: Path) -> None:
    read = spec.load(experiment(place, "{script: make.py}"))
    found = list(doctor.experiment.scripts(None, read))  # type: ignore[attr-defined]
    assert [(one.name, one.severity) for one in found] == [("script", "note")]
    assert "It is your code" in found[0].why


def test_a_source_comes_back_as_it_was_written(place: Path) -> None:
    path = experiment(place, "{script: make.py, args: {a: 1, b: true, c: x, d: 0.5}, "
                             "inputs: {me: make.py}, minutes: 2}")  # fmt: skip
    read = spec.load(path)
    stored = spec.to_json(read)
    assert stored["model"]["source"] == {
        "script": "make.py", "args": {"a": 1, "b": True, "c": "x", "d": 0.5},
        "inputs": {"me": "make.py"}, "minutes": 2.0,
    }  # fmt: skip
    assert spec.from_json(stored, spec.locator(path)) == read


@pytest.mark.slow
def test_a_run_measures_what_a_script_made(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import test_pipeline

    shutil.copy(FAMILY, place)
    test_pipeline.prepare(place, monkeypatch, "")
    facts = "import json\njson.dump({'factor': 1, 'text': ''}, open('facts.json', 'w'))\n"
    write(place, ONNX + facts)
    text = YAML.replace(FAMILY, "./fake_family.py")
    text = text.replace("SOURCE", "{script: make.py, args: {rows: 16}}")
    (place / "x.yaml").write_text(text, encoding="utf-8")
    result = test_pipeline.run(place)
    assert result.experiment.model.source == Origin(script="make.py", args={"rows": 16})
    assert result.variants["error"].tolist() == [""]
    assert (result.calls["error"] == "").all()
    assert len(result.calls) > 0
