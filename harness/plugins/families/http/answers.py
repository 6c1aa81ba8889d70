"""What a server's answer says: the transcript in it, or in a few words why there is none.

Servers are asked for `{"text": ...}` and some answer otherwise: text only in the segments,
subtitles, an error with status 200. What is no transcript is never taken for one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from harness.contracts import notes as noted
from harness.plugins.families.http import markup
from harness.plugins.families.http.replies import Said

PLAIN = ("text", "srt", "vtt", None)  # formats whose answer may be text alone
# where the text of an answer stands beside `text`, and under which key in each entry
PARTS = {"segments": "text", "chunks": "text", "utterances": "text", "words": "word"}
_PAGE = re.compile(r"\s*(<!doctype html|<html|<head|<body|<\?xml)\b", re.IGNORECASE)
_OBJECT = re.compile(r"""\{\s*["']\w[\w .-]{0,60}["']\s*:""")  # nobody says such a thing
_FAILED = re.compile(r"error|err|fail(ed|ure)?|exception", re.IGNORECASE)
_EVENTS = re.compile(rb"\s*(data|event|id|retry):")


class NoTranscriptError(ValueError):
    """Why an answer is no transcript, in words that follow the server's name."""


def transcript(body: bytes, asked: str | None) -> Said:
    """The transcript in an answer to a request for `asked` (response_format; None: left out).

    Raises: NoTranscriptError.
    """
    try:
        answer = json.loads(body, object_pairs_hook=once)
    except RecursionError:
        raise NoTranscriptError("answered no JSON") from None
    except NoTranscriptError:
        raise
    except ValueError:  # also a number of over 4300 digits, and bytes that are no UTF-8
        return _plain(body, asked)
    if asked in PLAIN and not isinstance(answer, dict | list):  # "veintitrés", 23
        return _plain(body, asked)
    return cleaned(*_of_json(answer))


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys stand once: which of two texts is meant, nobody knows."""
    made = dict(pairs)
    if len(made) < len(pairs):
        raise NoTranscriptError("answered JSON in which a key stands twice")
    return made


def _plain(body: bytes, asked: str | None) -> Said:
    """Text where that was asked for, and subtitles always."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NoTranscriptError("answered no JSON") from None
    if _EVENTS.match(body):
        raise NoTranscriptError("answered a stream of events, which was not asked for")
    if _PAGE.match(text):
        raise NoTranscriptError("answered a web page, no JSON")
    if markup.is_subtitles(text):
        return cleaned(text, ())
    if asked in PLAIN and (text.strip() or asked) and not text.lstrip().startswith(("{", "[{")):
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            said = text
        return cleaned(said if isinstance(said, str) else text, ())
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and all(map(_is_json, lines)):
        raise NoTranscriptError("answered several JSON documents, one was asked for")
    raise NoTranscriptError("answered no JSON")


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def _of_json(answer: Any) -> tuple[str, tuple[str, ...]]:
    """(text, notes) of an answer in JSON."""
    if not isinstance(answer, dict):
        raise NoTranscriptError("answered JSON without `text`")
    require_no_error(answer)
    text = answer.get("text")
    if text is not None and not isinstance(text, str):
        raise NoTranscriptError("answered JSON whose `text` is no text")
    if text and text.strip():
        return text, ()
    return _of_parts(answer, text is not None)


def require_no_error(answer: Mapping[str, Any]) -> None:
    """Raises: NoTranscriptError for an answer that says that it is an error."""
    if answer.get("error") or answer.get("errors") or answer.get("success") is False:
        raise NoTranscriptError("answered an error")
    if _failed(answer):
        raise NoTranscriptError("answered an error")


def _failed(answer: Mapping[str, Any]) -> bool:
    """Whether an answer says in other words than `error` that it is one; beside a text that is
    empty, a message is."""
    if any(_FAILED.fullmatch(str(answer.get(key) or "")) for key in ("status", "state", "type")):
        return True
    codes = (answer.get(key) for key in ("code", "status", "status_code"))
    if any(isinstance(code, int) and 400 <= code < 600 for code in codes):
        return True
    told = (answer.get(key) for key in ("message", "detail", "exception", "traceback"))
    return answer.get("text") == "" and any(told)


def _of_parts(answer: Mapping[str, Any], empty: bool) -> tuple[str, tuple[str, ...]]:
    """What stands in the parts of an answer whose `text` is `empty`, or not there at all."""
    for name, key in PARTS.items():
        found = " ".join(_texts(answer.get(name), key))
        if found.strip():
            return found, (noted.written("text_taken", where=name),)
    if not empty:
        raise NoTranscriptError("answered JSON without `text`")
    return "", ()


def _texts(parts: Any, key: str) -> Iterable[str]:
    for part in parts if isinstance(parts, list) else ():
        said = part.get(key, part.get("text")) if isinstance(part, Mapping) else part
        if isinstance(said, str):
            yield said.strip()


def cleaned(text: str, notes: tuple[str, ...]) -> Said:
    """The words of a text. Raises: NoTranscriptError for JSON or a page inside of it."""
    if _OBJECT.search(text) or (text.lstrip().startswith(("[{", '["')) and _is_json(text)):
        raise NoTranscriptError("answered JSON inside of the text")
    if _PAGE.match(text):
        raise NoTranscriptError("answered a web page inside of the text")
    words, removed = markup.without(text)
    if markup.is_subtitles(text):
        notes = (*notes, noted.written("subtitles"))
    elif removed:
        notes = (*notes, noted.written("markup", markup=", ".join(removed)))
    # JSON can hold half of a pair of surrogates; else as it came: what is hidden in it would be
    # scored as an error of the model's
    return Said(words.encode("utf-8", "replace").decode(), notes)
