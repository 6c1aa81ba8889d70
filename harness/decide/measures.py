"""Which metrics belong together in a report, and which two stand for a run's speed and quality."""

from __future__ import annotations

import contextlib
import functools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from harness import plugins
from harness.contracts import Gate, Kind, Result, Status, Table
from harness.decide import families, gate_rules, own_metrics
from harness.decide.families import FamilyFacts
from harness.errors import PluginError, UnknownNameError
from harness.plugins import NamedMetric, kinds, unit_of
from harness.plugins.kinds import SHARES, answer
from harness.store import queries

QUALITY: Table = "quality"  # the table of what no other one shows
OPINIONS: tuple[Table, ...] = ("opinions", "parts")
HEARD: tuple[Table, ...] = ("heard",)
FIDELITY: Table = "fidelity"
SPOKEN: tuple[Table, ...] = ("spoken",)

GIBBERISH = 0.5  # round-trip WER from which half of the words are not those of the text
FAIR = 3.0  # of five: what a rating scale calls fair, from which an opinion approves
NEAR = 0.3  # an opinion that is no further under the baseline's tells no difference that matters

LAST = 1_000  # the order of a metric of which nothing is known

_LINE = re.compile(r"^line \d+: ")


@functools.lru_cache(maxsize=256)
def _ours(name: str) -> NamedMetric | None:
    with contextlib.suppress(UnknownNameError):
        return plugins.find_metric(name)
    return None


def metric_of(result: Result, name: str) -> NamedMetric | None:
    """What a metric of a result says of itself; None where neither a file of ours nor what was
    stored tells."""
    if not name.endswith(".py"):
        return _ours(name)
    with contextlib.suppress(PluginError):
        return own_metrics.find_metric(name, result.facts.own)
    return None


def table_of(result: Result, name: str) -> Table:
    """Which table shows a metric; one of which nothing is known stands with the errors."""
    named = metric_of(result, name)
    return QUALITY if named is None else kinds.table_of(named.metric)


def kind_of(result: Result, name: str) -> Kind | None:
    """What a metric is about; None where that is not known."""
    named = metric_of(result, name)
    return None if named is None else kinds.kind_of(named.metric)


def group(result: Result, *wanted: Table) -> tuple[str, ...]:
    """The metrics that a run has or was asked for and that these tables show, in the order of
    their tables, and there as their files say; a quantile stands behind what it is of."""
    names = dict.fromkeys([*_asked(result), *map(str, result.summary["metric"].unique())])
    found = []
    for name in filter(None, names):
        table = table_of(result, name)
        if table in wanted:
            found.append((wanted.index(table), *_rank(metric_of(result, name)), name))
    return tuple(name for *_, name in sorted(found, key=lambda one: one[:-1]))


def _rank(named: NamedMetric | None) -> tuple[int, bool]:
    """(its order, whether it is a tail and not what a metric is folded to as a rule)."""
    if named is None:
        return LAST, False
    return named.metric.order, not (math.isnan(named.quantile) or named.quantile == 0.5)


def errors(result: Result) -> tuple[str, ...]:
    """Metrics of texts against what was said, of recognisers and of speech that was made."""
    mine = group(result, QUALITY, *HEARD)
    known = [name for name in mine if kind_of(result, name) == "text"]
    return tuple(sorted(known, key=lambda name: _rank(metric_of(result, name))))


def times(result: Result) -> tuple[str, ...]:
    """Metrics by which the speed of a run is told: of a whole call, the less the better."""
    found = []
    for name in group(result, QUALITY, *SPOKEN):
        named = metric_of(result, name)
        if named is not None and kinds.kind_of(named.metric) == "time":
            whole = {"pipeline", "*"} & set(named.metric.operations)
            if whole and named.metric.better == "lower" and not named.metric.ratio_of:
                found.append(name)
    return tuple(sorted(found, key=lambda name: _rank(metric_of(result, name))))


def is_listeners(result: Result, name: str) -> bool:
    """Whether people gave the opinion, of whom there is a sample too, and not a predictor."""
    named = metric_of(result, name)
    return named is not None and named.metric.fold == "crossed"


@dataclass(frozen=True)
class Measure:
    """A metric where it was measured, so that every variant is shown by the same one."""

    metric: str
    stage: str
    workload: str
    unit: str
    better: str

    def of(self, result: Result, line: queries.Line) -> dict[str, Any] | None:
        """The line's row of the summary. Texts and opinions are the same in every session."""
        where = {"stage": self.stage, "workload": self.workload, "metric": self.metric}
        found = queries.rows(result.summary, **where, variant=line.variant, replica=0)
        own = found[found["operation"].isin(("", "pipeline"))]
        if kind_of(result, self.metric) in ("time", "peak"):
            own = queries.rows(own, session=line.session)
        return queries.row(own)

    def change(self, result: Result, line: queries.Line) -> dict[str, Any] | None:
        """The line's row of changes against the baseline; None for the baseline itself."""
        if (line.variant, line.session) == (queries.baseline(result), "default"):
            return None  # such a row is the A/A twin's
        where = {"stage": self.stage, "workload": self.workload, "metric": self.metric}
        found = queries.rows(result.changes, **where, variant=line.variant)
        own = found[found["operation"].isin(("", "pipeline"))]
        if kind_of(result, self.metric) in ("time", "peak"):
            own = queries.rows(own, session=line.session)
        return queries.row(own)


