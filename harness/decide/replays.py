"""Makes the tables `audit_repeats` and `audit_rounds`, where a run is decided: what another's
protocol says of its configurations, and what the same ones show in rounds. What is asked of the
tables afterwards is in protocol.py.

The protocol's figures are reckoned as such summaries do: numpy's interpolated percentiles over the
calls of all lengths pooled. Ours are paired within rounds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.contracts import Result
from harness.contracts.experiment import Audit
from harness.decide import stats
from harness.decide.protocol import LEVEL, OPTION, TAIL, THIS, TWIN, drift_of, over
from harness.decide.resolution import Resolution, reach_of, speed_of
from harness.decide.stats import Interval, Timed
from harness.store import queries, tables

SLOWEST = 0.05  # share of a run's calls of which it is told how long their audio was
TWO_SIDED = 0.025  # beyond either end of a 95 % interval


@dataclass(frozen=True, eq=False)
class _Run:
    """The calls of one configuration in one run of the protocol."""

    milliseconds: NDArray[np.float64]
    lengths: NDArray[np.float64]  # seconds of audio of each call

    def rows(self) -> Iterator[dict[str, Any]]:
        """All lengths pooled, then each on its own, shortest first."""
        slow = self._slowest()
        bound = stats.quantile_bounds(self.milliseconds, np.arange(self.n), TAIL, LEVEL)
        yield {**self._figures(math.nan, slow), "p99_high_ms": bound.high}
        for seconds in sorted(set(self.lengths.tolist())):
            keep = self.lengths == seconds
            yield _Run(self.milliseconds[keep], self.lengths[keep])._figures(seconds, slow)

    @property
    def n(self) -> int:
        return int(self.milliseconds.size)

    def p50(self) -> float:
        return self._percentile(50)

    def _figures(self, seconds: float, slow: NDArray[np.float64]) -> dict[str, Any]:
        pooled = math.isnan(seconds)
        return {
            "audio_seconds": seconds,
            "n": self.n,
            "p50_ms": self.p50(),
            "p99_ms": self._percentile(100 * TAIL),
            "largest_ms": float(self.milliseconds.max()) if self.n else math.nan,
            "slowest": slow.size if pooled else int((slow == seconds).sum()),
        }

    def _percentile(self, percent: float) -> float:
        return float(np.percentile(self.milliseconds, percent)) if self.n else math.nan

    def _slowest(self) -> NDArray[np.float64]:
        """Lengths of the slowest calls, at least one."""
        most = max(1, round(SLOWEST * self.n))
        return self.lengths[np.argsort(-self.milliseconds, kind="stable")[:most]]


@dataclass(frozen=True, eq=False)
class _Configuration:
    """One place in the protocol's sequence."""

    name: str
    runs: tuple[_Run, ...]
    timed: Timed  # in our rounds, each call by its length and clip

    def paired(self, other: _Configuration, level: float = 1 - TWO_SIDED) -> Interval:
        """Its time over the other's, within rounds, each length alike."""
        return stats.paired_medians(self.timed, other.timed, level)[1]

    def over(self, other: _Configuration) -> list[float]:
        """Its P50 over the other's in each run: what the protocol would say."""
        return [over(a.p50(), b.p50()) for a, b in zip(self.runs, other.runs, strict=True)]

    @property
    def rounds(self) -> int:
        return int(self.timed.rounds.max(initial=-1)) + 1


def made(result: Result) -> dict[str, pd.DataFrame]:
    """Both tables; empty where no audit was asked for, or nothing was called."""
    plan = result.experiment.audit
    calls = queries.rows(result.tables["calls"], stage="audit")
    calls = calls[calls["round"] >= 0]
    if not plan or calls.empty:
        return {name: tables.frame(name, []) for name in ("audit_repeats", "audit_rounds")}
    rounds = queries.rows(result.tables["calls"], stage="audit_rounds", warm=True, error="")
    rounds = queries.rows(rounds, operation=plan.operation)
    names = calls.sort_values("block", kind="stable").drop_duplicates("block")["session"]
    configurations = [_configuration(calls, plan, str(name), rounds) for name in names]
    twin = stats.paired_medians(_timed(rounds, configurations[0].name, 1), configurations[0].timed)
    return {
        "audit_repeats": tables.frame("audit_repeats", _repeats(configurations)),
        "audit_rounds": tables.frame("audit_rounds", _rounds(plan, configurations, twin[1])),
    }


