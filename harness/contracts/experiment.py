"""An experiment as frozen values, one from the YAML file to the report: every field that the file
may hold, and what it means.

The text under each field is what an editor shows for the key (spec/json_schema.py). Optional parts
that were left out stay None or empty; every default that depends on other parts (a gate's name, its
workload, the variants it applies to) is already filled in when an Experiment exists.

The parameters of a plugin (`params`) are the one part whose type only that plugin knows. Where code
of plugins runs (spec, preflight, run) they are an instance of its Params; in a `Result`, which is
read without loading any, they are the same parameters as a mapping of plain data. `plain` writes
both alike, and store/experiments.py reads it.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, Lt, MinLen

Text = Annotated[str, MinLen(1)]
Seconds = Annotated[float, Gt(0), Le(600)]
Positive = Annotated[float, Gt(0)]
Count = Annotated[int, Ge(1)]

DEFAULT_SESSION = "default"
CPU = "CPUExecutionProvider"

Option = bool | int | str
"""The value of a session option."""


@dataclass(frozen=True)
class Use:
    """A plugin and its parameters, written as one mapping: {use: name, parameter: value, ...}."""

    use: str
    """File name in the plugin folder, or the path of your own file (./my_plugin.py)."""
    params: Any
    """An instance of the plugin's Params; in a result a mapping."""
    parts: Mapping[str, ModelSpec] = field(default_factory=dict)
    """For a judge that needs models (round_trip): role -> model."""


@dataclass(frozen=True)
class Origin:
    """Where model files come from: exactly one of asset, path, hub and script."""

    asset: str = ""
    """An asset that the project knows by its SHA-256 (see `harness assets`), or an asset file of
    your own (./my_asset.yaml)."""
    path: str = ""
    """A folder with the model's files, or one ONNX file, beside the YAML file or in a folder above
    it."""
    hub: str = ""
    """A model hub's repository, owner/name."""
    revision: str = ""
    """Commit of the hub's repository; required with hub, so that a run can be repeated."""
    files: tuple[str, ...] = ()
    """Which files of the hub's repository or of the folder, as patterns (onnx/*.onnx); all unless
    said. So one of several precisions in a folder is chosen."""
    script: str = ""
    """A Python file of your own that makes the model's files and writes them into the folder that
    it is started in (./make_model.py). It is your code, and runs in a process of its own."""
    args: Mapping[Text, str | bool | int | float] = field(default_factory=dict)
    """Arguments of the script: `{layers: 4}` becomes --layers=4; true becomes --name, false is left
    out."""
    inputs: Mapping[Text, Text] = field(default_factory=dict)
    """Files and folders that the script reads: `{weights: model.pt}` becomes --weights=<the file's
    whole path>. The model is made again when one of them changes."""
    python: str = ""
    """The interpreter that runs the script (../venv/bin/python, or a command such as python3.11);
    the one that runs harness unless said."""
    minutes: Annotated[float, Gt(0), Le(10_080)] | None = None
    """How long the script may take; 60 unless said."""


@dataclass(frozen=True)
class ModelSpec:
    """The model: its family, where it comes from, and the family's own parameters beside these."""

    family: str
    """File name in harness/plugins/families/, or the path of your own file (./my_family.py)."""
    params: Any
    """An instance of the family's Params; in a result a mapping."""
    source: Origin | None = None
    """Where the original model comes from; a family without files (http) and a system made of parts
    have none."""
    parts: Mapping[str, ModelSpec] = field(default_factory=dict)
    """The models that a system is made of, by role (two_speed: fast, slow)."""
    quantize: Use | None = None
    """For a part only: quantization method and its parameters."""


@dataclass(frozen=True)
class Variant:
    """One form of the model: as it came, quantized, or from a folder of its own."""

    name: Text
    """How tables and the report call it; letters, digits, dot, hyphen and underscore."""
    quantize: Use | None = None
    """Quantization method and its parameters; without it the model stays as it came."""
    source: Origin | None = None
    """Where this variant's files come from, if not from the model's own source."""
    model: ModelSpec | None = None
    """Another model altogether, as in the section of that name: a server, a system made of parts.
    For the same model with other parameters write `params: {...}` instead."""


