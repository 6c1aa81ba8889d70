"""Calls -> scores: one row per call and metric, the only thing that is ever folded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.contracts import Call, Metric
from harness.decide.scoring.nearness import OF_OUTPUTS, Nearness, baseline_texts, of_outputs
from harness.errors import PluginError
from harness.io.escaping.signs import cut
from harness.plugins import NamedMetric
from harness.runtime.garbage import uncollected
from harness.speech.audio import copies
from harness.store import tables

Normalise = Callable[[str], str]
COLD = ("load", "first_call")  # cold by their nature: only for metrics that name them
PIECE = ("variant", "session", "replica", "dataset", "item", "audio_sha256")
SCORES = tables.TABLES["scores"]
FROM_CALLS = [name for name in SCORES if name in tables.TABLES["calls"]]
SHOWN = 80  # characters of what a metric gave that is no score
SEEN = [field.name for field in fields(Call)]
BESIDE = SEEN[-1]  # what the baseline wrote, which is no column of the calls


def heard(calls: pd.DataFrame, normalise: Normalise | Mapping[str, Normalise]) -> pd.DataFrame:
    """The calls with the texts of data sets made comparable, each different text once.

    `normalise`: one for all data sets, or one by data set's name.
    """
    both = pd.concat([calls["text"], calls["reference"]], ignore_index=True)
    code, texts = pd.factorize(both)
    place, names = pd.factorize(calls["dataset"])
    place = np.tile(place, 2)
    out = np.array(both, dtype=object)
    for number, name in enumerate(names):
        if name:
            how = normalise if callable(normalise) else normalise[name]
            rows = np.flatnonzero(place == number)
            known = np.empty(len(texts), dtype=object)
            met = pd.unique(code[rows])
            known[met] = [how(text) for text in texts.take(met).tolist()]
            out[rows] = known[code[rows]]
    text, reference = (pd.Series(side, index=calls.index, dtype=str) for side in np.split(out, 2))
    return calls.assign(text=text, reference=reference)


@dataclass(frozen=True)
class Scored:
    """The same scores twice, row by row: the table as it is kept, and `coded`, whose texts are
    categories in the order of the texts, so that grouping and pairing handle numbers only."""

    table: pd.DataFrame
    coded: pd.DataFrame

    def only(self, keep: NDArray[np.bool_]) -> Scored:
        if keep.all():
            return self
        return Scored(*(one[keep].reset_index(drop=True) for one in (self.table, self.coded)))


def scores(
    calls: pd.DataFrame,
    metrics: Sequence[NamedMetric],
    normalise: Normalise | Mapping[str, Normalise] | None = None,
    *,
    judged: pd.DataFrame | None = None,
    near: Nearness | None = None,
) -> pd.DataFrame:
    """Every metric of every call that it applies to, in the columns of the scores table.

    `normalise` makes texts comparable before they are scored, as in `heard`; without it they are
    already. `judged`: what judges say of the audio that the calls gave, texts comparable. `near`:
    which variant is the baseline, and what comparing outputs with its gave. Calls that failed are
    not scored (the summary counts them). Warm-up calls are not either; `load` and `first_call` are
    operations of their own. Seconds under zero (a clock that went backwards) and whatever else is
    not finite are NaN, and so is all that is folded from them.
    """
    comparable = calls if normalise is None else heard(calls, normalise)
    return _table(_parts(comparable, metrics, calls, (judged, near)))


def scored(
    heard: pd.DataFrame,
    metrics: Sequence[NamedMetric],
    raw: pd.DataFrame,
    judged: pd.DataFrame,
    near: Nearness | None = None,
) -> Scored:
    """As `scores`, in both forms; `heard` are the calls with their texts comparable."""
    parts = _parts(heard, metrics, raw, (judged, near))
    return Scored(_table(parts), _coded(parts))


class _Part(NamedTuple):
    """One metric's (value, weight) of some rows, which are of calls or of what a judge said."""

    rows: pd.DataFrame  # all columns of the scores but those three
    metric: str
    pairs: NDArray[np.float64]


