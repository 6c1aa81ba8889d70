"""What one call takes and how much one sample says: from an earlier run, a flag or an anchor.

Each figure carries where it is from; where nothing is known it is NaN and says so.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness import plugins
from harness.contracts import Dataset, Locate, Method, Source, Utterance
from harness.decide import slices
from harness.errors import HarnessError
from harness.errors.limits import RESULT_JSON_BYTES, RESULT_TABLE_BYTES
from harness.io.escaping import unguarded
from harness.io.places import content
from harness.preflight.feasibility import anchors
from harness.runtime import environment
from harness.spec import DEFAULT_SESSION, Experiment, Quality, Use, Variant, load_plugin, to_json
from harness.speech import audio

NORMAL_95 = 1.959964  # standard normal quantile of a two-sided 95 % interval
PEEKED = 200  # clips of a data set that are looked at before anything runs
USUAL_SECONDS = 5.0  # of an utterance, for a guess

Key = tuple[str, ...]


@dataclass(frozen=True)
class Cost:
    """Seconds of one call, NaN where unknown, and where the figure is from."""

    seconds: float
    source: str


@dataclass(frozen=True)
class Sample:
    """An earlier figure: its value and the standard deviation of one sample (utterance, round)."""

    value: float
    sd: float


@dataclass(frozen=True)
class Earlier:
    """What an earlier run of this experiment left: `day` and `folder` name it in a sentence.

    seconds: (variant, session, operation, workload) -> median of one call. single and paired:
    (variant, operation, workload, metric[, "delta" or "ratio"]) -> the figure.
    """

    day: str = ""
    folder: str = ""
    seconds: Mapping[Key, float] = field(default_factory=dict)
    single: Mapping[Key, Sample] = field(default_factory=dict)
    paired: Mapping[Key, Sample] = field(default_factory=dict)

    @property
    def source(self) -> str:
        return f"measured on {self.day} ({self.folder})"


NOTHING = Earlier()


def known(folder: Path, experiment: Experiment, machine: Mapping[str, Any]) -> Earlier:
    """What this experiment's run in `folder` left, else the call times alone of a run beside it:
    of the same variants on a machine like this one, whatever else it asked."""
    mine = earlier(folder, experiment, machine)
    if mine.seconds or not folder.parent.is_dir():
        return mine
    others = (earlier(one, experiment, machine) for one in sorted(folder.parent.iterdir()))
    found = next((other for other in others if other.seconds), mine)
    return replace(found, single={}, paired={})


# what comes of reading, as a run's, a folder that may be anybody's
_UNLIKE = (ValueError, LookupError, TypeError, AttributeError, RecursionError, csv.Error)


def earlier(folder: Path, experiment: Experiment, machine: Mapping[str, Any]) -> Earlier:
    """The tables in a run's folder, if it ran on a machine like this one with the same model.

    Variants that are made in another way now are left out. NOTHING where there is no such run.
    """
    try:
        there = json.loads(content(folder / "environment.json", RESULT_JSON_BYTES))
        asked = json.loads(content(folder / "experiment.json", RESULT_JSON_BYTES))
        summary, changes = _rows(folder / "summary.csv"), _rows(folder / "changes.csv")
        alike = environment.fingerprint(there) == environment.fingerprint(machine)
        same = _same_variants(asked, experiment) if alike else set()
        if not same:
            return NOTHING
        pairs = [row for row in changes if {row["variant"], row["baseline"]} <= same]
        return Earlier(
            str(there["measured_on"]),
            f"reports/{folder.name}" if folder.parent.name == "reports" else folder.name,
            dict(_seconds(row for row in summary if row["variant"] in same)),
            dict(_single(row for row in summary if row["variant"] in same)),
            dict(_paired(pairs)),
        )
    except (OSError, *_UNLIKE):
        return NOTHING  # no run, or one of another schema: nothing is known, and the plan says so


def _rows(path: Path) -> list[dict[str, str]]:
    text = io.StringIO(content(path, RESULT_TABLE_BYTES).decode("utf-8"), newline="")
    return [{name: unguarded(field) for name, field in row.items()} for row in csv.DictReader(text)]


def _same_variants(asked: Mapping[str, Any], experiment: Experiment) -> set[str]:
    now = json.loads(json.dumps(to_json(experiment)))
    if asked["model"] != now["model"]:
        return set()
    then = {variant["name"]: variant for variant in asked["variants"]}
    return {v["name"] for v in now["variants"] if then.get(v["name"]) == v}


def _seconds(rows: Iterable[Mapping[str, str]]) -> Iterable[tuple[Key, float]]:
    for row in rows:
        key = (row["variant"], row["session"], row["operation"], row["workload"])
        if row["metric"] == "latency_p50_ms" and row["replica"] == "0":
            yield key, float(row["value"]) / 1e3


def _single(rows: Iterable[Mapping[str, str]]) -> Iterable[tuple[Key, Sample]]:
    for row in rows:
        if row["replica"] == "0" and row["stage"] != "sweep":
            key = (row["variant"], row["operation"], row["workload"], row["metric"])
            yield key, _sample(row, "value", "low", "high")


def _paired(rows: Iterable[Mapping[str, str]]) -> Iterable[tuple[Key, Sample]]:
    for row in rows:
        key = (row["variant"], row["operation"], row["workload"], row["metric"])
        for kind in ("delta", "ratio"):
            yield (*key, kind), _sample(row, kind, f"{kind}_low", f"{kind}_high")


def _sample(row: Mapping[str, str], value: str, low: str, high: str) -> Sample:
    """The spread of one sample, back from a 95 % interval: half its width times sqrt(n) / 1.96."""
    low_, high_, n = (float(row[name] or "nan") for name in (low, high, "n"))
    sd = (high_ - low_) / 2 / NORMAL_95 * math.sqrt(n)
    return Sample(float(row[value] or "nan"), sd if math.isfinite(sd) and sd > 0 else math.nan)


@dataclass(frozen=True)
class Costs:
    """Looks a cost up: what the user says, else an earlier run, else an anchor, else unknown."""

    experiment: Experiment
    earlier: Earlier = NOTHING
    call_seconds: float = math.nan
    cores: int = 0
    locate: Locate | None = None  # finds quantizers of the user's own

    def of(self, variant: str, session: str, operation: str, workload: str) -> Cost:
        """Seconds of one call. `workload`: "5 s" or a data set's name, as in the tables."""
        if not math.isnan(self.call_seconds):
            return Cost(self.call_seconds, "as given")
        for name in (session, DEFAULT_SESSION):
            seconds = self.earlier.seconds.get((variant, name, operation, workload))
            if seconds is not None:
                return Cost(seconds, self.earlier.source)
        one = next(v for v in self.experiment.variants if v.name == variant)
        return self._guess(one, operation, workload)

    def _guess(self, variant: Variant, operation: str, workload: str) -> Cost:
        """Whisper base's times scaled by parameters and cores: encoder plus tokens for the whole.

        A session's options are not reckoned with.
        """
        model, bits = model_of(self.experiment, variant), bits_of(variant, self.locate)
        found = {a.operation: a for a in anchors.find("cost", "latency_ms") if a.bits == bits}
        size = anchors.parameters_millions(model)
        if not found or math.isnan(size) or self.cores < 1:
            return Cost(math.nan, "unknown: no earlier run, and no anchor for this model")
        encoder, step = found["encoder"], found["decoder_step"]
        scale = size / encoder.parameters_millions * encoder.cores / self.cores
        spoken = float(workload[:-2]) if workload.endswith(" s") else USUAL_SECONDS
        tokens = spoken * next(anchors.find("cost", "tokens")).value
        parts = {
            "encoder": encoder.value,
            "decoder_step": step.value,
            "pipeline": encoder.value + tokens * step.value,
        }
        milliseconds = parts.get(operation, step.value) * scale
        source = "a guess" if scale == 1 else f"a guess, scaled by {scale:.2g}"
        return Cost(milliseconds / 1e3, f"{source} from {encoder.source.title}")


