"""How a note of a call, a data set or a judge is written: a code with arguments, which each
language of the report words (`noted` in its file). Several have "; " between them.

    budget_spent tokens=448; repeated times=2 why="503, busy" seconds=1.5

What is no code of ours, a remark of a plugin of the user's own, stands as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

BETWEEN = "; "
_PLAIN = re.compile(r"[\w.+-]+")
_ARGUMENT = r'(?P<{0}key>[a-z_]+)=(?P<{0}value>[\w.+-]+|"(?:[^"\\]|\\.)*")'
_ONE = re.compile(_ARGUMENT.format(""))
_NOTE = re.compile(
    rf"(?P<code>[a-z][a-z_]*)(?P<arguments>(?: {re.sub('[(][?]P<[^>]*>', '(?:', _ARGUMENT)})*)"
    rf"(?={BETWEEN}|$)"
)


@dataclass(frozen=True)
class Note:
    """A code and its arguments, as texts."""

    code: str
    arguments: Mapping[str, str] = field(default_factory=dict)


def written(code: str, **arguments: object) -> str:
    """The code with its arguments on one line."""
    return " ".join([code, *(f"{key}={_value(str(value))}" for key, value in arguments.items())])


def joined(*notes: str) -> str:
    """Several notes as one text; empty ones are left out."""
    return BETWEEN.join(note for note in notes if note)


def read(text: str) -> list[Note | str]:
    """The notes of a text; a part that is no code with arguments as it stands."""
    found: list[Note | str] = []
    at = 0
    while at < len(text):
        match = _NOTE.match(text, at)
        end = match.end() if match else text.find(BETWEEN, at)
        end = len(text) if end < 0 else end
        found.append(_note(match) if match else text[at:end])
        at = end + len(BETWEEN)
    return found


def _note(match: re.Match[str]) -> Note | str:
    arguments = {one["key"]: one["value"] for one in _ONE.finditer(match["arguments"])}
    try:
        return Note(match["code"], {key: _text(value) for key, value in arguments.items()})
    except ValueError:  # what stands in quotes is no text
        return match[0]


def _value(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _text(value: str) -> str:
    return str(json.loads(value)) if value.startswith('"') else value
