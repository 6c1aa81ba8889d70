"""What another's protocol says of its configurations, and what the same ones show in rounds.

The protocol's figures are reckoned as such summaries do: numpy's interpolated percentiles over the
calls of all lengths pooled, and the smallest P50 wins. Ours are paired within rounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.contracts import Result
from harness.decide import stats
from harness.decide.resolution import Resolution, reach_of, speed_of
from harness.decide.stats import Interval, Timed
from harness.store import queries

TAIL = 0.99
LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class Repeat:
    """The calls of one configuration in one run of the whole protocol."""

    milliseconds: NDArray[np.float64]
    lengths: NDArray[np.float64]  # seconds of audio of each call

    @property
    def n(self) -> int:
        return int(self.milliseconds.size)

    @property
    def p50(self) -> float:
        return self._percentile(50)

    @property
    def p99(self) -> float:
        return self._percentile(100 * TAIL)

    @property
    def largest(self) -> float:
        return float(self.milliseconds.max()) if self.n else float("nan")

    def _percentile(self, percent: float) -> float:
        return float(np.percentile(self.milliseconds, percent)) if self.n else float("nan")

    @property
    def spans(self) -> list[float]:
        """The audio lengths that were called, shortest first."""
        return sorted(set(self.lengths.tolist()))

    def at(self, seconds: float) -> Repeat:
        """Its calls of one length."""
        keep = self.lengths == seconds
        return Repeat(self.milliseconds[keep], self.lengths[keep])

    def slowest(self, share: float = 0.05) -> NDArray[np.float64]:
        """Lengths of the slowest calls, `share` of all, at least one."""
        most = max(1, round(share * self.n))
        return self.lengths[np.argsort(-self.milliseconds, kind="stable")[:most]]

    def tail(self) -> Interval:
        """The P99 with the bounds that could be had if every call were independent."""
        return stats.quantile_bounds(self.milliseconds, np.arange(self.n), TAIL, LEVEL)


@dataclass(frozen=True, eq=False)
class Configuration:
    """One place in the sequence. `probes`: graph -> what onnxruntime made of the configuration."""

    name: str
    repeats: tuple[Repeat, ...]
    timed: Timed  # in our rounds, each call by its length and clip
    probes: Mapping[str, Mapping[str, Any]]
    error: str

    def over(self, other: Configuration) -> list[float]:
        """Its P50 over the other's in each repeat: what the protocol would say."""
        pairs = zip(self.repeats, other.repeats, strict=True)
        return [over(one.p50, two.p50) for one, two in pairs]

    def paired(self, other: Configuration, level: float = 0.975) -> Interval:
        """Its time over the other's, within rounds, each length alike."""
        return stats.paired_medians(self.timed, other.timed, level)[1]

    @property
    def drift(self) -> float:
        """By how much its P50 rose or fell between repeats, at most; NaN with one repeat."""
        found = [repeat.p50 for repeat in self.repeats if repeat.n]
        return over(max(found), min(found)) - 1 if len(found) > 1 else float("nan")

    @property
    def graphs(self) -> tuple[tuple[str, str], ...]:
        """(graph, hash of it as onnxruntime runs it); equal for configurations that run the same
        nodes."""
        return tuple(sorted((name, str(seen["graph"])) for name, seen in self.probes.items()))


