"""Calls -> scores: one row per call and metric, the only thing that is ever folded."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness import tables
from harness.contracts import Call, Metric
from harness.plugins import NamedMetric

Normalise = Callable[[str], str]
COLD = ("load", "first_call")  # cold by their nature: only for metrics that name them
KEPT = [name for name in tables.TABLES["scores"] if name not in ("value", "weight")]


def scores(
    calls: pd.DataFrame,
    metrics: Sequence[NamedMetric],
    normalise: Normalise | Mapping[str, Normalise],
) -> pd.DataFrame:
    """Every metric of every call that it applies to, in the columns of the scores table.

    `normalise` makes texts comparable before they are scored: one for all data sets, or one by data
    set's name. Calls that failed are not scored (the summary counts them). Warm-up calls are not
    either; `load` and `first_call` are operations of their own. Seconds under zero (a clock that
    went backwards) and whatever else is not finite are NaN, and so is all that is folded from them.
    """
    usable = calls[calls["error"] == ""].reset_index(drop=True)
    usable["workload"] = pd.Series(workload(usable), dtype=str)
    seen = _as_metrics_see(usable, normalise)
    operations = usable["operation"].to_numpy()
    cold = np.isin(operations.astype(object), COLD)
    counts = usable["warm"].to_numpy(dtype=bool) | cold
    on_data = (usable["dataset"] != "").to_numpy(dtype=bool)
    measured: dict[int, tuple[NDArray[np.intp], NDArray[np.float64]]] = {}
    parts = []
    for named in metrics:
        metric = named.metric
        if metric.measure is None:
            continue
        if id(metric) not in measured:  # latency_p50_ms and latency_p99_ms are measured once
            fits = counts & _operations(metric, operations)
            rows = np.flatnonzero(fits & on_data if metric.needs_reference else fits)
            measured[id(metric)] = rows, _measured(metric.measure, seen, rows)
        rows, pairs = measured[id(metric)]
        part = usable.iloc[rows].assign(metric=named.name)[KEPT]
        parts.append(part.assign(value=pairs[:, 0], weight=pairs[:, 1]))
    if not parts:
        return tables.frame("scores", [])
    return pd.concat(parts, ignore_index=True)[list(tables.TABLES["scores"])]


def workload(calls: pd.DataFrame) -> list[str]:
    """The tables' `workload` of each call: the data set's name, else "5 s", else nothing."""
    lengths = {x: _length(x) for x in calls["audio_seconds"].unique().tolist()}
    pairs = zip(calls["dataset"].tolist(), calls["audio_seconds"].tolist(), strict=True)
    return [dataset or lengths.get(seconds, "") for dataset, seconds in pairs]


def normalised(texts: Sequence[str], normalise: Normalise) -> list[str]:
    """Each different text is normalised once: references recur in every variant."""
    known = {text: normalise(text) for text in set(texts)}
    return [known[text] for text in texts]


def by_dataset(
    calls: pd.DataFrame, normalise: Normalise | Mapping[str, Normalise]
) -> Iterator[tuple[NDArray[np.intp], Normalise]]:
    """(row numbers, normaliser) of each data set among the calls."""
    names = calls["dataset"].to_numpy().astype(object)
    for name in dict.fromkeys(names.tolist()):
        if name:
            how = normalise if callable(normalise) else normalise[name]
            yield np.flatnonzero(names == name), how


def _length(seconds: float) -> str:
    return "" if math.isnan(seconds) else f"{seconds:g} s"


def _operations(metric: Metric, operations: NDArray[np.generic]) -> NDArray[np.bool_]:
    if metric.operations == ("*",):
        return ~np.isin(operations.astype(object), COLD)
    return np.isin(operations.astype(object), metric.operations)


def _as_metrics_see(
    calls: pd.DataFrame, normalise: Normalise | Mapping[str, Normalise]
) -> list[Call]:
    texts = {name: calls[name].to_numpy().astype(object) for name in ("text", "reference")}
    for rows, how in by_dataset(calls, normalise):
        for column in texts.values():
            column[rows] = normalised(column[rows].tolist(), how)
    seconds = calls["seconds"].where(calls["seconds"] >= 0)
    columns = (
        calls["operation"].tolist(),
        seconds.tolist(),
        calls["audio_seconds"].tolist(),
        calls["tokens"].tolist(),
        calls["rss_bytes"].tolist(),
        texts["text"].tolist(),
        texts["reference"].tolist(),
    )
    return [Call(*row) for row in zip(*columns, strict=True)]


def _measured(
    measure: Callable[[Call], tuple[float, float]], calls: list[Call], rows: NDArray[np.intp]
) -> NDArray[np.float64]:
    pairs = [measure(calls[row]) for row in rows.tolist()]
    found = np.array(pairs, dtype=np.float64).reshape(len(pairs), 2)
    found[~np.isfinite(found)] = np.nan  # an infinite score is a call without a result
    return found
