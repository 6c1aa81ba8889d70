"""Another program as a child process: its time and its output are bounded, and what it starts ends
with it, as with this process (leaving.py)."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import limits
from harness.errors.faults import plainly
from harness.run.worker import leaving

_LOOK_SECONDS = 0.5  # between two looks at a program that goes on
_DRAIN_SECONDS = 10.0  # for what it printed last, on a machine that is busy
_LINES, _LINE = 20, 300  # of its output are kept, and characters of each

Look = Callable[[float, str], str]


@dataclass(frozen=True)
class Ended:
    """How a program ended. `why`: in words, "" where it ended by itself with exit code 0; `lines`:
    the last that it printed, to be shown; `tail`: the end of its output as it came."""

    why: str
    lines: tuple[str, ...]
    tail: str


def run(command: Sequence[str], folder: Path, limit_seconds: float, look: Look) -> Ended:
    """Run a program in a folder, with nothing to read and both its outputs taken together.

    `look(seconds so far, last line)` is asked now and then; a text that it gives is why the program
    is ended. Raises: OSError where no process can be started.
    """
    mark = uuid.uuid4().hex
    process = subprocess.Popen(
        [*_launcher(folder), *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **_PLAIN, leaving.MARK: mark},
    )
    said = _Said(process)
    try:
        why = _waited(process, said, limit_seconds, look)
    finally:
        if process.poll() is None:
            _end_group(process)
        leaving.end_marked(mark)
        process.wait()
    said.drain()
    lines = said.lines()
    if not why and process.returncode:
        why = leaving.ending(process.returncode, lines[-1] if lines else "")
    return Ended(why, lines, said.tail())


# its last lines are wanted also of one that is killed, and no byte code beside the user's files
_PLAIN = {
    "PYTHONIOENCODING": "utf-8",
    "PYTHONUNBUFFERED": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def _launcher(folder: Path) -> list[str]:
    """What makes a group of the process and goes into the folder, before it becomes the program:
    another program asks for neither."""
    return [sys.executable, "-m", "harness.run.worker.program", str(folder)]


def _waited(process: subprocess.Popen[bytes], said: _Said, limit_seconds: float, look: Look) -> str:
    """Why the program is to be ended; "" once it has."""
    began = time.monotonic()
    while (elapsed := time.monotonic() - began) < limit_seconds:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(min(_LOOK_SECONDS, limit_seconds - elapsed))
            return ""
        if why := look(elapsed, (said.lines() or ("",))[-1]):
            return why
    return f"has not ended after {limit_seconds:.0f} s and was ended"


def _end_group(process: subprocess.Popen[bytes]) -> None:
    if hasattr(os, "killpg"):
        with contextlib.suppress(OSError):  # it has not made its group yet
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()


class _Said:
    """The end of what a program prints, of any length, with line ends or without."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        self._pipe, self._end = process.stdout, b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with self._pipe, contextlib.suppress(OSError, ValueError, MemoryError):
            while data := os.read(self._pipe.fileno(), 65536):
                self._end = (self._end + data)[-limits.COMPLAINT_BYTES :]

    def drain(self) -> None:
        self._thread.join(_DRAIN_SECONDS)

    def tail(self) -> str:
        return self._end.decode("utf-8", "replace")

    def lines(self) -> tuple[str, ...]:
        """The last lines that hold anything."""
        text = plainly(self.tail().replace("\r", "\n"))
        found = [line.strip() for line in text.splitlines()]
        return tuple(line[-_LINE:] for line in found if line)[-_LINES:]


def main(arguments: Sequence[str]) -> None:
    """The child, before it becomes the program: its folder, then the command."""
    leaving.with_parent()
    folder, *command = arguments
    try:
        os.chdir(folder)
        os.execv(command[0], command)
    except OSError as error:
        sys.exit(f"{command[0]} cannot be started: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