@dataclass(frozen=True, eq=False)
class Replayed:
    """The whole audit; the configurations in the order in which the protocol ran them."""

    plan: Mapping[str, Any]  # the experiment's `audit` section
    configurations: tuple[Configuration, ...]
    twin: Interval  # of our rounds: the first configuration over itself

    @property
    def first(self) -> Configuration:
        """What the others are compared with."""
        return self.configurations[0]

    @property
    def winners(self) -> dict[int, Configuration]:
        """Repeat -> the one with the smallest P50, for repeats in which something was measured."""
        found = {}
        for number in range(int(self.plan["repeats"])):
            ran = {one.repeats[number].p50: one for one in self.configurations[::-1]}
            best = min((p50 for p50 in ran if p50 == p50), default=None)
            if best is not None:
                found[number] = ran[best]
        return found

    @property
    def resolution(self) -> Resolution:
        """What our rounds cannot tell apart today."""
        return Resolution(reach_of(self.twin.low, self.twin.high))

    @property
    def drifts(self) -> list[float]:
        """Of every configuration that ran more than once."""
        return [one.drift for one in self.configurations if one.drift == one.drift]

    def ours(self, one: Configuration) -> Interval:
        """Its time over the first one's; the intervals of all others hold at once with 95 %."""
        others = max(1, len(self.configurations) - 1)
        return one.paired(self.first, 1 - 0.025 / others)

    def reads(self, ratio: Interval) -> str:
        """faster | slower | same | unknown: a paired ratio against the A/A twin."""
        if ratio.estimate != ratio.estimate or self.twin.estimate != self.twin.estimate:
            return "unknown"
        row = {"ratio": ratio.estimate, "low": ratio.low, "high": ratio.high}
        return speed_of(row, self.resolution)

    def supported(self, one: Configuration) -> bool:
        """Whether the protocol alone could show the difference from the first configuration: on
        one side in every repeat, by more than any drift, and our rounds find it as well."""
        said = np.asarray(one.over(self.first))
        side = {"faster": -1, "slower": 1}.get(self.reads(self.ours(one)), 0)
        if not side or np.isnan(said).any() or len(said) < 2:
            return False
        return bool((side * (said - 1) > max(self.drifts)).all())

    @property
    def unchecked(self) -> tuple[Configuration, Configuration] | None:
        """(with the options that nobody checked, without them), where both were measured."""
        asked = self.plan.get("unchecked")
        base = [one for one in self.configurations if asked and one.name == asked["session"]]
        added = self.configurations[len(self.plan["sessions"]) :]
        return (added[0], base[0]) if added and base else None


def read(result: Result) -> Replayed | None:
    """The audit that the tables hold; None where none was asked for, or nothing was called."""
    plan = result.experiment.get("audit")
    calls = queries.rows(result.calls, stage="audit")
    calls = calls[calls["round"] >= 0]
    if not plan or calls.empty:
        return None
    rounds = queries.rows(result.calls, stage="audit_rounds", warm=True, error="")
    rounds = queries.rows(rounds, operation=plan["operation"])
    names = calls.sort_values("block", kind="stable").drop_duplicates("block")["session"]
    found = tuple(_configuration(result, plan, str(name), rounds) for name in names)
    twin = _timed(rounds, found[0].name, 1)
    return Replayed(plan, found, stats.paired_medians(twin, found[0].timed)[1])


def over(one: float, two: float) -> float:
    """Their ratio, NaN where it is none (a clock that stands still)."""
    return one / two if two > 0 else float("nan")


def _configuration(
    result: Result, plan: Mapping[str, Any], name: str, rounds: pd.DataFrame
) -> Configuration:
    mine = queries.rows(result.calls, stage="audit", session=name)
    warm = queries.rows(mine, operation=plan["operation"], warm=True, error="")
    failed = mine["error"][mine["error"] != ""]
    return Configuration(
        name=name,
        repeats=tuple(_repeats(warm, int(plan["repeats"]))),
        timed=_timed(rounds, name, 0),
        probes={
            str(row["item"]): queries.parsed(row["note"])
            for row in queries.records(queries.rows(mine, operation="probe", error=""))
        },
        error=str(failed.iloc[0]) if len(failed) else "",
    )


def _repeats(warm: pd.DataFrame, count: int) -> Iterator[Repeat]:
    for number in range(count):
        calls = queries.rows(warm, round=number)
        columns = (calls[name].to_numpy(dtype=np.float64) for name in ("seconds", "audio_seconds"))
        seconds, lengths = columns
        yield Repeat(seconds * 1000, lengths)


def _timed(rounds: pd.DataFrame, session: str, replica: int) -> Timed:
    mine = queries.rows(rounds, session=session, replica=replica)
    # a clip's beginning is another clip at each length
    lengths = mine["audio_seconds"].map("{:g} s ".format).astype(str)
    return Timed.of(mine["seconds"], mine["round"], lengths + mine["item"].astype(str))
