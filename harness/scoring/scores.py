"""Calls -> scores: one row per call and metric, the only thing that is ever folded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness import tables
from harness.contracts import Call, Metric
from harness.plugins import NamedMetric

Normalise = Callable[[str], str]
COLD = ("load", "first_call")  # cold by their nature: only for metrics that name them
FROM_CALLS = [name for name in tables.TABLES["scores"] if name in tables.TABLES["calls"]]


def heard(calls: pd.DataFrame, normalise: Normalise | Mapping[str, Normalise]) -> pd.DataFrame:
    """The calls with the texts of data sets made comparable, each different text once.

    `normalise`: one for all data sets, or one by data set's name.
    """
    texts = {name: calls[name].to_numpy().astype(object) for name in ("text", "reference")}
    names = calls["dataset"].to_numpy().astype(object)
    for name in dict.fromkeys(names.tolist()):
        if name:
            rows = np.flatnonzero(names == name)
            how = normalise if callable(normalise) else normalise[name]
            both = [column[rows].tolist() for column in texts.values()]
            known = {text: how(text) for text in set().union(*both)}
            for column, raw in zip(texts.values(), both, strict=True):
                column[rows] = [known[text] for text in raw]
    return calls.assign(
        **{name: pd.Series(column, index=calls.index, dtype=str) for name, column in texts.items()}
    )


def scores(
    calls: pd.DataFrame,
    metrics: Sequence[NamedMetric],
    normalise: Normalise | Mapping[str, Normalise] | None = None,
) -> pd.DataFrame:
    """Every metric of every call that it applies to, in the columns of the scores table.

    `normalise` makes texts comparable before they are scored, as in `heard`; without it they are
    already. Calls that failed are not scored (the summary counts them). Warm-up calls are not
    either; `load` and `first_call` are operations of their own. Seconds under zero (a clock that
    went backwards) and whatever else is not finite are NaN, and so is all that is folded from them.
    """
    fine = (calls["error"] == "").to_numpy(dtype=bool)
    usable = (calls if fine.all() else calls[fine]).reset_index(drop=True)
    usable = usable if normalise is None else heard(usable, normalise)
    seen = _as_metrics_see(usable)
    kept = usable[FROM_CALLS].assign(workload=pd.Series(workload(usable), dtype=str))
    operations = usable["operation"].to_numpy().astype(object)
    cold = np.isin(operations, COLD)
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
        part = kept if rows.size == len(kept) else kept.iloc[rows]
        parts.append(part.assign(metric=named.name, value=pairs[:, 0], weight=pairs[:, 1]))
    if not parts:
        return tables.frame("scores", [])
    return pd.concat(parts, ignore_index=True)[list(tables.TABLES["scores"])]


def workload(calls: pd.DataFrame) -> list[str]:
    """The tables' `workload` of each call: the data set's name, else "5 s", else nothing."""
    names = calls["dataset"].to_numpy().astype(object)
    timed = np.flatnonzero(names == "")
    if timed.size:
        code, known = pd.factorize(calls["audio_seconds"].to_numpy()[timed])  # -1: NaN
        lengths = np.array([*(f"{seconds:g} s" for seconds in known.tolist()), ""], dtype=object)
        names[timed] = lengths[code]
    return list(names.tolist())


def _operations(metric: Metric, operations: NDArray[np.generic]) -> NDArray[np.bool_]:
    if metric.operations == ("*",):
        return ~np.isin(operations, COLD)
    return np.isin(operations, metric.operations)


def _as_metrics_see(calls: pd.DataFrame) -> list[Call]:
    seconds = calls["seconds"].where(calls["seconds"] >= 0)
    columns = (
        calls["operation"].tolist(),
        seconds.tolist(),
        calls["audio_seconds"].tolist(),
        calls["tokens"].tolist(),
        calls["rss_bytes"].tolist(),
        calls["text"].tolist(),
        calls["reference"].tolist(),
    )
    return [Call(*row) for row in zip(*columns, strict=True)]


def _measured(
    measure: Callable[[Call], tuple[float, float]], calls: list[Call], rows: NDArray[np.intp]
) -> NDArray[np.float64]:
    pairs = [measure(calls[row]) for row in rows.tolist()]
    found = np.array(pairs, dtype=np.float64).reshape(len(pairs), 2)
    found[~np.isfinite(found)] = np.nan  # an infinite score is a call without a result
    return found
