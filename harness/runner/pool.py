"""The child processes of a run: opened on first use, reopened after a failure, closed at exit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Protocol

from harness.errors import AssetError, ExtraError, HarnessError, SpecError, WorkerError
from harness.runner.entry import Entry
from harness.worker import OF_THE_ITEM, Connection, Worker

OPEN_LIMIT_SECONDS = 180.0
UNKNOWN_CALL_LIMIT_SECONDS = 120.0
FAILURES_BEFORE_GIVING_UP = 3

# something is missing or wrong that the user can bring or mend: it ends the run
OF_THE_USER = (AssetError, ExtraError, SpecError)


def call_limit_seconds(params: Mapping[str, Any], parts: Mapping[str, Any]) -> float:
    """How long a call may take: twice what a model or a part of it allows itself, for it ends a
    call on its own; `parts` are as a child process is told to open them."""
    return max(UNKNOWN_CALL_LIMIT_SECONDS, 2 * _timeout_seconds(params, parts))


def _timeout_seconds(params: Mapping[str, Any], parts: Mapping[str, Any]) -> float:
    """The longest call that a model or a part of it allows itself; 0 where none says."""
    own = float(params.get("timeout_seconds") or 0)
    inner = (_timeout_seconds(part["params"], part["parts"]) for part in parts.values())
    return max([own, *inner])


class Tell(Protocol):
    """Hears how far the run is. `left` and `later` are estimates in seconds."""

    def line(self, text: str) -> None: ...

    def step(self, stage: str, done: float, text: str, left: float) -> None: ...


class Pool:
    """The open child processes by entry, and how often each has failed."""

    def __init__(
        self,
        start: Callable[[str], Connection] = Worker,
        broken: Mapping[str, str] | None = None,
    ) -> None:
        """`broken`: variants that could not be made, and why; they are never started."""
        self._start = start
        self._broken = broken or {}
        self._open: dict[Entry, Connection] = {}
        self._failures: dict[Entry, int] = {}  # in a row
        self._started: dict[Entry, int] = {}

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for entry in list(self._open):
            self.close(entry)

    def open(self, entry: Entry) -> dict[str, Any] | None:
        """Start the entry's process if it does not run; its load report, None where it ran already.

        Raises: WorkerError, ModelError, SessionError where it cannot be opened; one of OF_THE_USER.
        """
        if entry in self._open:
            return None
        if self.given_up(entry):
            raise WorkerError(f"{entry.label}: {self.reason(entry)}")
        connection = self._start(entry.label)
        request = {
            "family": entry.family,
            "folder": str(entry.folder),
            "params": dict(entry.params),
            "session": entry.session.to_json(),
            "parts": dict(entry.parts),
        }
        try:
            reply = connection.ask({"open": request}, OPEN_LIMIT_SECONDS)
        except HarnessError:
            self._fail(entry)
            connection.close()
            raise
        self._open[entry] = connection
        self._started[entry] = self._started.get(entry, 0) + 1
        return reply

    def ask(self, entry: Entry, request: Mapping[str, Any], limit_seconds: float) -> dict[str, Any]:
        """Raises: WorkerError when the process fails (it is opened anew for the next request)."""
        try:
            reply = self._open[entry].ask(request, limit_seconds)
        except OF_THE_ITEM:
            raise  # the process goes on
        except OF_THE_USER:
            raise
        except HarnessError:
            self._fail(entry)
            self.close(entry)
            raise
        self._failures.pop(entry, None)
        return reply

    def process(self, entry: Entry) -> int:
        """The number of the entry's running process, counted from 1; 0 where none runs."""
        return self._started.get(entry, 0) if entry in self._open else 0

    def given_up(self, entry: Entry) -> bool:
        failures = self._failures.get(entry, 0)
        return entry.variant in self._broken or failures >= FAILURES_BEFORE_GIVING_UP

    def reason(self, entry: Entry) -> str:
        """Why an entry was given up."""
        return self._broken.get(
            entry.variant, f"given up after {FAILURES_BEFORE_GIVING_UP} failures in a row"
        )

    def close(self, entry: Entry) -> None:
        connection = self._open.pop(entry, None)
        if connection is not None:
            connection.close()

    def _fail(self, entry: Entry) -> None:
        self._failures[entry] = self._failures.get(entry, 0) + 1
