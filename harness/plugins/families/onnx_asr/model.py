"""An opened onnx-asr model: the timed call, and the inputs of its graphs for calibration."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.contracts import Feeds, OpenSession, Output, notes
from harness.errors import AudioError, ModelError, SpecError
from harness.errors.limits import JSON_BYTES
from harness.io.places import content
from harness.plugins.families.onnx_asr import layouts
from harness.plugins.families.onnx_asr.layouts import ENCODER, ModelFiles
from harness.plugins.families.onnx_asr.params import Params
from harness.plugins.families.onnx_asr.sessions import CountedSession, handed_over
from harness.runtime.session.running import ort_errors

if TYPE_CHECKING:
    from onnx_asr.adapters import TimestampedResultsAsrAdapter

SAMPLE_RATE = 16_000
WHISPER_SECONDS = 30.0
# tokens with their prompt, until which Whisper and Canary are run where no end token comes
# (onnx-asr: models/whisper.py, models/nemo.py)
# of the vocabulary that English-only Whispers kept; the others have it at 50257
GPT2_END = '"<|endoftext|>":50256'
WHISPER_TOKENS, WHISPER_PROMPT = 448, 4
CANARY_TOKENS, CANARY_PROMPT = 1024, 10
# outputs of encoders that have a frame a column (onnx-asr: models/nemo.py, models/gigaam.py)
FEATURES_FIRST = ("outputs", "encoded")
# what a graph or vocabulary that does not fit becomes inside onnx-asr
MISFITS: tuple[type[Exception], ...] = (
    *ort_errors(),
    AssertionError,
    AttributeError,
    IndexError,
    KeyError,
    TypeError,
)


class _HeardError(Exception):
    """The encoder has run, and nothing else is asked."""


class Recogniser:
    """Implements `harness.contracts.Model`, operation `pipeline`: features to text."""

    def __init__(
        self,
        kind: str,
        asr: TimestampedResultsAsrAdapter,
        sessions: dict[str, CountedSession],
        language: str,
        budget: float,
    ) -> None:
        self._kind, self._asr, self._sessions = kind, asr, sessions
        self._language = language or None
        self._rate = 8_000 if kind == "t-one-ctc" else SAMPLE_RATE
        self._budget = budget

    def prepare(self, operation: str, samples: np.ndarray) -> Callable[[], Output]:
        """Raises: AudioError for samples that are not one finite channel, or that are longer than
        the 30 s of which onnx-asr's Whisper hears anything."""
        _check_samples(samples)
        seconds = samples.size / SAMPLE_RATE
        if _is_whisper(self._kind) and seconds > WHISPER_SECONDS:
            raise AudioError(
                f"the clip lasts {seconds:.1f} s; onnx-asr's Whisper hears the first 30 s only."
            )
        samples = _at_rate(samples, self._rate)
        return lambda: self._recognize(samples)

    def feeds(self, samples: np.ndarray) -> Iterator[tuple[str, Feeds]]:
        """(role, inputs) of every run while `samples` are recognised. Raises: as `prepare`."""
        seen: list[tuple[str, Feeds]] = []
        for session in self._sessions.values():
            session.seen = seen
        try:
            self.prepare("pipeline", samples)()
        finally:
            for session in self._sessions.values():
                session.seen = None
        yield from seen

    def guide(self, samples: np.ndarray, names: Sequence[str]) -> Mapping[str, Any]:
        """Nothing: what is compared depends on the audio alone."""
        return {}

    def outputs(
        self, samples: np.ndarray, names: Sequence[str], guide: Mapping[str, Any]
    ) -> Iterator[tuple[str, np.ndarray]]:
        """`encoder`, (1, frames, features), or of a model of one graph `logits`, (1, frames,
        classes): log-probabilities, a piece for each run. Raises: as `prepare` and its call."""
        pieces: list[np.ndarray] = []
        whole = ENCODER not in self._sessions

        def hear(output: np.ndarray) -> None:
            pieces.append(output)
            if not whole:
                raise _HeardError  # what is decoded from it does not matter here

        session = self._sessions[next(iter(self._sessions)) if whole else ENCODER]
        before, session.heard = session.heard, hear
        try:
            with contextlib.suppress(_HeardError):
                self.prepare("pipeline", samples)()
        finally:
            session.heard = before
        turned = session.get_outputs()[0].name in FEATURES_FIRST
        for piece in pieces:
            yield names[0], piece.transpose(0, 2, 1) if turned else piece

    def _recognize(self, samples: np.ndarray) -> Output:
        last = next(reversed(self._sessions.values()))
        before = last.runs
        try:
            said = self._asr.recognize(
                samples,
                sample_rate=8_000 if self._rate == 8_000 else 16_000,
                language=self._language,
            )
        except MISFITS as error:
            what = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            raise ModelError(f"onnx-asr cannot run this folder as {self._kind}: {what}") from error
        steps = self._steps(said.tokens, last.runs - before)
        spent = steps >= self._budget
        note = notes.written("budget_spent", tokens=self._budget) if spent else ""
        figures = {"confidence": float(np.mean(said.logprobs))} if said.logprobs else {}
        return Output(text=said.text.strip(), tokens=steps, notes=note, figures=figures)

    def _steps(self, tokens: list[str] | None, runs: int) -> float:
        """Tokens that a decoder was run for: a CTC model has none."""
        if len(self._sessions) == 1:
            return float("nan")
        return float(runs if tokens is None or self._budget < float("inf") else len(tokens))


