"""Signs whose meaning lies beyond white space, in words: addresses, comparisons, streets."""

from __future__ import annotations

import re

from harness.speech.text import abbreviations

_COMPARING = frozenset(abbreviations.COMPARED)
# an address says what it is by www, a scheme or a mailbox; else by an ending that is no word
_ADDRESS = re.compile(
    r"""
      (?<![\w@.]) (?:
        [\w.+-]+ @ [\w-]+ (?:\.[\w-]+)+
      | (?: https?:// | www\. ) [\w.~-]+ (?: [/:] [\w./~:-]* )?
      | (?: [\w-]+\. )+ (?: com|org|net|edu|gob|gov ) (?: \.[a-z]{2} )? (?: / [\w./~-]* )?
      ) (?<= [\w/] ) (?![\w@])
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ADDRESS_SIGN = re.compile(r"[.@/:_-]")
_COMPARED = re.compile(
    r"(?:(?<=[0-9])|(?<=\b[a-z])) ?([<>≤≥]) ?(?=[0-9])|(?<!\S)([<>](?=[0-9])|[≤≥](?= ?[0-9]))"
)
_NO_NUMBER = re.compile(r"(?<!\S)[sS]/[nN]\b")
_AT_KILOMETRE = re.compile(r"(?<![0-9])(?<![0-9] )\b[kK][mM]\.? ?(?=[0-9])")
# thousands as the RAE parts them; a plain space parts a telephone's numbers too, but before 000
_THOUSANDS = re.compile(
    r"(?<![0-9.,])([0-9]{1,3})((?: 000)+|(?:[\u00a0\u2009\u202f][0-9]{3})+)(?![0-9])"
)
_STREET = re.compile(r"(?<!\S)[Cc]/ ?(?=[A-ZÁÉÍÓÚÑ])")


def spelt(text: str) -> str:
    """The text with the signs of addresses, comparisons and streets in words."""
    if "." in text:
        text = _ADDRESS.sub(_address, text)
    if "/" in text:
        text = _NO_NUMBER.sub("sin número", _STREET.sub("calle ", text))
    text = _AT_KILOMETRE.sub("kilómetro ", _THOUSANDS.sub(_whole, text))
    if not _COMPARING.isdisjoint(text):
        text = _COMPARED.sub(_comparison, text)
    return text


def _whole(found: re.Match[str]) -> str:
    return "".join(sign for sign in found[0] if sign.isdecimal())


def _comparison(found: re.Match[str]) -> str:
    return f" {abbreviations.COMPARED[found[1] or found[2]]} "


def _address(found: re.Match[str]) -> str:
    return _ADDRESS_SIGN.sub(lambda sign: f" {abbreviations.ADDRESS_SIGNS[sign[0]]} ", found[0])
