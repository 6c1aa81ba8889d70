"""English text as OpenAI's Whisper is scored on it: the rules of its paper, appendix C ("Text
Standardization"; Radford et al. 2022, arXiv 2212.04356), which write digits where our Spanish has
words.

In the order of the paper, with what each rule makes of:

brackets, parentheses   what stands in them is lost, as under `basic`
                          `well [noise] (laughs) yes` → `well yes`
fillers                 hmm, mm, mhm, mmm, uh, um
                          `um, I see` → `i see`
contractions            written out, informal ones and titles too; `'s` is taken for `is`
                          `Let's` → `let us`; `he's like` → `he is like`;
                          `she's been` → `she has been`; `Mr. Kim Jr.` → `mister kim junior`
commas, points          gone between digits; a point stays before a digit
                          `1,234.5` → `1234.5`; `U.S.` → `us`
signs, accents          become spaces, and the letter below; $ € £ ¢ % stay at a number
                          `café-bar & co` → `cafe bar and co`
numbers                 in digits (english_numbers.py)
                          `two point five million` → `2500000`; `ten thousand dollars` → `$10000`
British spellings       American (english_words.py)
                          `mobilisation` → `mobilization`; `colour` → `color`

Written from that description, not from its code. Where they part: a curly apostrophe is an
apostrophe; `&` is said; `oh` is a zero beside a digit only; British spellings are told by a list of
our own, shorter than Whisper's of 1,700 words. Whoever holds a figure against a paper's should know
that. Unlike the other normalisers, a second pass may change something: so the order of the rules is
published.
"""

from __future__ import annotations

import re
import unicodedata

from harness.speech.text.english_numbers import in_digits
from harness.speech.text.english_words import CONTRACTED, LETTERS, american
from harness.speech.text.signs import APOSTROPHES, SignTable

_IN_BRACKETS = re.compile(r"[<\[][^>\]]*[>\]]")
_IN_PARENTHESES = re.compile(r"\([^)]+\)")
_FILLERS = re.compile(r"\b(?:hmm|mm|mhm|mmm|uh|um)\b")
_LOOSE_APOSTROPHE = re.compile(r"\s+'")
_THOUSANDS = re.compile(r"(?<=[0-9]),(?=[0-9])")
_POINT = re.compile(r"\.(?![0-9])")
_BESIDE_DIGITS = re.compile(r"(?<=[a-z])(?=[0-9])|(?<=[0-9])(?=[a-z])")
_ORDINAL = re.compile(r"(?<=[0-9])\s+(st|nd|rd|th|s)\b")
_LONE_SIGN = re.compile(r"[.$¢€£](?![0-9])|(?<![0-9])%")
_ONE = {"1": "one", "1s": "ones"}
_KEPT = frozenset(".%$¢€£")


def english(text: str) -> str:
    """The text by the rules above."""
    text = text.lower().translate(_STRAIGHT)
    text = _IN_PARENTHESES.sub("", _IN_BRACKETS.sub("", text))
    text = _LOOSE_APOSTROPHE.sub("'", _FILLERS.sub("", text))
    for found, said in CONTRACTED:
        text = found.sub(said, text)
    text = _POINT.sub("", _THOUSANDS.sub("", text.replace("&", " and ")))
    text = unicodedata.normalize("NFKD", text).translate(_SIGNS)
    text = _ORDINAL.sub(r"\1", _BESIDE_DIGITS.sub(" ", text))
    words = map(american, in_digits(text.split()))
    return " ".join(_LONE_SIGN.sub(" ", " ".join(_ONE.get(word, word) for word in words)).split())


def _sign(sign: str) -> str:
    """A character after decomposition."""
    if sign in _KEPT:
        return sign
    if sign in LETTERS:
        return LETTERS[sign]
    category = unicodedata.category(sign)
    if category in ("Mn", "Cf"):
        return ""
    return " " if category[0] in "MSP" else sign


_SIGNS = SignTable(_sign)
_STRAIGHT = {ord(sign): "'" for sign in APOSTROPHES}
