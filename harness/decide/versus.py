"""The candidate against each other variant, paired; which variants could not be made, and why."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from harness import plugins
from harness.contracts import Result
from harness.decide import measures, resolution, scoring
from harness.decide.measures import Measure
from harness.decide.resolution import Bounds, Resolution
from harness.decide.scoring.estimates import of_texts
from harness.decide.stats import Resampling
from harness.store import queries

ALIKE = 1.05  # sizes that differ by less are no reason


@dataclass(frozen=True)
class Compared:
    """One metric of the candidate and of another variant.

    `change`: (value, low, high) of the candidate minus the other for shares and opinions, over the
    other for times and sizes; paired, 95 %. `reads` is about the other one: better | worse | same |
    unknown (no interval for want of samples).
    """

    measure: Measure
    candidate: Mapping[str, Any]
    other: Mapping[str, Any]
    change: Bounds
    reads: str

    @property
    def difference(self) -> bool:
        """Whether `change` is a difference."""
        return measures.by_difference(self.measure.metric)


def compared(result: Result, other: queries.Line) -> list[Compared]:
    """Every metric by which the candidate can be told from another variant: speed, errors, opinion,
    size. A metric that one of the two lacks is left out (see `lacking`)."""
    best = queries.Line(*queries.candidate(result), "candidate")
    pairs = ((m, row_of(result, m, best), row_of(result, m, other)) for m in asked(result))
    found = [
        Compared(measure, ours, theirs, *paired(result, measure.metric, (ours, theirs)))
        for measure, ours, theirs in pairs
        if _known(ours) and _known(theirs) and ours is not None and theirs is not None
    ]
    return [*found, *_sizes(result, best, other)]


def lacking(result: Result, other: queries.Line) -> list[Measure]:
    """The metrics that the candidate has, and another variant does not."""
    best = queries.Line(*queries.candidate(result), "candidate")
    return [
        measure
        for measure in asked(result)
        if _known(row_of(result, measure, best)) and not _known(row_of(result, measure, other))
    ]


def asked(result: Result) -> Iterator[Measure]:
    """What variants are compared by: the median and the tail at the main length, the time on the
    data set, errors, opinion."""
    speed, qualities = measures.speed(result), measures.qualities(result)
    if speed is not None:
        yield speed
    if speed is not None and speed.stage == "latency":
        yield Measure("latency_p90_ms", "latency", speed.workload, "ms", "lower")
    heard = qualities[0].workload if speed and speed.metric != "rtf" and qualities else ""
    if heard and "rtf" in queries.asked(result, heard):
        yield Measure("rtf", "quality", heard, "", "lower")
    yield from qualities


def row_of(result: Result, measure: Measure, line: queries.Line) -> dict[str, Any] | None:
    """The line's row of the summary, a tail by its session too."""
    if measure.stage == "latency":
        return queries.latency(result, line, measure.metric, measure.workload)
    return measure.of(result, line)


def _known(row: Mapping[str, Any] | None) -> bool:
    return row is not None and not math.isnan(row["value"])


def paired(
    result: Result, metric: str, rows: tuple[Mapping[str, Any], Mapping[str, Any]]
) -> tuple[Bounds, str]:
    """(change, how the other one reads) of two rows of the summary: the candidate's, another's."""
    named, by_difference = plugins.find_metric(metric), measures.by_difference(metric)
    change = _change(result, named, rows, "delta" if by_difference else "ratio")
    reaches, place = resolution.reaches(result.changes), resolution.place_of(rows[0])
    reach = 0.0 if of_texts(named) else reaches.get(place, 0.0)
    side = Resolution(reach, 0.0 if by_difference else 1.0).side(change)
    # where less is better and the candidate has less, the other one is worse
    reads = {"less": "worse", "more": "better"}
    if named.metric.better == "higher":
        reads = {"less": "better", "more": "worse"}
    return change, reads.get(side, side)


def _change(
    result: Result,
    named: plugins.NamedMetric,
    rows: tuple[Mapping[str, Any], Mapping[str, Any]],
    on: str,
) -> Bounds:
    """The `delta` or `ratio` of two cells: as the changes table has it against the baseline, else
    from the scores; NaN where a cell has none."""
    place = {name: rows[0][name] for name in ("stage", "operation", "workload", "metric")}
    if (rows[1]["variant"], rows[1]["session"]) == (queries.baseline(result), "default"):
        cell = {"variant": rows[0]["variant"], "session": rows[0]["session"]}
        row = queries.row(result.changes, **place, **cell)
        if row is not None:
            return float(row[on]), float(row[f"{on}_low"]), float(row[f"{on}_high"])
    ours, theirs = (_cell(result.scores, named.name, row) for row in rows)
    if ours.empty or theirs.empty:
        return math.nan, math.nan, math.nan
    how = Resampling(seed=int(result.experiment.get("seed") or 0))
    found = scoring.compare(ours, theirs, named, how)[0 if on == "delta" else 1]
    return found.estimate, found.low, found.high


def _cell(scores: pd.DataFrame, metric: str, row: Mapping[str, Any]) -> pd.DataFrame:
    where = ("stage", "variant", "session", "operation", "workload")
    return queries.rows(scores, metric=metric, replica=0, **{name: row[name] for name in where})


def _sizes(result: Result, best: queries.Line, other: queries.Line) -> Iterator[Compared]:
    """Sizes have no sampling error; those that are about equal tell nothing."""
    found = [
        queries.row(result.summary, variant=line.variant, metric="size_mb")
        for line in (best, other)
    ]
    ours, theirs = found
    if ours is None or theirs is None or not ours["value"] > 0 or not theirs["value"] > 0:
        return
    ratio = float(ours["value"] / theirs["value"])
    if not 1 / ALIKE <= ratio <= ALIKE:
        measure = Measure("size_mb", "", "", "MB", "lower")
        reads = "worse" if ratio < 1 else "better"
        yield Compared(measure, ours, theirs, (ratio, ratio, ratio), reads)


# ---------------------------------------- variants that could not be made
def broken(result: Result) -> dict[str, str]:
    """Variant -> the first clause of why it could not be made."""
    failed = result.variants[result.variants["error"] != ""]
    return {str(row["variant"]): clause(str(row["error"])) for row in queries.records(failed)}


def clause(error: str) -> str:
    """ "x.onnx: nothing was quantized: asked for ..." as "nothing was quantized"."""
    file, _, rest = error.partition(": ")
    text = rest if rest and " " not in file else error
    for end in (": ", "; ", ". "):
        text = text.partition(end)[0]
    return text.rstrip(".")
