"""A child process does not outlive its parent, whatever it is doing and however the parent ends."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from typing import IO

PR_SET_PDEATHSIG = 1  # linux/prctl.h
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
