"""One child process: opens a cell, measures the blocks that it is told to, answers in JSON lines.

The parent side (`Worker`) turns a crash, a hang or a kill into a WorkerError, so that it becomes a
row and not the end of the run. Child (server.py) and parent speak over pipes only.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any, Protocol

from harness.errors import (
    AssetError,
    AudioError,
    ExtraError,
    ModelError,
    OutputError,
    SessionError,
    SpecError,
    TextError,
    WorkerError,
)


class Connection(Protocol):
    """What the runner needs of a worker; tests give one that lives in the same process."""

    def ask(self, request: Mapping[str, Any], limit_seconds: float) -> dict[str, Any]: ...

    def close(self) -> None: ...


# the fault of what was asked about and not of the process, which can go on
OF_THE_ITEM = (AudioError, OutputError, TextError)
_KINDS = {
    e.__name__: e
    for e in (*OF_THE_ITEM, AssetError, ExtraError, ModelError, SessionError, SpecError)
}


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
        an error of `_KINDS` where the child raised one.
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
