"""Makes transcripts comparable: normalisers by name, and the edit distance between two texts.

What the normaliser `spanish` does, in this order:

| step | rule                                                    | example                      |
|------|---------------------------------------------------------|------------------------------|
| 1    | Unicode NFC, so that ñ is one sign however it was typed | n + ◌̃ → ñ                    |
| 2    | lower case                                              | ÁREA → área                  |
| 3    | . , : stay between two digits and are spaces elsewhere  | 3,5 → 3,5; hola,tú → hola tú |
| 4    | apostrophes vanish                                      | d'Artagnan → dartagnan       |
| 5    | invisible signs (soft hyphen, BOM, joiners) vanish      |                              |
| 6    | other punctuation and symbols (¿ ¡ « » … - % €): spaces | ¿qué? → qué; ex-jefe → ex jefe |
| 7    | white space becomes single spaces, none at the ends     |                              |

Accents, ñ and ü stay: they make other words (esté / este, año / ano). Digits stay digits and º and
ª stay letters, so "3" and "tres" are different words. A second pass changes nothing.

`basic` is the generic rule of OpenAI's Whisper (BasicTextNormalizer, whisper/normalizers/basic.py)
for comparing with published figures. Beware: it deletes what stands in brackets. `none` leaves the
text alone but for white space.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache

from rapidfuzz.distance import Levenshtein

from harness.errors import UnknownNameError

Normaliser = Callable[[str], str]

_APOSTROPHES = frozenset("'’‘ʼ`´＇")
_LOOSE_SEPARATOR = re.compile(r"(?<!\d)[.,:]|[.,:](?!\d)")
_IN_BRACKETS = re.compile(r"[<\[][^>\]]*[>\]]")
_IN_PARENTHESES = re.compile(r"\(([^)]+?)\)")
_ACCENTS = re.compile("[\u0300\u0301\u0302]")  # grave, acute, circumflex


def spanish(text: str) -> str:
    """The text by the table above; the same for NFC and NFD, and for its own result."""
    return fold_spaces(" ".join(map(_spanish_part, text.split())))


@lru_cache(maxsize=1 << 16)  # most of a corpus is the same few thousand words
def _spanish_part(text: str) -> str:
    """`spanish` of a text without white space, beyond which no rule looks."""
    text = _LOOSE_SEPARATOR.sub(" ", unicodedata.normalize("NFC", text).lower())
    # a sign that vanished may have kept a letter from its accent
    return fold_spaces(unicodedata.normalize("NFC", text.translate(_SPANISH)))


def basic(text: str) -> str:
    """Whisper's generic rule: lower case, NFKC, no bracketed parts, marks and signs to spaces."""
    text = _IN_PARENTHESES.sub("", _IN_BRACKETS.sub("", text.lower()))
    return fold_spaces(unicodedata.normalize("NFKC", text).translate(_BASIC).lower())


def fold_spaces(text: str) -> str:
    """The text's words with one space between them."""
    return " ".join(text.split())


def strip_accents(text: str) -> str:
    """The text without acute, grave and circumflex accents; ñ, ü and ç stay as they are."""
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", text)))


NORMALISERS: Mapping[str, Normaliser] = {"spanish": spanish, "basic": basic, "none": fold_spaces}


def normaliser(name: str) -> Normaliser:
    """The normaliser of that name. Raises: UnknownNameError that names the nearest."""
    if name in NORMALISERS:
        return NORMALISERS[name]
    close = difflib.get_close_matches(name, NORMALISERS, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise UnknownNameError(f"no normaliser {name!r}.{hint} There is: {', '.join(NORMALISERS)}.")


def word_edits(reference: str, text: str) -> tuple[int, int]:
    """(substitutions + deletions + insertions, reference words), as jiwer counts them.

    Both texts normalised: words are what single spaces separate.
    """
    words = reference.split()
    if reference == text:
        return 0, len(words)
    return Levenshtein.distance(words, text.split()), len(words)


def character_edits(reference: str, text: str) -> tuple[int, int]:
    """(edits, reference characters), spaces counted as jiwer does. Both texts normalised."""
    if reference == text:
        return 0, len(reference)
    return Levenshtein.distance(reference, text), len(reference)


class _SignTable(dict[int, str]):
    """What str.translate puts for a character; each is looked up in Unicode once."""

    def __init__(self, rule: Callable[[str], str]) -> None:
        super().__init__()
        self._rule = rule

    def __missing__(self, code: int) -> str:
        self[code] = self._rule(chr(code))
        return self[code]


def _spanish_sign(sign: str) -> str:
    category = unicodedata.category(sign)
    if sign in _APOSTROPHES or (category == "Cf"):
        return ""
    if sign in ".,:":  # those that are left stand between digits
        return sign
    return sign if category[0] in "LMN" else " "


def _basic_sign(sign: str) -> str:
    return " " if unicodedata.category(sign)[0] in "MSP" else sign


_SPANISH, _BASIC = _SignTable(_spanish_sign), _SignTable(_basic_sign)
