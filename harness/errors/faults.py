"""An error as one line: what it is, where it came from, what to do about it; and no way out of the
process but an error."""

from __future__ import annotations

import contextlib
import os
import sysconfig
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

HINT = "HARNESS_DEBUG=1 shows the whole traceback."
LONGEST = 500  # characters of a message

_PACKAGE = Path(__file__).resolve().parents[1]
_NOT_OF_THE_USER = tuple(
    str(Path(folder).resolve()) + os.sep
    for name, folder in sysconfig.get_paths().items()
    if name in ("stdlib", "platstdlib", "purelib", "platlib")
)
_ADVICE = {
    MemoryError: "There is not enough memory: end other programs, or ask for fewer or shorter"
    " clips.",
    RecursionError: "Something is nested too deeply to be read.",
    SystemExit: "A plugin raises an error where it cannot go on; it does not end the program.",
}
_OWN = "That file has to be mended."
_OURS = "That is a fault of harness: please report it."

Place = tuple[str, int]  # file, line


def told(error: BaseException) -> str:
    """The line of an error that nobody foresaw, with the last place in the user's own file or, if
    it came through none, in this package. With HARNESS_DEBUG set, the traceback as well."""
    try:
        return _told(error)
    except MemoryError:
        return "MemoryError: " + _ADVICE[MemoryError]


def brief(error: BaseException) -> str:
    """Type, message and place, as a row of a table has it."""
    found = place(error)
    where = f" ({shorter(found[0])}:{found[1]})" if found else ""
    return f"{_typed(error)}{where}"


def located(error: BaseException) -> str:
    """Place, type and message, as a line about a file of the user's own begins."""
    found = place(error)
    file = found[0] if found and is_own(found) else Path(found[0]).name if found else ""
    where = f"{file}:{found[1]}: " if found else ""
    if isinstance(error, SystemExit):
        return f"{where}would end the process (exit {_said(error) or 0})"
    return where + _typed(error)


@contextlib.contextmanager
def no_way_out(every_thread: bool = False) -> Iterator[None]:
    """`os._exit` raises SystemExit as `sys.exit` does: it would leave with any code, nothing
    decided. A fork of this process keeps its way out, and so do other threads unless it is refused
    to each."""
    leave, process = os._exit, os.getpid()

    def refuse(code: int) -> None:
        here = every_thread or threading.current_thread() is threading.main_thread()
        if os.getpid() == process and here:
            raise SystemExit(code)
        leave(code)

    setattr(os, "_exit", refuse)  # noqa: B010  its type says that it never returns
    try:
        yield
    finally:
        setattr(os, "_exit", leave)  # noqa: B010


def _typed(error: BaseException) -> str:
    said = _said(error)
    return f"{type(error).__name__}{': ' if said else ''}{said}"


def _said(error: BaseException) -> str:
    """The message, cut and on one line; of a syntax error without its place."""
    text = error.msg if isinstance(error, SyntaxError) else error
    return " ".join(plainly(text).split())[:LONGEST].rstrip(".")


def _told(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror and not is_own(place(error)):
        return plainly(_of_the_system(error)) + _traceback(error)
    return f"{brief(error)}. {_advice(error)} {HINT}{_traceback(error)}"


def _of_the_system(error: OSError) -> str:
    """What the system refused, and for which file; the place in our code where it names none."""
    if error.filename is not None:
        return f"{os.fsdecode(error.filename)}: {error.strerror}"
    found = place(error)
    where = f" ({shorter(found[0])}:{found[1]})" if found else ""
    return f"{error.strerror}{where}"


def plainly(text: object) -> str:
    """A text of unknown origin as a terminal may show it: control characters are spelled out."""
    return "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in str(text))


def place(error: BaseException) -> Place | None:
    """The last line of the user's own code that the error, or what caused it, came through, or that
    is no Python; else the last of this package; else the last."""
    if isinstance(error, SyntaxError) and is_own(at := (error.filename or "<>", error.lineno or 0)):
        return at
    frames = [frame for one in _chain(error) for frame in _frames(one.__traceback__)]
    own = [frame for frame in frames if is_own(frame)]
    ours = [frame for frame in frames if _is_ours(frame[0])]
    return next((some[-1] for some in (own, ours, frames) if some), None)


def is_own(found: Place | None) -> bool:
    """Whether that is code of the user's: neither ours, nor Python's, nor an installed package."""
    if found is None or found[0].startswith("<") or _is_ours(found[0]):
        return False
    return not str(Path(found[0]).resolve()).startswith(_NOT_OF_THE_USER)


def shorter(file: str) -> str:
    """A file as seen from here, or in the package, where that is the shorter way."""
    for start in (Path.cwd(), _PACKAGE.parent):
        path = Path(file)
        if path.is_absolute() and path.is_relative_to(start):
            return path.relative_to(start).as_posix()
    return file


def _is_ours(file: str) -> bool:
    path = Path(file)
    return path.is_absolute() and path.is_relative_to(_PACKAGE)


def _chain(error: BaseException) -> list[BaseException]:
    """What caused it first, itself last."""
    found = [error]
    while (cause := found[0].__cause__) is not None and cause not in found:
        found.insert(0, cause)
    return found


def _frames(trace: TracebackType | None) -> list[Place]:
    return [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(trace)]


def _advice(error: BaseException) -> str:
    for kind, text in _ADVICE.items():
        if isinstance(error, kind):
            return text
    return _OWN if is_own(place(error)) else _OURS


def _traceback(error: BaseException) -> str:
    if not os.environ.get("HARNESS_DEBUG"):
        return ""
    return "\n" + "".join(traceback.format_exception(error)).rstrip()