@dataclass(frozen=True)
class SessionConfig:
    """One checked session configuration: what was asked for, with `cores` as a number.

    `note` is one line on other configurations that mean the same and are not run again.
    """

    name: str
    options: tuple[tuple[str, Option], ...] = ()
    provider: str = CPU
    provider_options: tuple[tuple[str, str], ...] = ()
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "options": dict(self.options),
            "provider": self.provider,
            "provider_options": dict(self.provider_options),
            "note": self.note,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SessionConfig:
        return cls(
            name=data["name"],
            options=tuple(data["options"].items()),
            provider=data["provider"],
            provider_options=tuple(data["provider_options"].items()),
            note=data["note"],
        )


@dataclass(frozen=True)
class Selection:
    """The candidate is the best of several variants on one data set, and is then measured, with the
    baseline alone, on the others: the winner of a selection is partly lucky."""

    metric: Text
    """Decides which is best, such as rtf; listed among that data set's metrics."""
    dataset: Text
    """Name of the quality entry that the selection looks at; its gates decide who may be chosen,
    and only warn in the verdict."""
    among: Annotated[tuple[Text, ...], MinLen(2)]
    """The variants to choose from. One whose figure misses a gate on this data set is out."""


@dataclass(frozen=True)
class Recorded:
    """A row measured elsewhere: shown with its source, never as ours. Other keys are metrics."""

    name: Text
    """How tables and gates call it."""
    source: Text
    """Who measured it, where and when."""
    metrics: Mapping[str, float]
    """Metric name -> value in the metric's unit."""


@dataclass(frozen=True)
class Latency:
    """What is timed; without this section nothing is, and no session configuration is swept."""

    audio_seconds: Annotated[tuple[Seconds, ...], MinLen(1)]
    """Audio lengths in seconds, cut from real speech."""
    operations: tuple[str, ...] = ()
    """What is timed: the pipeline and parts of it; all that the family offers unless said."""
    sweep_seconds: Seconds | None = None
    """Audio length for comparing session configurations; that of the first latency gate unless
    said, else the middle one."""
    warmup: Annotated[int, Ge(0)] = 2
    """Calls of each length before those that count; they are kept as rows, but in no figure."""
    calls_per_block: Count | None = None
    """Consecutive calls of one cell, on one clip, before the next cell has its turn; as many as a
    quarter of a second holds unless said."""
    rounds: Count = 12
    """Rounds of one block of every cell, spread over the whole run; the budget may cut them. A cell
    that a gate looks at has as many as its quantile takes and the budget holds."""
    sweep_rounds: Count = 24
    """At most so many rounds for comparing session configurations; one that is known not to be the
    fastest has fewer."""


@dataclass(frozen=True)
class Quality:
    """A data set that each variant is evaluated on."""

    name: str
    """How tables and gates call it; the data set folder's name unless said."""
    dataset: Use
    """Which kind of data set, and its parameters (path, split, limit ...)."""
    metrics: Annotated[tuple[str, ...], MinLen(1)]
    """Metrics to compute: file names in harness/plugins/metrics/, or paths of your own files."""
    normaliser: str
    """How texts are made comparable before they are scored: `spanish` and `english` are for those
    languages, the others for any."""
    judges: tuple[Use, ...] = ()
    """What looks at synthesised audio (names of `harness list judges`) and its parameters; one
    without parameters needs no saying, the metrics name it."""
    output: str = ""
    """Which output of the model output_error, sqnr_db, cosine, max_abs_error, argmax_agreement, kl
    and first_divergence compare with the baseline's; unless said, the family's main one and, for
    those of a choice among classes, its first one that has some."""
    slices: tuple[Text, ...] = ()
    """Parts to look at one by one: `speaker`, `seconds` (bands of length), or columns of the data
    set (accents, age, gender ...). They are shown, and no gate depends on them."""


@dataclass(frozen=True)
class Calibration:
    """Data that static quantization observes; never what the model is evaluated on."""

    dataset: Use
    """Which kind of data set, and its parameters; another split than any evaluation."""


@dataclass(frozen=True)
class Unchecked:
    """A session with provider options that onnxruntime is given as they are written, read or not:
    whether they do anything is what the audit asks."""

    session: Text
    """One of `sessions`, to which the options are added."""
    provider_options: Mapping[str, str | int]
    """Options for the session's provider, not checked against what it knows."""


