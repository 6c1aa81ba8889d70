"""An opened Kokoro: signs -> ids between two zeros, the style of that length, the speed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harness.contracts import OpenSession
from harness.errors import ModelError
from harness.plugins.families import _synthesis
from harness.plugins.families._synthesis import Piece, Synthesiser
from harness.plugins.families.kokoro import files, reading
from harness.plugins.families.kokoro.params import Params
from harness.speech import phonemes

SAMPLE_RATE = 24_000
MOST_SIGNS = 510  # the model has 512 positions, one at each end is a zero
_SPEED_TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64}


def open_model(folder: Path, open_session: OpenSession, params: Params) -> Synthesiser:
    """The model of a folder; one session.

    Raises: ModelError, SpecError, ExtraError (see the family).
    """
    path = _synthesis.the_graph(folder, files.WHAT)
    vocabulary, styles = files.vocabulary(folder), files.styles(folder, params.voice)
    phonemes.require_language(params.language)
    session = open_session(path)
    found = {one.name: one for one in session.get_inputs()}
    tokens = files.require_inputs(path, set(found), len(session.get_outputs()))
    kind = found["speed"].type
    if kind not in _SPEED_TYPES:
        raise ModelError(
            f"{path.name}: its speed is {kind}, an export that takes whole speeds only."
        )
    speed = np.array([params.speed], _SPEED_TYPES[kind])
    limit = min(MOST_SIGNS, len(styles))

    def read(text: str) -> list[Piece]:
        signs, unknown = reading.read(text, params.language, vocabulary)
        pieces = []
        for part in reading.cut(signs, limit, params.pieces == "sentences"):
            feeds = {
                tokens: np.array([[0, *(vocabulary[sign] for sign in part), 0]], np.int64),
                "style": styles[len(part) - 1 : len(part)],
                "speed": speed,
            }
            pieces.append(Piece(feeds, len(part), unknown))
            unknown = 0  # counted once, with the first piece
        return pieces

    return Synthesiser(session, SAMPLE_RATE, read)
