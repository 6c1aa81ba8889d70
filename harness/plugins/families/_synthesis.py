"""What synthesisers share: a text said piece by piece, when it began to sound, a voice's files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.contracts import Feeds, Output
from harness.errors import ModelError, OutputError, SpecError, TextError
from harness.errors.nearest import nearest
from harness.plugins.families import _modelfiles
from harness.runtime import graph
from harness.runtime.session import running

if TYPE_CHECKING:
    import onnxruntime

OPERATIONS = ("pipeline", "phonemes", "acoustic")
WORDS = {
    "en": {"phonemes": "phonemes", "acoustic": "sound from phonemes"},
    "es": {"phonemes": "fonemas", "acoustic": "sonido a partir de los fonemas"},
}
ROLE = "acoustic"  # of the one graph: phoneme ids -> samples


@dataclass(frozen=True)
class Piece:
    """What one run of the graph says: its inputs, how many phonemes, how many it has no id for."""

    feeds: Feeds
    phonemes: int
    unknown: int = 0


class Synthesiser:
    """Implements `harness.contracts.Model` for a graph that gives samples as its first output.

    `read` turns a text into pieces, and raises TextError. Operations: `pipeline` (text to samples),
    `phonemes` (text to pieces), `acoustic` (pieces to samples). Figures of a call: `pieces`,
    `phonemes`, `unknown_phonemes` and, of the pipeline, `first_audio_seconds`: from the text to the
    samples of the first piece, which could be played while the next one is computed; of a text in
    one piece that is the whole call.
    """

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        sample_rate: int,
        read: Callable[[str], Sequence[Piece]],
    ) -> None:
        self._session, self._rate, self._read = session, sample_rate, read
        self._inputs = running.Inputs(session, "the graph")

    def prepare(self, operation: str, item: Any) -> Callable[[], Output]:
        """Raises: TextError for a text that cannot be said."""
        pieces = self._pieces(item)
        prepared: dict[str, Callable[[], Output]] = {
            "pipeline": lambda: self._pipeline(item),
            "phonemes": lambda: Output(figures=_counts(self._pieces(item))),
            "acoustic": lambda: self._output([self._say(piece) for piece in pieces], pieces),
        }
        return prepared[operation]

    def feeds(self, text: str) -> Iterator[tuple[str, Feeds]]:
        """(role, inputs) of every run that says the text. Raises: as `prepare`."""
        for piece in self._pieces(text):
            yield ROLE, piece.feeds

    def _pieces(self, text: Any) -> Sequence[Piece]:
        if not isinstance(text, str) or not text.strip():
            raise TextError("nothing to say: the text is empty.")
        pieces = self._read(text)
        if not pieces:
            raise TextError(f"nothing to say in {text[:40]!a}: the voice has no such sounds.")
        return [replace(piece, feeds=self._inputs.fitted(piece.feeds)) for piece in pieces]

    def _pipeline(self, text: str) -> Output:
        started = time.perf_counter()
        pieces = self._pieces(text)
        said = [self._say(pieces[0])]
        first = time.perf_counter() - started
        said += [self._say(piece) for piece in pieces[1:]]
        return self._output(said, pieces, first_audio_seconds=first)

    def _say(self, piece: Piece) -> np.ndarray:
        with running.one_line(f"the graph cannot say {piece.phonemes} phonemes"):
            (samples, *_) = self._session.run(None, dict(piece.feeds))
            return np.asarray(samples, dtype=np.float32).ravel()

    def _output(
        self, said: Sequence[np.ndarray], pieces: Sequence[Piece], **figures: float
    ) -> Output:
        samples = np.concatenate(said)
        if not samples.size:
            raise OutputError("the model gave no samples.")
        if not np.isfinite(samples).all():
            raise OutputError("the model gave samples that are not numbers.")
        return Output(audio=samples, sample_rate=self._rate, figures={**_counts(pieces), **figures})


def feeds(voice: Synthesiser, texts: Iterable[str]) -> Iterator[tuple[str, Feeds]]:
    """The inputs of the graph on real texts, for calibration."""
    for text in texts:
        yield from voice.feeds(text)


def _counts(pieces: Sequence[Piece]) -> dict[str, float]:
    return {
        "pieces": float(len(pieces)),
        "phonemes": float(sum(piece.phonemes for piece in pieces)),
        "unknown_phonemes": float(sum(piece.unknown for piece in pieces)),
    }


# ----------------------------------------------------------------------------- files of a voice
def the_graph(folder: Path, what: str) -> Path:
    """The one ONNX file of a folder. Raises: ModelError where there is none or more than one."""
    found = every(folder)
    if not found:
        raise ModelError(f"{folder.name} is no {what}: it needs one .onnx file and has none.")
    if len(found) > 1:
        raise _modelfiles.several(folder, [[path] for path in found])
    return found[0]


def every(folder: Path) -> list[Path]:
    """The ONNX files of a folder, or of its `onnx/`."""
    return sorted([*folder.glob("*.onnx"), *folder.glob("onnx/*.onnx")])


def signature(path: Path) -> tuple[set[str], int]:
    """(input names, number of outputs) of a graph, without its weights. Raises: ModelError."""
    made = graph.read(path, weights=False).graph
    weights = {tensor.name for tensor in made.initializer}
    return {value.name for value in made.input} - weights, len(made.output)


def require_signature(
    path: Path, found: tuple[set[str], int], wanted: tuple[set[str], str]
) -> None:
    """found: (input names, number of outputs) of a graph; wanted: (input names, what it would be).

    Raises: ModelError where an input is missing, an unknown one is there, or there is no output.
    """
    (inputs, outputs), (names, what) = found, wanted
    if inputs != names or outputs < 1:
        raise ModelError(
            f"{path.name} is no {what}: it takes {', '.join(sorted(inputs)) or 'nothing'} instead "
            f"of {', '.join(sorted(names))}."
        )


def no_such(parameter: str, name: str, known: Sequence[str]) -> SpecError:
    """The line for a voice or speaker that the model does not have."""
    return SpecError(f"{parameter}: the model has no {name!r}.{nearest(name, list(known))}")
