"""The sweep of session configurations: what each gains, which is chosen, and whether it holds."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from harness.decide import stats
from harness.decide.resolution import Resolution, reach_of
from harness.decide.scoring.scores import workload
from harness.decide.stats import Interval, Timed
from harness.store import tables

DEFAULT = "default"
PIPELINE = "pipeline"
UNTOLD = "cannot be told apart from the default"
TAIL = 0.025  # what one bound may err: two make a 95 % interval
SEEN = (
    "variant", "session", "replica", "operation", "seconds", "round", "item", "warm", "error",
    "generation",
)  # fmt: skip


@dataclass(frozen=True)
class _Found:
    """One configuration of one variant: its time against the default's, or why there is none."""

    session: str
    cells: Timed
    ratio: Interval
    error: str


def sweep(
    calls: pd.DataFrame, options: Mapping[str, Mapping[str, Any]], operation: str = PIPELINE
) -> pd.DataFrame:
    """The sessions table from the calls of the sweep stage; `options` by session, in their order.

    Where fresh pairs of processes confirm the fastest session (run/sweeping.py), its ratio is
    the one over those pairs, and it is chosen if the interval lies under 1: it was picked on other
    calls, so that nothing has to be corrected for how many there were. The others' ratios are of
    the stages that dropped them, and claim nothing.

    A sweep of an earlier time has no pairs: each session's ratio to the default is paired within
    rounds, the intervals hold all at once (Bonferroni), and a session is faster if its interval
    lies below 1 and the ratio is further from 1 than the A/A twin reaches. Among those that cannot
    be told apart from the fastest the one written first is chosen, else the default.
    """
    swept = _swept(calls, operation)
    reach = twin_reach(swept)
    rows: list[dict[str, Any]] = []
    for variant in dict.fromkeys(swept["variant"].tolist()):
        own = swept[swept["variant"] == variant]
        final = _final(own)
        if final is not None:
            rows += _confirmed_rows(variant, own, options, final)
            continue
        if (
            own.loc[own["replica"] == 0, "session"].nunique() < 2
            and final is None
            and _fresh(swept)
        ):
            continue  # timed in the default session only: nothing was compared
        found = _against_default(own[own["replica"] == 0], list(options))
        pick, tied = _choice(found, reach)
        rows += _rows(variant, found, options, _Choice(pick, tied, reach))
    return tables.frame("sessions", rows)


def ratios_so_far(
    calls: pd.DataFrame, sessions: Sequence[str], operation: str = PIPELINE
) -> dict[str, float]:
    """Each session's time over the default's (both replicas of it), paired within rounds, in the
    rows of one variant; NaN for one that failed."""
    swept = _swept(calls, operation)
    base = _pooled(swept)
    found = {}
    for name in sessions:
        here = swept[swept["session"] == name]
        failed = (here["error"] != "").any()
        ratio = stats.paired_medians(_timed(here, name), base)[1]
        found[name] = math.nan if failed else ratio.estimate
    return found


def ratios_of(
    variant: str,
) -> Callable[[Iterable[Mapping[str, Any]], Sequence[str]], dict[str, float]]:
    """`ratios_so_far` of one variant, from rows of the calls table."""

    def ratios(rows: Iterable[Mapping[str, Any]], sessions: Sequence[str]) -> dict[str, float]:
        calls = tables.frame("calls", rows)
        return ratios_so_far(calls[calls["variant"] == variant], sessions)

    return ratios


def faster(ratio: Interval, reach: float) -> bool:
    """The whole interval is under 1, and the ratio further than the twin reaches."""
    return _side(ratio, reach) == "less"


def slower(ratio: Interval, reach: float) -> bool:
    """The whole interval is over 1, and the ratio further than the twin reaches."""
    return _side(ratio, reach) == "more"


def _side(ratio: Interval, reach: float) -> str:
    return Resolution(reach).side((ratio.estimate, ratio.low, ratio.high))


def chosen(sessions: pd.DataFrame, variant: str) -> str:
    """The session that the sweep chose for a variant; the default where it chose none."""
    rows = sessions[(sessions["variant"] == variant) & sessions["chosen"]]
    return str(rows["session"].iloc[0]) if len(rows) else DEFAULT


