"""What each plugin folder's files export: one page of frozen values, no behaviour.

A plugin file exports one value named after its contract (`metric = Metric(...)` in metrics/x.py),
and its docstring's first line is what `harness list` prints. Units: seconds unless the name says
otherwise; audio is float32 mono in [-1, 1], shape (samples,), at the family's sample rate.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime
    import pandas as pd

Better = Literal["lower", "higher"]
Feeds = Mapping[str, "np.ndarray"]
OpenSession = Callable[[Path], "onnxruntime.InferenceSession"]
Locate = Callable[[str], Path]
"""Finds a path written in the experiment: beside the YAML file, else in a folder above it."""


# ------------------------------------------------ data sets: datasets/x.py, `source`
@dataclass(frozen=True)
class Utterance:
    """One item of a data set; `audio` is an encoded file or its bytes, None for text only."""

    id: str
    audio: Path | bytes | None
    text: str
    speaker: str = ""
    sentence: str = ""
    seconds: float = float("nan")
    error: str = ""  # why this item cannot be used; it still becomes a row


@dataclass(frozen=True)
class Dataset:
    """Utterances that can be walked more than once, and the hash of which they are."""

    name: str
    utterances: Iterable[Utterance]
    fingerprint: str
    notes: Mapping[str, str] = field(
        default_factory=dict
    )  # release, split, licence, seed, left out


@dataclass(frozen=True)
class Source:
    Params: type
    load: Callable[[Any, Locate], Dataset]


# -------------------------------------------- model families: families/x.py, `family`
@dataclass(frozen=True)
class Output:
    """What one call gave back. `tokens` counts decoder steps (NaN where there are none)."""

    text: str = ""
    tokens: float = float("nan")
    notes: str = ""  # why the output ends early: token budget, repetition guard


class Model(Protocol):
    """A variant opened in one session configuration."""

    def prepare(self, operation: str, samples: np.ndarray) -> Callable[[], Output]:
        """A call with its inputs made ready, so that the clock runs around the operation alone.

        Raises: AudioError for samples that the family cannot take; the call itself raises
        OutputError for an output that is not a number.
        """


@dataclass(frozen=True)
class Family:
    """A kind of model. `operations` names what can be timed: the user's own (`pipeline`) first."""

    Params: type
    sample_rate: int
    operations: tuple[str, ...]
    build: Callable[[Path, Path], None]  # (source files, empty target folder): ONNX FP32 in target
    graphs: Callable[[Path], dict[str, Path]]  # folder -> {role: .onnx file}; ModelError if unfit
    open: Callable[[Path, OpenSession, Any], Model]
    # (folder, open_session, params, clips) -> (role, feeds) pairs as they occur on real audio
    feeds: Callable[[Path, OpenSession, Any, Iterable[np.ndarray]], Iterator[tuple[str, Feeds]]]


# ---------------------------------------------- quantization: quantize/x.py, `method`
@dataclass(frozen=True)
class Quantized:
    """What a method did to one graph: operator type -> how many nodes it quantized."""

    operators: Mapping[str, int]
    left_out: tuple[str, ...] = ()  # names of nodes that were asked to stay as they are


@dataclass(frozen=True)
class Method:
    """`apply(params, graph, target, feeds)` writes `target`; feeds is empty unless calibrated."""

    Params: type
    apply: Callable[[Any, Path, Path, Iterable[Feeds]], Quantized]
    needs_calibration: bool = False


# ---------------------------------------------------- metrics: metrics/x.py, `metric`
@dataclass(frozen=True)
class Call:
    """One timed call as a metric sees it: texts already normalised, numbers NaN where unknown."""

    operation: str
    seconds: float
    audio_seconds: float
    tokens: float
    rss_bytes: float
    text: str
    reference: str


@dataclass(frozen=True)
class Metric:
    """(value, weight) per call, and a way to fold them; or a figure of a whole variant.

    fold: "ratio" is sum(values) / sum(weights), "quantile" the median unless the name in the YAML
    says another (`latency_p99_ms` is the 0.99 quantile of `latency_ms`), "max" the largest.
    Exactly one of `measure`, `of_variant` and `ratio_of` is given.
    """

    unit: str
    better: Better
    measure: Callable[[Call], tuple[float, float]] | None = None
    fold: Literal["ratio", "quantile", "max"] = "ratio"
    operations: tuple[str, ...] = ("pipeline",)  # ("*",): every operation, each on its own
    needs_reference: bool = False  # scored on data sets only, against the reference text
    of_variant: Callable[[Mapping[str, Any]], float] | None = None  # a row of the variants table
    ratio_of: str = ""  # the metric whose baseline-to-variant ratio this is (speedup)


# ---------------------------------------------------------- gates: gates/x.py, `gate`
class Status(str, enum.Enum):
    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_MEASURED = "NOT MEASURED"
    WAIVED = "WAIVED"


@dataclass(frozen=True)
class Evidence:
    """What a gate decides on: an estimate and two bounds that each hold with 95 %, NaN if unknown.

    `low` and `high` are -inf / inf where there are too few samples for that side.
    """

    observed: float
    low: float
    high: float
    n: int
    method: str


@dataclass(frozen=True)
class Gate:
    """File name = the YAML key that carries the limit: gates/max.py reads `max: 240`.

    `on` says which evidence it reads: the value itself, or variant minus / over the baseline.
    """

    on: Literal["value", "difference", "ratio"]
    check: Callable[[float, Evidence], Status]  # (limit, evidence)
    sign: str  # how the limit reads in a table: "≤", "≥", "≤ +"


# -------------------------------------------------- report: sections/x.py, `section`
@dataclass(frozen=True)
class Result:
    """A finished run as it lies on disk; every table is a DataFrame (see tables.py)."""

    folder: Path
    experiment: Mapping[str, Any]
    environment: Mapping[str, Any]
    verdict: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]

    def __getattr__(self, name: str) -> pd.DataFrame:
        """`result.calls` is `result.tables["calls"]`."""
        tables: Mapping[str, pd.DataFrame] = self.__dict__.get("tables", {})
        if name in tables:
            return tables[name]
        raise AttributeError(f"no table {name!r}; there is: {', '.join(tables)}")


@dataclass(frozen=True)
class Section:
    """`render(result, language)` gives markdown without the heading; "" leaves the section out."""

    order: int
    title: Mapping[str, str]  # language -> heading
    render: Callable[[Result, str], str]
