"""A spoken turn: a recogniser hears, a synthesiser says it again; what a voice assistant adds.

There is no dialogue model between them: the answer is what was heard, so that its latency is the
least that any answer takes, and its text can be checked against what was said. Where nothing was
heard nothing is said: a call with a note and without audio, not an error.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.contracts import Composite, Model, Output, notes
from harness.errors import SpecError

if TYPE_CHECKING:
    import numpy as np

RATE = 16_000
SILENT = notes.written("nothing_heard")


@dataclass(frozen=True)
class Params:
    """Nothing but the parts."""


@dataclass(frozen=True)
class SpokenTurn:
    """Implements `harness.contracts.Model`; `recogniser` and `synthesiser` time one part alone."""

    recogniser: Model
    synthesiser: Model
    rate: int  # of the audio that the synthesiser gives

    def prepare(self, operation: str, samples: np.ndarray) -> Callable[[], Output]:
        """`synthesiser` says what the recogniser hears before the clock starts.

        Raises: AudioError; for `synthesiser` also TextError, which a call of `pipeline` raises
        itself, for a transcript that cannot be said.
        """
        hear = self.recogniser.prepare("pipeline", samples)
        if operation == "recogniser":
            return hear
        if operation == "pipeline":
            return lambda: self._turn(hear)
        text = hear().text
        return self.synthesiser.prepare("pipeline", text) if text.strip() else Output

    def _turn(self, hear: Callable[[], Output]) -> Output:
        started = time.perf_counter()
        heard = hear()
        at = time.perf_counter() - started
        figures = {**heard.figures, "recogniser_seconds": at}
        if not heard.text.strip():
            return replace(heard, notes=notes.joined(heard.notes, SILENT), figures=figures)
        said = self.synthesiser.prepare("pipeline", heard.text)()
        spent = time.perf_counter() - started - at
        figures = {**said.figures, **figures, "synthesiser_seconds": spent}
        # a synthesiser that does not say when its first sound is there gives all of it at its end
        figures["first_audio_seconds"] = at + said.figures.get("first_audio_seconds", spent)
        return replace(
            heard,
            notes=notes.joined(heard.notes, said.notes),
            audio=said.audio,
            sample_rate=said.sample_rate or self.rate,
            figures=figures,
        )


def assemble(models: Mapping[str, Model], rates: Mapping[str, int], params: Params) -> Model:
    """Raises: SpecError for a recogniser that takes audio at another rate."""
    if rates["recogniser"] != RATE:
        raise SpecError(
            f"spoken_turn: its part `recogniser` takes {rates['recogniser']} Hz, "
            f"it must take {RATE}."
        )
    return SpokenTurn(models["recogniser"], models["synthesiser"], rates["synthesiser"])


family = Composite(
    Params=Params,
    sample_rate=RATE,
    operations=("pipeline", "recogniser", "synthesiser"),
    parts={"recogniser": "audio", "synthesiser": "text"},
    assemble=assemble,
    gives=("text", "audio"),
    words={
        "en": {
            "recogniser": "recogniser",
            "synthesiser": "synthesiser",
        },
        "es": {
            "recogniser": "reconocedor",
            "synthesiser": "sintetizador",
        },
    },
)