def confirm(sessions: pd.DataFrame, calls: pd.DataFrame, operation: str = PIPELINE) -> pd.DataFrame:
    """The table with the ratio of each chosen session measured again: fresh samples and processes.

    At the sweep's audio length, else at the length at which both sessions share most rounds. The
    ratio of a contest's winner flatters; this one does not, and is the one to state. `holds`: it is
    faster by the same rule as in the sweep, as one comparison alone and by the fresh twin's reach.
    """
    mine = calls[(calls["operation"] == operation) & calls["stage"].isin(["sweep", "latency"])]
    mine = mine.assign(workload=workload(mine))
    usual = set(mine.loc[mine["stage"] == "sweep", "workload"])
    fresh = mine[mine["stage"] == "latency"]
    rows = [
        _confirmed(row, fresh, usual) if row["chosen"] and row["session"] != DEFAULT else row
        for row in sessions.to_dict("records")
    ]
    return tables.check("sessions", pd.DataFrame(rows, columns=list(sessions.columns)))


def twin_reach(cells: pd.DataFrame) -> float:
    """How far from 1 the ratio of two equal cells reaches, NaN without a twin, inf where it has no
    bounds. `cells`: calls of one stage, operation and length."""
    twins = cells[cells["replica"] == 1]
    if twins.empty:
        return math.nan
    both = cells[cells["variant"] == twins["variant"].iloc[0]]
    ratio = stats.paired_medians(_timed(both, DEFAULT, 1), _timed(both, DEFAULT, 0))[1]
    return reach_of(ratio.low, ratio.high)


def _swept(calls: pd.DataFrame, operation: str) -> pd.DataFrame:
    """The rows of the sweep that are looked at; loading may have failed."""
    kept = (calls["stage"] == "sweep") & calls["operation"].isin([operation, "load"])
    return calls.loc[kept, list(SEEN)]


def _timed(cells: pd.DataFrame, session: str, replica: int = 0) -> Timed:
    keep = (cells["session"] == session) & (cells["replica"] == replica)
    keep &= (cells["operation"] != "load") & (cells["error"] == "") & cells["warm"]
    return Timed.of(*(cells.loc[keep, name] for name in ("seconds", "round", "item", "generation")))


def _pooled(cells: pd.DataFrame) -> Timed:
    """The default session's calls, those of its twin among them."""
    return _timed(cells.assign(replica=0), DEFAULT)


def _fresh(cells: pd.DataFrame) -> bool:
    """Whether the calls are of several generations of processes."""
    return bool(len(cells) and cells["generation"].max() > 0)


@dataclass(frozen=True)
class _Final:
    """The session that pairs of fresh processes confirm, and its ratio to the default."""

    session: str
    ratio: Interval
    error: str


def _final(own: pd.DataFrame) -> _Final | None:
    """None where no pairs were measured."""
    pairs = own[(own["generation"] > 0) & (own["session"] != DEFAULT)]
    if pairs.empty:
        return None
    name = str(pairs["session"].iloc[-1])
    failed = [text for text in own.loc[own["session"] == name, "error"].tolist() if text]
    fresh = own[own["generation"] > 0]
    ratio = stats.ratio_over_pairs(_timed(fresh, name), _timed(fresh, DEFAULT))
    return _Final(name, ratio, failed[-1] if failed else "")


def _confirmed_rows(
    variant: str, own: pd.DataFrame, options: Mapping[str, Mapping[str, Any]], final: _Final
) -> list[dict[str, Any]]:
    """The finalist by its pairs, the others by the stages that dropped them."""
    stages = own[own["generation"] == 0]
    base = _pooled(stages)
    found = []
    for f in _against_default(stages[stages["replica"] == 0], list(options), 1 - TAIL):
        if f.session == final.session:
            found.append(_Found(f.session, f.cells, final.ratio, final.error))
        elif f.session == DEFAULT:
            found.append(f)
        else:
            found.append(replace(f, ratio=stats.paired_medians(f.cells, base)[1]))
    won = not final.error and final.ratio.high < 1
    half = math.expm1(math.log(final.ratio.high / final.ratio.estimate))
    choice = _Choice(final.session if won else DEFAULT, 1, half if half == half else math.inf)
    rows = list(_rows(variant, found, options, choice))
    for row, f in zip(rows, found, strict=True):
        if f.session not in (final.session, DEFAULT) and not f.error:
            row["reason"] = "slower" if f.ratio.low > 1 else UNTOLD
    return rows


