"""A/A and A/B: the encoder against itself, and against itself 5 % and 10 % slower.

One experiment is four processes of the same model, opened anew: A, a twin that plays the other
system (B of A/A), and two that are slowed down. All take turns in the same rounds, in random order,
in generations of fresh processes; `scoring.changes` decides.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import pandas as pd

from harness import plugins
from harness.decide import scoring, stats
from harness.decide.stats import EqualCells
from harness.store import tables
from trust.measuring import Machine, Stage
from trust.rows import Row, share

BASE, SAME = "encoder", "the same encoder"
SLOWER = {0.05: "5 % slower", 0.10: "10 % slower"}
FOUND = {0.05: ">= 0.6", 0.10: ">= 0.95"}
METRIC = "latency_p50_ms"


@dataclass(frozen=True)
class Comparison:
    """Rows of the changes table by variant, and how far apart two equal cells lie."""

    changes: dict[str, dict[str, Any]]
    spread: EqualCells


def compare(machine: Machine, rounds: int, seed: int) -> Comparison:
    """Measure one experiment and decide it."""
    entries = [
        machine.entry(BASE),
        machine.entry(SAME),
        *(machine.entry(name, slow_by=by) for by, name in SLOWER.items()),
    ]
    what = Stage("latency", f"comparison {seed}", entries, rounds, seed)
    return decide(machine.measure(what))


def decide(calls: pd.DataFrame) -> Comparison:
    """What the changes table says of each system against A."""
    named = [plugins.find_metric(METRIC)]
    scores = scoring.scores(calls, named, str)
    changes = scoring.changes(scores, tables.frame("variants", []), named, BASE)
    rows = {row["variant"]: row for row in changes.to_dict("records")}
    return Comparison(rows, equal(calls))


def equal(calls: pd.DataFrame) -> EqualCells:
    """A against the same model again."""
    timed = calls[calls["warm"] & (calls["round"] >= 0) & (calls["replica"] == 0)]
    sides = (timed[timed["variant"] == name] for name in (BASE, SAME))
    columns = ("seconds", "round", "item", "generation")
    return stats.equal_cells(*(stats.Timed.of(*(side[name] for name in columns)) for side in sides))


def rows(machine: Machine, count: int, rounds: int, seed: int) -> list[Row]:
    """Measure `count` experiments; those in the work folder are read."""
    found = []
    for place in range(count):
        machine.tell.line(f"comparison {place + 1} of {count}")
        found.append(compare(machine, rounds, seed + place))
    return summed_up(found, rounds)


def summed_up(found: Sequence[Comparison], rounds: int) -> list[Row]:
    """The figures of A/A and A/B."""
    n = len(found)
    how = f"{rounds} rounds of one call each, fresh processes for each comparison"
    wrong = sum(bool(c.changes[SAME]["resolved"]) for c in found)
    case = "the INT8 encoder against itself: called different"
    out = [Row("A/A", case, *share(wrong, n), n, "<= 0.05", how)]
    case = "fresh processes of one model differ by (standard deviation of log times; 0: not at all)"
    variances = [c.spread.variance for c in found if c.spread.variance == c.spread.variance]
    if variances:
        value = 100 * math.sqrt(max(statistics.fmean(variances), 0.0))
        out.append(Row("A/A", case, value, math.nan, len(variances), unit="%"))
        case = "two equal cells differ by, in one comparison (the same), median"
        apart = [100 * c.spread.equal for c in found if c.spread.equal == c.spread.equal]
        out.append(_figure("A/A", case, apart, "%"))
    case = "ratio of the INT8 encoder to itself, standard deviation over comparisons"
    ratios = [100 * c.changes[SAME]["ratio"] for c in found]
    spread = statistics.stdev(ratios) if n > 1 else float("nan")
    out.append(Row("A/A", case, spread, spread / sqrt(2 * max(n - 1, 1)), n, unit="%"))
    for by, name in SLOWER.items():
        mine = [c.changes[name] for c in found]
        hits = sum(bool(row["resolved"] and row["ratio"] > 1) for row in mine)
        case = f"a slow-down of {100 * by:g} % in the measured call: found"
        out.append(Row("A/B", case, *share(hits, n), n, FOUND[by], how))
        case = f"a slow-down of {100 * by:g} %: as measured, median"
        out.append(_figure("A/B", case, [100 * (row["ratio"] - 1) for row in mine], "%"))
    return out


def _figure(group: str, case: str, values: Sequence[float], unit: str) -> Row:
    """A median; its standard error is that of a normal sample's."""
    spread = statistics.stdev(values) if len(values) > 1 else float("nan")
    error = 1.2533 * spread / sqrt(len(values))
    return Row(group, case, statistics.median(values), error, len(values), unit=unit)
