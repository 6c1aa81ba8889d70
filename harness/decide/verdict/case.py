"""What a verdict is about, and the evidence that the tables hold for one figure of one variant."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from harness.contracts import SCREENED
from harness.contracts.experiment import At, Experiment, Recorded
from harness.decide import scoring, stats
from harness.decide.scoring import failures, nearness
from harness.decide.scoring.changes import DEFAULT, exact_change
from harness.decide.scoring.estimates import Needed, calls_needed, lost, unpaired
from harness.decide.scoring.failures import Failures
from harness.decide.scoring.summary import of_variant
from harness.decide.stats import Interval, Look, Resampling
from harness.decide.verdict import notes
from harness.plugins import NamedMetric, kinds
from harness.store import tables

# samples for a power of 0.8 over those for an even chance, at 95 %: ((1.645 + 0.842) / 1.645)^2
SURER = 2.29
AT_ONCE = stats.last(0)  # how a figure is read that was looked at once: bounds of 95 %


@dataclass(frozen=True)
class Case:
    """The experiment, its metrics by name, the candidate's session.

    `metrics` holds every metric that a gate or claim names, and what a ratio (speedup) is made of.
    """

    experiment: Experiment
    metrics: Mapping[str, NamedMetric]
    session: str
    today: datetime.date
    beside: Path | None = None  # the experiment's folder, for gates of the user's own
    least_level: float = 0.0  # of every bound, however often it is looked at

    def how(self, look: Look) -> Resampling:
        return Resampling(level=max(look.level, self.least_level), seed=self.experiment.seed)

    @property
    def candidate(self) -> str:
        return self.experiment.candidate

    def session_of(self, variant: str, asked: str = "") -> str:
        """The candidate is judged in its chosen session, the others in the default one."""
        return asked or (self.session if variant == self.candidate else DEFAULT)

    def heard_in(self, variant: str, at: At, asked: str = "") -> str:
        """The session of a variant at a place; what a selection looked at was in `default`."""
        selection = self.experiment.selection
        if selection and at.dataset == selection.dataset:
            return DEFAULT
        return self.session_of(variant, asked)

    def recorded(self, name: str) -> Recorded | None:
        """A row that was measured elsewhere."""
        return next((row for row in self.experiment.recorded if row.name == name), None)


@dataclass(frozen=True)
class AskedFigure:
    """One metric of one variant at one place. `over` is a variant or a recorded row, or ""."""

    metric: str
    variant: str
    session: str
    operation: str
    at: At
    over: str = ""

    @property
    def workload(self) -> str:
        return str(self.at)

    @property
    def stage(self) -> str:
        return "quality" if self.at.dataset else "latency"


@dataclass(frozen=True)
class FigureEvidence:
    """The evidence for a figure.

    `cell` is what a quantile, or what is made of it and a recorded figure, was folded from; `limit`
    turns a gate's limit into one on that quantile. `error`: why the variant has no figure, if any
    is known.
    """

    interval: Interval
    cell: pd.DataFrame | None = None
    named: NamedMetric | None = None
    limit: Callable[[float], float] = float
    incomplete: int = 0  # calls or utterances without a result, each once
    planned: int = 0
    unpaired: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    error: str = ""
    look: Look = AT_ONCE
    alone: bool = False  # a time of one process, though there could have been several

    def needed(self, limit: float) -> Needed:
        """Samples in all that would probably settle the limit; NaN where that is unknown.

        A quantile's bound does not shrink with the square root of n: it has a reckoning of its own.
        """
        if self.interval.why == "constant":
            return Needed(math.nan, math.nan)
        if self.named is None or math.isnan(self.named.quantile):
            even = stats.needed_for_bound(self.interval, limit)
            return Needed(even, math.ceil(even * SURER) if math.isfinite(even) else even)
        if self.cell is None:
            return Needed(math.nan, math.nan)
        return calls_needed(self.cell, self.named, self.limit(limit), self.look.level)


def find(
    case: Case, data: Mapping[str, pd.DataFrame], figure: AskedFigure, on: str = "value"
) -> FigureEvidence:
    """The evidence for a figure: itself, or its difference from or ratio to what it is over."""
    named = case.metrics.get(figure.metric)
    if named is None:
        return FigureEvidence(stats.exactly(math.nan, 0, ""))
    if named.metric.ratio_of:
        measured = replace(figure, metric=named.metric.ratio_of)
        return _inverse(find(case, data, measured, "ratio"))
    if on == "value":
        return _plain(case, data, figure, named)
    if case.recorded(figure.over) is not None:
        return _over_recorded(case, data, figure, on)
    return _over_variant(case, data, figure, on)


def _plain(
    case: Case, data: Mapping[str, pd.DataFrame], figure: AskedFigure, named: NamedMetric
) -> FigureEvidence:
    if named.metric.of_variant is not None:
        error = failures.why(data["variants"], figure.variant, NO_CALLS.failed)
        return FigureEvidence(_of_variant(data, figure, named), error=error)
    cell, lost_calls = _cell(data["scores"], figure), _failures(data, figure, named)
    cell = _with_lost(cell, lost_calls.failed, named)
    look = _of_time(_look(data, figure), named)
    return FigureEvidence(
        stats.allowing(scoring.estimate(cell, named, case.how(look)), look.allowance),
        cell,
        named,
        incomplete=len(lost_calls.failed),
        planned=lost_calls.planned,
        notes=(
            *notes.lost(len(lost_calls.failed), named),
            *notes.counts(cell, figure.stage),
            *notes.unseen(cell, named),
        ),
        error=failures.why(data["variants"], figure.variant, lost_calls.failed),
        look=look,
        alone=_alone(data, named, {figure.variant: cell}),
    )


def _over_variant(
    case: Case, data: Mapping[str, pd.DataFrame], figure: AskedFigure, on: str
) -> FigureEvidence:
    named = case.metrics[figure.metric]
    session = DEFAULT if figure.over != case.candidate else case.session
    other = replace(figure, variant=figure.over, session=session, over="")
    if replace(figure, over="") == other:  # a selection chose it: nothing to compare
        return FigureEvidence(stats.exactly(math.nan, 0, ""))
    if named.metric.of_variant is not None:
        pair = exact_change(_of_variant(data, figure, named), _of_variant(data, other, named))
        errors = (
            failures.why(data["variants"], one.variant, NO_CALLS.failed) for one in (figure, other)
        )
        return FigureEvidence(
            pair[0 if on == "difference" else 1], error=next(filter(None, errors), "")
        )
    mine, theirs = _cell(data["scores"], figure), _cell(data["scores"], other)
    ours, base = _failures(data, figure, named), _failures(data, other, named)
    alone = tuple(unpaired(mine, theirs))
    tail = named.quantile != 0.5  # a median does not move with the few that may be lost
    tailed = _with_lost(mine, ours.failed, named) if tail else mine
    look = max(_look(data, figure), _look(data, other), key=lambda one: one.level)
    pair = scoring.compare(tailed, theirs, named, case.how(look))
    errors = (
        failures.why(data["variants"], one.variant, side.failed)
        for side, one in ((ours, figure), (base, other))
    )
    return FigureEvidence(
        pair[0 if on == "difference" else 1],
        named=None if named.quantile == 0.5 else named,  # medians shrink as means do, tails do not
        incomplete=_incomplete(ours, base, alone),
        planned=max(ours, base, key=lambda side: side.share).planned,
        unpaired=alone,
        notes=(
            *(notes.lost(len(ours.failed), named) if tail else ()),
            *notes.counts(mine, figure.stage),
            *notes.unseen(mine, named),
        ),
        error=next(filter(None, errors), ""),
        look=replace(look, allowance=0.0),  # a drift hits both
        alone=_alone(data, named, {figure.variant: mine, figure.over: theirs}),
    )


def _over_recorded(
    case: Case, data: Mapping[str, pd.DataFrame], figure: AskedFigure, on: str
) -> FigureEvidence:
    """Against one figure that was measured elsewhere: it has no interval and is taken as exact."""
    found = _plain(case, data, figure, case.metrics[figure.metric])
    row = case.recorded(figure.over)
    assert row is not None
    value, mine = row.metrics.get(figure.metric, math.nan), found.interval
    if on == "difference":
        ends = [x - value for x in (mine.estimate, mine.low, mine.high)]
    else:
        ends = [x / value if value > 0 else math.nan for x in (mine.estimate, mine.low, mine.high)]
    moved = replace(mine, estimate=ends[0], low=ends[1], high=ends[2])
    note = f"{figure.over} is one recorded figure, taken as exact"
    limit = (lambda x: x + value) if on == "difference" else (lambda x: x * value)
    return replace(found, interval=moved, limit=limit, notes=(*found.notes, note))


def _alone(
    data: Mapping[str, pd.DataFrame], named: NamedMetric, cells: Mapping[str, pd.DataFrame]
) -> bool:
    """Whether a time is of one process of a variant that can be opened again: what has no files
    runs elsewhere, and stays one."""
    if kinds.kind_of(named.metric) != "time" or named.metric.fold == "max":
        return False
    known = data["variants"]
    local = set(known.loc[known["size_bytes"] > 0, "variant"])
    return any(
        name in local and len(cell) > 0 and cell["generation"].nunique() == 1
        for name, cell in cells.items()
    )


def _look(data: Mapping[str, pd.DataFrame], figure: AskedFigure) -> Look:
    """How strictly the figure's cell is read: more so where it was stopped early."""
    stops = data["stops"]
    keep = (stops["stage"] == figure.stage) & (stops["variant"] == figure.variant)
    keep &= (stops["session"] == figure.session) & (stops["replica"] == 0)
    keep &= (stops["operation"] == figure.operation) & (stops["workload"] == figure.workload)
    rows = stops[keep]
    if rows.empty:
        return AT_ONCE
    return Look(float(rows["level"].iloc[0]), float(rows["allowance"].iloc[0]))


