"""What a report says of how near variants are to the baseline, from a result's tables. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from harness.contracts import Compares, Result, Table
from harness.decide import measures
from harness.store import queries, tables

TABLE: Table = "fidelity"
KINDS: tuple[Compares, ...] = ("outputs", "logits", "texts")


@dataclass(frozen=True)
class ComparedOutputs:
    """One kind of comparison on one data set: which outputs, by which metrics, the rows of the
    summary; `failed`: variant -> (utterances that could not be compared, of how many, why most)."""

    dataset: str
    kind: Compares
    outputs: tuple[str, ...]
    metrics: tuple[str, ...]
    summary: pd.DataFrame
    failed: dict[str, tuple[int, int, str]]


def asked(result: Result) -> bool:
    """Whether the experiment asks how near anything is to the baseline."""
    names = {name for part in result.experiment.quality for name in part.metrics}
    return any(_kind(result, name) for name in names)


def comparisons(result: Result) -> Iterator[ComparedOutputs]:
    """By data set and kind, in the order in which they were measured."""
    named = measures.group(result, TABLE)
    rows = result.tables.get(TABLE, tables.frame(TABLE, []))
    for kind in KINDS:
        mine = tuple(name for name in named if _kind(result, name) == kind)
        sets = [part.name for part in result.experiment.quality]
        stage = queries.rows(result.summary, stage="quality", replica=0)
        for name in sets:
            here = stage[(stage["workload"] == name) & stage["metric"].isin(mine)]
            own = rows[(rows["dataset"] == name) & (rows["compares"] == kind)]
            if len(here) or len(own):
                known = tuple(metric for metric in mine if (here["metric"] == metric).any())
                outputs = tuple(map(str, own["output"].unique()))
                yield ComparedOutputs(name, kind, outputs, known, here, dict(_failed(own)))


def _kind(result: Result, name: str) -> Compares:
    found = measures.metric_of(result, name)
    return "" if found is None else found.metric.compares


def _failed(rows: pd.DataFrame) -> Iterator[tuple[str, tuple[int, int, str]]]:
    for variant, own in rows.groupby("variant", sort=False):
        lost = own[own["error"] != ""]
        if len(lost):
            yield str(variant), (len(lost), len(own), str(lost["error"].value_counts().index[0]))


def main(result: Result) -> tuple[str, str] | None:
    """(data set, metric) by which utterances are told apart: the first that is no share of them."""
    for one in comparisons(result):
        for metric in one.metrics:
            if by_utterance(result, one.dataset, metric) and one.kind != "texts":
                return one.dataset, metric
    return None


def by_utterance(result: Result, dataset: str, metric: str) -> list[dict[str, Any]]:
    """`variant`, `item` and the `value` of the metric on that utterance alone, worst first."""
    found = queries.rows(result.distances, dataset=dataset, metric=metric)
    return [row for row in queries.records(found) if row["item"]]


def standard_error(result: Result, dataset: str, metric: str, variant: str) -> float:
    """Of a pooled mean over positions; NaN where it is not known."""
    where = {"dataset": dataset, "metric": metric, "variant": variant, "item": ""}
    row = queries.row(result.distances, **where)
    return math.nan if row is None else float(row["error"])