def model_of(experiment: Experiment, variant: Variant | None = None) -> str:
    """The model behind a variant, as the anchors name it; "" for one they do not know."""
    own = variant.model if variant and variant.model else experiment.model
    origin = (variant and variant.source) or own.source
    if origin is None:
        return ""
    return anchors.model_in(f"{origin.asset} {origin.path} {origin.hub}")


def bits_of(variant: Variant, locate: Locate | None) -> int:
    """Bits of a weight after the variant's method, as the method says; 32 as it came, 0 where that
    is not known. `locate` finds a method of the user's own."""
    if variant.quantize is None:
        return 32
    method: Method | None = None
    with contextlib.suppress(HarnessError):  # told where the experiment is read
        method = (
            load_plugin("quantize", variant.quantize.use, locate)
            if locate is not None
            else plugins.load("quantize", variant.quantize.use)
        )
    bits = method.bits if method is not None else None
    return int(bits(variant.quantize.params) if callable(bits) else bits or 0)


def utterances(quality: Quality, locate: Locate) -> float:
    """How many utterances a data set gives, without opening it; NaN where only that would tell.

    Each data set looks at what costs nothing (see contracts.Source); elsewhere the limit counts.
    """
    limit = getattr(quality.dataset.params, "limit", None)
    try:
        rows = _looked(quality.dataset, locate)
    except HarnessError:
        rows = math.nan
    known = [float(count) for count in (limit, rows) if count is not None and not math.isnan(count)]
    return min(known, default=math.nan)