def _of_time(look: Look, named: NamedMetric) -> Look:
    """Only times drift: texts do not, and a peak is what was seen."""
    timed = not scoring.of_texts(named) and named.metric.fold != "max"
    return look if timed else replace(look, allowance=0.0)


def _inverse(found: FigureEvidence) -> FigureEvidence:
    """Baseline over variant from variant over baseline: a speed-up from a ratio of times."""
    mine = found.interval
    estimate, low, high = mine.estimate, mine.low, mine.high
    turned = replace(
        mine,
        estimate=1 / estimate if estimate > 0 else math.nan,
        low=1 / high if high > 0 else math.nan,
        high=1 / low if low > 0 else math.inf,
    )
    return replace(
        found,
        interval=turned,
        limit=lambda limit: found.limit(1 / limit) if limit > 0 else math.nan,
    )


def _of_variant(
    data: Mapping[str, pd.DataFrame], figure: AskedFigure, named: NamedMetric
) -> Interval:
    rows = data["variants"][data["variants"]["variant"] == figure.variant].to_dict("records")
    known = [{str(k): v for k, v in row.items()} for row in rows[:1]]
    return of_variant(named, known[0]) if known else stats.exactly(math.nan, 0, "exact")


def _cell(scores: pd.DataFrame, figure: AskedFigure) -> pd.DataFrame:
    keep = (scores["stage"] == figure.stage) & (scores["variant"] == figure.variant)
    keep &= (scores["session"] == figure.session) & (scores["replica"] == 0)
    keep &= (scores["operation"] == figure.operation) & (scores["metric"] == figure.metric)
    if figure.operation != "load":  # a process is loaded once, for every length
        keep &= scores["workload"] == figure.workload
    return scores[keep]


