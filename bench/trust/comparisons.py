"""A/A and A/B: the encoder against itself, and against itself 5 % and 10 % slower.

One experiment is five processes of the same model, opened anew: A, its twin A', a second twin that
plays the other system (B of A/A), and two that are slowed down. All take turns in the same rounds,
in random order, in generations of fresh processes; `scoring.changes` decides.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import pandas as pd

from harness import plugins
from harness.decide import resolution, scoring
from harness.store import tables
from trust.measuring import Machine, Stage
from trust.rows import Row, share

BASE, SAME = "encoder", "the same encoder"
SLOWER = {0.05: "5 % slower", 0.10: "10 % slower"}
FOUND = {0.05: ">= 0.6", 0.10: ">= 0.95"}
METRIC = "latency_p50_ms"
MEDIAN = 1.57  # variance of a median over that of a mean


@dataclass(frozen=True)
class Comparison:
    """Rows of the changes table by variant, and what the twin could tell apart."""

    changes: dict[str, dict[str, Any]]
    reach: float
    between: float = math.nan  # log standard deviation between processes of one model


def compare(machine: Machine, rounds: int, seed: int) -> Comparison:
    """Measure one experiment and decide it."""
    entries = [
        machine.entry(BASE),
        machine.entry(BASE, replica=1),
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
    reach = max(resolution.reaches(changes).values())
    return Comparison(rows, reach, between_processes(calls))


def between_processes(calls: pd.DataFrame) -> float:
    """How far apart fresh processes of one model are: by the medians of A and of the same model
    again in each generation, whose minutes are the same, less what so many calls move them by.
    NaN in one generation."""
    timed = calls[calls["warm"] & (calls["round"] >= 0) & (calls["replica"] == 0)]
    logs = timed.assign(log=np.log(timed["seconds"]))
    cells = logs[logs["variant"].isin((BASE, SAME))].groupby(["generation", "variant"])["log"]
    medians = cells.median().unstack()
    if len(medians) < 2 or medians.shape[1] < 2:
        return math.nan
    seen = float((medians[BASE] - medians[SAME]).var(ddof=1)) / 2
    moved = MEDIAN * float((cells.var(ddof=1) / cells.count()).mean())
    return math.copysign(math.sqrt(abs(seen - moved)), seen - moved)


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
    case = "log standard deviation between fresh processes of one model, mean square"
    squares = [math.copysign(c.between**2, c.between) for c in found if c.between == c.between]
    if squares:
        mean = statistics.fmean(squares)
        value = 100 * math.copysign(math.sqrt(abs(mean)), mean)
        out.append(Row("A/A", case, value, math.nan, len(squares), unit="%"))
    case = "how far the interval of the A/A twin reaches, median"
    out.append(_figure("A/A", case, [100 * c.reach for c in found], "%"))
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
