"""The child processes of a run: opened on first use, reopened after a failure, closed at exit."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol

from harness.decide.entry import Entry
from harness.errors import (
    AssetError,
    ExtraError,
    HangError,
    HarnessError,
    SpecError,
    StoreError,
    WorkerError,
)
from harness.run.patience import Patience, own_limit
from harness.run.worker import OF_THE_ITEM, Connection, Worker

FAILURES_BEFORE_GIVING_UP = 3

# something is missing or wrong that the user can bring or mend: it ends the run
OF_THE_USER = (AssetError, ExtraError, SpecError, StoreError)


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
        patience: Patience | None = None,
    ) -> None:
        """`broken`: variants that could not be made, and why; they are never started. `patience`:
        of the whole run."""
        self._start = start
        self._broken = broken or {}
        self._patience = patience or Patience()
        self._open: dict[Entry, Connection] = {}
        self._failures: dict[Entry, int] = {}  # in a row
        self._started: dict[Entry, int] = {}
        self._slowest: dict[Entry, float] = {}  # seconds of a call

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
            began = time.monotonic()
            reply = connection.ask({"open": request}, self._patience.opening())
        except HarnessError as error:
            self._fail(entry, error, time.monotonic() - began)
            connection.close()
            raise
        self._open[entry] = connection
        self._started[entry] = self._started.get(entry, 0) + 1
        return reply

    def ask(self, entry: Entry, request: Mapping[str, Any], limit_seconds: float) -> dict[str, Any]:
        """Raises: WorkerError when the process fails (it is opened anew for the next request)."""
        began = time.monotonic()
        try:
            reply = self._open[entry].ask(request, limit_seconds)
        except OF_THE_ITEM:
            raise  # the process goes on
        except OF_THE_USER:
            raise
        except HarnessError as error:
            self._fail(entry, error, time.monotonic() - began)
            self.close(entry)
            raise
        self._failures.pop(entry, None)
        self._note(entry, reply.get("calls", ()), time.monotonic() - began)
        return reply

    def limit(self, entry: Entry, calls: int = 1, call_seconds: float = math.nan) -> float:
        """How long these calls may take; what one takes is what the slowest so far took, unless
        known better."""
        usual = self._slowest.get(entry, 0.0) if math.isnan(call_seconds) else call_seconds
        return self._patience.calls(calls, usual, own_limit(entry.params, entry.parts))

    def failing_seconds(self) -> float:
        """How long the calls of an entry may fail on end."""
        return self._patience.failing()

    def process(self, entry: Entry) -> int:
        """The number of the entry's running process, counted from 1; 0 where none runs."""
        return self._started.get(entry, 0) if entry in self._open else 0

    def given_up(self, entry: Entry) -> bool:
        failures = self._failures.get(entry, 0)
        out = entry.variant in self._broken or failures >= FAILURES_BEFORE_GIVING_UP
        return out or bool(self._patience.over(entry.variant, entry.label))

    def reason(self, entry: Entry) -> str:
        """Why an entry was given up."""
        if entry.variant in self._broken:
            return self._broken[entry.variant]
        hung = self._patience.over(entry.variant, entry.label)
        return hung or f"given up after {FAILURES_BEFORE_GIVING_UP} failures in a row"

    def close(self, entry: Entry) -> None:
        connection = self._open.pop(entry, None)
        if connection is not None:
            connection.close()

    def _note(self, entry: Entry, calls: Sequence[Mapping[str, Any]], seconds: float) -> None:
        """What the calls took, or for how long they failed."""
        taken = [call["seconds"] for call in calls if call.get("seconds")]
        self._slowest[entry] = max([self._slowest.get(entry, 0.0), *taken])
        if taken or not calls:
            self._patience.answered(entry.label)
        else:
            self._patience.failed(entry.label, seconds)

    def _fail(self, entry: Entry, error: HarnessError, seconds: float) -> None:
        self._failures[entry] = self._failures.get(entry, 0) + 1
        if isinstance(error, HangError):
            self._patience.hung(entry.variant, entry.label, seconds)
