"""One child process: opens a cell, measures the blocks that it is told to, answers in JSON lines.

The parent side (`Worker`) turns a crash, a hang or a kill into a WorkerError, so that it becomes a
row and not the end of the run. Child and parent speak over pipes only: `python -m harness.worker`.
"""

from __future__ import annotations

import base64
import contextlib
import gc
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Protocol

from harness.errors import (
    AudioError,
    HarnessError,
    ModelError,
    SessionError,
    SpecError,
    WorkerError,
)

Clock = Callable[[], float]


class Connection(Protocol):
    """What the runner needs of a worker; tests give one that lives in the same process."""

    def ask(self, request: Mapping[str, Any], limit_seconds: float) -> dict[str, Any]: ...

    def close(self) -> None: ...


# ------------------------------------------------------------------------------- the child's side
class Server:
    """Answers requests about one opened model; holds that model and its prepared clips."""

    def __init__(
        self, clock: Clock = time.perf_counter, cpu_clock: Clock = time.process_time
    ) -> None:
        self._clock, self._cpu_clock = clock, cpu_clock
        self._model: Any = None
        self._rate = 0
        self._prepared: dict[tuple[str, str], Callable[[], Any]] = {}

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """One of {"open": ...}, {"block": ...}, {"utterance": ...}, {"probe": ...} -> its reply."""
        kind, body = next(iter(request.items()))
        handle = {
            "open": self._open,
            "block": self._block,
            "utterance": self._utterance,
            "probe": self._probe,
        }[kind]
        return handle(body)

    def _open(self, body: Mapping[str, Any]) -> dict[str, Any]:
        from pydantic import TypeAdapter

        from harness import plugins
        from harness.session import SessionConfig, open_session

        family = plugins.load("families", body["family"])
        config = SessionConfig.from_json(body["session"])
        params = TypeAdapter(family.Params).validate_python(body["params"])
        self._rate = family.sample_rate
        started = self._clock()
        self._model = family.open(
            Path(body["folder"]), lambda path: open_session(path, config), params
        )
        return {"seconds": self._clock() - started, "rss_bytes": _peak()}

    def _block(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """`calls` timed calls of one operation, walking over the clips in turn from `first`."""
        from harness import environment

        clips: list[str] = body["clips"]
        ready = [self._prepare(body["operation"], clip) for clip in clips]
        before = environment.read_steal()
        with _no_collection():
            rows = [
                self._timed(ready[(body["first"] + k) % len(ready)]) for k in range(body["calls"])
            ]
        return {
            "calls": rows,
            "steal": environment.read_steal().share_since(before),
            "load": environment.load_average(),
            "rss_bytes": _peak(),
        }

    def _utterance(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Decode, then one timed call of the pipeline: audio in, text out."""
        from harness import audio, environment

        encoded = body.get("bytes")
        source = base64.b64decode(encoded) if encoded else Path(body["path"])
        samples = audio.decode(source, self._rate)
        call = self._model.prepare("pipeline", samples)
        before = environment.read_steal()
        row = self._timed(call)
        row["audio_seconds"] = len(samples) / self._rate
        share = environment.read_steal().share_since(before)
        return {**row, "steal": share, "load": environment.load_average(), "rss_bytes": _peak()}

    def _probe(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """What onnxruntime makes of a configuration, for each graph of a folder."""
        from harness import plugins
        from harness.session import SessionConfig
        from harness.session.probing import probe

        graphs = plugins.load("families", body["family"]).graphs(Path(body["folder"]))
        config = SessionConfig.from_json(body["session"])
        return {"graphs": {role: probe(path, config).to_json() for role, path in graphs.items()}}

    def _prepare(self, operation: str, clip: str) -> Callable[[], Any]:
        import numpy as np

        key = (operation, clip)
        if key not in self._prepared:
            self._prepared[key] = self._model.prepare(operation, np.load(clip))
        return self._prepared[key]

    def _timed(self, call: Callable[[], Any]) -> dict[str, Any]:
        cpu = self._cpu_clock()
        started = self._clock()
        try:
            output = call()
        except HarnessError as error:
            return {"seconds": None, "cpu_seconds": None, "error": str(error)}
        seconds = self._clock() - started
        tokens = output.tokens if output.tokens == output.tokens else None
        return {
            "seconds": seconds,
            "cpu_seconds": self._cpu_clock() - cpu,
            "tokens": tokens,
            "text": output.text,
            "note": output.notes,
        }


def _peak() -> float:
    from harness import environment

    return environment.peak_rss_bytes()


@contextlib.contextmanager
def _no_collection() -> Any:
    """The garbage collector waits until the block is over, as timeit does."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def serve(lines: IO[str], answers: IO[str], server: Server) -> None:
    """Answer each JSON line with one JSON line until the input ends."""
    for line in lines:
        try:
            reply = server.answer(json.loads(line))
        except HarnessError as error:
            reply = {"error": str(error), "kind": type(error).__name__}
        except MemoryError:
            reply = {"error": "out of memory", "kind": "WorkerError"}
        except Exception as error:  # noqa: BLE001  the edge of the process: it must become a row
            text = " ".join(str(error).split())[:500]
            reply = {"error": f"{type(error).__name__}: {text}", "kind": "WorkerError"}
        answers.write(json.dumps(reply) + "\n")
        answers.flush()


def main() -> None:
    """Entry point of the child: keeps the pipe for itself, sends stray prints to stderr."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        serve(sys.stdin, answers, Server())


# ------------------------------------------------------------------------------ the parent's side
_KINDS = {e.__name__: e for e in (AudioError, ModelError, SessionError, SpecError)}


# The threads of a session go on spinning after its call: on two cores the first calls of the next
# process were half as slow again without this (118 ms, and 72 ms with it).
SETTLE_SECONDS = 0.1


class Worker:
    """A child process and the pipe to it."""

    latest = ""  # who was asked last, of all that run

    def __init__(self, label: str) -> None:
        self.label = label
        environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "harness.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",  # a localized message of the system's may be in any encoding
            env=environment,
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._complaints: list[str] = []
        for target in (self._read_answers, self._read_complaints):
            threading.Thread(target=target, daemon=True).start()

    def ask(self, request: Mapping[str, Any], limit_seconds: float) -> dict[str, Any]:
        """Send one request and wait for its reply.

        Raises: WorkerError when the child ends, hangs past the limit or reports a failure;
        AudioError, ModelError or SessionError where the child raised one.
        """
        assert self._process.stdin is not None
        if "open" not in request and Worker.latest != self.label:
            time.sleep(SETTLE_SECONDS)
        Worker.latest = self.label
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._lines.get(timeout=limit_seconds)
        except queue.Empty:
            self.close()
            raise WorkerError(f"{self.label}: no answer within {limit_seconds:.0f} s") from None
        except (OSError, ValueError):  # the pipe is gone, or was closed after an earlier failure
            line = None
        if line is None:
            raise WorkerError(f"{self.label}: {self._ending()}")
        reply: dict[str, Any] = json.loads(line)
        if "kind" in reply:
            raise _KINDS.get(reply["kind"], WorkerError)(f"{self.label}: {reply['error']}")
        return reply

    def close(self) -> None:
        """End the child; a second call does nothing."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError, ValueError):
                if pipe is not None:
                    pipe.close()

    def _ending(self) -> str:
        code = self._process.wait()
        self.close()
        last = self._complaints[-1] if self._complaints else "it left no message"
        if code == -9:
            return "killed (signal 9): most likely out of memory"
        if code < 0:
            return f"crashed with signal {-code}: {last}"
        return f"ended with exit code {code}: {last}"

    def _read_answers(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError, OSError):
            for line in self._process.stdout:
                self._lines.put(line)
        self._lines.put(None)

    def _read_complaints(self) -> None:
        assert self._process.stderr is not None
        with contextlib.suppress(ValueError, OSError):
            for line in self._process.stderr:
                self._complaints = [*self._complaints[-4:], line.strip()[:300]]


if __name__ == "__main__":
    main()
