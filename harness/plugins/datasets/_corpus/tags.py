"""Tags in transcripts that are no words: `[noise]`, `<unk>`, `(inaudible)`, `{laugh}`.

Common Voice's Spontaneous Speech documents some, corpora of calls others; nobody says them, so that
they are no part of a reference. Brackets around other words ("la ONU (Naciones Unidas)") stay: what
they mean is the normaliser's matter.
"""

from __future__ import annotations

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
_BRACKETS = re.compile(r"[\[(<{]")


def without(text: str) -> str:
    """The text without its tags; as it is where there is none."""
    if not _BRACKETS.search(text):
        return text
    plain, count = _TAG.subn(" ", text)
    return re.sub(r" +([,.;:!?])", r"\1", " ".join(plain.split())) if count else text


def noted(texts: Iterable[str]) -> dict[str, str]:
    """For a data set's notes: which tags were taken out, and how many of each."""
    found: Counter[str] = Counter()
    for text in texts:
        if _BRACKETS.search(text):
            found.update(_TAG.findall(text))
    told = ", ".join(f"{tag} {count}" for tag, count in found.most_common(8))
    return {"tags_taken_out": told} if told else {}
