"""An opened Piper voice: sentences -> phoneme ids, a pad between them -> inputs of the graph."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.contracts import OpenSession
from harness.plugins.families import _synthesis
from harness.plugins.families._synthesis import Piece, Synthesiser
from harness.plugins.families.piper import voice as voices
from harness.plugins.families.piper.params import Params
from harness.plugins.families.piper.voice import BEGIN, END, PAD, Voice
from harness.speech import phonemes

# what Piper's training wrote for the other marks that end a clause
MARKS = {"…": "", "—": ";", "–": ";", "،": ",", "؛": ";", "؟": "?"}


def open_model(folder: Path, open_session: OpenSession, params: Params) -> Synthesiser:
    """The voice of a folder; one session.

    Raises: ModelError, SpecError, ExtraError (see the family).
    """
    path = _synthesis.the_graph(folder, "Piper voice")
    voice = voices.read(path)
    reader = SentenceReader(voice, params)
    session = open_session(path)
    found = {one.name for one in session.get_inputs()}
    wanted = (voices.inputs(voice), "Piper voice")
    _synthesis.require_signature(path, (found, len(session.get_outputs())), wanted)
    return Synthesiser(session, voice.sample_rate, reader.pieces)


class SentenceReader:
    """Text -> one piece per sentence, as Piper says it."""

    def __init__(self, voice: Voice, params: Params) -> None:
        self._voice = voice
        self._language = params.language or voice.language
        length = voice.length_scale if params.length_scale is None else params.length_scale
        self._scales = np.array([params.noise_scale, length, params.noise_w], np.float32)
        self._speaker = voice.speaker(params.speaker)
        if voice.phoneme_type == "espeak":
            phonemes.require_language(self._language)

    def pieces(self, text: str) -> list[Piece]:
        """Raises: TextError for a text without a sound."""
        found = [self._piece(signs) for signs in self._sentences(text)]
        return [piece for piece in found if piece.phonemes > piece.unknown]

    def _sentences(self, text: str) -> list[str]:
        if self._voice.phoneme_type == "text":
            return [unicodedata.normalize("NFD", text)]
        return sentences(phonemes.clauses(text, self._language))

    def _piece(self, signs: str) -> Piece:
        ids, unknown = phoneme_ids(signs, self._voice)
        feeds: dict[str, np.ndarray] = {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": self._scales,
        }
        if self._voice.speaker_count > 1:
            feeds["sid"] = np.array([self._speaker], np.int64)
        return Piece(feeds, len(signs), unknown)


def sentences(clauses: Sequence[phonemes.Clause]) -> list[str]:
    """The phonemes of each sentence with their marks, accents as signs of their own (NFD)."""
    done, current = [], ""
    for clause in clauses:
        first = "" if clause.mark.startswith("..") else clause.mark[:1]
        current += clause.phonemes + MARKS.get(first, first)
        if clause.ends_sentence:
            done.append(current)
            current = ""
        else:
            current += " "
    done += [current] if current else []
    return [unicodedata.normalize("NFD", one) for one in done]


def phoneme_ids(signs: str, voice: Voice) -> tuple[list[int], int]:
    """(ids, how many signs have none): begin, each sign's ids, end, with a pad after each but the
    end, as in Piper's training."""
    pad = voice.ids[PAD]
    ids, unknown = [*voice.ids[BEGIN], *pad], 0
    for sign in signs:
        known = voice.ids.get(sign, ())
        unknown += not known
        ids += [*known, *pad] if known else []
    return [*ids, *voice.ids[END]], unknown