def _incomplete(ours: Failures, base: Failures, alone: Sequence[str]) -> int:
    """What has no pair, each once: an utterance that failed in either variant, or that one of them
    never had; of calls (and of listeners' scores), those of the side that lost more."""
    worse = max(ours, base, key=lambda side: side.share).failed
    items = {str(item) for side in (ours, base) for item in side.failed.get("item", ())}
    if not alone or (worse["item"].duplicated().any()):
        return len(worse) + len(set(alone) - items)
    return len(items | set(alone))


NO_CALLS = Failures(tables.frame("calls", []), 0)


def _failures(
    data: Mapping[str, pd.DataFrame], figure: AskedFigure, named: NamedMetric
) -> Failures:
    """Failed and planned calls of the figure's cell, those among them whose audio its judge could
    not take or whose output could not be compared; one that could not load counts too. Of
    listeners, invalid and planned scores where their share is the larger one."""
    found = _failed_calls(data["calls"], figure)
    if named.metric.compares in nearness.OF_OUTPUTS:
        apart = nearness.lost(
            data["fidelity"], _heard(data["calls"], figure), named.metric.compares
        )
        return replace(found, failed=pd.concat([found.failed, apart], ignore_index=True))
    if not named.metric.judge:
        return found
    found = replace(
        found, failed=pd.concat([found.failed, _mute(data["calls"], figure)], ignore_index=True)
    )
    judged = data["judged"]
    here = (judged["judge"] == named.metric.judge) & (judged["dataset"] == figure.workload)
    mine = (judged["variant"] == figure.variant) & (judged["session"] == figure.session)
    if (judged[here]["rater"] != "").any():  # a listening test: its scores are not one per call
        scores = judged[here & (mine | (judged["variant"] == ""))]  # "": it may be of any variant
        return max(found, _invalid(scores), key=lambda side: side.share)
    unheard = judged[here & mine & (judged["error"] != "")]
    return replace(found, failed=pd.concat([found.failed, unheard], ignore_index=True))


