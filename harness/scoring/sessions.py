"""The sweep of session configurations: what each gains, which is chosen, and whether it holds."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from harness import stats, tables
from harness.scoring.scores import workload
from harness.stats import Interval, Timed

DEFAULT = "default"


@dataclass(frozen=True)
class _Found:
    """One configuration of one variant: its time against the default's, or why there is none."""

    session: str
    ratio: Interval
    error: str


def sweep(calls: pd.DataFrame, options: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """The sessions table from the calls of the sweep stage; `options` by session, in their order.

    A configuration is chosen if the upper bound of its time ratio to the default session, paired
    within rounds, lies below 1 by more than the A/A twin reaches. Among those that cannot be told
    apart from the fastest it is the one written first, so that a sweep repeats; without one,
    the default.
    """
    swept = calls[(calls["stage"] == "sweep") & (calls["operation"].isin(["pipeline", "load"]))]
    reach = _twin_reach(swept)
    rows: list[dict[str, Any]] = []
    for variant in dict.fromkeys(swept["variant"].tolist()):
        cells = swept[(swept["variant"] == variant) & (swept["replica"] == 0)]
        found = [_against_default(cells, session) for session in options]
        found = [f for f in found if f.ratio.n or f.error or f.session == DEFAULT]
        rows += _rows(variant, found, options, reach)
    return tables.frame("sessions", rows)


def chosen(sessions: pd.DataFrame, variant: str) -> str:
    """The session that the sweep chose for a variant; the default where it chose none."""
    rows = sessions[(sessions["variant"] == variant) & sessions["chosen"]]
    return str(rows["session"].iloc[0]) if len(rows) else DEFAULT


def confirm(sessions: pd.DataFrame, calls: pd.DataFrame) -> pd.DataFrame:
    """The table with the ratio of each chosen session measured again: fresh samples and processes.

    Over the audio length of the latency stage at which both sessions share most rounds.
    """
    fresh = calls[(calls["stage"] == "latency") & (calls["operation"] == "pipeline")]
    fresh = fresh[fresh["replica"] == 0]
    out = sessions.copy()
    for place, row in enumerate(sessions.to_dict("records")):
        if row["chosen"] and row["session"] != DEFAULT:
            mine = fresh[fresh["variant"] == row["variant"]]
            again = _best_paired(mine.assign(workload=workload(mine)), str(row["session"]))
            values = (again.estimate, again.low, again.high)
            for column, value in zip(CONFIRMED, values, strict=True):
                out.iloc[place, out.columns.get_loc(column)] = value  # type: ignore[index]
    return tables.check("sessions", out)


CONFIRMED = ("confirmed", "confirmed_low", "confirmed_high")


def _timed(cells: pd.DataFrame, session: str, replica: int = 0) -> Timed:
    keep = (cells["session"] == session) & (cells["replica"] == replica)
    keep &= (cells["operation"] == "pipeline") & (cells["error"] == "") & cells["warm"]
    return Timed.of(*(cells.loc[keep, name] for name in ("seconds", "round", "item")))


def _against_default(cells: pd.DataFrame, session: str) -> _Found:
    here = cells[cells["session"] == session]
    failed = [text for text in here["error"].tolist() if text]
    mine, base = _timed(cells, session), _timed(cells, DEFAULT)
    if session == DEFAULT:
        ratio = stats.exactly(1.0 if mine.values.size else math.nan, mine.values.size, "exact")
    else:
        ratio = stats.paired_medians(mine, base)[1]
    return _Found(session, ratio, failed[-1] if failed else "")


def _twin_reach(swept: pd.DataFrame) -> float:
    """How far from 1 the ratio of two equal cells reaches; inf without a twin."""
    twins = swept[swept["replica"] == 1]
    if twins.empty:
        return math.inf
    cells = swept[swept["variant"] == twins["variant"].iloc[0]]
    ratio = stats.paired_medians(_timed(cells, DEFAULT, 1), _timed(cells, DEFAULT, 0))[1]
    reach = max(abs(ratio.low - 1), abs(ratio.high - 1))
    return math.inf if math.isnan(reach) else reach


def _rows(
    variant: str,
    found: list[_Found],
    options: Mapping[str, Mapping[str, Any]],
    reach: float,
) -> Iterator[dict[str, Any]]:
    sound = [f for f in found if not f.error and f.session != DEFAULT]
    faster = [f for f in sound if f.ratio.high < 1 - reach]
    fastest = min(faster, key=lambda f: f.ratio.estimate, default=None)
    tied = [f for f in faster if fastest and f.ratio.low <= fastest.ratio.high]
    pick = tied[0].session if tied else DEFAULT
    for f in found:
        yield {
            "session": f.session,
            "options": json.dumps(
                {k: v for k, v in options[f.session].items() if k != "name"}, sort_keys=True
            ),
            "variant": variant,
            "ratio": f.ratio.estimate,
            "low": f.ratio.low,
            "high": f.ratio.high,
            "n": f.ratio.n,
            "chosen": f.session == pick,
            "reason": _reason(f, pick, len(tied), reach),
            "error": f.error,
        }


def _reason(found: _Found, pick: str, tied: int, reach: float) -> str:
    if found.error:
        return "failed"
    if found.session == pick:
        if pick == DEFAULT:
            return "no other session can be told apart from the default as faster"
        return "fastest" if tied == 1 else f"first of {tied} that cannot be told apart as fastest"
    if found.session == DEFAULT:
        return "reference"
    if math.isinf(reach):
        return "no A/A twin: it is unknown what can be told apart"
    if found.ratio.high < 1 - reach:
        return "faster than the default"
    return "slower" if found.ratio.low > 1 + reach else "cannot be told apart from the default"


def _best_paired(calls: pd.DataFrame, session: str) -> Interval:
    ratios = [
        stats.paired_medians(_timed(cells, session), _timed(cells, DEFAULT))[1]
        for _, cells in calls.groupby("workload", sort=True)
    ]
    nothing = stats.exactly(math.nan, 0, "paired t over rounds")
    return max(ratios, key=lambda ratio: (ratio.units, -ratio.high), default=nothing)
