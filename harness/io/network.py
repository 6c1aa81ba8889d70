"""Questions to a server that may be away, slow or odd: an answer in time, or one line."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from harness.errors import AssetError, HarnessError

T = TypeVar("T")
_LOOK_SECONDS = 0.2


def within(
    seconds: float, act: Callable[[], T], who: str, moved: Callable[[], object] | None = None
) -> T:
    """Run `act` aside and give up after `seconds`; what it raised is raised here.

    A thread's limit also bounds a name look-up that hangs, which no socket time-out does. With
    `moved` (such as the size of what was fetched), the time counts from its last change. An `act`
    that was given up on is left behind in its thread, which ends with the process.

    Raises: AssetError (one line that names `who`) where it took too long.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(act())
        except BaseException as error:  # noqa: BLE001  it goes on in the thread that asked
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    _wait(thread, seconds, moved)
    for error in errors:
        raise error
    if not results:
        raise AssetError(f"{who} did not answer within {seconds:.0f} s")
    return results[0]


def _wait(thread: threading.Thread, seconds: float, moved: Callable[[], object] | None) -> None:
    if moved is None:
        thread.join(seconds)
        return
    since, last = time.monotonic(), moved()
    while thread.is_alive() and time.monotonic() - since < seconds:
        thread.join(_LOOK_SECONDS)
        if (now := moved()) != last:
            since, last = time.monotonic(), now


def guarded(act: Callable[[], T], who: str, known: tuple[type[BaseException], ...]) -> T:
    """What `act` returns; one of the `known` errors becomes one line that names `who`."""
    try:
        return act()
    except HarnessError:
        raise
    except known as error:
        raise AssetError(f"{who}: {says(error)}") from error


def says(error: BaseException) -> str:
    """A client's error in a few words: what was answered, or that nobody did."""
    chain = _chain(error)
    for one in chain:
        status = getattr(getattr(one, "response", None), "status_code", None)
        if isinstance(status, int):
            return _STATUS.get(status, f"the server answered with HTTP {status}")
    names = " ".join(type(one).__name__ for one in chain)
    for words, said in _NAMED.items():
        if any(word in names for word in words):
            return said
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[0][:200]


def _chain(error: BaseException | None) -> list[BaseException]:
    """The error, and what it came from."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


_NAMED = {  # parts of the names of errors, looked for in this order
    ("JSON",): "the server's answer is cut off or no JSON",
    ("HFValidationError",): "is no owner/name",  # of a repository: nothing was asked yet
    ("ValidationError",): "the server's answer is not as expected",
    ("IncompleteRead", "ChunkedEncoding", "RemoteProtocol"): (
        "the server's answer ends before its end"
    ),
    ("Timeout", "TimedOut"): "the server does not answer",
    ("Connect", "Proxy", "Network", "gaierror", "SSLError"): "the server cannot be reached",
}
_STATUS = {
    401: "the key or token is missing or not accepted (HTTP 401)",
    403: "access is denied (HTTP 403): its terms may have to be accepted on its web page first",
    404: "there is no such data set, or it is not open to this account (HTTP 404)",
    410: "it was withdrawn (HTTP 410)",
    429: "too many requests (HTTP 429); try again later",
}
