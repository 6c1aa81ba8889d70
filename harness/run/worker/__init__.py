"""One child process: opens a cell, measures the blocks that it is told to, answers in JSON lines.

The parent side (`Worker`) turns a crash, a hang, a kill or a broken answer into a WorkerError, so
that it becomes a row and not the end of the run. Child (server.py) and parent speak over pipes
only, and the child ends when the parent is gone (leaving.py).
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import IO, Any, Protocol

from harness.errors import (
    AssetError,
    AudioError,
    ExtraError,
    HangError,
    ModelError,
    OutputError,
    SessionError,
    SpecError,
    StoreError,
    TextError,
    WorkerError,
    limits,
)
from harness.errors.faults import plainly
from harness.run.worker import leaving, replies

Waiting = Callable[[str], None]  # told now and then while an answer is waited for


class Connection(Protocol):
    """What the runner needs of a worker; tests give one that lives in the same process."""

    def ask(self, request: Mapping[str, Any], limit_seconds: float) -> dict[str, Any]: ...

    def close(self) -> None: ...


def heard(start: Callable[[str], Connection], tell: Waiting) -> Callable[[str], Connection]:
    """`start`, with whoever waits long for a child process told so."""

    def started(label: str) -> Connection:
        connection = start(label)
        if isinstance(connection, Worker):
            connection.waiting = tell
        return connection

    return started


# the fault of what was asked about and not of the process, which can go on
OF_THE_ITEM = (AudioError, OutputError, TextError)
_KINDS = {
    e.__name__: e
    for e in (*OF_THE_ITEM, AssetError, ExtraError, ModelError, SessionError, SpecError, StoreError)
}


# The threads of a session go on spinning after its call: on two cores the first calls of the next
# process were half as slow again without this (118 ms, and 72 ms with it).
SETTLE_SECONDS = 0.1
_DRAIN_SECONDS = 1.0  # for what a child that has ended wrote last
_REAP_SECONDS = 10.0  # for the system to end what was killed

Line = bytes | None  # None: the pipe is at its end


class Worker:
    """A child process and the pipes to it."""

    latest = ""  # who was asked last, of all that run

    def __init__(self, label: str) -> None:
        self.label = label
        self.waiting: Waiting = lambda text: None
        self._mark = uuid.uuid4().hex
        environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}
        environment[leaving.MARK] = self._mark
        self._process = subprocess.Popen(
            [sys.executable, "-m", "harness.run.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        self._turn, self._closed = 0, False
        self._requests: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._lines: queue.Queue[Line] = queue.Queue()
        self._complaint = b""
        targets = (self._write_requests, self._read_answers, self._read_complaints)
        self._threads = [threading.Thread(target=target, daemon=True) for target in targets]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, request: Mapping[str, Any], limit_seconds: float) -> dict[str, Any]:
        """Send one request and wait for its reply; the limit is for each row where they are told
        one by one.

        Raises: WorkerError when the child ends, answers with what is no answer or reports a
        failure, HangError past the limit, each with the rows that were there before; an error of
        `_KINDS` where the child raised one.
        """
        if "open" not in request and Worker.latest != self.label:
            time.sleep(SETTLE_SECONDS)
        Worker.latest = self.label
        if self._closed:
            raise WorkerError(f"{self.label}: {self._ending()}")
        self._turn += 1
        done: list[dict[str, Any]] = []
        try:
            self._requests.put(json.dumps({**request, "turn": self._turn}).encode() + b"\n")
            while "row" in (reply := self._reply(request, limit_seconds, len(done))):
                done.append(reply["row"])
        except WorkerError as error:
            self.close()
            error.done = tuple(done)
            raise
        if "kind" in reply:
            found = _KINDS.get(reply["kind"], WorkerError)(f"{self.label}: {reply['error']}")
            if isinstance(found, WorkerError):
                found.done = tuple(done)
            raise found
        return reply

    def close(self) -> None:
        """End the child and what it started; a second call does nothing."""
        self._closed = True
        self._kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_REAP_SECONDS)
        leaving.end_marked(self._mark)
        self._requests.put(None)

    def _kill(self) -> None:
        if self._process.poll() is not None:
            return
        if hasattr(os, "killpg"):
            with contextlib.suppress(OSError):  # it has not made its group yet
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()

    def _reply(self, request: Mapping[str, Any], limit_seconds: float, done: int) -> dict[str, Any]:
        line = self._next(_asked(request, done), limit_seconds)
        if line is None:
            raise WorkerError(f"{self.label}: {self._ending()}")
        try:
            return replies.read(line, request, self._turn)
        except replies.BrokenReplyError as error:
            raise WorkerError(f"{self.label}: its answer is broken: {error}") from error

    def _next(self, asked: str, limit_seconds: float) -> Line:
        """The next line; whoever waits is told so, at doubling times."""
        began, told = time.monotonic(), limits.TOLD_AFTER_SECONDS
        while True:
            elapsed = time.monotonic() - began
            if elapsed >= limit_seconds:
                why = f"{limits.NO_ANSWER} {limit_seconds:.0f} s; it was given up"
                raise HangError(f"{self.label}: {why}")
            with contextlib.suppress(queue.Empty):
                return self._lines.get(timeout=max(min(told, limit_seconds) - elapsed, 0.0))
            if told < limit_seconds:
                taken = f"{time.monotonic() - began:.0f} s, given up at {limit_seconds:.0f} s"
                self.waiting(f"{self.label}: {asked} taken {taken}")
                told *= 2

    def _ending(self) -> str:
        """How the child ended, and the last line of what it wrote to stderr."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_DRAIN_SECONDS)
        if self._process.poll() is None:
            return "closed the pipe for its answers"
        code = self._process.returncode
        self._threads[-1].join(_DRAIN_SECONDS)
        lines = [line.strip() for line in self._complaint.decode("utf-8", "replace").splitlines()]
        last = plainly(next((line for line in reversed(lines) if line), ""))[-300:]
        return leaving.ending(code, last)

    # ------------------------------------------------------------------------- the pipes' threads
    def _write_requests(self) -> None:
        """Aside, for a child that does not read must not hold up who asks."""
        pipe = _there(self._process.stdin)
        with pipe, contextlib.suppress(OSError, ValueError):
            while (data := self._requests.get()) is not None:
                pipe.write(data)
                pipe.flush()

    def _read_answers(self) -> None:
        pipe = _there(self._process.stdout)
        try:
            with pipe, contextlib.suppress(OSError, ValueError, MemoryError):
                while line := pipe.readline(limits.REPLY_BYTES + 1):
                    self._lines.put(line)
        finally:
            self._lines.put(None)

    def _read_complaints(self) -> None:
        """Of any length, with line ends or without: only the end is kept."""
        pipe = _there(self._process.stderr)
        with pipe, contextlib.suppress(OSError, ValueError, MemoryError):
            while data := os.read(pipe.fileno(), 65536):
                self._complaint = (self._complaint + data)[-limits.COMPLAINT_BYTES :]


def _asked(request: Mapping[str, Any], done: int) -> str:
    """What is waited for, as the start of a sentence that ends with "taken 40 s"."""
    kind, body = next(iter(request.items()))
    if kind in ("utterances", "reference", "nearness"):
        return f"call {done + 1} of {len(body['items'])} has"
    if kind == "block":
        if body.get("told"):
            return f"call {done + 1} of {body['calls']} has"
        return "a call has" if body["calls"] == 1 else f"{body['calls']} calls have"
    return "opening has" if kind.startswith("open") else "an answer has"


def _there(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe
