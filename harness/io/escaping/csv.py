"""Texts in a CSV that a spreadsheet would run: an apostrophe before them, taken off on reading.

A text that begins with = + - @, a tab or a line end (or their full-width forms) is a formula to a
spreadsheet. It is written with an apostrophe before it, and so is one that begins with apostrophes
before such a sign: what is read is what was there. Only columns of texts are guarded; numbers stay
numbers.
"""

from __future__ import annotations

import re

_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
_GUARDED = re.compile("'+[=+\\-@\t\r\n＝＋－＠]")


def guarded(text: str) -> str:
    """The text as a CSV has it."""
    return "'" + text if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """The text as it was before `guarded`."""
    return text[1:] if _GUARDED.match(text) else text