def _parts(
    calls: pd.DataFrame,
    metrics: Sequence[NamedMetric],
    raw: pd.DataFrame,
    said: tuple[pd.DataFrame | None, Nearness | None],
) -> list[_Part]:
    """`said`: what judges said of the audio, and how near outputs are to the baseline's."""
    judged, near = said[0], said[1] or Nearness()
    fine = (calls["error"] == "").to_numpy(dtype=bool)
    if not fine.all():
        calls, raw = calls[fine], raw[fine]
    usable = calls.reset_index(drop=True).assign(
        recording=copies.merged(calls["recording"].tolist(), raw["reference"].tolist()),
        raw_text=raw["text"].array,
        raw_reference=raw["reference"].array,
    )
    beside = baseline_texts(usable, near.baseline) if _texts_compared(metrics) else None
    with uncollected():  # what is looked through again and again is no garbage
        seen = _as_metrics_see(usable, beside)
        parts = [*_of_calls(usable, seen, [n for n in metrics if _of_itself(n)], near.baseline)]
        for named in metrics:
            if named.metric.judge and judged is not None:
                parts += _of_judge(judged, named, usable, seen)
            elif named.metric.compares in OF_OUTPUTS:
                found = of_outputs(near, named.metric, usable, seen)
                rows = usable.loc[found.places, FROM_CALLS].assign(
                    workload=usable["dataset"].to_numpy()[found.places]
                )
                parts.append(_Part(rows, named.name, _measured(named, found.calls)))
    return parts


def _of_itself(named: NamedMetric) -> bool:
    """Whether a metric needs no more than the call, and perhaps the baseline's text."""
    return not named.metric.judge and named.metric.compares not in OF_OUTPUTS


def _texts_compared(metrics: Sequence[NamedMetric]) -> bool:
    return any(named.metric.compares == "texts" for named in metrics)


def _table(parts: Sequence[_Part]) -> pd.DataFrame:
    if not parts:
        return tables.frame("scores", [])
    found = [
        part.rows.assign(metric=part.metric, value=part.pairs[:, 0], weight=part.pairs[:, 1])
        for part in parts
    ]
    return pd.concat(found, ignore_index=True)[list(SCORES)]


def _coded(parts: Sequence[_Part]) -> pd.DataFrame:
    """The rows of most metrics are the same: their texts become numbers once."""
    if not parts:
        return tables.frame("scores", [])
    texts = {name: "category" for name, kind in SCORES.items() if kind == tables.TEXT}
    names = sorted({part.metric for part in parts})
    alike = {id(part.rows): part.rows for part in parts}
    every = pd.concat(alike.values(), ignore_index=True).assign(metric="").astype(texts)
    ends = np.cumsum([len(rows) for rows in alike.values()]).tolist()
    places = {
        key: np.arange(end - len(rows), end)
        for (key, rows), end in zip(alike.items(), ends, strict=True)
    }
    pairs = np.concatenate([part.pairs for part in parts])
    metric = np.repeat([names.index(p.metric) for p in parts], [len(p.pairs) for p in parts])
    named = pd.Categorical.from_codes(metric.astype(np.intp), pd.Index(names))
    coded = every.iloc[np.concatenate([places[id(part.rows)] for part in parts])]
    coded = coded.reset_index(drop=True).assign(metric=named, value=pairs[:, 0], weight=pairs[:, 1])
    return coded[list(SCORES)]


def _of_calls(
    usable: pd.DataFrame, seen: list[Call], metrics: Sequence[NamedMetric], baseline: str
) -> Iterator[_Part]:
    kept = usable[FROM_CALLS].assign(workload=pd.Series(workload(usable), dtype=str))
    item = pd.factorize(usable["item"])[0]
    measured: dict[int, NDArray[np.float64]] = {}
    alike: dict[Any, tuple[NDArray[np.intp], pd.DataFrame]] = {}
    for named in metrics:
        metric = named.metric
        if metric.measure is None:
            continue
        fitting = metric.operations, metric.needs_reference, metric.compares
        if fitting not in alike:
            fits = _fits(metric, usable)
            if metric.compares:  # the baseline is what the others are held against
                fits = fits & (usable["variant"] != baseline).to_numpy(dtype=bool)
            alike[fitting] = np.flatnonzero(fits), kept if fits.all() else kept[fits]
        places, rows = alike[fitting]
        if id(metric) not in measured:  # latency_p50_ms and latency_p99_ms are measured once
            # what variants heard of one utterance is mostly the same: side by side it is known
            order = np.argsort(item[places], kind="stable")
            pairs = np.empty((places.size, 2))
            pairs[order] = _measured(named, [seen[place] for place in places[order].tolist()])
            measured[id(metric)] = pairs
        yield _Part(rows, named.name, measured[id(metric)])