@dataclass(frozen=True)
class Audit:
    """Another's benchmark protocol, replayed on the candidate beside ours; it decides nothing."""

    source: Text
    """Whose protocol it is, and where it is described."""
    sessions: Annotated[tuple[Text, ...], MinLen(1)]
    """Configurations in the order in which the protocol runs them, each in one process of its own;
    the first is what the others are compared with."""
    audio_seconds: Annotated[tuple[Seconds, ...], MinLen(1)]
    """Audio lengths whose calls the protocol pools, in this order; cut from real speech."""
    operation: str = ""
    """What is timed; the user's own operation (pipeline) unless said."""
    iterations: Count = 20
    """Calls in a row of each length."""
    warmup: Annotated[int, Ge(0)] = 1
    """Calls of each length before those that count."""
    repeats: Count = 2
    """How often the protocol is run as a whole, with nothing changed in between."""
    rounds: Count = 20
    """Our own way: one call of each configuration and length in each of so many rounds."""
    unchecked: Unchecked | None = None
    """One more configuration, the last in the sequence."""
    claimed_gain: Annotated[float, Gt(0), Lt(1)] | None = None
    """What the source says that its best configuration gains, as a share of the time."""


@dataclass(frozen=True)
class At:
    """A workload: an audio length of the latency section or a data set of the quality section."""

    audio_seconds: Seconds | None = None
    """One of latency.audio_seconds."""
    dataset: str = ""
    """Name of an entry of the quality section."""

    def __str__(self) -> str:
        """The tables' `workload`: "5 s", the data set's name, or "" for a figure of a variant."""
        return self.dataset if self.audio_seconds is None else f"{self.audio_seconds:g} s"


@dataclass(frozen=True)
class GateSpec:
    """A requirement: a metric, where it is measured, and one limit (`max: 240`)."""

    metric: Text
    """A metric that this experiment measures; latency_p99_ms is the 0.99 quantile of latency_ms."""
    kind: str
    """The file in harness/plugins/gates/ whose name is the limit's key."""
    limit: float
    """The limit: a number in the metric's unit (or a ratio), or with its own (2 pp, 300 ms)."""
    at: At = At()
    """Where it is measured; may be left out where only one place is possible."""
    operation: str = ""
    """What was timed; the user's own operation (pipeline) unless said."""
    variants: tuple[str, ...] = ()
    """Which variants it applies to; every one but the baseline unless said."""
    session: str = ""
    """Session configuration; the one that the sweep chose unless said."""
    over: str = ""
    """What it is compared with, where the limit compares: a variant or a recorded row; the
    baseline unless said."""
    severity: Literal["fail", "warn"] = "fail"
    """A missed gate with `warn` is reported and does not block."""
    name: str = ""
    """How waivers and reports call it; metric@workload unless said."""
    baseline_up_to: float | None = None
    """How bad the baseline itself may be (70 %): beyond it, being no worse than the baseline shows
    nothing. Half of the words wrong, or a MOS of 2, unless said."""


@dataclass(frozen=True)
class Waiver:
    """A missed gate that is accepted within a bound and until a date; visible in the report."""

    gate: Text
    """A gate's name, or its metric where only one gate has it."""
    up_to: float
    """The worst value that is still accepted, in the gate's unit or with its own (3 pp)."""
    until: datetime.date
    """The last day on which it counts, YYYY-MM-DD."""
    because: Text
    """Why this is acceptable; shown in the report."""


@dataclass(frozen=True)
class Claim:
    """A figure that somebody stated: checked against what is measured, never taken for it."""

    metric: Text
    """Any metric of `harness list metrics`; the report says so where this experiment has it not."""
    value: float
    """What was claimed, in the metric's unit or with its own (2 %)."""
    tolerance: Annotated[float, Ge(0)]
    """How far the measured value may be from it and still confirm it."""
    source: Text
    """Who claims it, and where."""
    variant: str = ""
    """Which variant it is about; the candidate unless said."""
    at: At = At()
    """Where it is measured; may be left out where only one place is possible."""
    operation: str = ""
    """What was timed; the user's own operation (pipeline) unless said."""
    over: str = ""
    """What it was compared with, for a metric that compares (speedup); the baseline unless said."""