def here(quality: Quality, locate: Locate) -> Dataset | None:
    """A data set on this disk; None where it cannot be had without fetching anything."""
    params = quality.dataset.params
    if not getattr(params, "path", "") or not hasattr(params, "limit"):
        return None
    try:
        source: Source = load_plugin("datasets", quality.dataset.use, locate)
        return source.load(params, locate)
    except HarnessError:
        return None


def longest(data: Dataset | None) -> float:
    """Seconds of the longest clip among the first of a data set; NaN where none tells."""
    first = () if data is None else data.utterances[:PEEKED]
    known = (_clip_seconds(one) for one in first if not one.error)
    return max((seconds for seconds in known if not math.isnan(seconds)), default=math.nan)


def _clip_seconds(one: Utterance) -> float:
    if math.isnan(one.seconds) and one.audio is not None:
        with contextlib.suppress(HarnessError):
            return audio.duration_seconds(one.audio)
    return one.seconds


def missing(experiment: Experiment, locate: Locate) -> list[str]:
    """One line for each data set that a look at its folder and table shows to be unusable."""
    uses = {entry.name: entry.dataset for entry in experiment.quality}
    if experiment.calibration is not None:
        uses["calibration"] = experiment.calibration.dataset
    asked = {entry.name: entry.slices for entry in experiment.quality}
    lines = []
    for name, use in uses.items():
        try:
            _looked(use, locate)
            wrong = _unknown_slice(use, asked.get(name, ()), locate)
        except HarnessError as error:
            wrong = str(error)
        if wrong:
            lines.append(f"data set {name}: {wrong}")
    return lines


def _unknown_slice(use: Use, asked: Sequence[str], locate: Locate) -> str:
    """What is wrong with a slice, as far as the columns of the data set's table tell."""
    source: Source = load_plugin("datasets", use.use, locate)
    if not asked or source.labels is None:
        return ""
    known = source.labels(use.params, locate)
    return "" if known is None else slices.unknown(asked, [*slices.OF_CALLS, *known])


def _looked(use: Use, locate: Locate) -> float:
    source: Source = load_plugin("datasets", use.use, locate)
    return source.look(use.params, locate) if source.look else math.nan