def _configuration(
    calls: pd.DataFrame, plan: Audit, name: str, rounds: pd.DataFrame
) -> _Configuration:
    where = {"session": name, "operation": plan.operation}
    warm = queries.rows(calls, **where, warm=True, error="")
    runs = (queries.rows(warm, round=number) for number in range(plan.repeats))
    measured = tuple(
        _Run(_numbers(run, "seconds") * 1000, _numbers(run, "audio_seconds")) for run in runs
    )
    return _Configuration(name, measured, _timed(rounds, name, 0))


def _numbers(calls: pd.DataFrame, column: str) -> NDArray[np.float64]:
    return calls[column].to_numpy(dtype=np.float64)


def _timed(rounds: pd.DataFrame, session: str, replica: int) -> Timed:
    mine = queries.rows(rounds, session=session, replica=replica)
    # a clip's beginning is another clip at each length
    lengths = mine["audio_seconds"].map("{:g} s ".format).astype(str)
    return Timed.of(mine["seconds"], mine["round"], lengths + mine["item"].astype(str))


def _repeats(configurations: list[_Configuration]) -> Iterator[dict[str, Any]]:
    for place, one in enumerate(configurations):
        for number, run in enumerate(one.runs):
            where = {"session": one.name, "place": place, "repeat": number}
            yield from ({**where, **row} for row in run.rows())


def _rounds(
    plan: Audit, configurations: list[_Configuration], twin: Interval
) -> Iterator[dict[str, Any]]:
    """The twin; each other configuration over the first, whose intervals hold at once with 95 %;
    the option that nobody checked over the same session without it."""
    first, *others = configurations
    drifts = [drift_of([run.p50() for run in one.runs]) for one in configurations]
    widest = max((drift for drift in drifts if not math.isnan(drift)), default=math.nan)
    yield _row(first, first, TWIN, twin)
    for one in others:
        ratio = one.paired(first, 1 - TWO_SIDED / len(others))
        reads = _reads(ratio, twin)
        supported = _supported(one.over(first), reads, widest)
        yield {**_row(one, first, THIS, ratio), "reads": reads, "supported": supported}
    asked = plan.unchecked
    base = [one for one in configurations if asked and one.name == asked.session]
    for one in configurations[len(plan.sessions) :][:1] if base else []:
        ratio = one.paired(base[0])
        yield {**_row(one, base[0], OPTION, ratio), "reads": _reads(ratio, twin)}


def _row(
    one: _Configuration, other: _Configuration, purpose: str, ratio: Interval
) -> dict[str, Any]:
    bounds = {"ratio": ratio.estimate, "low": ratio.low, "high": ratio.high}
    return {
        "purpose": purpose,
        "session": one.name,
        "over": other.name,
        **bounds,
        "rounds": one.rounds,
    }


def _reads(ratio: Interval, twin: Interval) -> str:
    """faster | slower | same | unknown: a paired ratio against the A/A twin."""
    if math.isnan(ratio.estimate) or math.isnan(twin.estimate):
        return "unknown"
    row = {"ratio": ratio.estimate, "low": ratio.low, "high": ratio.high}
    return speed_of(row, Resolution(reach_of(twin.low, twin.high)))


def _supported(said: list[float], reads: str, drift: float) -> bool:
    """Whether the protocol alone could show a difference: on one side in every run, by more than
    any configuration drifted, and our rounds find it as well."""
    side = {"faster": -1, "slower": 1}.get(reads, 0)
    if not side or len(said) < 2:
        return False
    return all(side * (ratio - 1) > drift for ratio in said)  # of a NaN nothing is true
