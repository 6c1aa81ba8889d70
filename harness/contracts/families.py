"""What a file of families/ exports (`family`): a kind of model, or a system of several models,
and how one is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from harness.contracts.sightings import Sighting

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime

Feeds = Mapping[str, "np.ndarray"]
OpenSession = Callable[[Path], "onnxruntime.InferenceSession"]


@dataclass(frozen=True)
class Output:
    """What one call gave back. `tokens` counts decoder steps (NaN where there are none).

    `figures`: what only the model knows of this call, such as `confidence` (mean log-probability of
    the tokens) or `first_audio_seconds` (from the start of the call to the first sound).
    """

    text: str = ""
    tokens: float = float("nan")
    # why the output ends early and the like: codes (contracts/notes.py), or a remark of its own
    notes: str = ""
    audio: np.ndarray | None = None  # what a synthesiser said: float32 mono, shape (samples,)
    sample_rate: int = 0  # of that audio
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparable:
    """An output of a model that fidelity metrics can hold against the baseline's.

    `logits`: whether its last axis scores classes (logits or log-probabilities), of which one is
    chosen; None where nobody knows, and the user who asks for `kl` has to.
    """

    name: str
    logits: bool | None = None


class Model(Protocol):
    """A variant opened in one session configuration.

    One that has an attribute `together` above 1 allows so many calls of data sets to be under way
    at once; the experiment then asks for no times there. Calls that are timed go one by one.
    """

    def prepare(self, operation: str, item: Any) -> Callable[[], Output]:
        """A call with its inputs made ready, so that the clock runs around the operation alone.

        `item`: samples at the family's rate, or the text (str) for a family that takes text.

        Raises: AudioError for samples, TextError for a text that the family cannot take; the call
        itself raises OutputError for an output that is not a number.
        """


class ComparableModel(Model, Protocol):
    """What a model has besides where its family names outputs that can be compared."""

    def guide(self, item: Any, names: Sequence[str]) -> Mapping[str, Any]:
        """What the baseline did with an item and others must follow, so that the outputs of these
        names are of the same steps: plain JSON, such as {"tokens": [[50365, 440]]}; {} for nothing.

        Raises: as `prepare` and its call.
        """

    def outputs(
        self, item: Any, names: Sequence[str], guide: Mapping[str, Any]
    ) -> Iterator[tuple[str, np.ndarray]]:
        """(name, piece) of the outputs of these names, as the model computes them along `guide`.

        Also the baseline is asked this way, with its own guide: the same model twice gives the same
        numbers. An output may come in several pieces (windows of 30 s, layers, hops), so that not
        all of it is in memory; their order is the same for every variant. A piece is a real array
        of any number of axes; its last axis is the vector of one position (the features of a frame,
        the logits of a token), what is before it are positions in order. Padding that says nothing
        is left out by the family, or stays in for all.

        Raises: as `prepare` and its call; OutputError where a name or step cannot be had.
        """


@dataclass(frozen=True)
class Family:
    """A kind of model. `operations` names what can be timed: the user's own (`pipeline`) first."""

    Params: type
    sample_rate: int  # of the audio that it takes; of the audio that it gives where it takes text
    operations: tuple[str, ...]
    build: Callable[[Path, Path], None]  # (source files, empty target folder): ONNX FP32 in target
    graphs: Callable[[Path], dict[str, Path]]  # folder -> {role: .onnx file}; ModelError if unfit
    open: Callable[[Path, OpenSession, Any], Model]
    # (folder, open_session, params, clips) -> (role, feeds) pairs as they occur on real audio
    feeds: Callable[[Path, OpenSession, Any, Iterable[Any]], Iterator[tuple[str, Feeds]]]
    takes: Literal["audio", "text"] = "audio"
    gives: tuple[Literal["audio", "text"], ...] = ("text",)
    # (source files): whether `build` would take them; cheap, without a session; ModelError
    look: Callable[[Path], object] | None = None
    has_files: bool = True  # False: it runs elsewhere (a server); no source, nothing to quantize
    # for such a one: params -> what it says of itself, which stands for the hash of its files
    identify: Callable[[Any], Mapping[str, str]] | None = None
    # (folder of a variant, params) -> what fidelity metrics can compare, the main one first; cheap,
    # without a session; ModelError. Its models are then `ComparableModel`
    outputs: Callable[[Path, Any], Sequence[Comparable]] | None = None
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # as of a `Composite`
    remark: Callable[[Mapping[str, Any]], str] | None = None
    # parameters as the experiment has them (other keys too) -> this family as they make it: its
    # rate, operations, graphs, what it gives; None: the same whatever they are
    shaped: Callable[[Mapping[str, Any]], Family] | None = None
    # (the baseline's folder, a variant's): ModelError where the parameters do not fit its graphs,
    # or what it gives cannot be compared; asked before anything is measured
    fits: Callable[[Path, Path], None] | None = None
    # (file or folder, language or ""): None for what is none of its own, ModelError for what is
    # and cannot be used. Cheap, without a session; for `harness init`, as in data sets
    sight: Callable[[Path, str], Sighting | None] | None = None


@dataclass(frozen=True)
class Composite:
    """A system made of models: `parts` are its roles, each a model with a source of its own.

    `assemble(models, rates, params)` gets the opened part of each role and the sample rate of its
    family; the parts are built, quantized and opened as any model is. `roles` says what each takes.
    `words`: language -> operation -> what reports call it. `remark`: parameters as the experiment
    has them -> which of its words a report says of the times of its parts, "" for none.
    """

    Params: type
    sample_rate: int
    operations: tuple[str, ...]
    parts: Mapping[str, Literal["audio", "text"]]  # role -> what its model takes
    assemble: Callable[[Mapping[str, Model], Mapping[str, int], Any], Model]
    takes: Literal["audio", "text"] = "audio"
    gives: tuple[Literal["audio", "text"], ...] = ("text",)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    remark: Callable[[Mapping[str, Any]], str] | None = None
