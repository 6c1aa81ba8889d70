"""Makes the table `versus`: the candidate against each other variant, paired, where a run is
decided. What is asked of the table afterwards is in versus.py."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from harness import plugins
from harness.contracts import Result
from harness.decide import measures, resolution, scoring
from harness.decide.measures import Measure
from harness.decide.resolution import Bounds, Resolution
from harness.decide.scoring.estimates import of_texts
from harness.decide.stats import Resampling
from harness.decide.versus import ALTERNATIVES, LACKING, SELECTION
from harness.store import queries, tables

ALIKE = 1.05  # sizes that differ by less are no reason
Row = Mapping[str, Any]
Named = Mapping[str, plugins.NamedMetric]


def table(result: Result, named: Named) -> pd.DataFrame:
    """A row per other variant and metric by which the candidate can be told from it: speed, errors,
    opinion, size; and by what the candidate was selected by. Empty without a candidate."""
    if not queries.candidate(result)[0]:
        return tables.frame("versus", [])
    return tables.frame("versus", [*_alternatives(result, named), *_selected(result, named)])


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


def _alternatives(result: Result, named: Named) -> Iterator[dict[str, Any]]:
    best = queries.Line(*queries.candidate(result), "candidate")
    for line in queries.lines(result):
        if line.variant == best.variant or _unmade(result, line.variant):
            continue
        where = {**_sides(best, line), "purpose": ALTERNATIVES}
        for measure in asked(result):
            ours, theirs = (_known(_row_of(result, measure, one)) for one in (best, line))
            if ours is not None and theirs is not None:
                what = measure.metric, measure.unit
                yield {**where, **_paired(result, what, (ours, theirs), named)}
            elif ours is not None and not _is_reference(result, measure, line):
                yield {**where, **_place(ours), "unit": measure.unit, "reads": LACKING}
        yield from ({**where, **row} for row in _sizes(result, best, line))


def _selected(result: Result, named: Named) -> Iterator[dict[str, Any]]:
    """By the metric and the data set of the selection: who cannot be told from the chosen one."""
    plan = result.experiment.selection
    if plan is None:
        return
    best = queries.Line(*queries.candidate(result), "candidate")
    for variant in plan.among:
        if variant == best.variant or _unmade(result, variant):
            continue
        place = {"stage": "quality", "workload": plan.dataset, "metric": plan.metric}
        ours, theirs = (
            queries.row(result.summary, **place, variant=name, replica=0)
            for name in (best.variant, variant)
        )
        if ours is not None and theirs is not None:
            line = queries.Line(variant, str(theirs["session"]), "")
            said = _paired(result, (plan.metric, str(ours["unit"])), (ours, theirs), named)
            yield {**_sides(best, line), "purpose": SELECTION, **said}


def _is_reference(result: Result, measure: Measure, line: queries.Line) -> bool:
    """Whether the line is what the metric holds the others against, and has no figure for that."""
    named = measures.metric_of(result, measure.metric)
    compares = named is not None and bool(named.metric.compares)
    return compares and line.variant == queries.baseline(result)


def _unmade(result: Result, variant: str) -> bool:
    made = queries.row(result.variants, variant=variant)
    return made is not None and bool(made["error"])


def _sides(best: queries.Line, line: queries.Line) -> dict[str, str]:
    candidate = {"candidate": best.variant, "candidate_session": best.session}
    return {"variant": line.variant, "session": line.session, **candidate}


def _place(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in resolution.PLACE}


def _row_of(result: Result, measure: Measure, line: queries.Line) -> dict[str, Any] | None:
    """The line's row of the summary, a tail by its session too."""
    if measure.stage == "latency":
        return queries.latency(result, line, measure.metric, measure.workload)
    return measure.of(result, line)


def _known(row: Row | None) -> Row | None:
    return None if row is None or math.isnan(row["value"]) else row


def _paired(
    result: Result, what: tuple[str, str], rows: tuple[Row, Row], named: Named
) -> dict[str, Any]:
    """A metric (and its unit) in two rows of the summary: the candidate's, another's."""
    metric, unit = what
    found, by_difference = named.get(metric), measures.by_difference(metric)
    change, reach = (math.nan, math.nan, math.nan), math.inf
    if found is not None:
        change = _change(result, found, rows, "delta" if by_difference else "ratio")
        known = resolution.reaches(result.changes)
        reach = 0.0 if of_texts(found) else known.get(resolution.place_of(rows[0]), 0.0)
    side = Resolution(reach, 0.0 if by_difference else 1.0).side(change)
    # where less is better and the candidate has less, the other one is worse
    reads = {"less": "worse", "more": "better"}
    if found is not None and found.metric.better == "higher":
        reads = {"less": "better", "more": "worse"}
    scale = "difference" if by_difference else "ratio"
    said = {"unit": unit, "scale": scale, "reads": reads.get(side, side)}
    return {**_place(rows[0]), **said, **_figures(rows, change)}


def _figures(rows: tuple[Row, Row], change: Bounds) -> dict[str, float]:
    figures = {"candidate_value": float(rows[0]["value"]), "value": float(rows[1]["value"])}
    return {**figures, "change": change[0], "low": change[1], "high": change[2]}


def _change(result: Result, named: plugins.NamedMetric, rows: tuple[Row, Row], on: str) -> Bounds:
    """The `delta` or `ratio` of two cells: as the changes table has it against the baseline, else
    from the scores; NaN where a cell has none."""
    if (rows[1]["variant"], rows[1]["session"]) == (queries.baseline(result), "default"):
        cell = {"variant": rows[0]["variant"], "session": rows[0]["session"]}
        row = queries.row(result.changes, **_place(rows[0]), **cell)
        if row is not None:
            return float(row[on]), float(row[f"{on}_low"]), float(row[f"{on}_high"])
    ours, theirs = (_cell(result.scores, named.name, row) for row in rows)
    if ours.empty or theirs.empty:
        return math.nan, math.nan, math.nan
    how = Resampling(seed=result.experiment.seed)
    found = scoring.compare(ours, theirs, named, how)[0 if on == "delta" else 1]
    return found.estimate, found.low, found.high


def _cell(scores: pd.DataFrame, metric: str, row: Row) -> pd.DataFrame:
    where = ("stage", "variant", "session", "operation", "workload")
    return queries.rows(scores, metric=metric, replica=0, **{name: row[name] for name in where})


def _sizes(result: Result, best: queries.Line, other: queries.Line) -> Iterator[dict[str, Any]]:
    """Sizes have no sampling error; those that are about equal tell nothing."""
    ours, theirs = (
        queries.row(result.summary, variant=line.variant, metric="size_mb")
        for line in (best, other)
    )
    if ours is None or theirs is None or not ours["value"] > 0 or not theirs["value"] > 0:
        return
    ratio = float(ours["value"] / theirs["value"])
    if not 1 / ALIKE <= ratio <= ALIKE:
        said = {"unit": "MB", "scale": "ratio", "reads": "worse" if ratio < 1 else "better"}
        yield {**_place(ours), **said, **_figures((ours, theirs), (ratio, ratio, ratio))}
