"""Streams, signals, threads and ways out of a process while a command runs."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NoReturn, TextIO

from harness.errors.faults import no_way_out, told

STOPPING = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Stopped(KeyboardInterrupt):
    """A signal that asks the process to end: children are closed and files left whole first. What
    lets Ctrl-C through lets it through as well: no plugin's own error, that is being loaded."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
        self.name = signal.Signals(number).name


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Inside, every text can be printed, a signal ends a command as an error does, a thread's
    error is a line, and `os._exit` (which could leave with any code) is an error as well."""
    _open_streams()
    with _signals(), _hooks(), no_way_out(every_thread=True):
        yield


def end(code: int) -> NoReturn:
    """Leave now. What a plugin registered to be done at the end cannot change the code, and a
    thread that it left running cannot keep the process."""
    with contextlib.suppress(BaseException), _hooks(), no_way_out(every_thread=True):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(code)


def silence(stream: TextIO) -> None:
    """What is left in its buffer goes nowhere, so that Python does not fail over it at the end."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _open_streams() -> None:
    """No standard stream is closed, for a file opened later would take its number and get what is
    printed; none refuses a letter that its encoding does not have."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
        reconfigure: Callable[..., Any] | None = getattr(getattr(sys, name), "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """The first signal raises `Stopped`; a second one ends the process at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        raise Stopped(number)

    before = {}
    for number in (getattr(signal, name) for name in STOPPING):
        if signal.getsignal(number) == signal.SIG_DFL:  # not what `nohup` has set aside
            before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _hooks() -> Iterator[None]:
    """Errors that nobody can catch (of threads, of destructors, at the end) are a line each."""
    hooks = threading.excepthook, sys.unraisablehook
    threading.excepthook = lambda gone: _aside(gone.exc_value)
    sys.unraisablehook = lambda gone: _aside(gone.exc_value)
    try:
        yield
    finally:
        threading.excepthook, sys.unraisablehook = hooks


def _aside(error: BaseException | None) -> None:
    if error is not None and not isinstance(error, SystemExit):
        with contextlib.suppress(Exception):
            sys.stderr.write(f"harness: aside of the command: {told(error)}\n")
