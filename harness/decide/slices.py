"""Slices of a data set, by accent, by speaker, by length: each with its errors, and how much worse
than the baseline. A place to look: no gate and no verdict depends on a slice.

Why nothing is gated: multiplicity. Of 40 slices that are all alike, one is expected to have an
interval that lies beyond the whole's difference on the worse side, by chance alone; gates on all of
them would reject good models, and bounds wide enough for all of them would hold on none. What a
slice shows is confirmed on a data set of its own, with a gate stated before it is looked at.
"""

from __future__ import annotations

import functools
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from harness.contracts.experiment import Experiment
from harness.decide.scoring import compare, estimate
from harness.decide.scoring.cells import cells
from harness.decide.stats import Interval, Resampling
from harness.errors.limits import SLICE_VALUES
from harness.errors.nearest import nearest
from harness.plugins import NamedMetric
from harness.plugins.kinds import kind_of
from harness.store import tables

SPEAKER, SECONDS = "speaker", "seconds"
OF_CALLS = (SPEAKER, SECONDS)  # slices that every data set has; others are columns of its own
BANDS = (2.0, 5.0, 10.0)  # seconds at which bands of length meet, each with its lower end
FEWEST = 5  # utterances; of fewer no interval is stated
_SHOWN = 40  # names in a line about a wrong one
QUALITY, DEFAULT = "quality", "default"
Cells = Mapping[tuple[str, str], pd.DataFrame]  # (variant, session) -> scores of one metric


def band(seconds: float) -> str:
    """ "2-5 s" from 2 s on, below 5; "" for a length that is not known."""
    if not seconds >= 0:
        return ""
    ends = (0.0, *BANDS)
    low = max(end for end in ends if end <= seconds)
    high = next((end for end in BANDS if end > seconds), None)
    return f"{low:g}+ s" if high is None else f"{low:g}-{high:g} s"


def unknown(asked: Sequence[str], known: Sequence[str]) -> str:
    """A line about the first slice that is none of what there is; "" where all are."""
    wrong = next((name for name in asked if name not in known), "")
    more = len(known) - _SHOWN
    listed = [*known[:_SHOWN], *([f"and {more} more"] if more > 0 else [])]
    return f"slices: no {wrong!r} in this data set.{nearest(wrong, listed)}" if wrong else ""


def slices(
    experiment: Experiment,
    calls: pd.DataFrame,
    scores: pd.DataFrame,
    metrics: Sequence[NamedMetric],
) -> pd.DataFrame:
    """The table `slices`: each value of each slice that is asked for, for every variant and every
    metric of texts that its data set lists, WER first; the largest loss first."""
    rows: list[dict[str, Any]] = []
    for part in experiment.quality:
        name, baseline = part.name, experiment.baseline
        here = calls[(calls["stage"] == QUALITY) & (calls["dataset"] == name) & calls["warm"]]
        parts = [_Part.of(here, one, baseline) for one in part.slices]
        found = scores[(scores["stage"] == QUALITY) & (scores["workload"] == name)]
        for named in _of_texts(metrics, part.metrics) if parts else ():
            mine = found[(found["metric"] == named.name) & (found["replica"] == 0)]
            known = {(str(v), str(s)): c for (v, s), c in cells(mine, ["variant", "session"])}
            how = Resampling(seed=experiment.seed)
            table = _Table(name, named, baseline, known, how)
            rows += table.worst_first(row for one in parts for row in table.rows(one))
    return tables.frame("slices", rows)


def _of_texts(metrics: Sequence[NamedMetric], listed: Sequence[str]) -> list[NamedMetric]:
    found = [one for one in metrics if one.name in listed and kind_of(one.metric) == "text"]
    return sorted(found, key=lambda one: one.name != "wer")


@dataclass(frozen=True)
class _Part:
    """A slice, and what each utterance has in it."""

    name: str
    of_item: Mapping[str, str]
    values: tuple[str, ...]  # those that are estimated
    left_out: int

    @staticmethod
    def of(calls: pd.DataFrame, name: str, baseline: str) -> _Part:
        of_item = _of_items(calls, name, baseline)
        counts = Counter(of_item.values())
        largest = sorted(counts, key=lambda value: (-counts[value], value))[:SLICE_VALUES]
        return _Part(name, of_item, tuple(sorted(largest)), len(counts) - len(largest))