def _of_judge(
    judged: pd.DataFrame, named: NamedMetric, calls: pd.DataFrame, seen: list[Call]
) -> Iterator[_Part]:
    """The metric of each piece of audio that its judge had something to say of."""
    mine = judged[(judged["judge"] == named.metric.judge) & (judged["error"] == "")]
    if mine.empty:
        return
    spoken = calls.index[(calls["audio_sha256"] != "").to_numpy() & calls["warm"].to_numpy()]
    pieces = calls.loc[spoken, list(PIECE)].itertuples(index=False, name=None)
    place = dict(zip(pieces, spoken, strict=True))
    found, places = [], []
    for row in tables.records(mine):
        places.append(place[tuple(row[name] for name in PIECE)])
        call = seen[places[-1]]
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
    pairs = _measured(named, found)
    kept = mine.assign(
        stage="quality",
        operation="pipeline",
        workload=mine["dataset"],
        block=mine["round"],
        generation=0,
        recording=calls["recording"].to_numpy()[places],
        speaker=mine["speaker"].where(mine["rater"] == "", mine["rater"]),
    )
    yield _Part(kept[[name for name in SCORES if name in kept]], named.name, pairs)


def workload(calls: pd.DataFrame) -> list[str]:
    """The tables' `workload` of each call: the data set's name, else "5 s", else nothing."""
    names = calls["dataset"].to_numpy().astype(object)
    timed = np.flatnonzero(names == "")
    if timed.size:
        code, known = pd.factorize(calls["audio_seconds"].to_numpy()[timed])  # -1: NaN
        lengths = np.array([*(f"{seconds:g} s" for seconds in known.tolist()), ""], dtype=object)
        names[timed] = lengths[code]
    return list(names.tolist())


def _fits(metric: Metric, calls: pd.DataFrame) -> NDArray[np.bool_]:
    cold = calls["operation"].isin(COLD)
    every = metric.operations == ("*",)
    fits = ~cold if every else calls["operation"].isin(metric.operations)
    fits &= calls["warm"] | cold
    if metric.needs_reference or metric.compares:
        fits &= calls["dataset"] != ""
    return fits.to_numpy(dtype=bool)


def _as_metrics_see(calls: pd.DataFrame, beside: list[str | None] | None) -> list[Call]:
    known = {text: json.loads(text) if text else {} for text in calls["figures"].unique()}
    columns = {name: calls[name].tolist() for name in SEEN if name != BESIDE}
    columns["seconds"] = calls["seconds"].where(calls["seconds"] >= 0).tolist()
    columns["figures"] = [known[text] for text in columns["figures"]]
    columns[BESIDE] = [None] * len(calls) if beside is None else beside
    return [Call(*row) for row in zip(*columns.values(), strict=True)]


def _measured(named: NamedMetric, calls: list[Call]) -> NDArray[np.float64]:
    """Value and weight of each call, shape (n, 2). Raises: PluginError for what is no such pair."""
    assert named.metric.measure is not None
    pairs = list(map(named.metric.measure, calls))
    try:
        if set(map(len, pairs)) - {2}:  # three of one call would become the value of the next
            raise ValueError
        flat = chain.from_iterable(pairs)
        found = np.fromiter(flat, dtype=np.float64, count=2 * len(pairs)).reshape(-1, 2)
    except (TypeError, ValueError, OverflowError):
        wrong = next((pair for pair in pairs if not _is_pair(pair)), pairs[0])
        raise PluginError(
            f"{named.name}: `measure` gave {cut(repr(wrong), SHOWN)} for a call; it gives two "
            "numbers, (value, weight)."
        ) from None
    found[~np.isfinite(found)] = np.nan  # an infinite score is a call without a result
    return found


def _is_pair(found: Any) -> bool:
    try:
        return len([float(number) for number in found]) == 2
    except (TypeError, ValueError, OverflowError):
        return False
