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
_STREET = re.compile(r"(?<!\S)[Cc]/ ?(?=[A-ZÁÉÍÓÚÑ])")


def spelt(text: str) -> str:
    """The text with the signs of addresses, comparisons and streets in words."""
    if "." in text:
        text = _ADDRESS.sub(_address, text)
    if "/" in text:
        text = _STREET.sub("calle ", text)
    if not _COMPARING.isdisjoint(text):
        text = _COMPARED.sub(_comparison, text)
    return text


def _comparison(found: re.Match[str]) -> str:
    return f" {abbreviations.COMPARED[found[1] or found[2]]} "


def _address(found: re.Match[str]) -> str:
    return _ADDRESS_SIGN.sub(lambda sign: f" {abbreviations.ADDRESS_SIGNS[sign[0]]} ", found[0])
