"""Chat completions with audio, as servers of audio language models speak them (Qwen2.5-Omni,
Voxtral ...): what is asked, and what a whole answer or a stream of events says.

The request is OpenAI's: one message of an `input_audio` part (WAV in base64) and the prompt as a
`text` part. A stream is one of server-sent events (WHATWG HTML, 9.2), each a JSON object with what
is new in `choices[0].delta.content`, the tokens in `usage` and `[DONE]` behind the last.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from typing import Any

from harness.contracts import notes as noted
from harness.errors import limits
from harness.plugins.families.http.answers import (
    NoTranscriptError,
    cleaned,
    once,
    require_no_error,
)
from harness.plugins.families.http.params import Params
from harness.plugins.families.http.replies import Said

STREAM = "text/event-stream"
DONE = "[DONE]"
CUT = "length"  # why an answer ended: its tokens were spent
WITHHELD = "content_filter"
SHOWN = 4096  # bytes of a stream that are kept, to show what was wrong


def body(params: Params, wav: bytes) -> bytes:
    """The request as JSON."""
    audio = {"data": base64.b64encode(wav).decode("ascii"), "format": "wav"}
    parts = [{"type": "input_audio", "input_audio": audio}, {"type": "text", "text": params.asking}]
    asked: dict[str, Any] = {"model": params.model, "max_tokens": params.max_tokens}
    asked["messages"] = [{"role": "user", "content": parts}]
    if params.temperature is not None:
        asked["temperature"] = params.temperature
    if params.stream:
        asked |= {"stream": True, "stream_options": {"include_usage": True}}
    return json.dumps(asked).encode()


def whole(content: bytes, params: Params) -> Said:
    """What an answer says that is no stream. Raises: NoTranscriptError."""
    answer = _object(content, "answered no JSON")
    choice = _choice(answer)
    if choice is None:
        raise NoTranscriptError("answered JSON without `choices`")
    message = choice.get("message")
    text = _text(message.get("content")) if isinstance(message, dict) else None
    if text is None:
        raise NoTranscriptError("answered JSON whose message has no text")
    unasked = (noted.written("not_streamed"),) if params.stream else ()
    return _said(text, _ending(choice), _tokens(answer), params, unasked)


class Events:
    """A stream of events, read as it comes: a part at a time, each with when it came."""

    def __init__(self, params: Params) -> None:
        self._params = params
        self._line, self._seen = bytearray(), 0  # what has no end yet, and how far it was looked at
        self._data: list[str] = []  # of the event under way
        self._texts: list[str] = []
        self._length = self._events = 0
        self._after_return = self._failed = self._done = False
        self._ended, self._tokens, self._first = "", math.nan, math.nan
        self.shown = b""  # its beginning, then its last event: what is wrong is in that

    def feed(self, part: bytes, seconds: float) -> None:
        """`seconds`: since the call began. Raises: NoTranscriptError."""
        if not self._events and len(self.shown) < SHOWN:
            self.shown += part[: SHOWN - len(self.shown)]
        if self._after_return and part[:1] == b"\n":  # the other half of a line's end
            part = part[1:]
        self._after_return = part[-1:] == b"\r" if part else self._after_return
        self._line += part.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        while (end := self._line.find(b"\n", self._seen)) >= 0:
            line = bytes(self._line[:end])
            del self._line[: end + 1]
            self._seen = 0
            self._one(line, seconds)
        self._seen = len(self._line)
        if self._seen > limits.ANSWER_BYTES:
            raise NoTranscriptError("answered a stream with a line that does not end")

    def said(self, seconds: float) -> Said:
        """What it said, once it is over. Raises: NoTranscriptError for one that has no end."""
        if self._line:
            self._one(bytes(self._line), seconds)
        self._dispatch(seconds)
        if not (self._done or self._ended):
            raise NoTranscriptError("its answer broke off: the stream has no end")
        text = "".join(self._texts)
        found = _said(text, self._ended, self._tokens, self._params)
        return Said(found.text, found.notes, found.tokens, self._first)

    def _one(self, line: bytes, seconds: float) -> None:
        """A line: of an event's data, its name, or the empty one at its end."""
        if not line:
            self._dispatch(seconds)
            return
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name.removeprefix(b"\xef\xbb\xbf") == b"data":
            self._data.append(_decoded(value))
        elif name == b"event":
            self._failed = value.strip() == b"error"

    def _dispatch(self, seconds: float) -> None:
        data, self._data = "\n".join(self._data), []
        failed, self._failed = self._failed, False
        if failed:
            raise NoTranscriptError("answered an error")
        if not data.strip():
            return
        self._events, self.shown = self._events + 1, data[:SHOWN].encode()
        if self._done:
            raise NoTranscriptError("its stream goes on behind its end")
        if data.strip() == DONE:
            self._done = True
            return
        self._event(_object(data, "answered a stream whose event is no JSON"), seconds)

    def _event(self, event: Mapping[str, Any], seconds: float) -> None:
        tokens = _tokens(event)
        self._tokens = self._tokens if math.isnan(tokens) else tokens
        choice = _choice(event)
        if choice is None:  # of the usage alone
            return
        delta = choice.get("delta")
        if delta is not None and not isinstance(delta, dict):
            raise NoTranscriptError("answered a stream whose `delta` is no object")
        text = _text((delta or {}).get("content"))
        self._ended = _ending(choice) or self._ended
        if not text:
            return
        if math.isnan(self._first):
            self._first = seconds
        self._texts.append(text)
        self._length += len(text)
        if self._length > limits.ANSWER_BYTES:
            size = limits.ANSWER_BYTES // limits.MEGABYTE
            raise NoTranscriptError(f"its answer is over {size} MB")


