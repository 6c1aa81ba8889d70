"""Calls -> scores: one row per call and metric, the only thing that is ever folded."""

from __future__ import annotations

import contextlib
import gc
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness import tables
from harness.contracts import Call, Metric
from harness.plugins import NamedMetric

Normalise = Callable[[str], str]
COLD = ("load", "first_call")  # cold by their nature: only for metrics that name them
PIECE = ("variant", "session", "replica", "dataset", "item", "audio_sha256")
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
    *,
    raw: pd.DataFrame | None = None,
    judged: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Every metric of every call that it applies to, in the columns of the scores table.

    `normalise` makes texts comparable before they are scored, as in `heard`; without it they are
    already, and `raw` are the same calls with the texts as they were. `judged`: what judges say of
    the audio that the calls gave, texts comparable. Calls that failed are not scored (the summary
    counts them). Warm-up calls are not either; `load` and `first_call` are operations of their own.
    Seconds under zero (a clock that went backwards) and whatever else is not finite are NaN, and so
    is all that is folded from them.
    """
    raw = calls if raw is None else raw
    if normalise is not None:
        calls = heard(calls, normalise)
    fine = (calls["error"] == "").to_numpy(dtype=bool)
    if not fine.all():
        calls, raw = calls[fine], raw[fine]
    usable = calls.reset_index(drop=True)
    with _no_collection():
        seen = _as_metrics_see(usable, raw)
        parts = [*_of_calls(usable, seen, [n for n in metrics if not n.metric.judge])]
        for named in metrics if judged is not None else ():
            if named.metric.judge and judged is not None:
                parts += _of_judge(judged, named, usable, seen)
    if not parts:
        return tables.frame("scores", [])
    return pd.concat(parts, ignore_index=True)[list(tables.TABLES["scores"])]


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Hundreds of thousands of calls, none of which is garbage before the end, are looked through
    again and again otherwise: a sixth of the whole decision's time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _of_calls(
    usable: pd.DataFrame, seen: list[Call], metrics: Sequence[NamedMetric]
) -> Iterator[pd.DataFrame]:
    kept = usable[FROM_CALLS].assign(workload=pd.Series(workload(usable), dtype=str))
    operations = usable["operation"].to_numpy().astype(object)
    cold = np.isin(operations, COLD)
    counts = usable["warm"].to_numpy(dtype=bool) | cold
    on_data = (usable["dataset"] != "").to_numpy(dtype=bool)
    measured: dict[int, tuple[NDArray[np.intp], NDArray[np.float64]]] = {}
    item = pd.factorize(usable["item"])[0]
    for named in metrics:
        metric = named.metric
        if metric.measure is None:
            continue
        if id(metric) not in measured:  # latency_p50_ms and latency_p99_ms are measured once
            fits = counts & _operations(metric, operations)
            rows = np.flatnonzero(fits & on_data if metric.needs_reference else fits)
            # what variants heard of one utterance is mostly the same: side by side it is known
            order = np.argsort(item[rows], kind="stable")
            pairs = np.empty((rows.size, 2))
            pairs[order] = _measured(metric.measure, seen, rows[order])
            measured[id(metric)] = rows, pairs
        rows, pairs = measured[id(metric)]
        part = kept if rows.size == len(kept) else kept.iloc[rows]
        yield part.assign(metric=named.name, value=pairs[:, 0], weight=pairs[:, 1])


def _of_judge(
    judged: pd.DataFrame, named: NamedMetric, calls: pd.DataFrame, seen: list[Call]
) -> Iterator[pd.DataFrame]:
    """The metric of each piece of audio that its judge had something to say of."""
    mine = judged[(judged["judge"] == named.metric.judge) & (judged["error"] == "")]
    assert named.metric.measure is not None
    if mine.empty:
        return
    spoken = calls.index[(calls["audio_sha256"] != "").to_numpy() & calls["warm"].to_numpy()]
    pieces = calls.loc[spoken, list(PIECE)].itertuples(index=False, name=None)
    place = dict(zip(pieces, spoken, strict=True))
    found = []
    for row in tables.records(mine):
        call = seen[place[tuple(row[name] for name in PIECE)]]
        said = {**call.figures, **(json.loads(row["figures"]) if row["figures"] else {})}
        found.append(
            replace(
                call,
                text=row["text"],
                reference=row["reference"],
                raw_text="",
                figures=said,
            )
        )
    pairs = _measured(named.metric.measure, found, np.arange(len(found)))
    kept = mine.assign(
        stage="quality",
        operation="pipeline",
        workload=mine["dataset"],
        block=mine["round"],
        speaker=mine["speaker"].where(mine["rater"] == "", mine["rater"]),
        metric=named.name,
        value=pairs[:, 0],
        weight=pairs[:, 1],
    )
    yield kept[list(tables.TABLES["scores"])]


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


def _as_metrics_see(calls: pd.DataFrame, raw: pd.DataFrame) -> list[Call]:
    seconds = calls["seconds"].where(calls["seconds"] >= 0)
    known = {text: json.loads(text) if text else {} for text in calls["figures"].unique()}
    columns = (
        calls["operation"].tolist(),
        seconds.tolist(),
        calls["audio_seconds"].tolist(),
        calls["tokens"].tolist(),
        calls["rss_bytes"].tolist(),
        calls["text"].tolist(),
        calls["reference"].tolist(),
        raw["text"].tolist(),
        raw["reference"].tolist(),
        calls["note"].tolist(),
        [known[text] for text in calls["figures"].tolist()],
    )
    return [Call(*row) for row in zip(*columns, strict=True)]


def _measured(
    measure: Callable[[Call], tuple[float, float]], calls: list[Call], rows: NDArray[np.intp]
) -> NDArray[np.float64]:
    pairs = [measure(calls[row]) for row in rows.tolist()]
    found = np.array(pairs, dtype=np.float64).reshape(len(pairs), 2)
    found[~np.isfinite(found)] = np.nan  # an infinite score is a call without a result
    return found
