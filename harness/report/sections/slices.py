"""Slices of a data set (accent, speaker, length): where a variant loses most. Nothing is gated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from harness.contracts import Result, Section
from harness.report import markdown, wording, words
from harness.store import queries

SHOWN = 20  # rows of one data set; the table has all
KNOWN = ("speaker", "seconds")  # slices that have a word of ours
TOLD = 3  # slices that get a sentence of their own
TEXTS = words.table("sections.slices")


def render(result: Result, language: str) -> str:
    asked = any(part.slices for part in result.experiment.quality)
    found = result.tables.get("slices")
    if found is None or found.empty:
        return TEXTS[language]["none"] if asked else ""
    parts: list[str] = []
    for (dataset,), here in found.groupby(["dataset"], sort=False):
        metric = str(here["metric"].iloc[0])  # WER where the data set has it
        parts += _set(result, (str(dataset), metric), here[here["metric"] == metric], language)
    return markdown.paragraphs(
        TEXTS[language]["intro"], *parts, markdown.source(language, "slices")
    )


def _set(
    result: Result, where: tuple[str, str], here: pd.DataFrame, language: str
) -> Iterator[str]:
    """One metric of one data set."""
    texts, baseline = TEXTS[language], queries.baseline(result)
    metric = wording.metric(where[1], language)
    others = here[here["variant"] != baseline]
    ordered = others if len(others) else here  # as decided: the largest loss first
    theirs = queries.records(here[here["variant"] == baseline])
    usual = {(row["slice"], row["value"]): row for row in theirs}
    headers = [texts[key] for key in ("slice", "value", "variant", "n", "speakers")]
    delta = texts["delta"].format(baseline=f"`{baseline}`")
    rows = [_row(row, usual, language) for row in queries.records(ordered.head(SHOWN))]
    yield texts["set"].format(dataset=where[0], metric=metric)
    yield markdown.table([*headers, f"`{baseline}`", metric, delta], rows, "lll")
    if len(ordered) > SHOWN:
        yield texts["cut"].format(n=SHOWN, all=markdown.count(len(ordered), language))
    yield from _left_out(here, language)
    yield from _told(others, ordered, language)


def _row(
    row: Mapping[str, Any], usual: Mapping[tuple[str, str], Mapping[str, Any]], language: str
) -> list[str]:
    base = usual.get((row["slice"], row["value"]))
    unit = str(row["unit"])
    delta = (float(row["delta"]), float(row["delta_low"]), float(row["delta_high"]))
    return [
        _slice(row, language),
        _value(row, language),
        markdown.escape(queries.Line(row["variant"], row["session"], "").label),
        markdown.count(row["n"], language),
        markdown.count(row["speakers"], language),
        markdown.quantity(float(base["value_"]), unit, language) if base else markdown.UNKNOWN,
        markdown.estimate(queries.bounds(row, "value_"), unit, language),
        markdown.estimate(delta, unit, language, difference=True),
    ]


def _told(others: pd.DataFrame, ordered: pd.DataFrame, language: str) -> Iterator[str]:
    """A sentence for each slice that is worse than the whole, and what that many are worth."""
    texts = TEXTS[language]
    compared = int(others["delta_low"].notna().sum())
    beyond = ordered[ordered["beyond"]]
    for row in queries.records(beyond.head(TOLD)):
        unit = str(row["unit"])
        delta = (float(row["delta"]), float(row["delta_low"]), float(row["delta_high"]))
        yield texts["beyond"].format(
            where=f"{_slice(row, language)} = {_value(row, language)}",
            variant=markdown.escape(queries.Line(row["variant"], row["session"], "").label),
            delta=markdown.estimate(delta, unit, language, difference=True),
            n=markdown.count(row["n"], language),
            whole=markdown.quantity(float(row["whole"]), unit, language, difference=True),
        )
    if len(beyond):
        yield texts["chance"].format(k=len(beyond), all=markdown.count(compared, language))
    elif compared:
        yield texts["within"]


def _left_out(here: pd.DataFrame, language: str) -> Iterator[str]:
    for row in queries.records(here.drop_duplicates("slice")):
        if row["left_out"]:
            n = markdown.count(row["left_out"], language)
            yield TEXTS[language]["left"].format(where=_slice(row, language), n=n)


def _slice(row: Mapping[str, Any], language: str) -> str:
    name = str(row["slice"])
    return TEXTS[language][name] if name in KNOWN else markdown.escape(name)


def _value(row: Mapping[str, Any], language: str) -> str:
    return markdown.escape(str(row["value"])) or TEXTS[language]["blank"]


section = Section(
    order=53,
    title={"es": "Por grupos de un conjunto", "en": "Slices of a data set"},
    render=render,
)
