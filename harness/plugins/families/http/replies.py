"""What came back from a server: a whole HTTP answer, what it took to get one, and what its headers
say."""

from __future__ import annotations

import datetime
import email.utils
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from harness.errors import limits

SERVER_TIME = "openai-processing-ms"


@dataclass(frozen=True)
class Said:
    """What an answer says: its words, the tokens that the server counted and how long the first
    took, both NaN where it does not tell; `notes`: what was done to get the words."""

    text: str
    notes: tuple[str, ...] = ()
    tokens: float = float("nan")
    first_token_seconds: float = float("nan")


@dataclass(frozen=True)
class Answer:
    """A transcript, and what it took to get it."""

    said: Said
    retries: int = 0
    waited_seconds: float = 0.0
    server_seconds: float = float("nan")  # where the server tells how long it took itself
    last_status: str = ""  # why it was sent again, the last time


@dataclass(frozen=True)
class Reply:
    """A whole HTTP answer; `broken` says why there is none, when sending again may help. `said`: of
    a stream, which is read as it comes; `body` is then a part of it, to be shown."""

    status: int = 0
    headers: Mapping[str, str] | None = None
    body: bytes = b""
    broken: str = ""
    said: Said | None = None

    def header(self, name: str) -> str:
        return (self.headers or {}).get(name, "")


def retry_after(header: str) -> float | None:
    """Seconds, a part of one as a whole, or an HTTP date (RFC 9110, 10.2.3); None where it says
    neither."""
    if re.fullmatch(r"\s*[0-9]+(\.[0-9]*)?\s*", header, re.ASCII):
        return float(math.ceil(min(float(header), limits.WAIT_SECONDS)))
    try:
        at = email.utils.parsedate_to_datetime(header)
        at = at if at.tzinfo else at.replace(tzinfo=datetime.timezone.utc)  # -0000 is UTC
        return min(max(0.0, at.timestamp() - time.time()), limits.WAIT_SECONDS)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def server_seconds(reply: Reply) -> float:
    """How long the server says that it took; NaN where it does not."""
    try:
        seconds = float(reply.header(SERVER_TIME)) / 1000
    except ValueError:
        return float("nan")
    return seconds if 0 <= seconds < float("inf") else float("nan")


def printable(text: str) -> str:
    """On one line, with no sign that steers a terminal."""
    one = " ".join(text.split())
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in one)