def speed(result: Result) -> Measure | None:
    """The median at the main length; without a latency stage what a data set was timed by."""
    at = queries.main_length(result)
    timed = queries.rows(result.summary, stage="latency", metric="latency_p50_ms", workload=at)
    if len(timed):
        return Measure("latency_p50_ms", "latency", at, "ms", "lower")
    return _first(result, times(result))


def qualities(result: Result) -> list[Measure]:
    """The error rate (without one, the nearness to a reference) and the opinion of the audio that
    stand for quality, where there are any."""
    near = [n for n in group(result, FIDELITY, QUALITY) if kind_of(result, n) == "fidelity"]
    first = _first(result, errors(result)) or _first(result, tuple(near))
    found = (first, _first(result, group(result, *OPINIONS)))
    return [measure for measure in found if measure is not None]


def chosen(result: Result) -> queries.Line:
    """The line that titles speak of: the candidate's; without a candidate the last one.

    Raises: IndexError where the run has no variant.
    """
    lines = queries.lines(result)
    best = queries.candidate(result)
    own = [line for line in lines if (line.variant, line.session) == (best[0], best[1])]
    return (own or [line for line in lines if line.variant == best[0]] or lines)[-1]


def both(result: Result) -> tuple[Measure, Measure] | None:
    """(speed, quality), if some variant has the two; None where nothing can be traded."""
    time, quality = speed(result), qualities(result)
    if time is None or not quality:
        return None
    lines = queries.lines(result)
    known = [line for line in lines if time.of(result, line) and quality[0].of(result, line)]
    return (time, quality[0]) if known else None


def _first(result: Result, names: tuple[str, ...]) -> Measure | None:
    """The metric and data set by which most variants are known; of equals the first."""
    stage = queries.rows(result.summary, stage="quality", replica=0)
    stage = stage[stage["metric"].isin(names) & stage["value"].notna()]
    found: list[tuple[int, Measure]] = []
    for name in names:
        here = queries.rows(stage, metric=name)
        for workload, group in here.groupby("workload", sort=False):
            if name in queries.asked(result, str(workload)):
                unit = str(group["unit"].iloc[0])
                measure = Measure(name, "quality", str(workload), unit, better(result, name))
                found.append((int(group["variant"].nunique()), measure))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def better(result: Result, name: str) -> str:
    """lower, higher or neither, as the metric's file says."""
    named = metric_of(result, name)
    return "lower" if named is None else str(named.metric.better)


def _asked(result: Result) -> Iterator[str]:
    """The metrics that an experiment names: of its data sets and of its limits."""
    for part in result.experiment.quality:
        yield from part.metrics
    yield from (gate.metric for gate in result.experiment.gates)


def asked(result: Result, *wanted: Table) -> bool:
    """Whether the experiment asks for a metric of these tables, or the run has one."""
    return bool(group(result, *wanted))


def times_audio(result: Result) -> bool:
    """Whether the run has a latency stage, or asked for one."""
    calls = result.calls["stage"].isin(("sweep", "latency"))
    return result.experiment.latency is not None or bool(calls.any())


def misses(check: Mapping[str, Any], own: Gate | None = None) -> bool:
    """Whether a gate's figure itself is on the wrong side or missing, which is what keeps a variant
    from being selected (harness/decide/selection.py): no bound is asked for there, for who is
    chosen is proved on fresh data. `own`: the gate, where code of the user's may be run."""
    observed = float(check["observed"])
    if not math.isfinite(observed) or check["status"] == Status.NOT_MEASURED.value:
        return True
    if own is None and check["kind"] not in plugins.names("gates"):
        return bool(check["status"] == Status.FAIL.value)
    gate: Gate = own or plugins.load("gates", check["kind"])
    return answer(gate, float(check["limit"]), observed) is Status.FAIL


def selected_by(result: Result) -> set[str]:
    """The gates that ruled variants out where the candidate was chosen. A run from before they were
    stored tells of them as far as it kept it: once a variant was found that misses none, all are
    stored as warnings, and what that one misses was a warning before."""
    if result.facts.selected_by is not None:
        return set(result.facts.selected_by)
    plan = result.experiment.selection
    checks = queries.rows(result.checks, workload=plan.dataset if plan else None)
    own = queries.records(queries.rows(checks, variant=queries.candidate(result)[0]))
    missed = [check for check in own if misses(check)]
    if any(check["severity"] == "fail" for check in missed):
        return set(checks["gate"][checks["severity"] == "fail"])  # nobody was fit: as they were
    return set(checks["gate"]) - {str(check["gate"]) for check in missed}


