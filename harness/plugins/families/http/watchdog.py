"""Shuts a connection at its deadline, whatever trickles in: a client's limits are of each read."""

from __future__ import annotations

import socket
import threading
import time
import weakref
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

_AGAIN_SECONDS = 0.1  # after a connection was shut, until its reader says that it is done
_LONGEST_SECONDS = 60.0  # asleep
_MADE = ("connection.connect_tcp.complete", "connection.start_tls.complete")


class Watchdog:
    """Watches the connection that was made last until `until`, on the monotonic clock.

    It sleeps no longer than the shortest time that it is given to watch for, so that it is awake
    before each deadline without being told of it: a call is timed without a thread's start or wake.
    """

    def __init__(self, seconds: float) -> None:
        """`seconds`: of the shortest watch, from where `until` is set."""
        self.until = float("inf")
        self._socket: socket.socket | None = None
        threading.Thread(target=_watch, args=(weakref.ref(self), seconds), daemon=True).start()

    def seen(self, event: str, info: Mapping[str, Any]) -> None:
        """The `trace` of a request: keeps the socket of a connection as it is made."""
        if event in _MADE:
            self._socket = info["return_value"].get_extra_info("socket")

    def shut(self) -> None:
        """Whoever reads from the connection or writes to it finds its end."""
        if self._socket:
            with suppress(OSError):  # it was closed before
                self._socket.shutdown(socket.SHUT_RDWR)


def _watch(watchdog: weakref.ref[Watchdog], seconds: float) -> None:
    """Ends where nobody holds the watchdog any more."""
    while (dog := watchdog()) is not None:
        left = dog.until - time.monotonic()
        if left <= 0:
            dog.shut()
            left = _AGAIN_SECONDS
        del dog
        time.sleep(min(left, seconds, _LONGEST_SECONDS))
