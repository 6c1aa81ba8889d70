"""Text -> the signs that Kokoro was trained to read, cut to what it takes in one run."""

from __future__ import annotations

import re
from collections.abc import Container

from harness.errors import TextError
from harness.speech import phonemes

TIE = "^"
# One letter for what eSpeak NG writes with two: misaki's table for the languages that Kokoro reads
# through eSpeak NG (github.com/hexgrad/misaki, espeak.py, Apache-2.0)
LETTERS = {
    "a^ɪ": "I", "a^ʊ": "W", "d^z": "ʣ", "d^ʒ": "ʤ", "e^ɪ": "A", "o^ʊ": "O", "ə^ʊ": "Q",
    "s^s": "S", "t^s": "ʦ", "t^ʃ": "ʧ", "ɔ^ɪ": "Y", TIE: "", "-": "",
}  # fmt: skip
_TWO = re.compile("|".join(map(re.escape, LETTERS)))
_SIGNS = str.maketrans("«»–", "“”—")
_KEPT = re.compile(r"([\"“”()])")  # read by the model, passed over by eSpeak NG
_MARKS = ";:,.!?—… \t\n"
_SENTENCE = re.compile(r"(?<=[.!?])(?<!\.\.) +")
_CLAUSE = re.compile(r"(?<=[;:,.!?—…)”]) +")


def read(text: str, language: str, vocabulary: Container[str]) -> tuple[str, int]:
    """(the signs of the text, how many of its phonemes the vocabulary does not have).

    Raises: TextError for a text without a sound.
    """
    parts = _KEPT.split(text.translate(_SIGNS))
    said = [part if _KEPT.fullmatch(part) else _part(part, language) for part in parts]
    if not any(sign.isalpha() for one in said for sign in one):
        raise TextError(f"nothing to say in {text[:40]!a}: it has no sound in {language}.")
    signs = _TWO.sub(lambda found: LETTERS[found[0]], "".join(said))
    known = [sign for sign in signs if sign in vocabulary]
    return " ".join("".join(known).split()), len(signs) - len(known)


def _part(text: str, language: str) -> str:
    """A stretch without brackets and quotation marks, with the marks and white space around it."""
    rest = text.lstrip(_MARKS)
    before = re.sub(r"\s+", " ", text[: len(text) - len(rest)])
    after = " " if rest[-1:].isspace() else ""
    try:
        clauses = phonemes.clauses(rest, language, TIE)
    except TextError:
        return before + after
    return before + " ".join(one.phonemes + one.mark for one in clauses) + after


def cut(signs: str, limit: int, by_sentence: bool) -> list[str]:
    """Pieces of at most `limit` signs: whole sentences if asked, as many clauses as fit, words
    where a clause is too long, and a word too long where it must be.
    """
    wholes = _SENTENCE.split(signs) if by_sentence else [signs]
    return [piece for whole in wholes for piece in _packed(whole, limit)]


def _packed(signs: str, limit: int) -> list[str]:
    if len(signs) <= limit:
        return [signs] if signs else []
    packed: list[str] = []
    for unit in _units(signs, limit):
        if packed and len(packed[-1]) + 1 + len(unit) <= limit:
            packed[-1] += f" {unit}"
        else:
            packed.append(unit)
    return packed


def _units(signs: str, limit: int) -> list[str]:
    """Clauses; of a clause that is too long its words; of such a word its parts."""
    units: list[str] = []
    for clause in _CLAUSE.split(signs):
        words = [clause] if len(clause) <= limit else clause.split(" ")
        units += [word[at : at + limit] for word in words for at in range(0, len(word), limit)]
    return units