def maximum(result: Result, check: Mapping[str, Any]) -> float:
    """The value that a check refuses to be exceeded; NaN where it asks for something else."""
    rule = gate_rules.of_check(result, check)
    return rule.bound if rule and (rule.on, rule.side) == ("value", "upper") else math.nan


def most(result: Result, metric: str, workload: str) -> float:
    """The first such limit on this metric at this workload, NaN without one."""
    checks = queries.records(queries.rows(result.checks, metric=metric, workload=workload))
    known = (maximum(result, check) for check in checks)
    return next((limit for limit in known if not math.isnan(limit)), math.nan)


def family(result: Result) -> FamilyFacts | None:
    """The family (or system) that the experiment is about; None for one that nothing tells of."""
    return families.of_model(result.experiment.model, result.facts.own)


def takes_text(result: Result) -> bool:
    """Whether the model says texts, and does not hear audio."""
    found = family(result)
    return found is not None and found.takes == "text"


def transcripts(result: Result, dataset: str) -> str:
    """ "none" for a data set in which nobody speaks, "unknown" where what is said is not known."""
    row = queries.row(result.datasets, dataset=dataset)
    return str(queries.parsed(row["notes"] if row else "").get("transcripts", ""))


def nobody_speaks(result: Result, dataset: str) -> bool:
    """Whether a data set's items are sounds, and no utterances."""
    return transcripts(result, dataset) == "none"


def many_sets(result: Result) -> bool:
    """Whether a data set's name is needed to tell one gate from another."""
    return len(result.experiment.quality) > 1


def data_sets(result: Result, names: tuple[str, ...]) -> Iterator[tuple[str, pd.DataFrame]]:
    """(data set, its summary rows of these metrics), in the order in which they were measured.

    A metric that was asked of another data set only is shown where it says something.
    """
    stage = queries.rows(result.summary, stage="quality", replica=0)
    for name in stage["workload"].unique():
        here = queries.rows(stage, workload=name)
        here = here[here["metric"].isin(names)]
        own = here["metric"].isin(queries.asked(result, str(name)))
        here = here[own | here["value"].notna()]
        if len(here):
            yield str(name), here


def only_spoken(result: Result, name: str) -> bool:
    """Whether a data set has speech that was made, and no transcripts with errors to count."""
    metrics = set(queries.asked(result, name))
    said = {name for name in metrics if table_of(result, name) == QUALITY}
    transcribed = any(kind_of(result, metric) == "text" for metric in said)
    return bool(metrics & {*group(result, *OPINIONS, *HEARD, *SPOKEN)}) and not transcribed


def judged(result: Result) -> tuple[Measure | None, Measure | None]:
    """(opinion, round trip) that a figure of synthesised speech shows."""
    return _first(result, group(result, *OPINIONS)), _first(result, group(result, *HEARD))


def approves(result: Result, line: queries.Line, panels: tuple[Measure, Measure]) -> bool:
    """Whether an opinion takes a line's speech for good: fair, or near the baseline's, unless the
    round trip does not understand that one either. `panels`: (opinion, round trip)."""
    liked, heard = panels
    row, base = liked.of(result, line), queries.Line(queries.baseline(result), "default", "")
    if row is None or row["value"] >= FAIR:
        return row is not None
    usual, understood = liked.of(result, base), heard.of(result, base)
    if usual is None or (understood is not None and understood["value"] >= GIBBERISH):
        return False
    return bool(row["value"] >= usual["value"] - NEAR)


def without_line(error: str) -> str:
    """What is wrong with a line of a file, whichever it is, so that such lines can be counted."""
    return _LINE.sub("", str(error))


def loops(result: Result, line: queries.Line) -> bool:
    """Whether some transcript of speech loops or spends its token budget, with this variant."""
    summary = queries.rows(result.summary, stage="quality", variant=line.variant, replica=0)
    summary = summary[summary["metric"].isin(signs(result, "loops")) & (summary["value"] > 0)]
    return not all(nobody_speaks(result, str(name)) for name in summary["workload"])


def signs(result: Result, *wanted: Table) -> tuple[str, ...]:
    """Of these tables' metrics those that an utterance has or has not."""
    known = ((name, metric_of(result, name)) for name in group(result, *wanted))
    return tuple(name for name, named in known if named and named.metric.fold == "share")


def cells(here: pd.DataFrame) -> Iterator[tuple[queries.Line, pd.DataFrame]]:
    """(variant and session, its rows of the summary) of one data set."""
    for cell, group in here.groupby(["variant", "session"], sort=False):
        yield queries.Line(str(cell[0]), str(cell[1]), ""), group


def by_difference(metric: str) -> bool:
    """Whether variants are compared by a metric's difference: shares and opinions, not times."""
    unit = unit_of(metric)
    return unit in SHARES or unit == "MOS"


def normaliser(result: Result, dataset: str) -> str:
    """Name of the rule by which texts of a data set were compared; "" where it is not known."""
    parts = result.experiment.quality
    return next((part.normaliser for part in parts if part.name == dataset), "")
