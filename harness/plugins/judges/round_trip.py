"""Round trip: a recogniser writes down what was synthesised; tells whether the words are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.contracts import Judge, Judged, Model
from harness.errors import AudioError


@dataclass(frozen=True)
class Params:
    """None but the part: `parts: {recogniser: {family: whisper, source: ..., language: es}}`."""


def open_judge(
    params: Params, files: Mapping[str, Path], parts: Mapping[str, Model]
) -> Callable[[np.ndarray], Judged]:
    """What takes samples at 16 kHz and gives what the recogniser understood."""
    recogniser = parts["recogniser"]

    def judged(samples: np.ndarray) -> Judged:
        if not samples.size:
            raise AudioError("there is no audio to recognise.")
        output = recogniser.prepare("pipeline", samples)()
        return Judged(output.figures, output.text)

    return judged


judge = Judge(
    Params=Params,
    version="round trip through the recogniser that the experiment names",
    named={
        "es": "ida y vuelta por el reconocedor que nombra el experimento",
    },
    about={
        "en": "Whether a machine understands the words that were to be said. Its own errors are "
        "in the figure, the same for every variant: compare with its WER on human speech. It "
        "forgives what a language model guesses, and hears no accent, mood or noise that leaves "
        "the words alone; the MOS figures stand beside it.",
        "es": "Si una máquina entiende las palabras que había que decir. Sus propios errores están "
        "en la cifra, los mismos para cada variante: compárese con su WER con voz humana. Perdona "
        "lo que un modelo de lenguaje adivina, y no oye el acento, el ánimo ni un ruido que deje "
        "las palabras intactas; las cifras de MOS están al lado.",
    },
    parts={"recogniser": "audio"},
    open=open_judge,
)
