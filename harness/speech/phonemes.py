"""Text -> IPA phonemes by clause, through eSpeak NG: what synthesisers were trained to read.

eSpeak NG is a C library under GPL-3.0-or-later. It is no part of this package: the extra `tts`
installs it (the wheel espeakng-loader: library and data, nothing else of it is used), and it is
loaded when the first text is to be said. It keeps its state in the process; a lock lets one thread
in at a time.
"""

from __future__ import annotations

import ctypes
import os
import re
import threading
from dataclasses import dataclass, replace
from functools import lru_cache

from harness.errors import ExtraError, SpecError, TextError
from harness.errors.nearest import nearest

# espeak-ng/speak_lib.h
_RETRIEVAL, _DO_NOT_EXIT, _UTF8, _IPA, _TIE = 1, 0x8000, 1, 0x02, 0x80
_LANGUAGE_SWITCH = re.compile(r"\([a-z-]+\)")  # (en)wiːkɛnd(es): a word of another language
# what ends a clause, then what may stand between it and the next word; eSpeak's own list is in
# its readclause.c (clause_type_from_codepoint)
_MARK = re.compile(r"([.?!,:;…—–¡¿،؛؟۔।。、，．：；！？·]+)[\s\"'“”‘’«»()\[\]{}]*$")
_SENTENCE_END = tuple(".?!۔।。．！？؟")
_MISSING = (
    "no eSpeak NG, which turns text into phonemes: "
    'pip install "onnx-speech-harness[tts]" brings it.'
)


@dataclass(frozen=True)
class Clause:
    """What is said in one breath. `mark`: the punctuation that ended it, as written; "" for none,
    at the end of a paragraph or of the text.
    """

    phonemes: str
    mark: str
    ends_sentence: bool


def clauses(text: str, language: str, tie: str = "") -> list[Clause]:
    """The text's clauses, cut where eSpeak NG cuts them; those without a sound are left out.

    language: eSpeak NG's voice name, such as es-419 or en-us. tie: a sign to put between the
    letters of one phoneme (t^ʃ).

    Raises: TextError where nothing can be said, SpecError for an unknown language, ExtraError
    without the extra `tts`.
    """
    with _LOCK:
        engine = _engine()
        engine.choose(language)
        found = engine.read(_encoded(text), _IPA | (_TIE | ord(tie) << 8 if tie else 0))
    if not found:
        raise TextError(f"nothing to say in {_shown(text)}: it has no sound in {language}.")
    return found


def require_language(language: str) -> None:
    """Raises: SpecError with the nearest name for a language that eSpeak NG does not know,
    ExtraError without the extra `tts`.
    """
    with _LOCK:
        _engine().choose(language)


def version() -> str:
    """eSpeak NG's version, such as 1.52.0. Raises: ExtraError without the extra `tts`."""
    with _LOCK:
        return _engine().version


# ------------------------------------------------------------------------------------- the library
_LOCK = threading.Lock()


class _Voice(ctypes.Structure):
    """espeak_VOICE; `languages` is a priority byte and a name."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),
        ("identifier", ctypes.c_char_p),
        ("numbers", ctypes.c_ubyte * 4),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


class _Engine:
    """The initialised library; use it under the lock."""

    def __init__(self, library: ctypes.CDLL, data: str) -> None:
        self._library = library
        library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        library.espeak_TextToPhonemes.argtypes = (
            ctypes.POINTER(ctypes.c_void_p),
            ctypes.c_int,
            ctypes.c_int,
        )
        library.espeak_Info.restype = ctypes.c_char_p
        library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        if library.espeak_Initialize(_RETRIEVAL, 0, os.fsencode(data), _DO_NOT_EXIT) < 0:
            raise ExtraError(
                "eSpeak NG cannot read its data: install espeakng-loader again, in a folder whose "
                "path has fewer than 160 characters."
            )
        self.version = (library.espeak_Info(None) or b"").decode().split(" ")[0]
        self._language = ""

    def choose(self, language: str) -> None:
        if language and language == self._language:
            return
        self._language = ""
        if not language or self._library.espeak_SetVoiceByName(language.encode()) != 0:
            raise SpecError(f"language: eSpeak NG has no {language!r}.{self._near(language)}")
        self._language = language

    def read(self, encoded: bytes, mode: int) -> list[Clause]:
        """Each call of the library says one clause and moves the pointer behind it, and behind the
        first sign of the next one, which it has to see."""
        buffer = ctypes.create_string_buffer(encoded)
        start, size = ctypes.addressof(buffer), len(encoded)
        place = ctypes.c_void_p(start)
        found: list[Clause] = []
        begin = 0
        while place.value is not None:
            said = self._library.espeak_TextToPhonemes(ctypes.byref(place), _UTF8, mode) or b""
            end = size if place.value is None else place.value - start
            source = encoded[begin:end].decode("utf-8", "ignore")
            if place.value is not None:
                end -= len(source[-1:].encode())
                source = source[:-1]
            clause = _clause(said.decode("utf-8"), source, last=place.value is None)
            if clause.phonemes:
                found.append(clause)
            elif found and clause.ends_sentence:  # marks alone: «...» or the like
                found[-1] = replace(found[-1], ends_sentence=True)
            begin = end
        return found

    def _near(self, language: str) -> str:
        voices = self._library.espeak_ListVoices(None)
        names: list[str] = []
        while voices[len(names)]:
            names.append(voices[len(names)].contents.languages[1:].decode())
        return nearest(language, sorted(set(names)))


@lru_cache(maxsize=1)
def _engine() -> _Engine:
    try:
        import espeakng_loader
    except ImportError as error:
        raise ExtraError(_MISSING) from error
    try:
        library = ctypes.CDLL(espeakng_loader.get_library_path())
    except OSError as error:
        raise ExtraError(f"eSpeak NG's library cannot be loaded: {error}.") from error
    return _Engine(library, espeakng_loader.get_data_path())


# ------------------------------------------------------------------------------------------- texts
def _clause(said: str, source: str, last: bool) -> Clause:
    phonemes = _LANGUAGE_SWITCH.sub("", said).strip()
    found = _MARK.search(source)
    mark = found[1].strip("¡¿") if found else ""
    paragraph = "\n" in source[len(source.rstrip()) :]
    ends = mark[:1] in _SENTENCE_END and not mark.startswith("..")  # an ellipsis ends none
    return Clause(phonemes, mark, last or paragraph or ends)


def _encoded(text: str) -> bytes:
    try:
        return text.replace("\0", " ").encode("utf-8")
    except UnicodeEncodeError as error:
        raise TextError(f"{_shown(text)} holds what is no Unicode character.") from error


def _shown(text: str) -> str:
    return ascii(text) if len(text) <= 40 else f"{text[:40]!a}…"
