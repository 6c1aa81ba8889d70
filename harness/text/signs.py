"""Rules that look at single characters only: white space, accents, generic and Whisper's basic."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

APOSTROPHES = frozenset("'’‘ʼ`´＇")
_LOOSE_SEPARATOR = re.compile(r"(?<!\d)[.,:]|[.,:](?!\d)")
_BRACKETS = frozenset("(<[")
_IN_BRACKETS = re.compile(r"[<\[][^>\]]*[>\]]")
_IN_PARENTHESES = re.compile(r"\(([^)]+?)\)")
_ACCENTS = re.compile("[\u0300\u0301\u0302]")  # grave, acute, circumflex


class SignTable(dict[int, str]):
    """What str.translate puts for a character; each is looked up in Unicode once."""

    def __init__(self, rule: Callable[[str], str]) -> None:
        super().__init__()
        self._rule = rule

    def __missing__(self, code: int) -> str:
        self[code] = self._rule(chr(code))
        return self[code]


def fold_spaces(text: str) -> str:
    """The text's words with one space between them."""
    return " ".join(text.split())


def strip_accents(text: str) -> str:
    """The text without acute, grave and circumflex accents; ñ, ü and ç stay as they are."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", text)))


def generic(text: str) -> str:
    """The rule for languages without a table of their own; the same for NFC and NFD.

    NFC, lower case; . , : stay between two digits; apostrophes and invisible signs vanish; other
    punctuation and symbols become spaces. Nothing in brackets is lost.
    """
    return fold_spaces(" ".join(map(_generic_part, text.split())))


@lru_cache(maxsize=1 << 16)  # most of a corpus is the same few thousand words
def _generic_part(text: str) -> str:
    """`generic` of a text without white space, beyond which no rule looks."""
    text = _LOOSE_SEPARATOR.sub(" ", unicodedata.normalize("NFC", text).lower())
    # a sign that vanished may have kept a letter from its accent
    return fold_spaces(unicodedata.normalize("NFC", text.translate(_GENERIC)))


def basic(text: str) -> str:
    """Whisper's generic rule: lower case, NFKC, no bracketed parts, marks and signs to spaces."""
    if not _BRACKETS.isdisjoint(text):
        text = _IN_PARENTHESES.sub("", _IN_BRACKETS.sub("", text.lower()))
    return fold_spaces(" ".join(map(_basic_part, text.split())))


@lru_cache(maxsize=1 << 16)
def _basic_part(text: str) -> str:
    """`basic` of a text without white space and brackets, beyond which no rule looks."""
    return unicodedata.normalize("NFKC", text.lower()).translate(_BASIC).lower()


def _generic_sign(sign: str) -> str:
    category = unicodedata.category(sign)
    if sign in APOSTROPHES or category == "Cf":
        return ""
    if sign in ".,:":  # those that are left stand between digits
        return sign
    return sign if category[0] in "LMN" else " "


def _basic_sign(sign: str) -> str:
    return " " if unicodedata.category(sign)[0] in "MSP" else sign


_GENERIC, _BASIC = SignTable(_generic_sign), SignTable(_basic_sign)