def _said(
    text: str, ended: str, tokens: float, params: Params, notes: tuple[str, ...] = ()
) -> Said:
    if ended == WITHHELD:
        raise NoTranscriptError(f"withheld its answer ({WITHHELD})")
    if ended == CUT:
        spent = params.max_tokens if math.isnan(tokens) else int(tokens)
        notes = (*notes, noted.written("budget_spent", tokens=spent))
    found = cleaned(text, notes)
    return Said(found.text, found.notes, tokens)


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise NoTranscriptError("answered a stream that is no UTF-8") from None


def _object(content: bytes | str, wrong: str) -> dict[str, Any]:
    """A JSON object that reports no error. Raises: NoTranscriptError."""
    try:
        found = json.loads(content, object_pairs_hook=once)
    except NoTranscriptError:
        raise
    except (ValueError, RecursionError):
        raise NoTranscriptError(wrong) from None
    if not isinstance(found, dict):
        raise NoTranscriptError(wrong)
    require_no_error(found)
    return found


def _choice(answer: Mapping[str, Any]) -> dict[str, Any] | None:
    """The one choice that was asked for; None where there is none."""
    choices = answer.get("choices")
    if choices is None or choices == []:
        return None
    if not isinstance(choices, list) or not all(isinstance(one, dict) for one in choices):
        raise NoTranscriptError("answered JSON whose `choices` are no list of objects")
    if len(choices) > 1 or choices[0].get("index", 0) not in (0, None):
        raise NoTranscriptError("answered several choices, one was asked for")
    found: dict[str, Any] = choices[0]
    return found


def _text(content: Any) -> str | None:
    """The text of a message, itself or in its parts. Raises: NoTranscriptError for what is none."""
    if content is None or isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part for part in content if isinstance(part, dict) and part.get("type") == "text"]
        texts = [part.get("text") for part in parts]
        if parts and all(isinstance(text, str) for text in texts):
            return "".join(str(text) for text in texts)
    raise NoTranscriptError("answered JSON whose `content` is no text")


def _ending(choice: Mapping[str, Any]) -> str:
    ended = choice.get("finish_reason")
    return ended if isinstance(ended, str) else ""


def _tokens(answer: Mapping[str, Any]) -> float:
    """Of `usage`; NaN where it says nothing that can be a count."""
    usage = answer.get("usage")
    count = usage.get("completion_tokens") if isinstance(usage, dict) else None
    sound = isinstance(count, int) and not isinstance(count, bool) and 0 <= count < 10**9
    return float(count) if sound and count is not None else math.nan
