"""WER, CER and RTF per variant with intervals, their change against the baseline, its MAPSSWE p,
the same texts under other rules of comparing them, and the trade-off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from harness.contracts import Result, Section
from harness.decide import measures, stats
from harness.report import captions, markdown, row_text, wording, words
from harness.store import queries

SMALLEST_P = 0.001  # that is printed as a number
RULES = ("wer", "wer_no_accents", "wer_basic", "wer_raw")  # columns of a table that explains them
TEXTS = words.table("sections.quality")


def render(result: Result, language: str) -> str:
    stage = queries.rows(result.summary, stage="quality", replica=0)
    figures = _figures(result, language)
    if stage.empty:
        return markdown.paragraphs(TEXTS[language]["none"], *figures)
    names = [str(name) for name in stage["workload"].unique()]
    tested = next((name for name in names if len(_tested(result, name))), "")  # told there, once
    parts = [
        part
        for name in names
        for part in (
            _data_set(result, name, language),
            TEXTS[language]["about"] if name == tested else "",
            _rules(result, name, language),
        )
    ]
    return markdown.paragraphs(*parts, *figures)


def _data_set(result: Result, name: str, language: str) -> str:
    texts, base = TEXTS[language], queries.baseline(result)
    metrics = _metrics(result, name)
    if not metrics:
        return texts["other"].format(dataset=name)
    headers = [texts["variant"], *(wording.metric(metric, language) for metric in metrics)]
    first = wording.metric(metrics[0], language)
    headers.append(texts["change"].format(metric=first, baseline=f"`{base}`"))
    tested = len(_tested(result, name)) > 0
    headers += [texts["matched"]] * tested
    headers += [texts["n"], texts["errors"]]
    return markdown.paragraphs(
        _intro(result, name, metrics, texts),
        markdown.table(headers, list(_rows(result, name, metrics, language)), "l"),
        markdown.source(language, "summary", stage="quality", workload=name),
    )


def _metrics(result: Result, name: str) -> list[str]:
    """Those of a data set that no other section shows, in the order in which they were asked."""
    if measures.only_spoken(result, name):
        return []  # the section on synthesised speech has its times too
    known = queries.asked(result, name)
    return [one for one in known if measures.table_of(result, one) == measures.QUALITY]


def _intro(result: Result, name: str, metrics: list[str], texts: Mapping[str, str]) -> str:
    if not any(measures.kind_of(result, metric) == "text" for metric in metrics):
        return texts["timed"].format(dataset=name)
    rule = measures.normaliser(result, name) or markdown.UNKNOWN
    told = texts["intro"].format(dataset=name, normaliser=rule)
    return " ".join([told, *_limits(result, name, texts)])


def _rules(result: Result, name: str, language: str) -> str:
    """One hypothesis under several rules; "" where WER was not measured by more than one."""
    here = queries.rows(result.summary, stage="quality", replica=0, workload=name)
    known = [metric for metric in RULES if (here["metric"] == metric).any()]
    if len(known) < 2 or "wer" not in queries.asked(result, name):
        return ""
    rule = measures.normaliser(result, name) or markdown.UNKNOWN
    texts = TEXTS[language]
    headers = [texts["variant"], texts["strict"].format(normaliser=rule)]
    headers += [texts[key] for key in ("plain", "gap", "basic", "raw")]
    rows = [
        [markdown.escape(line.label), *_compared(group, language)]
        for line, group in measures.cells(here)
    ]
    quoted = {key: texts[key] for key in ("basic", "raw", "plain")}
    return markdown.paragraphs(
        texts["rules"].format(dataset=name, normaliser=rule, **quoted),
        markdown.table(headers, rows, "l"),
        markdown.source(
            language, "summary", stage="quality", workload=name, metric=" | ".join(known)
        ),
    )


def _compared(group: pd.DataFrame, language: str) -> list[str]:
    """Strict, without accents, their gap in points, and the two rules of others."""
    found = [queries.row(group, metric=metric) for metric in RULES]
    shown = [row_text.shown(row, language) for row in found]
    strict, plain = (queries.bounds(row)[0] for row in found[:2])
    gap = markdown.quantity(strict - plain, "fraction", language, difference=True)
    return [*shown[:2], gap, *shown[2:]]


def _rows(result: Result, name: str, metrics: list[str], language: str) -> Iterator[list[str]]:
    tested = _tested(result, name)
    here = queries.rows(result.summary, stage="quality", replica=0, workload=name)
    for line, group in measures.cells(here):
        found = [queries.row(group, metric=metric) for metric in metrics]
        counted = found[0]
        yield [
            markdown.escape(line.label),
            *(row_text.shown(row, language) for row in found),
            row_text.difference(result, line, (name, metrics[0]), language),
            *[_p(tested, (line.variant, line.session), language)] * (len(tested) > 0),
            markdown.count(counted["n"], language) if counted else markdown.UNKNOWN,
            markdown.count(counted["errors"], language) if counted else markdown.UNKNOWN,
        ]


def _limits(result: Result, name: str, texts: Mapping[str, str]) -> Iterator[str]:
    """How many speakers there are, and for whom the intervals hold where they are too few to stand
    for others."""
    called = queries.rows(result.calls, stage="quality", dataset=name)
    speakers = set(called["speaker"]) - {""}
    if not speakers:
        yield texts["unknown"]
    elif len(speakers) == 1:
        yield texts["speakers"]
    elif len(speakers) < stats.FEWEST:
        yield texts["few"].format(n=len(speakers), enough=stats.FEWEST)
    else:
        yield texts["many"].format(n=len(speakers))


def _tested(result: Result, name: str) -> pd.DataFrame:
    """The rows of changes that have a p of MAPSSWE, on a data set that is asked for WER."""
    changes = queries.rows(result.changes, stage="quality", workload=name)
    wanted = "wer" in _metrics(result, name)
    return changes[changes["p_mapsswe"].notna() & wanted]


def _p(tested: pd.DataFrame, cell: tuple[str, str], language: str) -> str:
    row = queries.row(tested, variant=cell[0], session=cell[1])
    if row is None:
        return markdown.UNKNOWN
    least = row["p_mapsswe"] < SMALLEST_P
    shown = markdown.number(SMALLEST_P if least else row["p_mapsswe"], language, 3)
    return f"< {shown}" if least else shown


def _figures(result: Result, language: str) -> Iterator[str]:
    traded = measures.both(result)
    if traded:
        used = (traded[1].metric, traded[0].metric, "size_mb")
        source = markdown.source(language, "summary", metric=" | ".join(used))
        yield captions.shown(result, "tradeoff", language, source)
    if len(queries.edits(result)):
        source = markdown.source(language, "calls", stage="quality")
        yield captions.shown(result, "utterances", language, source)


section = Section(order=50, title={"es": "Calidad", "en": "Quality"}, render=render)
