"""What an experiment may set of a server; never a key, which stays in the environment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

ENDPOINT = "/audio/transcriptions"
MOST_RETRIES = 10
MOST_TIMEOUT_SECONDS = 86_400.0
Format = Literal["json", "verbose_json", "text", "srt", "vtt"]


@dataclass(frozen=True)
class Params:
    """`url` is what OpenAI's clients call the base URL (http://localhost:8000/v1). `model` goes to
    the server, and names the row where the server does not care. "" for `language` lets the server
    guess it. `api_key_env` names the environment variable that holds the key.

    `timeout_seconds` bounds a call with its repetitions and the waits between them; after 429 and
    503, and where a connection broke before an answer began, a call is sent again up to `retries`
    times. `temperature` and `response_format` are left out of the request where they are null, for
    a server that refuses them. `concurrency` is 1: a call is timed while no other of ours is under
    way.
    """

    url: str  # the server's base URL, such as http://localhost:8000/v1
    model: str  # as the server names it
    language: str = "es"  # a code such as es; "": the server guesses
    api_key_env: str = ""  # name of the environment variable that holds the key; never the key
    timeout_seconds: float = 60.0  # of a call, repetitions and waits included
    retries: int = 3  # how often a call is sent again after 429, 503 or a broken connection
    temperature: float | None = 0.0  # as sent to the server; null: not sent
    response_format: Format | None = "json"  # as sent to the server; null: not sent
    concurrency: int = 1  # 1 only: no other call of ours is under way

    def __post_init__(self) -> None:
        _check_url(self.url)
        if not self.model.strip():
            raise ValueError("model is empty: name the model that the server is to run")
        if self.api_key_env and not re.fullmatch(r"[A-Z_][A-Z0-9_]*", self.api_key_env):
            # what was written may be the key itself: it is not repeated
            raise ValueError(
                "api_key_env takes the NAME of an environment variable, in capitals, such as "
                "OPENAI_API_KEY; a key itself must not stand in an experiment"
            )
        if not 0 < self.timeout_seconds <= MOST_TIMEOUT_SECONDS:
            raise ValueError(
                f"timeout_seconds must be over 0 and at most {MOST_TIMEOUT_SECONDS:.0f}, "
                f"not {self.timeout_seconds:g}"
            )
        if not 0 <= self.retries <= MOST_RETRIES:
            raise ValueError(f"retries must be from 0 to {MOST_RETRIES}, not {self.retries}")
        if self.temperature is not None and not 0 <= self.temperature <= 1:
            raise ValueError(f"temperature must be from 0 to 1, not {self.temperature:g}")
        if self.concurrency != 1:
            raise ValueError(
                f"concurrency must be 1, not {self.concurrency}: latency is of one call while no "
                "other of ours is under way; a server under load needs a load generator"
            )

    @property
    def base(self) -> str:
        """The URL without what is added to it."""
        return self.url.rstrip("/").removesuffix(ENDPOINT)


def _check_url(url: str) -> None:
    """The messages repeat no part of the URL, which may hold a password."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        fits = False
    if not fits:
        raise ValueError("url should be the server's base URL, such as http://localhost:8000/v1")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(
            "url holds a user, a query or a fragment: leave it out; a key goes into the "
            "environment variable that api_key_env names"
        )
