"""Tags in transcripts that are no words: `[noise]`, `<unk>`, `(inaudible)`, `{laugh}`.

Common Voice's Spontaneous Speech documents some, corpora of calls others; nobody says them, so that
they are no part of a reference. Brackets around other words ("la ONU (Naciones Unidas)") stay: what
they mean is the normaliser's matter. What a web page or a table writes for a sign or for nothing
(`&amp;`, `NULL`) is read as that.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable

_WORDS = """\
    applause aplauso aplausos background beep breath breathing cough coughing crosstalk cry crying
    disfluency disfluencia filler foreign hesitation inaudible incomprehensible indistinct
    ininteligible laugh laughs laughing laughter music música musica noise noises overlap
    overlapping pausa pause respiración respiracion risa risas ruido ruidos sil silence silencio
    sigh sneeze sound sounds speaker speech static tos unclear unintelligible unk unknown voices
    fondo tag bip clic click llanto suspiro
"""
# what a writer would hardly put into parentheses as a word of the sentence
_ASIDE = """
    inaudible ininteligible unintelligible incomprehensible indistinct unclear laughter laughs
    laughing risas noise ruido crosstalk coughing tos applause aplausos sil
"""
_WORD = "(?:" + "|".join(_WORDS.split()) + ")"
_SPARSE = "(?:" + "|".join(_ASIDE.split()) + ")"
_SAID = rf"{_WORD}(?:[ _-](?:de[ _-])?{_WORD}){{0,2}}"
_TAG = re.compile(
    rf"\[\s*{_SAID}\s*\]|\(\s*{_SPARSE}\s*\)|\{{\s*{_SAID}\s*\}}"
    r"|<\|?/?[A-Za-z][\w:.-]{0,30}/?\|?>",  # in angle brackets, any name: no text has them
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
# as programs write an empty cell; "null" and "None" are words
_NOTHING = frozenset(("NULL", "NaN", "nan", "N/A", "n/a", "#N/A", "<NA>", "\\N"))
_PLACEHOLDERS = " \t\r\n-–—_.…*/"  # of what a cell holds so that it is not empty
_BRACKETS = re.compile(r"[\[(<{]")


def without(text: str) -> str:
    """The text without its tags; as it is where there is none. "" where nothing in it is said."""
    if text.strip() in _NOTHING or not text.strip(_PLACEHOLDERS):
        return ""
    return _untagged(_ENTITY.sub(_sign, text) if "&" in text else text)


def _sign(entity: re.Match[str]) -> str:
    return html.unescape(entity[0])


def _untagged(text: str) -> str:
    if not _BRACKETS.search(text):
        return text
    plain, count = _TAG.subn(" ", text)
    return re.sub(r" +([,.;:!?])", r"\1", " ".join(plain.split())) if count else text


def noted(texts: Iterable[str]) -> dict[str, str]:
    """For a data set's notes: which tags were taken out and which signs were written as on a web
    page, and how many of each."""
    found: Counter[str] = Counter()
    read: Counter[str] = Counter()
    for text in texts:
        if "&" in text:
            read.update(one for one in _ENTITY.findall(text) if html.unescape(one) != one)
        if _BRACKETS.search(text):
            found.update(_TAG.findall(text))
    told = ", ".join(f"{tag} {count}" for tag, count in found.most_common(8))
    signs = ", ".join(f"{one} {count}" for one, count in read.most_common(8))
    return {
        **({"tags_taken_out": told} if told else {}),
        **({"character_references": signs} if signs else {}),
    }
