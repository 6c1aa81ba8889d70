"""What an experiment may set of a server; never a key, which stays in the environment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

ENDPOINT = "/audio/transcriptions"
CHAT = "/chat/completions"
MOST_TOKENS = 100_000
MOST_TOGETHER = 8  # as many as a variant hears before the next one has its turn
MOST_RETRIES = 10
MOST_TIMEOUT_SECONDS = 86_400.0
PROMPT_OF_ANY = "Write down what is said in this audio, word for word, and nothing else."
PROMPT = PROMPT_OF_ANY[:-1] + ". Its language is {language}."
Format = Literal["json", "verbose_json", "text", "srt", "vtt"]


@dataclass(frozen=True)
class Params:
    """`url` is what OpenAI's clients call the base URL (http://localhost:8000/v1). `model` goes to
    the server, and names the row where the server does not care. "" for `language` lets the server
    guess it. `api_key_env` names the environment variable that holds the key.

    `api`: `transcriptions` sends the audio to /audio/transcriptions; `chat` sends it as an
    `input_audio` part with `prompt` to /chat/completions, as servers of audio language models take
    it. In a chat the language is what the prompt says: `{language}` in it stands for `language`.

    `timeout_seconds` bounds a call with its repetitions and the waits between them; after 429 and
    503, and where a connection broke before an answer began, a call is sent again up to `retries`
    times. `temperature` and `response_format` are left out of the request where they are null, for
    a server that refuses them. `concurrency`: a call is timed while no other of ours is under way;
    more than 1 is for data sets of which no time is asked.
    """

    url: str  # the server's base URL, such as http://localhost:8000/v1
    model: str  # as the server names it
    language: str = "es"  # a code such as es; "": the server guesses
    api_key_env: str = ""  # name of the environment variable that holds the key; never the key
    timeout_seconds: float = 60.0  # of a call, repetitions and waits included
    retries: int = 3  # how often a call is sent again after 429, 503 or a broken connection
    temperature: float | None = 0.0  # as sent to the server; null: not sent
    response_format: Format | None = "json"  # as sent to the server; null: not sent
    concurrency: int = 1  # calls under way at once, on data sets without metrics of time
    api: Literal["transcriptions", "chat"] = "transcriptions"
    prompt: str = ""  # chat: what is asked of the audio; a plain request for its words unless said
    stream: bool = True  # chat: words as they come, with the time of the first
    max_tokens: int = 512  # chat: of one answer

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
        if not 1 <= self.concurrency <= MOST_TOGETHER:
            raise ValueError(
                f"concurrency must be from 1 to {MOST_TOGETHER}, not {self.concurrency}: a server "
                "under load needs a load generator"
            )
        self._check_chat()

    def _check_chat(self) -> None:
        if not 1 <= self.max_tokens <= MOST_TOKENS:
            raise ValueError(f"max_tokens must be from 1 to {MOST_TOKENS}, not {self.max_tokens}")
        if self.api == "chat" and self.response_format not in ("json", None):
            raise ValueError("response_format has no meaning with `api: chat`; leave it out")
        if self.api != "chat" and self.prompt:
            raise ValueError("prompt has a meaning with `api: chat` only; leave it out")

    @property
    def endpoint(self) -> str:
        """What is asked, behind the base URL."""
        return CHAT if self.api == "chat" else ENDPOINT

    @property
    def asking(self) -> str:
        """The prompt of a chat."""
        usual = PROMPT if self.language else PROMPT_OF_ANY
        return (self.prompt or usual).replace("{language}", self.language)

    @property
    def base(self) -> str:
        """The URL without what is added to it."""
        return self.url.rstrip("/").removesuffix(self.endpoint)


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
