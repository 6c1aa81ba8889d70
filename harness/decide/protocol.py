"""What another's protocol says of its configurations, and what the same ones show in rounds, as
the tables `audit_repeats` and `audit_rounds` have it (replays.py makes them).

In the protocol the smallest P50 wins.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.contracts import Result
from harness.contracts.experiment import Audit
from harness.decide.resolution import Bounds, Resolution, reach_of
from harness.store import queries

TAIL = 0.99
LEVEL = 0.95
TWIN, THIS, OPTION = "twin", "configuration", "option"  # what a row of audit_rounds is for
NOTHING: Bounds = (math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Percentiles:
    """Calls of one length, or of all pooled (`seconds` is NaN), in one run of the protocol.

    Milliseconds, NaN without a call; `slowest`: how many of the slowest calls of the run are these.
    """

    seconds: float
    n: int
    p50: float
    p99: float
    largest: float
    slowest: int


@dataclass(frozen=True)
class Repeat:
    """One configuration in one run of the protocol; `p99_high`: the bound that its P99 would have
    if every call were independent, inf where they are too few."""

    pooled: Percentiles
    lengths: tuple[Percentiles, ...]  # shortest first
    p99_high: float


@dataclass(frozen=True)
class Paired:
    """The time of a configuration over another's, within rounds; `ratio`: (value, low, high)."""

    ratio: Bounds = NOTHING
    reads: str = "unknown"  # faster | slower | same | unknown
    supported: bool = False  # whether the protocol alone could show the difference


@dataclass(frozen=True, eq=False)
class Configuration:
    """One place in the sequence. `probes`: graph -> what onnxruntime made of the configuration."""

    name: str
    repeats: tuple[Repeat, ...]
    ours: Paired  # over the first configuration; of the first one itself nothing
    probes: Mapping[str, Mapping[str, Any]]
    error: str

    def over(self, other: Configuration) -> list[float]:
        """Its P50 over the other's in each repeat: what the protocol would say."""
        pairs = zip(self.repeats, other.repeats, strict=True)
        return [over(one.pooled.p50, two.pooled.p50) for one, two in pairs]

    @property
    def drift(self) -> float:
        """By how much its P50 rose or fell between repeats, at most; NaN with one repeat."""
        return drift_of([repeat.pooled.p50 for repeat in self.repeats])

    @property
    def graphs(self) -> tuple[tuple[str, str], ...]:
        """(graph, hash of it as onnxruntime runs it); equal for configurations that run the same
        nodes."""
        return tuple(sorted((name, str(seen["graph"])) for name, seen in self.probes.items()))


@dataclass(frozen=True, eq=False)
class Option:
    """The configuration with the options that nobody checked, and the same session without."""

    added: Configuration
    base: Configuration
    ours: Paired  # the one over the other


@dataclass(frozen=True, eq=False)
class Replayed:
    """The whole audit; the configurations in the order in which the protocol ran them."""

    plan: Audit  # the experiment's `audit` section
    configurations: tuple[Configuration, ...]
    rounds: int  # of ours
    resolution: Resolution  # what our rounds cannot tell apart today
    option: Option | None  # where both were measured

    @property
    def first(self) -> Configuration:
        """What the others are compared with."""
        return self.configurations[0]

    @property
    def winners(self) -> dict[int, Configuration]:
        """Repeat -> the one with the smallest P50, for repeats in which something was measured."""
        winners = {}
        for number in range(self.plan.repeats):
            ran = {one.repeats[number].pooled.p50: one for one in self.configurations[::-1]}
            best = min((p50 for p50 in ran if not math.isnan(p50)), default=None)
            if best is not None:
                winners[number] = ran[best]
        return winners

    @property
    def drifts(self) -> list[float]:
        """Of every configuration that ran more than once."""
        return [one.drift for one in self.configurations if not math.isnan(one.drift)]


def read(result: Result) -> Replayed | None:
    """The audit that the tables hold; None where none was asked for, or nothing was called."""
    plan = result.experiment.audit
    if not plan or result.audit_repeats.empty:
        return None
    names = result.audit_repeats.sort_values("place", kind="stable")["session"].unique()
    configurations = tuple(_configuration(result, str(name)) for name in names)
    twin = queries.row(result.audit_rounds, purpose=TWIN)
    reach = math.inf if twin is None else reach_of(twin["low"], twin["high"])
    return Replayed(
        plan=plan,
        configurations=configurations,
        rounds=0 if twin is None else int(twin["rounds"]),
        resolution=Resolution(reach),
        option=_option(result, {one.name: one for one in configurations}),
    )


def over(one: float, two: float) -> float:
    """Their ratio, NaN where it is none (a clock that stands still)."""
    return one / two if two > 0 else math.nan


def drift_of(medians: Sequence[float]) -> float:
    """By how much the P50 of one configuration rose or fell from run to run, at most."""
    known = [value for value in medians if not math.isnan(value)]
    return over(max(known), min(known)) - 1 if len(known) > 1 else math.nan


def _configuration(result: Result, name: str) -> Configuration:
    calls = queries.rows(result.calls, stage="audit", session=name)
    failed = calls["error"][calls["error"] != ""]
    probes = queries.records(queries.rows(calls, operation="probe", error=""))
    return Configuration(
        name=name,
        repeats=tuple(_repeats(result, name)),
        ours=_paired(queries.row(result.audit_rounds, purpose=THIS, session=name)),
        probes={str(row["item"]): queries.parsed(row["note"]) for row in probes},
        error=str(failed.iloc[0]) if len(failed) else "",
    )


def _repeats(result: Result, name: str) -> Iterator[Repeat]:
    mine = queries.rows(result.audit_repeats, session=name)
    for number in sorted(mine["repeat"].unique()):
        rows = queries.records(queries.rows(mine, repeat=number))
        every = [(_percentiles(row), float(row["p99_high_ms"])) for row in rows]
        lengths = tuple(one for one, _ in every if not math.isnan(one.seconds))
        [(pooled, high)] = [pair for pair in every if math.isnan(pair[0].seconds)]
        yield Repeat(pooled, lengths, high)


def _percentiles(row: Mapping[str, Any]) -> Percentiles:
    return Percentiles(
        seconds=float(row["audio_seconds"]),
        n=int(row["n"]),
        p50=float(row["p50_ms"]),
        p99=float(row["p99_ms"]),
        largest=float(row["largest_ms"]),
        slowest=int(row["slowest"]),
    )


def _paired(row: Mapping[str, Any] | None) -> Paired:
    if row is None:
        return Paired()
    return Paired(queries.bounds(row, "ratio"), str(row["reads"]), bool(row["supported"]))


def _option(result: Result, by_name: Mapping[str, Configuration]) -> Option | None:
    row = queries.row(result.audit_rounds, purpose=OPTION)
    if row is None or not {row["session"], row["over"]} <= set(by_name):
        return None
    return Option(by_name[row["session"]], by_name[row["over"]], _paired(row))