def _invalid(scores: pd.DataFrame) -> Failures:
    """Listeners' scores that are none, among all but those that a stated rule leaves out."""
    asked = scores[~scores["error"].str.startswith(SCREENED)]
    return Failures(asked[asked["error"] != ""], len(asked))


def _mute(calls: pd.DataFrame, figure: AskedFigure) -> pd.DataFrame:
    """Calls of the figure's cell that gave no audio, though nothing failed: no judge saw them."""
    mine = _heard(calls, figure)
    return mine[mine["audio_sha256"] == ""]


def _heard(calls: pd.DataFrame, figure: AskedFigure) -> pd.DataFrame:
    """Calls of the figure's cell in which nothing failed."""
    keep = (calls["stage"] == figure.stage) & (calls["variant"] == figure.variant)
    keep &= (calls["session"] == figure.session) & (calls["dataset"] == figure.workload)
    keep &= calls["warm"] & (calls["error"] == "")
    return calls[keep & (calls["replica"] == 0)]


def _failed_calls(calls: pd.DataFrame, figure: AskedFigure) -> Failures:
    cell = {"stage": figure.stage, "variant": figure.variant, "session": figure.session}
    return failures.of_cell(calls, figure.operation, figure.workload, **cell)


def _with_lost(cell: pd.DataFrame, failed: pd.DataFrame, named: NamedMetric) -> pd.DataFrame:
    """The cell of a quantile with the calls that gave no result as its worst ones. A process of
    which nothing else is known is no other process: failures add no evidence."""
    if math.isnan(named.quantile) or failed.empty or cell.empty:
        return cell
    known = cell["generation"]
    of = failed["generation"].where(failed["generation"].isin(known), known.min())
    return pd.concat([cell, lost(failed.assign(generation=of), named)], ignore_index=True)
