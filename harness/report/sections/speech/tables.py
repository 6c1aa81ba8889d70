"""A data set's figures per variant: opinions beside the round trip, differences, how it was
said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from harness.contracts import Result
from harness.contracts.experiment import GateSpec
from harness.decide import measures, stats
from harness.report import markdown, row_text, wording
from harness.report.sections.speech.words import TEXTS
from harness.store import queries

FIRST, WHOLE_CALL = "first_audio_ms", "latency_p50_ms"
SAME = 0.01  # of the call: what is left of it when all of the audio is there at once
HALVES = ("recogniser_seconds", "synthesiser_seconds")  # of a spoken turn


def told(result: Result, name: str, here: pd.DataFrame, language: str) -> str:
    """Every table of one data set, those without a figure left out."""
    texts, base = TEXTS[language], queries.baseline(result)
    opinions, parts, heard = (
        _known(here, measures.group(result, table)) for table in (*measures.OPINIONS, "heard")
    )
    whole = [*opinions, *heard]
    paired = markdown.source(language, "changes", stage="quality", workload=name)
    measured = markdown.source(language, "summary", stage="quality", workload=name)
    blocks = [_table(result, here, whole, language), measured] if whole else []
    if parts:
        beside = [*parts, *heard[:1]]
        blocks += [_scales(parts, language), _table(result, here, beside, language), measured]
    wanted = _wanted(result, name)
    asked = [part for part in parts if part in wanted]
    compared = [*_ordered(result, [*opinions, *asked]), *heard]
    rows = _differences(result, name, (here, compared), language)
    if compared and rows:
        headers = [texts["variant"], *(wording.metric(metric, language) for metric in compared)]
        told = texts["paired"].format(baseline=base)
        blocks += [told, markdown.table(headers, rows, "l"), paired]
    return markdown.paragraphs(
        texts["set"].format(dataset=name), *blocks, *_made(result, name, here, language)
    )


def _scales(parts: Sequence[str], language: str) -> str:
    """ "Otras notas de DNSMOS (SIG, BAK y P.808):"; whole names where they do not begin alike."""
    names = [wording.metric(part, language).rpartition(" ") for part in parts]
    first = names[0][0]
    if first and all(name[0] == first for name in names):
        listed = markdown.listed([name[2] for name in names], language)
        return TEXTS[language]["parts"].format(judge=first, names=listed)
    listed = markdown.listed(["".join(name) for name in names], language)
    return TEXTS[language]["others"].format(names=listed)


def _wanted(result: Result, name: str) -> set[str]:
    """What the experiment asks of a data set by name, to be measured or within a limit."""
    return {*queries.asked(result, name), *(gate.metric for gate in _gates(result, name))}


def _gates(result: Result, name: str) -> list[GateSpec]:
    """The limits on a data set, and those that name none."""
    return [gate for gate in result.experiment.gates if (gate.at.dataset or name) == name]


def _known(here: pd.DataFrame, names: Sequence[str]) -> list[str]:
    present = set(here["metric"])
    return [name for name in names if name in present]


def _ordered(result: Result, names: list[str]) -> list[str]:
    """Each predictor with its parts behind it."""
    known = {name: measures.metric_of(result, name) for name in names}
    return sorted(names, key=lambda name: named.metric.order if (named := known[name]) else 0)


def _table(result: Result, here: pd.DataFrame, names: list[str], language: str) -> str:
    texts = TEXTS[language]
    headers = [texts["variant"], *(wording.metric(name, language) for name in names)]
    rows = []
    people = {name for name in names if measures.is_listeners(result, name)}
    for line, group in measures.cells(here):
        found = [queries.row(group, metric=name) for name in names]
        machines = (row for row in found if row and row["metric"] not in people)
        first = next(machines, None)
        counts = [markdown.count(first[key], language) if first else "" for key in ("n", "errors")]
        shown = [bare(row_text.shown(row, language)) for row in found]
        rows.append([markdown.escape(line.label), *shown, *counts])
    return markdown.table([*headers, texts["n"], texts["errors"]], rows, "l")


def bare(shown: str) -> str:
    """A MOS under a heading that says so, without its unit."""
    return shown.replace(f"{markdown.NBSP}MOS", "")


def _differences(
    result: Result, name: str, told: tuple[pd.DataFrame, list[str]], language: str
) -> list[list[str]]:
    rows = []
    for line, _ in measures.cells(told[0]):
        if line.variant != queries.baseline(result):
            cells = [
                bare(row_text.difference(result, line, (name, metric), language))
                for metric in told[1]
            ]
            rows.append([markdown.escape(line.label), *cells])
    return rows


def _made(result: Result, name: str, here: pd.DataFrame, language: str) -> list[str]:
    """Length against the baseline, clipping, first sound; times too, where nobody else has them."""
    texts, base = TEXTS[language], f"`{queries.baseline(result)}`"
    stage = queries.rows(result.summary, stage="quality", replica=0, workload=name)
    stage = stage[stage["metric"] != ""]  # such a row stands for a variant that could not be made
    names = _known(here, measures.group(result, *measures.SPOKEN))
    if measures.only_spoken(result, name):
        own = [str(metric) for metric in stage["metric"].unique()]
        names += [metric for metric in own if measures.table_of(result, metric) == measures.QUALITY]
    at_once = _at_once(result, name, stage[stage["metric"].isin(names)])
    names = [metric for metric in names if not (at_once and metric == FIRST)]
    halves = _halves(result, name)
    if not names and halves.empty:
        return []
    drifts = "spoken_seconds" in names
    headers = [texts["variant"], *(wording.metric(metric, language) for metric in names)]
    headers += [texts["drift"].format(baseline=base)] * drifts
    headers += [texts[key] for key in halves.columns]
    rows = []
    for line, group in measures.cells(stage):
        shown = [row_text.shown(queries.row(group, metric=metric), language) for metric in names]
        drift = [_drift(result, line, name, language)] * drifts
        spent = halves.reindex([(line.variant, line.session)]).to_numpy()[0]
        parts = [markdown.quantity(1000 * float(value), "ms", language) for value in spent]
        rows.append([markdown.escape(line.label), *shown, *drift, *parts])
    source = markdown.source(language, "summary", stage="quality", workload=name)
    told = [texts["at_once"]] if at_once else []
    return [texts["made"], markdown.table(headers, rows, "l"), source, *told]


def _at_once(result: Result, name: str, stage: pd.DataFrame) -> bool:
    """Whether every voice gives all of its audio at the end of the call, so that its first sound
    tells nothing that the latency beside it does not. A limit on the first sound keeps it."""
    ends = {metric: _medians(stage, metric) for metric in (FIRST, WHOLE_CALL)}
    if ends[FIRST].empty or any(gate.metric == FIRST for gate in _gates(result, name)):
        return False
    calls = ends[WHOLE_CALL].reindex(ends[FIRST].index)
    return bool(((ends[FIRST] - calls).abs() <= SAME * calls).all())


def _medians(stage: pd.DataFrame, metric: str) -> pd.Series[float]:
    rows = queries.rows(stage, metric=metric).set_index(["variant", "session"])
    return rows["value"].dropna()


def _halves(result: Result, name: str) -> pd.DataFrame:
    """(variant, session) -> median seconds of each half of a spoken turn, where there are two: of
    the same calls and by the same rule as a P50 beside it."""
    equal = {"stage": "quality", "dataset": name, "operation": "pipeline", "replica": 0}
    calls = queries.rows(result.calls, **equal, warm=True, error="")
    found = pd.DataFrame([queries.parsed(text) for text in calls["figures"]], index=calls.index)
    known = [key for key in HALVES if key in found]
    both = found[known].assign(variant=calls["variant"], session=calls["session"])
    if not known:
        return pd.DataFrame(index=pd.MultiIndex.from_arrays([[], []], names=["variant", "session"]))
    cells = both.groupby(["variant", "session"], sort=False)
    return pd.DataFrame({key: cells[key].agg(_p50) for key in known})


def _p50(seconds: pd.Series[float]) -> float:
    return stats.quantile(seconds.dropna().to_numpy(), 0.5)


def _drift(result: Result, line: queries.Line, name: str, language: str) -> str:
    if line.variant == queries.baseline(result):
        return "1"
    cell = {"variant": line.variant, "session": line.session, "workload": name}
    row: dict[str, Any] | None = queries.row(
        result.changes, stage="quality", **cell, metric="spoken_seconds"
    )
    if row is None:
        return markdown.UNKNOWN
    values = (float(row["ratio"]), float(row["ratio_low"]), float(row["ratio_high"]))
    return markdown.estimate(values, "ratio", language)
