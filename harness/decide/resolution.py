"""Told apart or not: the one rule by which a difference is more than noise.

Two things differ if the interval of their difference (or ratio) leaves out "nothing", which is 0
(or 1), and the estimate lies further from it than the A/A twin reaches: the same thing measured
twice on this machine, today (the noise floor). Where there is no twin nothing is told apart (its
reach is NaN or infinite); a metric of texts has no noise of the machine, and needs none (reach 0).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from harness.contracts import Result

Bounds = tuple[float, float, float]  # value, low, high
Side = Literal["less", "more", "same", "unknown"]
Place = tuple[str, ...]
PLACE = ("stage", "operation", "workload", "metric")
SPEED: Mapping[str, str] = {"less": "faster", "more": "slower"}  # of a ratio of times


@dataclass(frozen=True)
class Resolution:
    """How far from `nothing` two equal things may lie here."""

    reach: float = 0.0
    nothing: float = 1.0

    def side(self, interval: Bounds) -> Side:
        """On which side of nothing a value with its interval lies; unknown without an interval."""
        value, low, high = interval
        if not any(math.isfinite(end) for end in (low, high)):
            return "unknown"
        if high < self.nothing and value < self.nothing - self.reach:
            return "less"
        return "more" if low > self.nothing and value > self.nothing + self.reach else "same"

    def apart(self, interval: Bounds) -> bool:
        """Whether a value with its interval is told apart from nothing."""
        return self.side(interval) in ("less", "more")

    def whole(self, low: float, high: float) -> Side:
        """The same of the interval as a whole, which is stricter: all of it is beyond the reach."""
        if high < self.nothing - self.reach:
            return "less"
        return "more" if low > self.nothing + self.reach else "same"

    @property
    def band(self) -> tuple[float, float]:
        """(low, high) between which nothing is told apart."""
        return self.nothing - self.reach, self.nothing + self.reach


def reach_of(low: float, high: float) -> float:
    """How far from 1 the interval of a twin's ratio reaches; inf where it has no bounds."""
    reach = max(abs(low - 1), abs(high - 1))
    return math.inf if math.isnan(reach) else reach


def reaches(changes: pd.DataFrame) -> dict[Place, float]:
    """(stage, operation, workload, metric) -> the reach of the baseline's A/A twin there."""
    same = (changes["variant"] == changes["baseline"]) & (changes["stage"] != "")
    twins = changes[same & (changes["session"] == changes["baseline_session"])]
    out: dict[Place, float] = {}
    for row in twins.to_dict("records"):
        place, reach = place_of(row), reach_of(row["ratio_low"], row["ratio_high"])
        out[place] = max(reach, out.get(place, 0.0))
    return out


def reach_at(place: Place, known: Mapping[Place, float]) -> float:
    """The twin's at the same place; else the widest of the same metric in the latency stage, where
    the twin may have been measured at one length only; inf where there is none."""
    pooled = [
        reach
        for (stage, _, _, metric), reach in known.items()
        if stage == "latency" and metric == place[-1]
    ]
    return known.get(place, max(pooled, default=math.inf))


def place_of(row: Mapping[Any, Any]) -> Place:
    """Where a row of changes or of the summary was measured."""
    return tuple(str(row[name]) for name in PLACE)


def of_sweep(result: Result) -> Resolution:
    """What the sweep's A/A twin says: NaN without a twin, infinite with too few rounds."""
    found = result.sessions["reach"]
    return Resolution(float(found.max()) if len(found) else math.nan)


def speed_of(row: Mapping[Any, Any], resolution: Resolution) -> str:
    """faster | slower | same: a row with its ratio of times."""
    found = (float(row["ratio"]), float(row["low"]), float(row["high"]))
    return SPEED.get(resolution.side(found), "same")