@dataclass(frozen=True)
class Budget:
    """How long a run may take."""

    minutes: Positive
    """Minutes of measuring, at most: a run ends when all is decided. What is undecided by then is
    reported as such."""


@dataclass(frozen=True)
class Report:
    """How the report is written."""

    language: str = "en"
    """Language of the report: a file of harness/report/words/, or one of your own (./ca.yaml)."""
    sections: tuple[str, ...] = ()
    """Sections to write, from harness/report/sections/; all unless said."""
    figures: tuple[str, ...] = ()
    """Figures to draw, from harness/report/figures/; all unless said."""


@dataclass(frozen=True)
class Experiment:
    """One question about one model: which variant may replace the baseline, on this machine."""

    name: Text
    """The run's folder is reports/<name>/; letters, digits, dot, hyphen and underscore."""
    model: ModelSpec
    """The model, its family and where it comes from."""
    variants: tuple[Variant, ...]
    """The forms of the model that are compared."""
    baseline: str
    """The variant that the others are compared with."""
    candidate: str
    """The variant that the verdict is about; needs no saying if it is the only other one."""
    title: str = ""
    """Heading of the report; the name unless said."""
    description: str = ""
    """What is asked and why, in a sentence or two: printed under the heading."""
    purpose: Literal["replacement", "size", "latency", "memory", "robustness"] = "replacement"
    """What an approval is for. A replacement needs a gate on quality (errors in texts, opinion of
    the audio, fidelity); one for size, latency, memory or robustness alone says that nobody looked
    at quality."""
    stands_for: Annotated[tuple[Literal["size", "latency", "memory"], ...], MinLen(1)] | None = None
    """What the model tells of the real one, where it is only a stand-in for that (weights made up):
    never its quality. The report says so, and `purpose` must be one of these."""
    seed: Annotated[int, Ge(0)] = 0
    """Every random choice (order, sampling, resampling) follows from it."""
    recorded: tuple[Recorded, ...] = ()
    """Rows measured elsewhere."""
    sessions: tuple[SessionConfig, ...] = ()
    """Session configurations; one named `default`, with no options, is always among them."""
    latency: Latency | None = None
    """What is timed."""
    quality: tuple[Quality, ...] = ()
    """Data sets that are evaluated."""
    selection: Selection | None = None
    """Finds the candidate among variants by measuring them; `candidate` is left out then."""
    calibration: Calibration | None = None
    """Data for methods that calibrate."""
    audit: Audit | None = None
    """Another's protocol, replayed beside ours; it takes time beyond the budget."""
    gates: tuple[GateSpec, ...] = ()
    """Requirements; without any the verdict can only be INSUFFICIENT EVIDENCE."""
    waivers: tuple[Waiver, ...] = ()
    """Misses that are accepted, within a bound and until a date."""
    claims: tuple[Claim, ...] = ()
    """Figures that somebody stated."""
    budget: Budget = field(default_factory=lambda: Budget(minutes=10.0))
    """How long a run may take."""
    report: Report = field(default_factory=Report)
    """How the report is written."""

    def model_of(self, variant: str) -> ModelSpec:
        """The model that a variant is a form of: its own, or the experiment's."""
        return next((v.model for v in self.variants if v.name == variant and v.model), self.model)


@dataclass(frozen=True)
class RunFacts:
    """What a run stores beside its experiment, in the same file: which data it had, what a row
    means, what it took, and what plugins of the user's own say, whose code nobody runs later."""

    beside: str = ""
    """The way from the run's folder to the experiment's."""
    data: Mapping[str, str] = field(default_factory=dict)
    """Data set -> the hash of its utterances."""
    measuring: int | None = None
    """Version of what a row of the calls means; None where it was not stored."""
    selected_by: tuple[str, ...] | None = None
    """The gates that ruled variants out where the candidate was chosen; None where no candidate
    was, or where a run did not store them yet."""
    spent_seconds: Mapping[str, float] = field(default_factory=dict)
    """Stage -> how long it took."""
    own: Mapping[str, Any] = field(default_factory=dict)
    """Kind (metrics, gates, families, sections, figures, language) -> what plugins of the user's
    own and a language of theirs say. Each kind is checked where it is read: who does not ask for
    one can read the rest of a run."""
