"""What runs now and how much is left: one live line on a terminal, plain lines in a log."""

from __future__ import annotations

import math
import time
from typing import TextIO

from harness.io.escaping.signs import visible

LOG_EVERY_SECONDS = 15.0


class Progress:
    """Writes to `stream`; a terminal gets one line that is redrawn, a log a line now and then."""

    def __init__(self, stream: TextIO) -> None:
        self._stream: TextIO | None = stream
        self._live = stream.isatty()
        self._last = -math.inf
        self._stage = ""
        self._started = time.monotonic()

    def line(self, text: str) -> None:
        """A statement that stays."""
        self._write(("\r\x1b[K" if self._live else "") + f"[{self._clock()}] {visible(text)}\n")

    def step(self, stage: str, done: float, text: str, left: float) -> None:
        """`done` is the stage's share from 0 to 1, `left` its seconds to go (NaN: unknown)."""
        now = time.monotonic()
        due = 0.1 if self._live else LOG_EVERY_SECONDS
        if stage == self._stage and now - self._last < due:
            return
        self._stage, self._last = stage, now
        rest = f", {duration(max(left, 1.0))} left" if math.isfinite(left) else ""
        shown = f"[{self._clock()}] {stage} {done:4.0%}{rest} | {visible(text)}"
        self._write(f"\r\x1b[K{shown[:110]}" if self._live else shown + "\n")

    def close(self) -> None:
        """Leave the terminal on a fresh line."""
        if self._live:
            self._write("\r\x1b[K")

    def _clock(self) -> str:
        return duration(time.monotonic() - self._started)

    def _write(self, text: str) -> None:
        """Nobody who reads (any more), or a full disk under a log, is no reason to end a run."""
        try:
            if self._stream is not None:
                self._stream.write(text)
                self._stream.flush()
        except (OSError, ValueError):
            self._stream = None


def duration(seconds: float) -> str:
    """Seconds as m:ss."""
    whole = int(seconds + 0.5)
    return f"{whole // 60}:{whole % 60:02d}"
