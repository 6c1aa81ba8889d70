"""What each plugin folder's files export: frozen values, no behaviour; in `families` of models, in
`experiment` what is asked, from the YAML file to the report, in `plain` how that is written, in
`notes` how a note of a call or of data is, in `sightings` what a plugin says of files for `init`.

A plugin file exports one value named after its contract (`metric = Metric(...)` in metrics/x.py),
and its docstring's first line is what `harness list` prints. Units: seconds unless the name says
otherwise; audio is float32 mono in [-1, 1], shape (samples,), at the family's sample rate.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness.contracts.experiment import Experiment, RunFacts
from harness.contracts.families import (
    Comparable,
    ComparableModel,
    Composite,
    Family,
    Feeds,
    Model,
    OpenSession,
    Output,
)
from harness.contracts.sightings import Advice, Sighting

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.figure import Figure as Picture

__all__ = [
    "GATE_COLUMNS",
    "SCREENED",
    "Advice",
    "Better",
    "Call",
    "Comparable",
    "ComparableModel",
    "Compares",
    "Composite",
    "Dataset",
    "Evidence",
    "Export",
    "Family",
    "Feeds",
    "Figure",
    "Gate",
    "Judge",
    "Judged",
    "Kind",
    "Locate",
    "Method",
    "Metric",
    "Model",
    "OpenSession",
    "Output",
    "Quantized",
    "Rating",
    "Ratings",
    "Result",
    "Section",
    "Side",
    "Sighting",
    "Source",
    "Status",
    "Table",
    "Utterance",
]

Better = Literal["lower", "higher", "neither"]  # neither: gated on both sides
Locate = Callable[[str], Path]
"""Finds a path written in the experiment: beside the YAML file, else in a folder above it."""


# ------------------------------------------------ data sets: datasets/x.py, `source`
@dataclass(frozen=True)
class Utterance:
    """One item of a data set: what is heard with its transcript, or a text to be said.

    `audio` is an encoded file or its bytes, None for text only; `text` may be empty where nothing
    is said (silence, noise). `seconds` is held against what is decoded: a clip of another length is
    an error row.
    """

    id: str
    audio: Path | bytes | None
    text: str
    speaker: str = ""
    sentence: str = ""
    seconds: float = float("nan")
    error: str = ""  # why this item cannot be used; it still becomes a row
    part: tuple[float, float] | None = None  # of the audio, from and to in seconds; None: all
    # what else its row says, by column (accents, age ...): short texts, "" where it says nothing
    labels: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Dataset:
    """Utterances, and the hash of which they are.

    `utterances` has a length and gives each one by its place, in any order and more than once; what
    a large set holds of it in memory is small (places in a file, not rows).
    """

    name: str
    utterances: Sequence[Utterance]
    fingerprint: str
    notes: Mapping[str, str] = field(
        default_factory=dict
    )  # release, split, licence, seed, left out


@dataclass(frozen=True)
class Source:
    """Where utterances come from. A parameter `seed` that the experiment leaves out is its own.

    `look(params, locate)` is what `harness check` asks: how many utterances there will be, NaN
    where only opening them would tell; it fetches and decodes nothing, takes no longer than a look
    at the table, and raises what `load` would raise for a split, a folder or a table that is wrong.
    """

    Params: type
    load: Callable[[Any, Locate], Dataset]
    transcripts: bool = True  # False: somebody speaks, and what is said is not known
    audio: bool = True  # False: texts to be said, which no recogniser can hear
    look: Callable[[Any, Locate], float] | None = None
    # names of the labels that utterances will have, as cheaply; None where that is not known
    labels: Callable[[Any, Locate], tuple[str, ...] | None] | None = None
    # (file or folder, language or ""): parameters by which it could be read, the best first
    sight: Callable[[Path, str], Sequence[Mapping[str, Any]]] | None = None


# -------------------------------------- judges of synthesised speech: judges/x.py, `judge`
@dataclass(frozen=True)
class Judged:
    """What a judge says of one piece of audio: figures by name, and the text that it heard."""

    figures: Mapping[str, float] = field(default_factory=dict)
    text: str = ""


SCREENED = "screened: "  # how the errors of scores begin that a stated rule leaves out


@dataclass(frozen=True)
class Rating:
    """One listener's score of one item said by one system; `error`: why it does not count.

    `screened`: a rule that the experiment states leaves it out. Other errors are of the test itself
    (a score out of range, an item that nobody said): too many, and its MOS is not measured. The
    table `judged` tells them apart by the error's text, which begins with SCREENED.
    """

    rater: str
    item: str
    system: str
    score: float
    error: str = ""
    screened: bool = False


@dataclass(frozen=True)
class Ratings:
    """A listening test, and what was done to it: screening, counts."""

    rows: Sequence[Rating]
    fingerprint: str
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Judge:
    """Looks at audio after it was made, outside of every clock; or reads what listeners said of it.

    Exactly one of `open` and `ratings` is given. `open(params, files, parts)` gets the folder of
    each of its `assets` and an opened model for each of its `parts`; what it returns takes float32
    mono samples at `sample_rate` and may raise AudioError. The worker resamples.
    """

    Params: type
    version: str  # predictor, version and licence, as the report names it
    about: Mapping[str, str]  # language -> what its figures are valid for, and what not
    named: Mapping[str, str] = field(default_factory=dict)  # language -> what `version` says there
    sample_rate: int = 16_000
    figures: tuple[str, ...] = ()  # names of the figures that it gives
    assets: tuple[str, ...] = ()  # names in harness/assets/entries/
    parts: Mapping[str, Literal["audio", "text"]] = field(default_factory=dict)
    open: (
        Callable[[Any, Mapping[str, Path], Mapping[str, Model]], Callable[[np.ndarray], Judged]]
        | None
    ) = None
    ratings: Callable[[Any, Locate], Ratings] | None = None


# ---------------------------------------------- quantization: quantize/x.py, `method`
@dataclass(frozen=True)
class Quantized:
    """What a method did to one graph: operator type -> how many nodes it quantized."""

    operators: Mapping[str, int]
    left_out: tuple[str, ...] = ()  # names of nodes that were asked to stay as they are


@dataclass(frozen=True)
class Method:
    """`apply(params, graph, target, feeds)` writes `target`; feeds is empty unless calibrated.

    `bits`: of a weight that it quantized, by which `harness check` foresees times and the least
    size; a method whose parameters say how many gives a function of them, None: not known.
    """

    Params: type
    apply: Callable[[Any, Path, Path, Iterable[Feeds]], Quantized]
    needs_calibration: bool = False
    bits: int | Callable[[Any], int] | None = None
    # (operator type -> its share of the weights, the processor's ISA); None: nothing to do
    advise: Callable[[Mapping[str, float], Collection[str]], Advice | None] | None = None


# ---------------------------------------------------- metrics: metrics/x.py, `metric`
Kind = Literal["text", "opinion", "fidelity", "symptom", "time", "size", "peak"]
"""What a metric is about. Of quality: `text` (errors against what was said), `opinion` (how it
sounds), `fidelity` (nearness to a reference). The absence of a `symptom` (loops) is no quality."""


Table = Literal[
    "quality", "rules", "loops", "silence", "opinions", "parts", "heard", "spoken", "fidelity"
]
"""Where a report shows a metric of a data set. `quality`: the table of errors; `rules`: the same
texts under other rules; `loops`, `silence`: what WER hides; `opinions`, `parts` (of a predictor),
`heard` (round trip) and `spoken` (how long, how loud): synthesised speech; `fidelity`: nearness to
the baseline."""

Compares = Literal["", "texts", "outputs", "logits"]
"""What of a variant a metric holds against the baseline's of the same item: what both wrote, an
output of theirs (the family's main one unless the experiment names another), or one that scores
classes (the first such one)."""


@dataclass(frozen=True)
class Call:
    """One timed call as a metric sees it: texts already normalised, numbers NaN where unknown.

    `audio_seconds`: of the audio that went in, or that came out of a family that takes text.
    `figures`: the model's own and, for a metric that names a judge, the judge's beside them; `text`
    is then what that judge heard.
    """

    operation: str
    seconds: float
    audio_seconds: float
    tokens: float
    rss_bytes: float
    text: str
    reference: str
    raw_text: str = ""  # as the model gave it
    raw_reference: str = ""  # as the data set has it
    note: str = ""  # what the model said of this call: token budget spent, repetition stopped
    figures: Mapping[str, float] = field(default_factory=dict)
    baseline_text: str | None = None  # what the baseline wrote of the same item; None: nothing


@dataclass(frozen=True)
class Metric:
    """(value, weight) per call, and a way to fold them; or a figure of a whole variant.

    fold: "ratio" is sum(values) / sum(weights), "quantile" the median unless the name in the YAML
    says another (`latency_p99_ms` is the 0.99 quantile of `latency_ms`), "geometric" the geometric
    mean (whose ratio is that of paired calls), "max" the largest,
    "share" how many of the calls (weight 1) have the value 1, the others 0, "crossed" the mean over
    raters and items. A weight of 0 with a value of 0 leaves a call out.
    Exactly one of `measure`, `of_variant` and `ratio_of` is given.
    """

    unit: str
    better: Better
    measure: Callable[[Call], tuple[float, float]] | None = None
    fold: Literal["ratio", "quantile", "geometric", "max", "share", "crossed"] = "ratio"
    # of the folded ratio: its square root, -10 log10 of it, or what it lacks of 1
    scale: Literal["", "root", "decibels", "complement"] = ""
    operations: tuple[str, ...] = ("pipeline",)  # ("*",): every operation, each on its own
    # scored on data sets only: what the family wrote (or what the judge heard) against the text;
    # without a judge, refused for a family that gives no text
    needs_reference: bool = False
    needs_transcript: bool = False  # means nothing where what is said is not known
    judge: str = ""  # scored on what this judge (judges/x.py) says of the audio that was made
    # held against the baseline's on the same item, so that the baseline itself has no value. For
    # `outputs` and `logits` the call's `figures` are those of the comparison (docs/fidelity.md)
    compares: Compares = ""
    of_variant: Callable[[Mapping[str, Any]], float] | None = None  # a row of the variants table
    ratio_of: str = ""  # the metric whose baseline-to-variant ratio this is (speedup)
    kind: Kind | None = None  # None, here and below: read off the rest (plugins/kinds)
    worst: float | None = None  # of a worthless output (WER 1: nothing said); no limit lets it pass
    best: float | None = None
    useless: float | None = None  # to be no worse than a baseline from here on shows nothing
    title: Mapping[str, str] = field(default_factory=dict)  # language -> name; else the file's
    table: Table | None = None
    order: int = 50  # among those of its table; the first of a kind titles and draws a run
    # metrics that are scored wherever this one is asked; None: length and clipping by an opinion
    beside: tuple[str, ...] | None = None


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


Side = Literal["upper", "lower"]


@dataclass(frozen=True)
class Gate:
    """File name = the YAML key that carries the limit: gates/max.py reads `max: 240`.

    `on` says which evidence it reads: the value itself, or variant minus / over the baseline.
    `side`: of the limit on which a value misses it, "upper" for a maximum; None: `check` is asked.
    """

    on: Literal["value", "difference", "ratio"]
    check: Callable[[float, Evidence], Status]  # (limit, evidence)
    sign: str  # how the limit reads in a table: "≤", "≥", "≤ +"
    limit_on: Callable[[float], float] = float  # the limit as written -> as the evidence has it
    side: Side | None = None


# -------------------------------------------------- report: sections/x.py, `section`
GATE_COLUMNS = ("gate", "status", "observed", "limit", "unit", "severity", "reason")


@dataclass(frozen=True)
class Result:
    """A finished run as it lies on disk; every table is a DataFrame (see tables.py).

    `facts`: what the run stored beside its experiment.
    """

    folder: Path
    experiment: Experiment
    environment: Mapping[str, Any]
    verdict: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    facts: RunFacts = field(default_factory=RunFacts)

    @property
    def passed(self) -> bool:
        """Whether the candidate was approved, with waivers or without: what a test asserts."""
        return str(self.verdict.get("verdict") or "").startswith("APPROVED")

    @property
    def gates(self) -> pd.DataFrame:
        """The candidate's gates, a row each: gate, status, observed, limit, severity, reason."""
        checks = self.tables["checks"]
        mine = checks[checks["variant"] == str(self.verdict.get("candidate") or "")]
        return mine[list(GATE_COLUMNS)].reset_index(drop=True)

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
    # what it is headed by where that depends on the result; "" for the title
    heading: Callable[[Result, str], str] | None = None


# -------------------------------------------------- report: figures/x.py, `figure`
@dataclass(frozen=True)
class Figure:
    """`draw(result, language)` gives a picture, None where the result has nothing for it.

    `title`: language -> what is seen, for those who cannot see it; it heads a figure that stands in
    no section. `section`: the one (sections/x.py) at whose end it stands, unless that places it
    itself. `tables`: of which it is made, as the line under it says.
    """

    title: Mapping[str, str]
    draw: Callable[[Result, str], Picture | None]
    section: str = ""
    order: int = 50  # among those that stand in the same place
    tables: tuple[str, ...] = ()


# -------------------------------------------------- exports: exports/x.py, `export`
@dataclass(frozen=True)
class Export:
    """A run for another tool: `harness export RUN --to x` writes what `render` gives.

    `suffix`: how its files end, ".xml". `sign`: bytes that each of its files holds, by which one
    that is there already is known to be ours; empty: no file is ever overwritten.
    """

    suffix: str
    render: Callable[[Result], bytes]
    sign: bytes = b""
