"""Which signs in a server's transcript are no words: tokens, time stamps, remarks about sounds.

Decided here once: nobody says what stands in angle or square brackets. Round brackets and asterisks
may hold words, so that they are left out only where they stand alone on their line or name a sound.
"""

from __future__ import annotations

import html
import re

_LONGEST = 80  # signs of one piece of markup; what is longer was written by somebody
_TOKEN = re.compile(rf"<[^\s<>][^<>\n]{{0,{_LONGEST}}}>")
_SQUARE = re.compile(rf"\[[^\[\]\n]{{0,{_LONGEST}}}\]")
_ALONE = re.compile(
    rf"^[ \t]*(\([^()\n]{{0,{_LONGEST}}}\)|\*[^*\n]{{1,{_LONGEST}}}\*)[ \t]*$", re.MULTILINE
)
_ROUND = re.compile(rf"\(([^()\n]{{0,{_LONGEST}}})\)|\*([^*\n]{{1,{_LONGEST}}})\*")
_NOTES = re.compile("[♪♫♩♬🎵🎶]+")
# what recognisers write of sounds, in English and Spanish; whole words
_SOUND = re.compile(
    r"\b(music|música|musica|applause|aplausos?|laugh(s|ing|ter)?|risas?|silence|silencio|noise|"
    r"ruidos?|inaudible|unintelligible|ininteligible|blank[ _]audio|no speech|sound|sonido|sounds|"
    r"sings?|singing|speaking|coughs?|tos|sighs?|suspiros?|breathing|beep|pitido|static|crying|"
    r"cheering|chatter|murmullos?|foreign language|phone ringing|bell|pause|pausa)\b",
    re.IGNORECASE,
)
_CLOCK = r"(?:\d{1,3}:)?\d{1,2}:\d{2}[.,]\d{1,3}"
_ARROW = rf"{_CLOCK}[ \t]*-->[ \t]*{_CLOCK}"
_CUE = re.compile(rf"^[ \t]*{_ARROW}(?:[ \t]+\w+:\S+)*[ \t]*\r?$", re.MULTILINE)
_MARKUP = (
    (
        "times",
        re.compile(rf"[\[(<]?[ \t]*{_CLOCK}(?:[ \t]*-->[ \t]*{_CLOCK})?[ \t]*[\])>]|{_ARROW}"),
    ),
    ("tokens", _TOKEN),
    ("remarks", _SQUARE),
    ("remarks", _ALONE),
    ("notes of music", _NOTES),
    ("speakers", re.compile(r"^[ \t]*(?:SPEAKER|Speaker)[ _]?[A-Z0-9]{1,3}[ \t]*:", re.MULTILINE)),
    ("tokens", re.compile("[▁⁇]")),  # SentencePiece's space, and what it has no sign for
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_HEAD = re.compile(r"^WEBVTT\b|^(NOTE|STYLE|REGION)\b")


def is_subtitles(text: str) -> bool:
    """Whether a text is SRT or WebVTT: lines of `00:00:01.000 --> 00:00:02.500`."""
    return bool(_CUE.search(text))


def without(text: str) -> tuple[str, list[str]]:
    """(the text without its markup, which kinds of it were left out)."""
    if is_subtitles(text):
        text = _spoken_lines(text)
    kinds: list[str] = []
    for kind, pattern in _MARKUP:
        text, count = pattern.subn(" ", text)
        kinds += [kind] if count else []
    plain = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text) if "&" in text else text
    if plain != text:
        text, kinds = plain, [*kinds, "character references"]
    sounds = [found[0] for found in _ROUND.finditer(text) if _SOUND.search(found[0])]
    for piece in sounds:
        text = text.replace(piece, " ")
    kinds = list(dict.fromkeys([*kinds, *(["remarks"] if sounds else [])]))
    return (" ".join(text.split()) if kinds else text.strip()), kinds


def _spoken_lines(text: str) -> str:
    """The lines of the cues: those after a cue's times, up to an empty one."""
    kept: list[str] = []
    inside = False
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if _CUE.match(line):
            inside = True
        elif not line.strip():
            inside = False
        elif inside and not _HEAD.match(line):
            kept.append(line.strip())
    return " ".join(kept)
