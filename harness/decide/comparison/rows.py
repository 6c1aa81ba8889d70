"""Two runs -> one row per cell that both have: what changed, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from harness.decide import gate_rules, resolution, scoring, stats
from harness.decide.comparison.cells import FigurePlace, RunCells, pairs
from harness.decide.comparison.changes import CellScores, Side, log_change
from harness.decide.scoring.estimates import unpaired
from harness.decide.scoring.summary import of_variant
from harness.decide.stats import Interval, Resampling
from harness.plugins import NamedMetric

Kind = Literal["text", "time", "exact", "peak"]


@dataclass(frozen=True)
class Row:
    """One cell in both runs. `change` is after - before for texts, after / before for the rest.

    `plain`: the same without the control, where there is one. `noise`: how far from 1 the ratio of
    two equal cells reaches, NaN where that does not apply. `p` is corrected for the number of rows.
    """

    place: FigurePlace
    session_after: str
    kind: Kind
    unit: str
    better: str
    before: float
    after: float
    change: Interval
    plain: Interval
    control: bool = False  # it is the baseline that the others are divided by
    noise: float = math.nan
    margin: float = math.nan  # by how much the experiment's gates let a text's metric get worse
    failed: tuple[float, float] = (0.0, 0.0)  # share of calls without a result
    left_out: int = 0  # utterances that only one of the runs has
    p: float = math.nan
    outcome: str = ""
    why: str = ""

    @property
    def nothing(self) -> float:
        """The value of `change` that is no change."""
        return 0.0 if self.kind == "text" else 1.0


@dataclass(frozen=True)
class Alone:
    """A cell that one run has and the other lacks; `error` is what its calls failed with there."""

    place: FigurePlace
    missing_in: Literal["before", "after"]
    error: str = ""


@dataclass(frozen=True)
class Pair:
    """Two runs, the metrics of both, and what they are compared by."""

    before: RunCells
    after: RunCells
    metrics: Mapping[str, NamedMetric]
    how: Resampling
    control: bool  # divide times by the baseline's

    @property
    def controlled(self) -> bool:
        """Whether there is a baseline to divide by: both runs measured the same files."""
        one, other = (run.fingerprints.get(run.baseline, "") for run in (self.before, self.after))
        return self.control and one == other != ""


def rows(pair: Pair) -> tuple[list[Row], list[Alone]]:
    """(cells that both have, cells of one run only); outcomes are not decided yet."""
    found, alone = [], []
    for one, other in pairs(pair.before, pair.after, pair.metrics):
        if one is None or other is None:
            alone.append(_alone(pair, one, other))
        else:
            found.append(_row(pair, one, other))
    whole, lacking = _whole_variants(pair)
    noise = _noise(pair, found)
    noisy = [
        replace(row, noise=resolution.reach_at(_where(row.place), noise))
        for row in found
        if row.kind == "time"
    ]
    return [*whole, *(row for row in found if row.kind != "time"), *noisy], [*lacking, *alone]


def _alone(pair: Pair, one: FigurePlace | None, other: FigurePlace | None) -> Alone:
    if one is not None:
        return Alone(one, "after", pair.after.error(one))
    assert other is not None
    return Alone(other, "before", pair.before.error(other))


def _kind(named: NamedMetric) -> Kind:
    if named.metric.of_variant is not None:
        return "exact"
    if scoring.of_texts(named):
        return "text"
    return "peak" if named.metric.fold == "max" else "time"


def _row(pair: Pair, one: FigurePlace, other: FigurePlace) -> Row:
    before, after = pair.before.frame(one), pair.after.frame(other)
    named = pair.metrics[one.metric]
    kind = _kind(named)
    cells = CellScores.of(before), CellScores.of(after)
    figures = cells[0].fold(named), cells[1].fold(named)
    change = plain = _unsure(figures, len(before) + len(after))
    if kind == "text":
        change = plain = _of_texts(after, before, named, pair.how)
    elif kind == "time":
        plain = _ratio(log_change(Side(cells[1]), Side(cells[0]), named, pair.how))
        change = _controlled(pair, one, other, plain)
    return Row(
        place=one,
        session_after=other.session,
        kind=kind,
        unit=named.metric.unit,
        better=named.metric.better,
        before=figures[0],
        after=figures[1],
        change=change,
        plain=plain,
        control=kind == "time" and pair.controlled and pair.before.is_base(one),
        margin=_margin(pair, one) if kind == "text" else math.nan,
        failed=(pair.before.failed_share(one), pair.after.failed_share(other)),
        left_out=len(unpaired(after, before)),
        p=change.p,
    )


def _unsure(figures: tuple[float, float], n: int) -> Interval:
    """The ratio of two peaks: what was seen, of which nothing more can be said."""
    before, after = figures
    ratio = after / before if before > 0 else math.nan
    return stats.unbounded(ratio, n, 0, "largest observed", "peak")


def _of_texts(
    after: pd.DataFrame, before: pd.DataFrame, named: NamedMetric, how: Resampling
) -> Interval:
    """The paired difference; exact where every utterance has the same edits."""
    difference = scoring.compare(after, before, named, how)[0]
    keys = ["item", "value", "weight"]
    mine, other = (set(cell[keys].itertuples(index=False, name=None)) for cell in (after, before))
    if mine == other and mine:
        return replace(difference, low=0.0, high=0.0, p=1.0, method="equal on each utterance")
    return replace(difference, p=stats.p_of_bound(difference, how.level))


def _controlled(pair: Pair, one: FigurePlace, other: FigurePlace, plain: Interval) -> Interval:
    """The ratio of ratios; the plain one for the baseline itself and without a common baseline."""
    if not pair.controlled or pair.before.is_base(one):
        return plain
    sides = pair.after.side(other), pair.before.side(one)
    if any(side.base is None for side in sides):
        return stats.unbounded(plain.estimate, plain.n, 0, "ratio of ratios", "control")
    return _ratio(log_change(*sides, pair.metrics[one.metric], pair.how))


def _ratio(logs: Interval) -> Interval:
    """A difference of logarithms as a ratio; bounds that are not there stay infinite."""
    ends = [x if math.isinf(x) else math.exp(x) for x in (logs.low, logs.high)]
    return replace(logs, estimate=math.exp(logs.estimate), low=ends[0], high=ends[1])


def _margin(pair: Pair, place: FigurePlace) -> float:
    """How far the second run's gates let this metric get worse against the baseline; NaN where none
    says so. Of several that look at this data set and variant, the tightest."""
    worse = {"lower": "upper", "higher": "lower"}  # which side is the bad one
    bad = worse.get(pair.metrics[place.metric].metric.better)
    found = [
        rule.bound if rule.side == "upper" else -rule.bound
        for gate, rule in gate_rules.of_gates(pair.after.result, place.metric)
        if rule.on == "difference"
        and rule.side is not None
        and (bad is None or rule.side == bad)
        and (gate.at.dataset or place.workload) == place.workload
        and place.variant in (gate.variants or [place.variant])
    ]
    return min(found, default=math.nan)


def _noise(pair: Pair, found: list[Row]) -> dict[resolution.Place, float]:
    """How far from 1 the A/A twin's own change between the runs reaches, by the same formula.

    The twin over the baseline is the same thing in both runs, so that any change of it is what this
    way of comparing cannot tell from a change.
    """
    out: dict[resolution.Place, float] = {}
    for row in found:
        place = row.place
        if row.kind != "time" or _where(place) in out:
            continue
        sides = pair.after.twin(place), pair.before.twin(place)
        if sides[0] is None or sides[1] is None:
            continue
        twin = _ratio(log_change(sides[0], sides[1], pair.metrics[place.metric], pair.how))
        if math.isfinite(twin.low) and math.isfinite(twin.high):
            out[_where(place)] = resolution.reach_of(twin.low, twin.high)
    return out


def _where(place: FigurePlace) -> resolution.Place:
    return place.stage, place.operation, place.workload, place.metric


def _whole_variants(pair: Pair) -> tuple[list[Row], list[Alone]]:
    """Figures without sampling error, such as sizes."""
    found: list[Row] = []
    alone: list[Alone] = []
    for named in pair.metrics.values():
        if named.metric.of_variant is None:
            continue
        one, other = (_figures(run, named) for run in (pair.before, pair.after))
        for name in dict.fromkeys([*one, *other]):
            place = FigurePlace(named.name, name)
            if name not in one or name not in other:
                alone.append(Alone(place, "after" if name in one else "before"))
                continue
            ratio = other[name] / one[name] if one[name] > 0 else math.nan
            change = stats.exactly(ratio, 1, "exact")
            row = Row(place, "", "exact", named.metric.unit, named.metric.better,
                      one[name], other[name], change, change)  # fmt: skip
            found.append(row)
    return found, alone


def _figures(run: RunCells, named: NamedMetric) -> dict[str, float]:
    rows: Iterator[dict[str, object]] = (
        {str(k): v for k, v in row.items()}
        for row in run.result.tables["variants"].to_dict("records")
    )
    found = {str(row["variant"]): of_variant(named, row).estimate for row in rows}
    return {name: value for name, value in found.items() if math.isfinite(value)}
