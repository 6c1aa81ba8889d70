"""What a report says of how near variants are to the baseline, from a result's tables. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.contracts import Compares, Result, Table
from harness.decide import measures
from harness.decide.scoring.scales import SCALES
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
            if _scores(result, one.dataset, metric).size and one.kind != "texts":
                return one.dataset, metric
    return None


def by_utterance(result: Result, dataset: str, metric: str) -> pd.DataFrame:
    """`variant`, `item` and the `value` of the metric on that utterance alone, worst first."""
    named = measures.metric_of(result, metric)
    found = _scores(result, dataset, metric)
    if named is None or found.empty:
        return pd.DataFrame({"variant": [], "item": [], "value": []})
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (found["value"] / found["weight"]).to_numpy(dtype=np.float64)
    value = [SCALES[named.metric.scale](x) if math.isfinite(x) else math.nan for x in ratio]
    ordered = found[["variant", "item"]].assign(value=value)
    worst = named.metric.better == "higher"
    return ordered.sort_values(["value", "variant", "item"], ascending=[worst, True, True])


def standard_error(result: Result, dataset: str, metric: str, variant: str) -> float:
    """Of a pooled mean over positions, utterances being what was sampled: the ratio estimator's
    (Cochran, Sampling Techniques, 3rd ed., 2.11); NaN under two utterances."""
    found = _scores(result, dataset, metric)
    own = found[found["variant"] == variant]
    x: NDArray[np.float64] = own["value"].to_numpy(dtype=np.float64)
    n: NDArray[np.float64] = own["weight"].to_numpy(dtype=np.float64)
    if x.size < 2 or not n.sum() > 0:
        return math.nan
    parts = x - x.sum() / n.sum() * n
    return float(math.sqrt(x.size / (x.size - 1) * float(parts @ parts)) / n.sum())


def _scores(result: Result, dataset: str, metric: str) -> pd.DataFrame:
    where = {"stage": "quality", "workload": dataset, "metric": metric, "replica": 0}
    return queries.rows(result.scores, **where)
