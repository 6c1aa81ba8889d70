"""Opens graphs in a process of its own before anything here does: what crashes there is a line.

onnx and onnxruntime are native code; a graph from elsewhere may end the process that reads it. So
types are inferred and a session is opened, optimizations off, in a child first.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.errors import HarnessError, ModelError, limits
from harness.runtime import graph
from harness.runtime.session import SessionConfig, open_session

PLAIN = SessionConfig("trial", (("graph_optimization_level", "disable_all"),))


_opened: set[tuple[str, int, int, int]] = set()  # what this process has seen opened


def opens(paths: Sequence[Path]) -> None:
    """Raises: ModelError (one line) for the first graph that cannot be opened."""
    todo = {_state(path): path for path in paths}
    todo = {state: path for state, path in todo.items() if state not in _opened}
    if todo:
        _try(list(todo.values()))
        _opened.update(todo)


def _state(path: Path) -> tuple[str, int, int, int]:
    try:
        stat = path.stat()
    except OSError as error:
        raise ModelError(f"{path.name}: no such model file.") from error
    return str(path), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def _try(paths: Sequence[Path]) -> None:
    command = [sys.executable, "-m", "harness.runtime.session.trial", *map(str, paths)]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limits.TRIAL_SECONDS,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        names = ", ".join(path.name for path in paths)
        took = f"took longer than {limits.TRIAL_SECONDS:.0f} s to open"
        raise ModelError(f"{names}: {took}.") from error
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    told = json.loads(lines[-1]) if lines else {"at": paths[0].name}
    if told.get("error"):
        raise ModelError(told["error"])
    if done.returncode:
        why = f"exit code {done.returncode}"
        if done.returncode < 0:
            why = signal.Signals(-done.returncode).name
        raise ModelError(f"{told['at']}: onnxruntime crashed while it was opened ({why}).")


def main(paths: Sequence[str]) -> None:
    """The child: a line before each graph, and one for what is wrong."""
    for path in map(Path, paths):
        print(json.dumps({"at": path.name}), flush=True)  # noqa: T201  the pipe to the parent
        try:
            _infer(path)
            open_session(path, PLAIN)
        except HarnessError as error:
            print(json.dumps({"error": str(error)}), flush=True)  # noqa: T201
            return


def _infer(path: Path) -> None:
    """As quantizers do; what cannot be inferred is theirs to say."""
    import onnx

    model = graph.read(path, weights=False)
    try:
        onnx.shape_inference.infer_shapes(model)
    except Exception:  # noqa: BLE001  only a crash is of interest here
        return


if __name__ == "__main__":
    main(sys.argv[1:])
