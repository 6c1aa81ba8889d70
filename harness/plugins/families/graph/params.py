"""What an experiment may set of a graph: what its inputs are given, sizes, state, vocabulary."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import AliasChoices, Field

from harness.errors import limits
from harness.errors.nearest import nearest
from harness.plugins.families.graph.arithmetic import (
    FUNCTIONS,
    Expression,
    ExpressionError,
    parse,
)

Kind = Literal["samples", "log_mel", "ids", "zeros", "value", "dim", "output", "npz"]
Number = bool | int | float
BUILT_IN = ("seconds", "samples", "sample_rate")
RESERVED = ("pipeline", "hop", "load", "first_call", "probe")  # operations of ours
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
TRIED_SECONDS = 5  # of the clip for which expressions are tried before anything is measured
MOST_GRAPHS = 32
MOST_SAMPLES = 60 * 60 * 48_000  # of a hop or a context: an hour
MOST_MELS = 1024


@dataclass(frozen=True)
class Input:
    """What one input of a graph is given; `shape` where the graph's own does not tell it.

    from: `samples` (the clip), `log_mel` (its features), `ids` (numbers in `ids`), `zeros`, `value`
    (one number everywhere, or a list), `dim` (the value of the expression in `of`), `output` (of an
    earlier graph, named in `of`), `npz` (an array of a file beside the graph).
    """

    # `from` is a word of Python's
    from_: Annotated[Kind, Field(validation_alias=AliasChoices("from", "from_"))]
    shape: tuple[int | str, ...] = ()  # sizes and expressions (ceil(seconds * 100))
    shorter: Literal["pad", "repeat"] = "pad"  # a clip that is shorter than the shape asks for
    longer: Literal["refuse", "cut"] = "refuse"  # one that is longer
    mels: int = 0  # log_mel: bins; 0: as the shape tells
    window: int = 400  # log_mel: samples of the Hann window and of the FFT
    hop: int = 160  # log_mel: samples between frames
    # log_mel: whisper is log10 within 8 of the largest, (x + 4) / 4; db is 10 log10 of the power
    scale: Literal["whisper", "ln", "log10", "db"] = "whisper"
    per_bin: bool = False  # log_mel: each bin to mean 0 and variance 1 over the clip
    ids: tuple[int, ...] = ()
    value: Number | tuple[Number, ...] | None = None
    of: str = ""  # dim: an expression; output: the name of an earlier graph's output
    file: str = ""  # npz: a file in the model's folder
    key: str = ""  # npz: which of its arrays; may be left out where it holds one

    def __post_init__(self) -> None:
        wanted = {"ids": "ids", "value": "value", "dim": "of", "output": "of", "npz": "file"}
        lacking = wanted.get(self.from_, "")
        if lacking and getattr(self, lacking) in ("", (), None):
            raise ValueError(f"from: {self.from_} needs `{lacking}`")
        if not 0 <= self.mels <= MOST_MELS:
            raise ValueError(f"mels must be from 1 to {MOST_MELS}, not {self.mels}")
        if not (2 <= self.window <= 1 << 16 and 1 <= self.hop <= 1 << 16):
            raise ValueError("window must be from 2 to 65536 samples, hop from 1")
        if len(self.shape) > 8:
            raise ValueError(f"shape has {len(self.shape)} sizes; at most 8")
        for size in self.shape:
            parse(size)
        if self.from_ == "dim":
            parse(self.of)


@dataclass(frozen=True)
class Part:
    """One graph of a chain: what operations and reports call it, its file, its own inputs."""

    name: str  # letters, digits and underscore
    file: str  # in the model's folder; a pattern (encoder*.onnx) where variants differ in it
    inputs: Mapping[str, Input] = field(default_factory=dict)  # beside those of the model

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name) or self.name in RESERVED:
            raise ValueError(
                f"name: {self.name[:40]!r} should be letters, digits and underscores, and none of "
                f"{', '.join(RESERVED)}"
            )


@dataclass(frozen=True)
class Ctc:
    """How frames become text: the most likely token of each, repetitions joined, blanks left out.

    `vocabulary` is a file in the model's folder (JSON {token: id} or [tokens], or a token a line,
    with or without its id), or the tokens themselves.
    """

    vocabulary: str | tuple[str, ...]
    blank: str | int | None = None  # a token or its id; None: <pad>, <blk> ... or the last id
    output: str = ""  # of the last graph, (1, frames, tokens); "": the only one of floats
    space: tuple[str, ...] = ("|", "▁", "<space>")  # what stands for the space between words

    def __post_init__(self) -> None:
        if not self.vocabulary:
            raise ValueError("vocabulary is empty: name a file in the model's folder")


@dataclass(frozen=True)
class Params:
    """`dims` are sizes by name: small arithmetic over seconds, samples, sample_rate and each other.
    `inputs` says what is fed; what is left out is read off the graph. `state`: an input
    that is given what an output was in the hop before, zeros in the first.
    """

    sample_rate: int = 16_000  # Hz, of the audio that the graph hears
    dims: Mapping[str, int | float | str] = field(default_factory=dict)  # name -> arithmetic
    inputs: Mapping[str, Input] = field(default_factory=dict)  # input of a graph -> what it is fed
    graphs: tuple[Part, ...] = ()  # of a chain, in order; none: the one graph in the folder
    state: Mapping[str, str] = field(default_factory=dict)  # input -> output of the hop before
    hop: int = 0  # samples that are heard at a time; 0: the whole clip at once
    context: int = 0  # samples before each hop that are heard again
    ctc: Ctc | None = None  # makes a recogniser of it

    def __post_init__(self) -> None:
        if not limits.LOWEST_RATE <= self.sample_rate <= limits.HIGHEST_RATE:
            raise ValueError(
                f"sample_rate must be from {limits.LOWEST_RATE:,} to {limits.HIGHEST_RATE:,} Hz, "
                f"not {self.sample_rate}"
            )
        self._check_stream()
        self._check_parts()
        known = self._check_dims()
        for name, one in _fed(self):
            for size in one.shape:
                try:
                    _require(parse(size), known)
                except ExpressionError as error:
                    raise ValueError(f"inputs.{name}.shape: {error}") from error

    def _check_stream(self) -> None:
        for name in ("hop", "context"):
            if not 0 <= getattr(self, name) <= MOST_SAMPLES:
                raise ValueError(f"{name} must be a number of samples, not {getattr(self, name)}")
        if not self.hop and (self.state or self.context):
            which = "state" if self.state else "context"
            raise ValueError(
                f"{which} goes from one hop to the next: write `hop:`, the samples of each"
            )

    def _check_parts(self) -> None:
        names = [part.name for part in self.graphs]
        if len(names) > MOST_GRAPHS:
            raise ValueError(f"graphs: {len(names)} of them; at most {MOST_GRAPHS}")
        twice = next((name for i, name in enumerate(names) if name in names[:i]), "")
        if twice:
            raise ValueError(f"graphs: two are called {twice!r}")

    def _check_dims(self) -> dict[str, Fraction]:
        """Values for a clip of a few seconds."""
        known = names_of(TRIED_SECONDS * self.sample_rate, self.sample_rate)
        for name in self.dims:
            taken = name in (*BUILT_IN, *FUNCTIONS)
            if taken or not NAME.fullmatch(name):
                why = "is a name of ours" if taken else "is no name"
                raise ValueError(f"dims.{name[:40]}: {why}")
        for name, expression in self.sizes:
            try:
                known[name] = expression(known)
            except ExpressionError as error:
                raise ValueError(f"dims.{name}: {error}") from error
        return known

    @property
    def sizes(self) -> list[tuple[str, Expression]]:
        """The dimensions, each after those that it names, whatever order they are written in."""
        read = {name: _read(name, text) for name, text in self.dims.items()}
        found: list[tuple[str, Expression]] = []
        known = set(BUILT_IN)
        while len(found) < len(read):
            ready = [name for name in read if name not in known and read[name].names <= known]
            if not ready:
                raise ValueError(_unready(read, known))
            found += [(name, read[name]) for name in ready]
            known |= set(ready)
        return found


def _read(name: str, text: int | float | str) -> Expression:
    try:
        return parse(text)
    except ExpressionError as error:
        raise ValueError(f"dims.{name[:40]}: {error}") from error


def _unready(read: Mapping[str, Expression], known: set[str]) -> str:
    """Why no other dimension has a value."""
    left = {name: one for name, one in read.items() if name not in known}
    for name, one in left.items():
        unknown = sorted(one.names - known - set(left))
        if unknown:
            near = nearest(unknown[0], [*known, *left]).rstrip(".")
            return f"dims.{name[:40]}: {one.text[:60]!r} names {unknown[0][:40]!r}, unknown.{near}"
    return f"dims: {', '.join(left)} need each other"


def names_of(samples: int, rate: int) -> dict[str, Fraction]:
    """What an expression may name of a clip, exactly."""
    return {
        "seconds": Fraction(samples, rate),
        "samples": Fraction(samples),
        "sample_rate": Fraction(rate),
    }


def _fed(params: Params) -> Iterable[tuple[str, Input]]:
    yield from params.inputs.items()
    for part in params.graphs:
        yield from part.inputs.items()


def _require(expression: Expression, known: Mapping[str, Fraction]) -> None:
    unknown = sorted(expression.names - set(known))
    if unknown:
        raise ExpressionError(
            f"{expression.text[:60]!r} names {unknown[0][:40]!r}, which has no value; write it "
            f"under dims.{nearest(unknown[0], list(known))}".rstrip(".")
        )
    expression(known)
