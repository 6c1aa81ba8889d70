"""An opened graph or chain: the whole on a clip, each graph alone, one hop of a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from harness.contracts import Feeds, OpenSession, Output
from harness.errors import AudioError, ModelError, OutputError
from harness.plugins.families.graph import arrays, binding, ctc, features, files
from harness.plugins.families.graph.binding import Bound, GraphStage
from harness.plugins.families.graph.params import Params, names_of
from harness.plugins.families.graph.shapes import size_of
from harness.plugins.families.graph.signatures import of_session
from harness.runtime.session import running

Outputs = dict[str, np.ndarray]  # "graph.output" -> array
HOPS_OF_A_CLIP = 32  # that a calibration sees, spread over the clip
WARM_HOPS = 8  # before the hop that is timed alone, so that its state is no zeros


class OpenGraphs:
    """Implements `harness.contracts.Model`; operations: `pipeline`, each graph of a chain by name,
    `hop` of a stream."""

    def __init__(self, folder: Path, open_session: OpenSession, params: Params) -> None:
        paths = files.find(folder, files.named(params))
        self._folder, self._params = folder, params
        self._sessions = {name: open_session(path) for name, path in paths.items()}
        signatures = {
            name: of_session(session, paths[name].name) for name, session in self._sessions.items()
        }
        self._stages = binding.bind(params, signatures)
        self._types = {
            stage.name: running.Inputs(self._sessions[stage.name], stage.signature.file)
            for stage in self._stages
        }
        self._reader = (
            ctc.CtcReader(params.ctc, folder, signatures[self._stages[-1].name])
            if (params.ctc is not None)
            else None
        )
        self._sizes = params.sizes
        self._kept: tuple[int, dict[tuple[str, str], np.ndarray]] = (-1, {})

    # ------------------------------------------------------------------------------ the contract
    def prepare(self, operation: str, samples: np.ndarray) -> Callable[[], Output]:
        """Raises: AudioError for samples that are not one finite channel, or longer than the graph
        hears; ModelError for sizes that the clip does not give."""
        _check_samples(samples)
        samples = np.ascontiguousarray(samples, np.float32)
        if operation == "pipeline":
            self._fed(self._stages[0], self._pieces(samples)[0], {}, {})  # whether it fits
            return lambda: self._output(samples)
        if operation == "hop":
            return self._one_hop(samples)
        return self._one_graph(operation, samples)

    def guide(self, samples: np.ndarray, names: Sequence[str]) -> Mapping[str, Any]:
        """Nothing: what is compared depends on the audio alone."""
        return {}

    def outputs(
        self, samples: np.ndarray, names: Sequence[str], guide: Mapping[str, Any]
    ) -> Iterator[tuple[str, np.ndarray]]:
        """(name, piece) of the outputs of these names, as `files.comparable` lists them: in the
        shape that the graph gives, a piece for each hop.

        Raises: as `prepare` and its call.
        """
        _check_samples(samples)
        state: Outputs = {}
        last = self._stages[-1].name
        for piece in self._pieces(np.ascontiguousarray(samples, np.float32)):
            given = self._step(piece, state)
            state = self._next(given)
            self._checked(given)
            for name in names:
                key = f"{last}.{name}"
                yield name, np.atleast_1d(given[key if key in given else name])

    def feeds(self, samples: np.ndarray) -> Iterator[tuple[str, Feeds]]:
        """(graph, inputs) of every run on a clip; of a stream, of a number of its hops."""
        _check_samples(samples)
        pieces = self._pieces(np.ascontiguousarray(samples, np.float32))
        every = max(1, -(-len(pieces) // HOPS_OF_A_CLIP))
        state: Outputs = {}
        for number, piece in enumerate(pieces):
            seen: list[tuple[str, Feeds]] = []
            state = self._next(self._step(piece, state, seen=seen))
            if number % every == 0:
                yield from seen

    # ------------------------------------------------------------------------------ operations
    def _output(self, samples: np.ndarray) -> Output:
        found = self._whole(samples)
        return Output(text=self._reader.text(found) if self._reader else "")

    def _one_hop(self, samples: np.ndarray) -> Callable[[], Output]:
        pieces = self._pieces(samples)
        state: Outputs = {}
        at = min(WARM_HOPS, len(pieces) - 1)
        for piece in pieces[:at]:
            state = self._next(self._step(piece, state))

        def call() -> Output:
            self._checked(self._step(pieces[at], state))
            return Output()

        return call

    def _one_graph(self, name: str, samples: np.ndarray) -> Callable[[], Output]:
        """Its inputs are what those before it give for the clip, or for its first hop."""
        before = [stage.name for stage in self._stages].index(name)
        stage = self._stages[before]
        piece = self._pieces(samples)[0]
        given = self._step(piece, {}, self._stages[:before])
        feeds = self._fed(stage, piece, {}, given)

        def call() -> Output:
            for slot, value in self._run(stage, feeds).items():
                _require_numbers(value, f"{stage.signature.file}: the output {slot!r}")
            return Output()

        return call

    def _whole(self, samples: np.ndarray) -> dict[str, np.ndarray]:
        pieces = self._pieces(samples)
        state: Outputs = {}
        found: list[dict[str, np.ndarray]] = []
        for piece in pieces:
            given = self._step(piece, state)
            state = self._next(given)
            found.append(self._checked(given))
        if len(found) == 1:
            return found[0]
        return {name: _joined([one[name] for one in found]) for name in found[0]}

    def _pieces(self, samples: np.ndarray) -> list[np.ndarray]:
        """The clip, or what is heard in each of its hops: context and hop, zeros around it."""
        hop, context = self._params.hop, self._params.context
        if not hop:
            return [samples]
        count = -(-samples.size // hop)
        padded = np.zeros(context + count * hop, np.float32)
        padded[context : context + samples.size] = samples
        return [padded[at * hop : at * hop + context + hop] for at in range(count)]

    # ------------------------------------------------------------------------------ one step
    def _step(
        self,
        piece: np.ndarray,
        state: Outputs,
        stages: tuple[GraphStage, ...] | None = None,
        seen: list[tuple[str, Feeds]] | None = None,
    ) -> Outputs:
        """What each graph gives for a piece of sound."""
        given: Outputs = {}
        for stage in self._stages if stages is None else stages:
            feeds = self._fed(stage, piece, state, given)
            if seen is not None:
                seen.append((stage.name, feeds))
            for name, value in self._run(stage, feeds).items():
                given[f"{stage.name}.{name}"] = value
        return given

    def _next(self, given: Outputs) -> Outputs:
        """The state of the next hop, by input."""
        named = {key.partition(".")[2]: value for key, value in given.items()}
        return {name: named[output] for name, output in self._params.state.items()}

    def _run(self, stage: GraphStage, feeds: Feeds) -> dict[str, np.ndarray]:
        names = [slot.name for slot in stage.signature.outputs]
        with running.one_line(f"{stage.signature.file} cannot run on this clip"):
            values = self._sessions[stage.name].run(names, dict(feeds))
        return dict(zip(names, values, strict=True))

    def _fed(
        self, stage: GraphStage, piece: np.ndarray, state: Outputs, given: Outputs
    ) -> dict[str, np.ndarray]:
        size, kept = self._kept
        if size != piece.size:  # what depends on the length only is made once for each
            kept = {}
            self._kept = (piece.size, kept)
        names = self._names(piece.size)
        found: dict[str, np.ndarray] = {}
        for one in stage.inputs:
            found[one.slot.name] = self._array(stage, one, (piece, state, given, names), kept)
            for dim, length in zip(one.slot.shape or (), found[one.slot.name].shape, strict=False):
                if isinstance(dim, str) and dim:
                    names.setdefault(dim, Fraction(length))
        return self._types[stage.name].fitted(found)

    def _names(self, samples: int) -> dict[str, Fraction]:
        names = names_of(samples, self._params.sample_rate)
        for name, size in self._sizes:
            names[name] = size(names)
        return names

    def _array(
        self,
        stage: GraphStage,
        one: Bound,
        at: tuple[Any, ...],
        kept: dict[tuple[str, str], np.ndarray],
    ) -> np.ndarray:
        piece, state, given, names = at
        if one.kind == "audio":
            return self._heard(stage, one, piece, names)
        if one.source:
            value: np.ndarray = given[one.source]
            return value
        if one.state and one.slot.name in state:
            return self._state(stage, one, state[one.slot.name], kept)
        key = (stage.name, one.slot.name)
        if key not in kept:
            kept[key] = arrays.made(one, names, self._folder)
        return kept[key]

    def _state(
        self, stage: GraphStage, one: Bound, value: np.ndarray, kept: Mapping[tuple[str, str], Any]
    ) -> np.ndarray:
        first = kept.get((stage.name, one.slot.name))
        if first is not None and first.shape != value.shape:
            raise ModelError(
                f"{stage.signature.file}: the state {one.slot.name!r} began as "
                f"{list(first.shape)}, the output {one.state!r} is {list(value.shape)}: write "
                "its `shape`."
            )
        return value

    def _heard(
        self, stage: GraphStage, one: Bound, piece: np.ndarray, names: Mapping[str, Fraction]
    ) -> np.ndarray:
        """Samples or features in the shape of the input."""
        where = f"{stage.signature.file}: input {one.slot.name!r}"
        sizes = [None if size is None else size_of(size, names, where) for size in one.axes]
        rate, how = self._params.sample_rate, one.how
        if how.from_ == "samples":
            length = piece.size if sizes[-1] is None else sizes[-1]
            heard = features.fitted(piece, length, how, rate)
            return heard.reshape((1,) * (len(sizes) - 1) + heard.shape)
        turned = sizes[-1] == how.mels and sizes[-2] != how.mels
        frames = sizes[-2] if turned else sizes[-1]
        frames = features.frames_of(piece.size, how) if frames is None else frames
        found = features.log_mel(piece, how, frames, rate)
        found = found.T if turned else found
        return found.reshape((1,) * (len(sizes) - 2) + found.shape)

    def _checked(self, given: Outputs) -> dict[str, np.ndarray]:
        """What the last graph gives, without NaN. Raises: OutputError."""
        last = self._stages[-1]
        found = {slot.name: given[f"{last.name}.{slot.name}"] for slot in last.signature.outputs}
        for name, value in found.items():
            _require_numbers(value, f"{last.signature.file}: the output {name!r}")
        return found


def feeds(
    folder: Path, open_session: OpenSession, params: Params, clips: Iterable[Any]
) -> Iterator[tuple[str, Feeds]]:
    """(graph, inputs) on real clips, for calibration. Raises: as `OpenGraphs`."""
    model = OpenGraphs(folder, open_session, params)
    for clip in clips:
        yield from model.feeds(clip)


def _joined(values: list[np.ndarray]) -> np.ndarray:
    if values[0].ndim == 0:
        return np.stack(values)
    return np.concatenate(values, axis=min(1, values[0].ndim - 1))


def _require_numbers(value: Any, what: str) -> None:
    """A sum is NaN where any number is, and quick; what overflows in it is looked at closely."""
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f" or not value.size:
        return
    with np.errstate(all="ignore"):
        doubtful = np.isnan(value.sum())
    if doubtful and np.isnan(value).any():
        raise OutputError(f"{what} is NaN (not a number).")


def _check_samples(samples: np.ndarray) -> None:
    if samples.ndim != 1 or samples.size == 0:
        raise AudioError(f"audio must be one channel of samples, this has shape {samples.shape}.")
    if samples.dtype.kind != "f" or not np.isfinite(samples).all():
        raise AudioError("audio samples must be finite floats in [-1, 1].")
