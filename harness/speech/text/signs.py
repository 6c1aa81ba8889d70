"""Rules that look at single characters only: white space, accents, generic and Whisper's basic."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Generic, TypeVar

MOST_WORDS = 1 << 16  # that a table knows at once
Made = TypeVar("Made")

APOSTROPHES = frozenset("'’‘ʼ`´＇")
_LOOSE_SEPARATOR = re.compile(r"(?<!\d)[.,:]|[.,:](?!\d)")
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


class WordTable(dict[str, Made], Generic[Made]):
    """What a rule makes of a word: most of a corpus is the same few thousand, and asking here takes
    half the time that it takes lru_cache. Once there are too many it begins anew."""

    def __init__(self, rule: Callable[[str], Made]) -> None:
        super().__init__()
        self._rule = rule

    def __missing__(self, word: str) -> Made:
        if len(self) >= MOST_WORDS:
            self.clear()
        self[word] = made = self._rule(word)
        return made


def fold_spaces(text: str) -> str:
    """The text's words with one space between them."""
    return " ".join(text.split())


def strip_accents(text: str) -> str:
    """The text without acute, grave and circumflex accents; ñ, ü and ç stay as they are."""
    if text.isascii():
        return text
    return " ".join(map(_STRIPPED.__getitem__, text.split(" ")))


def _strip(text: str) -> str:
    """`strip_accents` of a text without spaces, beyond which no sign is composed."""
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", text)))


def generic(text: str) -> str:
    """The rule for languages without a table of their own; the same for NFC and NFD.

    NFC, lower case; . , : stay between two digits; apostrophes and invisible signs vanish; other
    punctuation and symbols become spaces. Nothing in brackets is lost.
    """
    return " ".join(filter(None, map(_GENERIC_PARTS.__getitem__, text.split())))


def _generic_part(text: str) -> str:
    """`generic` of a text without white space, beyond which no rule looks."""
    text = _LOOSE_SEPARATOR.sub(" ", unicodedata.normalize("NFC", text).lower())
    # a sign that vanished may have kept a letter from its accent
    return fold_spaces(unicodedata.normalize("NFC", text.translate(_GENERIC)))


def basic(text: str) -> str:
    """Whisper's generic rule: lower case, NFKC, no bracketed parts, marks and signs to spaces."""
    if "(" in text or "<" in text or "[" in text:
        text = _IN_PARENTHESES.sub("", _IN_BRACKETS.sub("", text.lower()))
    return " ".join(filter(None, map(_BASIC_PARTS.__getitem__, text.split())))


def _basic_part(text: str) -> str:
    """`basic` of a text without white space and brackets, beyond which no rule looks."""
    return fold_spaces(unicodedata.normalize("NFKC", text.lower()).translate(_BASIC).lower())


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
_STRIPPED, _GENERIC_PARTS = WordTable(_strip), WordTable(_generic_part)
_BASIC_PARTS = WordTable(_basic_part)