def _of_items(calls: pd.DataFrame, name: str, baseline: str) -> dict[str, str]:
    """Utterance -> its value. A length is the baseline's where variants speak, each its own."""
    column = name if name == SPEAKER else "audio_seconds" if name == SECONDS else "labels"
    order = (calls["variant"] != baseline).to_numpy().argsort(kind="stable")
    ordered = calls.iloc[order]
    known = ordered[ordered[column].notna() & (ordered[column] != "")]
    first = pd.concat([known, ordered]).drop_duplicates("item")
    made = {text: _value(name, text) for text in first[column].unique()}
    values = [made.get(text, "") for text in first[column]]
    return dict(zip(first["item"].astype(str), values, strict=True))


def _value(name: str, held: Any) -> str:
    if name == SECONDS:
        return band(float(held))
    if name == SPEAKER:
        return str(held)
    found = json.loads(held) if held else {}
    return str(found.get(name, "")) if isinstance(found, dict) else ""


@dataclass(frozen=True)
class _Table:
    """One metric of one data set, cut by slices."""

    dataset: str
    named: NamedMetric
    baseline: str
    cells: Cells
    how: Resampling

    @functools.cached_property
    def wholes(self) -> dict[tuple[str, str], float]:
        """(variant, session) -> its difference from the baseline over the whole data set."""
        base = self.cells.get((self.baseline, DEFAULT))
        if base is None:
            return {}
        others = {key: cell for key, cell in self.cells.items() if key[0] != self.baseline}
        return {
            key: compare(cell, base, self.named, self.how)[0].estimate
            for key, cell in others.items()
        }

    def worst_first(self, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """The largest loss against the baseline first; what has no interval after what has one, and
        what is compared with nothing last, by its own errors."""
        sign = -1.0 if self.named.metric.better == "higher" else 1.0

        def key(row: Mapping[str, Any]) -> tuple[bool, bool, float]:
            alone = math.isnan(row.get("delta", math.nan))
            loss = sign * (row["value_"] if alone else row["delta"])
            few = math.isnan(row["low"] if alone else row["delta_low"])
            return alone, few, math.inf if math.isnan(loss) else -loss

        return sorted(rows, key=key)

    def rows(self, part: _Part) -> Iterator[dict[str, Any]]:
        base = self.cells.get((self.baseline, DEFAULT))
        usual = {} if base is None else _cut(base, part)
        for key, cell in self.cells.items():
            whole = self.wholes.get(key, math.nan)
            where = {"variant": key[0], "session": key[1], "slice": part.name, "whole": whole}
            for value, some in _cut(cell, part).items():
                row = {**where, "value": value, "left_out": part.left_out}
                theirs = usual.get(value) if key in self.wholes else None
                yield {**row, **self._estimated(some), **self._compared(some, theirs, whole)}

    def _estimated(self, cell: pd.DataFrame) -> dict[str, Any]:
        found = _stated(estimate(cell, self.named, self.how), len(cell))
        speakers = cell["speaker"].astype(str)
        return {
            "dataset": self.dataset,
            "metric": self.named.name,
            "n": len(cell),
            "speakers": speakers[speakers != ""].nunique(),
            "value_": found.estimate,
            "low": found.low,
            "high": found.high,
            "unit": self.named.metric.unit,
            "method": found.method,
        }

    def _compared(
        self, ours: pd.DataFrame, theirs: pd.DataFrame | None, whole: float
    ) -> dict[str, Any]:
        if theirs is None:
            return {}
        found = compare(ours, theirs, self.named, self.how)[0]
        found = _stated(found, found.n)
        higher = self.named.metric.better == "higher"
        return {
            "baseline": self.baseline,
            "delta": found.estimate,
            "delta_low": found.low,
            "delta_high": found.high,
            "beyond": found.high < whole if higher else found.low > whole,
        }


def _cut(cell: pd.DataFrame, part: _Part) -> dict[str, pd.DataFrame]:
    """Value -> the rows of the utterances that have it."""
    values = cell["item"].astype(str).map(part.of_item)
    groups = {str(value): rows for value, rows in cell.groupby(values, sort=False)}
    return {value: groups[value] for value in part.values if value in groups}


def _stated(found: Interval, n: int) -> Interval:
    """Without an interval where there are too few utterances for one, or no bound could be had."""
    few = n < FEWEST or math.isinf(found.low) or math.isinf(found.high)
    return replace(found, low=math.nan, high=math.nan) if few else found