def _against_default(
    cells: pd.DataFrame, sessions: Sequence[str], level: float = math.nan
) -> list[_Found]:
    """Every session that was tried; `level` NaN: such that all intervals hold at once."""
    base, tried = _timed(cells, DEFAULT), set(cells["session"].tolist())
    rivals = len(tried - {DEFAULT})
    level = 1 - TAIL / max(rivals, 1) if math.isnan(level) else level
    found = []
    for session in sessions:
        if session not in tried and session != DEFAULT:
            continue
        here = cells[cells["session"] == session]
        failed = [text for text in here["error"].tolist() if text]
        mine = _timed(here, session)
        if session == DEFAULT:
            ratio = stats.exactly(1.0 if mine.values.size else math.nan, mine.values.size, "exact")
        else:
            ratio = stats.paired_medians(mine, base, level)[1]
        found.append(_Found(session, mine, ratio, failed[-1] if failed else ""))
    return found


def _choice(found: Sequence[_Found], reach: float) -> tuple[str, int]:
    """The chosen session, and how many cannot be told apart from the fastest (with it)."""
    rivals = [f for f in found if not f.error and f.session != DEFAULT]
    better = [f for f in rivals if faster(f.ratio, reach)]
    if not better:
        return DEFAULT, 0
    best = min(better, key=lambda f: f.ratio.estimate)
    level = 1 - TAIL / len(better)
    tied = [
        f
        for f in better
        if f is best or not slower(stats.paired_medians(f.cells, best.cells, level)[1], reach)
    ]
    return tied[0].session, len(tied)


@dataclass(frozen=True)
class _Choice:
    """What was chosen for a variant, among how many equals, and what could be told apart."""

    session: str
    tied: int
    reach: float


def _rows(
    variant: str,
    found: Sequence[_Found],
    options: Mapping[str, Mapping[str, Any]],
    choice: _Choice,
) -> Iterator[dict[str, Any]]:
    for f in found:
        written = {k: v for k, v in options[f.session].items() if k != "name"}
        yield {
            "session": f.session,
            "options": json.dumps(written, sort_keys=True),
            "variant": variant,
            "ratio": f.ratio.estimate,
            "low": f.ratio.low,
            "high": f.ratio.high,
            "n": f.ratio.n,
            "reach": choice.reach,
            "chosen": f.session == choice.session,
            "reason": _reason(f, choice),
            "error": f.error,
        }


def _reason(found: _Found, choice: _Choice) -> str:
    if found.error:
        return "failed"
    if found.session == choice.session:
        if choice.session == DEFAULT:
            return "no other session can be told apart from the default as faster"
        tied = f"first of {choice.tied} that cannot be told apart as fastest"
        return "fastest" if choice.tied == 1 else tied
    if found.session == DEFAULT:
        return "reference"
    if not math.isfinite(choice.reach):
        return "no A/A twin: it is unknown what can be told apart"
    if faster(found.ratio, choice.reach):
        return "faster than the default"
    if slower(found.ratio, choice.reach):
        return "slower"
    return UNTOLD


def _confirmed(row: Mapping[Any, Any], fresh: pd.DataFrame, usual: set[str]) -> dict[Any, Any]:
    """A row of the sessions table with what its measurement in `fresh` says."""
    again, reach = stats.exactly(math.nan, 0, "not measured"), math.nan
    best = (False, 0)  # whether it is the sweep's length, shared rounds
    for length, cells in fresh.groupby("workload", sort=True):
        own = cells[(cells["variant"] == row["variant"]) & (cells["replica"] == 0)]
        mine, base = _timed(own, str(row["session"])), _timed(own, DEFAULT)
        found = stats.paired_medians(mine, base)[1]
        rank = (found.units > 0 and length in usual, found.units)
        if rank > best:
            best, again, reach = rank, found, twin_reach(cells)
    if _fresh(fresh):  # what a process draws once is in the interval: no band on top
        reach = 0.0
    holds = faster(again, reach)
    told = "held when measured again" if holds else "did not hold when measured again"
    if not again.units:
        told = "was not measured again"
    return {
        **row,
        "confirmed": again.estimate,
        "confirmed_low": again.low,
        "confirmed_high": again.high,
        "holds": holds,
        "reason": f"{str(row['reason']).partition('; ')[0]}; {told}",
    }
