"""What a model with made-up weights stands for, said on the first screen and under every table."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.contracts import Result
from harness.report import markdown, wording, words

TEXTS = words.table("stand_in")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


def told(result: Result, language: str) -> Iterator[str]:
    """The sentence of the first screen; nothing for a model that is itself."""
    yield from _said(result, "told", language)


def captioned(result: Result, body: str, language: str) -> str:
    """A section's markdown with a small line under each of its tables; unchanged for a model that
    is itself."""
    lines = [f"<sub>{line}</sub>" for line in _said(result, "caption", language)]
    return _under_tables(body, lines[0]) if lines else body


def _said(result: Result, key: str, language: str) -> Iterator[str]:
    names = [wording.purpose_of(name, language) for name in result.experiment.stands_for or ()]
    if names:
        listed = markdown.escape(markdown.listed(names, language))
        yield TEXTS[language][key].format(purposes=listed)


def _under_tables(body: str, caption: str) -> str:
    """Tables are rows in a row that begin with a pipe, outside of blocks of code."""
    found: list[str] = []
    fence, row = "", False
    for line in body.split("\n"):
        if row and not line.startswith("|"):
            found += ["", caption]
        mark = _FENCE.match(line)
        if mark and (not fence or line.strip() == fence):
            fence = "" if fence else mark[1]
        row = line.startswith("|") and not fence
        found.append(line)
    return "\n".join([*found, "", caption] if row else found)