def open_model(folder: Path, open_session: OpenSession, params: Params) -> Recogniser:
    """The model of a folder; `open_session` is called once per graph, in onnx-asr's order.

    Raises: ModelError for files that do not fit, SpecError for a language that the model's
    vocabulary does not have, ExtraError.
    """
    layout = layouts.find(folder)
    kind = layouts.kind_of(layout, params.model)
    _check_language(layout, kind, params.language)
    from onnx_asr import load_model
    from onnx_asr.utils import ModelLoadingError

    try:
        with handed_over(layout.graphs, open_session) as sessions:
            asr = load_model(
                kind,
                folder,
                quantization=layout.ending,
                providers=["CPUExecutionProvider"],  # of nothing but its choice of features:
                preprocessor_config={"use_numpy_preprocessors": True},  # numpy, not a session
            )
    except ModelLoadingError as error:
        said = str(error).replace(str(folder), folder.name)
        raise ModelError(f"onnx-asr cannot open this folder as {kind}: {said}") from error
    except MISFITS as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise ModelError(f"onnx-asr cannot open this folder as {kind}: {said}") from error
    budget = _budget(kind, layout.config)
    return Recogniser(kind, asr.with_timestamps(), sessions, params.language, budget)


def feeds(
    folder: Path, open_session: OpenSession, params: Params, clips: Iterable[np.ndarray]
) -> Iterator[tuple[str, Feeds]]:
    """(role, inputs) of every run of every graph on `clips`, one clip at a time. Raises: as above,
    and AudioError for a clip."""
    model = open_model(folder, open_session, params)
    for clip in clips:
        yield from model.feeds(clip)


def _is_whisper(kind: str) -> bool:
    return kind.startswith("whisper")


def _budget(kind: str, config: Mapping[str, Any]) -> float:
    """Runs of the decoder after which onnx-asr gives up; infinite for models that end by frames."""
    if kind == "whisper":
        return WHISPER_TOKENS - WHISPER_PROMPT
    if kind in ("nemo-conformer-aed", "nemo-canary-1b-v2"):
        return int(config.get("max_sequence_length", CANARY_TOKENS)) - CANARY_PROMPT
    return float("inf")


def _check_language(layout: ModelFiles, kind: str, language: str) -> None:
    """Whisper's and Canary's vocabularies hold a token per language."""
    told = _is_whisper(kind) or (language and _budget(kind, {}) < float("inf"))
    if not told:
        return
    names = ("added_tokens.json", "vocab.json", "vocab.txt")
    known = [path for path in layout.others if path.name in names]
    texts = [content(path, JSON_BYTES).decode("utf-8") for path in known]
    if _is_whisper(kind) and any(GPT2_END in "".join(text.split()) for text in texts):
        raise SpecError(
            "model: onnx-asr tells an English-only Whisper a language and a task, which it does "
            "not know; take `family: whisper` for it."
        )
    if language and not any(f"<|{language}|>" in text for text in texts):
        raise SpecError(
            f"language: this model has no {language!r}; it takes codes such as es, en, pt."
        )


def _check_samples(samples: np.ndarray) -> None:
    if samples.ndim != 1 or samples.size == 0:
        raise AudioError(f"audio must be one channel of samples, this has shape {samples.shape}.")
    if samples.dtype.kind != "f" or not np.isfinite(samples).all():
        raise AudioError("audio samples must be finite floats in [-1, 1].")


def _at_rate(samples: np.ndarray, rate: int) -> np.ndarray:
    if rate == SAMPLE_RATE:
        return np.asarray(samples, np.float32)
    from scipy.signal import resample_poly

    return np.asarray(resample_poly(samples, rate, SAMPLE_RATE), np.float32)
