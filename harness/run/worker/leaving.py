"""A child process does not outlive its parent, whatever it is doing and however the parent ends."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1  # linux/prctl.h
MARK = "HARNESS_WORKER"  # in the environment of a child, and so of whatever it starts
_PASSES = 3  # over the processes: one may be started while another is ended
_GONE = 0  # the exit code of a child whose parent is gone: nobody reads it


def with_parent() -> None:
    """Make a process group of one's own, so that what is started from here can be ended with it;
    on Linux, ask the kernel for SIGKILL when the parent's thread that started this process ends.
    The kernel needs nothing of this process: it may hang in native code that keeps the lock of
    Python. Elsewhere the end of the pipe tells (`requests`)."""
    if hasattr(os, "setpgid"):
        with contextlib.suppress(OSError):
            os.setpgid(0, 0)
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def ending(code: int, last: str) -> str:
    """How a process ended, in words, with the last line that it left."""
    last = last or "it left no message"
    if code == -9:
        return "killed (signal 9): most likely out of memory"
    if code < 0:
        return f"crashed with signal {-code}: {last}"
    return f"ended with exit code {code}: {last}"


def end_marked(mark: str) -> None:
    """End each process that has this mark in its environment: what a child started and put into a
    group or a session of its own, or left behind when it crashed. On Linux; elsewhere nothing
    tells of them."""
    wanted = f"{MARK}={mark}".encode()
    for _ in range(_PASSES):
        found = [place for place in Path("/proc").glob("[1-9]*") if wanted in _environment(place)]
        for place in found:
            with contextlib.suppress(OSError):  # it has ended since
                os.kill(int(place.name), signal.SIGKILL)
        if not found:
            return


def _environment(place: Path) -> list[bytes]:
    """What the process was started with; nothing of a zombie, and of what is not ours."""
    try:
        return (place / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def requests(pipe: IO[str]) -> Iterator[str]:
    """The lines of the pipe. A thread reads them, so that its end, which comes when the parent is
    gone, ends the process also in the middle of a call."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def read() -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in pipe:
                lines.put(line)
        _end()

    threading.Thread(target=read, daemon=True).start()
    while True:
        yield lines.get()


def _end() -> None:
    """End this process and those that it started."""
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(_GONE)
