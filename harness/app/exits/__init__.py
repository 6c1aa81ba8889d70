"""What a command leaves with: the only place that turns an error into an exit code.

guard    streams, signals, threads and ways out of a process while a command runs

A code that says something of a model (0 of `run`, 1, 3) is a `Decided`, which is made of what
stands on disk or of a whole comparison. Nothing else that a command gives back, raises or does to
end the process leaves with such a code.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

from harness.app.exits.guard import Stopped, end, guarded, silence
from harness.errors import HarnessError, StoreError
from harness.errors.faults import HINT, is_own, place, plainly, told

__all__ = ["DONE", "Decided", "end", "guarded", "leave", "of_run"]

FAILED = 2
UNREAD = 141  # as a shell says of a program whose output nobody reads any more
INTERRUPTED = 130


class Decided(int):
    """An exit code that somebody may act upon, and that its maker knows to be true."""


DONE = Decided(0)  # the command did what it says; it decides nothing


def of_run(folder: Path) -> Decided:
    """The code of the verdict that stands in the run's folder.

    Raises: StoreError where none does, or one whose word and code do not belong together.
    """
    from harness.decide.verdict.outcome import exit_code

    path = folder / "verdict.json"
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        code = exit_code(str(written["verdict"]))
        agree = code is not None and written["exit_code"] == code
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise StoreError(f"{path}: no verdict can be read there; run it again.") from error
    if code is None or not agree:
        raise StoreError(f"{path}: the verdict and its exit code do not belong together.")
    return Decided(code)


def leave(act: Callable[[], int]) -> int:
    """Run a command; its exit code. Whatever it raises is one line, and no verdict."""
    try:
        code = act()
        sys.stdout.flush()
    except BaseException as error:  # noqa: BLE001  the edge of the program: it must become a line
        return _failed(error)
    if not isinstance(code, Decided):
        say(f"the command ended with {code!r}, which is no decision. {HINT}")
        return FAILED
    return int(code)


def _failed(error: BaseException) -> int:
    if isinstance(error, Stopped):
        say(f"stopped by {error.name}; the same command goes on from here.")
        return 128 + error.number
    if isinstance(error, KeyboardInterrupt):
        say("interrupted; the same command goes on from here.", "\n")
        return INTERRUPTED
    if isinstance(error, BrokenPipeError) and not is_own(place(error)):
        silence(sys.stdout)  # `harness check x.yaml | head`
        return UNREAD
    say(plainly(error) if isinstance(error, HarnessError) else told(error))
    if isinstance(error, OSError):
        silence(sys.stdout)  # it may be what refused; Python would try once more at the end
    return FAILED


def say(text: str, before: str = "") -> None:
    """A line to whoever started the command, who may be gone."""
    with contextlib.suppress(Exception):
        sys.stderr.write(f"{before}harness: {text}\n")
        sys.stderr.flush()
