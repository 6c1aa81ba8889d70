"""An opened Whisper: prepares the calls that are timed, and gives calibration its real inputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.contracts import Feeds, OpenSession, Output, notes
from harness.errors import AudioError, ModelError, OutputError, SpecError
from harness.plugins.families import _modelfiles
from harness.plugins.families.whisper import layouts, prompts
from harness.plugins.families.whisper.decoding import (
    Decoded,
    Guard,
    Rules,
    greedy,
    likeliest,
    mean_log_probability,
)
from harness.plugins.families.whisper.engines import Engine, Tensors, array, open_engine
from harness.plugins.families.whisper.features import FRAMES_PER_SECOND, HOP, SAMPLE_RATE, log_mel
from harness.plugins.families.whisper.params import ENCODER, LOGITS, Params

if TYPE_CHECKING:
    from tokenizers import Tokenizer

STEP_PAST = 20  # tokens before the timed decoder step: the middle of a sentence of 30
NAN_STRIDE = 61  # coprime to head sizes and frame counts, so that every frame is looked at


class Whisper:
    """Implements `harness.contracts.Model`; audio beyond the context is taken window by window."""

    def __init__(self, folder: Path, open_session: OpenSession, params: Params) -> None:
        layout = layouts.find(folder)
        self._constants = layouts.constants(folder, layout.kind)
        self._tokenizer = _tokenizer(folder / layouts.TOKENIZER)
        self._rules = _rules(self._tokenizer, self._constants, params)
        self._signs = prompts.signs(self._tokenizer)
        self._engine: Engine = open_engine(layout, open_session)
        if params.context is not None and not self._engine.any_context:
            raise SpecError(
                f"context: {layout.graphs['encoder'].name} takes 30 s only; leave `context` out, "
                "or start from the CTranslate2 weights."
            )
        self._params = params
        self._guard = Guard(params.guard_repeats, params.guard_tokens)

    def prepare(self, operation: str, samples: np.ndarray) -> Callable[[], Output]:
        """A call of `pipeline`, `features`, `encoder` (one run, of the first window) or
        `decoder_step` (one token after 20).

        Raises: AudioError for samples that are not one finite channel of at least one sample.
        """
        check_samples(samples)
        prepared = {
            "pipeline": self._pipeline,
            "features": self._features_only,
            "encoder": self._encoder,
            "decoder_step": self._decoder_step,
        }
        return prepared[operation](samples)

    def feeds(self, samples: np.ndarray) -> Iterator[tuple[str, Feeds]]:
        """(role, inputs) of every run while `samples` are transcribed. Raises: as `prepare`."""
        check_samples(samples)
        for window in self._windows(samples):
            given = self._engine.encoder_feeds(self._features(window))
            yield "encoder", _arrays(given, {})
            memory = self._engine.encode(given)
            seen: list[tuple[str, Tensors]] = []
            self._decode(window, memory, seen)
            known = {id(value): array(value) for value in memory.values()}
            for role, tensors in seen:
                yield role, _arrays(tensors, known)

    # ------------------------------------------------------------------------ what is compared
    def guide(self, samples: np.ndarray, names: Sequence[str]) -> Mapping[str, Any]:
        """{"tokens": those of each window without the end token}; {} where no logits are asked.

        Raises: as `prepare` and its call.
        """
        if LOGITS not in names:
            return {}
        check_samples(samples)
        return {"tokens": [self._decode(w, self._memory(w)).tokens for w in self._windows(samples)]}

    def outputs(
        self, samples: np.ndarray, names: Sequence[str], guide: Mapping[str, Any]
    ) -> Iterator[tuple[str, np.ndarray]]:
        """`encoder`: what the decoder sees of each window, the frames of its padding among them.
        `logits`: (1, vocabulary) before each of the guide's tokens and after the last one, without
        the tokens that are never sampled.

        Raises: as `prepare` and its call; OutputError for a guide of another model's.
        """
        check_samples(samples)
        windows = self._windows(samples)
        told = guide.get("tokens", ()) if LOGITS in names else [()] * len(windows)
        if len(told) != len(windows):
            raise OutputError(
                f"{LOGITS}: the baseline heard {len(told)} windows, this model {len(windows)}: "
                "there are no tokens to follow."
            )
        for window, tokens in zip(windows, told, strict=True):
            memory = self._memory(window)
            if ENCODER in names:
                yield from ((ENCODER, frames) for frames in self._engine.frames(memory))
            if LOGITS in names:
                yield from ((LOGITS, logits) for logits in self._forced(memory, tokens))

    def _forced(self, memory: Tensors, tokens: Sequence[int]) -> Iterator[np.ndarray]:
        """Logits as the tokens are fed, whatever this model would say itself."""
        engine, never = self._engine, list(self._rules.suppress)
        past: Tensors = {}
        for fed in (self._rules.prompt, *((token,) for token in tokens)):
            graph, feeds = engine.decoder_feeds(fed, memory, past)
            logits, past = engine.decode(graph, feeds, past)
            yield np.delete(logits, never)[np.newaxis]

    def _memory(self, window: np.ndarray) -> Tensors:
        return self._engine.encode(self._engine.encoder_feeds(self._features(window)))

    # ------------------------------------------------------------------------- timed operations
    def _pipeline(self, samples: np.ndarray) -> Callable[[], Output]:
        return lambda: self._transcribe(samples)

    def _features_only(self, samples: np.ndarray) -> Callable[[], Output]:
        def call() -> Output:
            for window in self._windows(samples):
                self._features(window)
            return Output()

        return call

    def _encoder(self, samples: np.ndarray) -> Callable[[], Output]:
        feeds = self._engine.encoder_feeds(self._features(self._windows(samples)[0]))

        def call() -> Output:
            _check_numbers(self._engine.encode(feeds))
            return Output()

        return call

    def _decoder_step(self, samples: np.ndarray) -> Callable[[], Output]:
        engine, prompt = self._engine, self._rules.prompt
        memory = engine.encode(engine.encoder_feeds(self._features(self._windows(samples)[0])))
        # which tokens came before does not matter to the clock, how many does
        before = [*prompt, *prompt[-1:] * (STEP_PAST - len(prompt))]
        _, past = engine.decode(*engine.decoder_feeds(before, memory, {}), {})
        said = prompt[-1:]

        def call() -> Output:
            logits, _ = engine.decode(*engine.decoder_feeds(said, memory, past), past)
            likeliest(logits, frozenset())
            return Output(tokens=1)

        return call

    # ------------------------------------------------------------------------------- transcribing
    def _transcribe(self, samples: np.ndarray) -> Output:
        parts = []
        for window in self._windows(samples):
            parts.append(self._decode(window, self._memory(window)))
        texts = (self._text(said.tokens) for said in parts)
        sure = {"confidence": mean_log_probability(parts)} if self._params.confidence else {}
        return Output(
            text=" ".join(text for text in texts if text),
            tokens=sum(said.steps for said in parts),
            notes=notes.joined(*(said.note for said in parts)),
            figures=sure,
        )

    def _decode(
        self,
        window: np.ndarray,
        memory: Tensors,
        seen: list[tuple[str, Tensors]] | None = None,
    ) -> Decoded:
        engine = self._engine
        past: Tensors = {}

        def step(tokens: Sequence[int]) -> np.ndarray:
            nonlocal past
            graph, feeds = engine.decoder_feeds(tokens, memory, past)
            if seen is not None:
                seen.append((graph.role, feeds))
            logits, past = engine.decode(graph, feeds, past)
            return logits

        seconds = window.size / SAMPLE_RATE
        asked = self._params
        budget = asked.spare_tokens + math.ceil(asked.tokens_per_second * seconds)
        limit = min(budget, asked.max_tokens)
        return greedy(step, self._rules, limit, self._guard, asked.confidence)

    def _text(self, tokens: Sequence[int]) -> str:
        """Words alone: no end, time stamp or other sign."""
        words = [token for token in tokens if token not in self._signs]
        return str(self._tokenizer.decode(words)).strip()

    # -------------------------------------------------------------------------------------- audio
    def _windows(self, samples: np.ndarray) -> list[np.ndarray]:
        size = self._constants.frames * HOP
        return [samples[at : at + size] for at in range(0, samples.size, size)]

    def _features(self, window: np.ndarray) -> np.ndarray:
        return log_mel(window, self._constants.mels, self._frames(window))

    def _frames(self, window: np.ndarray) -> int:
        """Frames that the encoder gets: all, or as many as the context policy asks for."""
        whole, context = self._constants.frames, self._params.context
        if context is None:
            return whole
        seconds = window.size / SAMPLE_RATE + context.extra_seconds
        frames = math.ceil(max(context.min_seconds, seconds) * FRAMES_PER_SECOND)
        return min(whole, frames + frames % 2)  # the encoder halves them


def open_model(folder: Path, open_session: OpenSession, params: Params) -> Whisper:
    """The model of a folder of either layout; `open_session` is called once per graph.

    Raises: ModelError for files that do not fit, SpecError for a language that it does not know.
    """
    return Whisper(folder, open_session, params)


def feeds(
    folder: Path, open_session: OpenSession, params: Params, clips: Iterable[np.ndarray]
) -> Iterator[tuple[str, Feeds]]:
    """(role, inputs) of every run of every graph on `clips`, one clip at a time. Raises: as above,
    and AudioError for a clip."""
    model = open_model(folder, open_session, params)
    for clip in clips:
        yield from model.feeds(clip)


def check_samples(samples: np.ndarray) -> None:
    """Raises: AudioError for what is not one channel of finite float samples."""
    if samples.ndim != 1:
        raise AudioError(f"audio must have one channel, this has shape {samples.shape}.")
    if samples.size == 0:
        raise AudioError("the clip holds 0 samples.")
    if samples.dtype.kind != "f" or not np.isfinite(samples).all():
        raise AudioError("audio samples must be finite floats in [-1, 1].")


def _check_numbers(memory: Tensors) -> None:
    for name, value in memory.items():
        if not np.isfinite(value.numpy().ravel()[::NAN_STRIDE]).all():
            raise OutputError(f"the encoder's output {name} holds what is not a number.")


def _arrays(tensors: Tensors, known: Mapping[int, np.ndarray]) -> Feeds:
    return {n: known[id(v)] if id(v) in known else array(v) for n, v in tensors.items()}


def _tokenizer(path: Path) -> Tokenizer:
    """Raises: ModelError."""
    from tokenizers import Tokenizer

    _modelfiles.read_json(path)
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the package raises nothing narrower
        said = " ".join(str(error).split())[:200]
        raise ModelError(f"{path.name} is no tokenizer: {said}.") from error


def _rules(tokenizer: Tokenizer, constants: layouts.Constants, params: Params) -> Rules:
    (end,) = prompts.ids(tokenizer, "endoftext")
    return Rules(
        prompt=prompts.prompt(tokenizer, params, constants.english_only),
        end=end,
        suppress=constants.suppress,
        suppress_begin=constants.suppress_begin,
        positions=constants.positions,
    )
