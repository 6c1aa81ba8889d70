"""What a verdict is about, and the evidence that the tables hold for one figure of one variant."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from harness import scoring, stats
from harness.plugins import NamedMetric
from harness.scoring.changes import DEFAULT, exact_change
from harness.scoring.estimates import blocks_needed, unpaired
from harness.scoring.scores import workload
from harness.scoring.summary import of_variant
from harness.stats import Interval, Resampling

LEVEL = 0.95  # of each bound that a gate or claim reads


@dataclass(frozen=True)
class Case:
    """The experiment as plain data (spec.to_json), its metrics by name, the candidate's session.

    `metrics` holds every metric that a gate or claim names, and what a ratio (speedup) is made of.
    """

    experiment: Mapping[str, Any]
    metrics: Mapping[str, NamedMetric]
    session: str
    today: datetime.date
    beside: Path | None = None  # the experiment's folder, for gates of the user's own

    @property
    def how(self) -> Resampling:
        return Resampling(level=LEVEL, seed=int(self.experiment.get("seed") or 0))

    @property
    def candidate(self) -> str:
        return str(self.experiment.get("candidate") or "")

    def session_of(self, variant: str, asked: str = "") -> str:
        """The candidate is judged in its chosen session, the others in the default one."""
        return asked or (self.session if variant == self.candidate else DEFAULT)

    def recorded(self, name: str) -> Mapping[str, Any] | None:
        """A row that was measured elsewhere."""
        rows = self.experiment.get("recorded") or []
        return next((row for row in rows if row["name"] == name), None)


@dataclass(frozen=True)
class Figure:
    """One metric of one variant at one place. `over` is a variant or a recorded row, or ""."""

    metric: str
    variant: str
    session: str
    operation: str
    at: Mapping[str, Any]
    over: str = ""

    @property
    def workload(self) -> str:
        seconds = self.at.get("audio_seconds")
        return str(self.at.get("dataset") or "") if seconds is None else f"{seconds:g} s"

    @property
    def stage(self) -> str:
        return "quality" if self.at.get("dataset") else "latency"


@dataclass(frozen=True)
class Found:
    """The evidence for a figure; `cell` is what a plain figure was folded from."""

    interval: Interval
    cell: pd.DataFrame | None = None
    named: NamedMetric | None = None
    failed: int = 0
    planned: int = 0
    unpaired: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def incomplete(self) -> int:
        """Calls or utterances without a result."""
        return self.failed + len(self.unpaired)

    def needed(self, limit: float) -> float:
        """Samples in all that would probably settle the limit; NaN where that is unknown."""
        if self.cell is not None and self.named is not None and self.interval.why != "constant":
            calls = blocks_needed(self.cell, self.named, limit)
            if not math.isnan(calls):
                return calls
        return stats.needed_for_bound(self.interval, limit)


def find(case: Case, data: Mapping[str, pd.DataFrame], figure: Figure, on: str = "value") -> Found:
    """The evidence for a figure: itself, or its difference from or ratio to what it is over."""
    named = case.metrics.get(figure.metric)
    if named is None:
        return Found(stats.exactly(math.nan, 0, ""))
    if named.metric.ratio_of:
        measured = replace(figure, metric=named.metric.ratio_of)
        return _inverse(find(case, data, measured, "ratio"))
    if on == "value":
        return _plain(case, data, figure, named)
    if case.recorded(figure.over) is not None:
        return _over_recorded(case, data, figure, on)
    return _over_variant(case, data, figure, on)


def _plain(
    case: Case, data: Mapping[str, pd.DataFrame], figure: Figure, named: NamedMetric
) -> Found:
    if named.metric.of_variant is not None:
        return Found(_of_variant(data, figure, named))
    cell = _cell(data["scores"], figure)
    failed, planned = _failures(data["calls"], figure)
    return Found(scoring.estimate(cell, named, case.how), cell, named, failed, planned)


def _over_variant(case: Case, data: Mapping[str, pd.DataFrame], figure: Figure, on: str) -> Found:
    named = case.metrics[figure.metric]
    session = DEFAULT if figure.over != case.candidate else case.session
    other = replace(figure, variant=figure.over, session=session, over="")
    if named.metric.of_variant is not None:
        pair = exact_change(_of_variant(data, figure, named), _of_variant(data, other, named))
        return Found(pair[0] if on == "difference" else pair[1])
    mine, theirs = _cell(data["scores"], figure), _cell(data["scores"], other)
    difference, ratio = scoring.compare(mine, theirs, named, case.how)
    ours, base = _failures(data["calls"], figure), _failures(data["calls"], other)
    return Found(
        difference if on == "difference" else ratio,
        failed=max(ours[0], base[0]),
        planned=max(ours[1], base[1]),
        unpaired=tuple(unpaired(mine, theirs)),
    )


def _over_recorded(case: Case, data: Mapping[str, pd.DataFrame], figure: Figure, on: str) -> Found:
    """Against one figure that was measured elsewhere: it has no interval and is taken as exact."""
    found = _plain(case, data, figure, case.metrics[figure.metric])
    row = case.recorded(figure.over)
    assert row is not None
    value, mine = float(row.get(figure.metric, math.nan)), found.interval
    if on == "difference":
        ends = [x - value for x in (mine.estimate, mine.low, mine.high)]
    else:
        ends = [x / value if value > 0 else math.nan for x in (mine.estimate, mine.low, mine.high)]
    moved = replace(mine, estimate=ends[0], low=ends[1], high=ends[2])
    note = f"{figure.over} is one recorded figure, taken as exact"
    return replace(found, interval=moved, cell=None, notes=(note,))


def _inverse(found: Found) -> Found:
    """Baseline over variant from variant over baseline: a speed-up from a ratio of times."""
    mine = found.interval
    estimate, low, high = mine.estimate, mine.low, mine.high
    turned = replace(
        mine,
        estimate=1 / estimate if estimate > 0 else math.nan,
        low=1 / high if high > 0 else math.nan,
        high=1 / low if low > 0 else math.inf,
    )
    return replace(found, interval=turned, cell=None)


def _of_variant(data: Mapping[str, pd.DataFrame], figure: Figure, named: NamedMetric) -> Interval:
    rows = data["variants"][data["variants"]["variant"] == figure.variant].to_dict("records")
    if not rows:
        return stats.exactly(math.nan, 0, "exact")
    return of_variant(named, {str(k): v for k, v in rows[0].items()})


def _cell(scores: pd.DataFrame, figure: Figure) -> pd.DataFrame:
    keep = (scores["stage"] == figure.stage) & (scores["variant"] == figure.variant)
    keep &= (scores["session"] == figure.session) & (scores["replica"] == 0)
    keep &= (scores["operation"] == figure.operation) & (scores["metric"] == figure.metric)
    if figure.operation != "load":  # a process is loaded once, for every length
        keep &= scores["workload"] == figure.workload
    return scores[keep]


def _failures(calls: pd.DataFrame, figure: Figure) -> tuple[int, int]:
    """(calls that failed, all calls) of the figure's cell; one that could not load counts too."""
    keep = (calls["stage"] == figure.stage) & (calls["variant"] == figure.variant)
    keep &= (calls["session"] == figure.session) & (calls["replica"] == 0)
    mine = calls[keep]
    here = pd.Series(workload(mine), index=mine.index, dtype=object) == figure.workload
    here &= (mine["operation"] == figure.operation) & (mine["warm"] | (mine["error"] != ""))
    loading = (mine["operation"] == "load") & (mine["error"] != "")
    counted = mine[here | loading]
    return int((counted["error"] != "").sum()), len(counted)
