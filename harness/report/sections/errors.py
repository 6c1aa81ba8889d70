"""Everything planned that failed: cells and utterances, with the reason; alike ones together."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from harness.contracts import Result, Section
from harness.decide import measures
from harness.report import markdown, shortfall, words
from harness.store import queries

SHOWN = 40
FEW = 3  # utterances that are named one by one where they failed alike
TEXTS = words.table("sections.errors")


def render(result: Result, language: str) -> str:
    texts = TEXTS[language]
    rows = [*_made(result, language), *_called(result, language), *_judged(result, language)]
    cut = shortfall.told(result, language)
    if not rows:
        return f"{texts['cut_only']} {cut}" if cut else texts["none"]
    headers = [texts[key] for key in ("stage", "cell", "item", "n", "error")]
    more = texts["more"].format(n=len(rows) - SHOWN) if len(rows) > SHOWN else ""
    judged = ["judged"] if (result.judged["error"] != "").any() else []
    origin = markdown.source(language, "calls", *judged)
    return markdown.paragraphs(markdown.table(headers, rows[:SHOWN], "lllrl"), more, origin, cut)


def _made(result: Result, language: str) -> Iterator[list[str]]:
    for row in queries.records(result.variants[result.variants["error"] != ""]):
        name, error = markdown.escape(row["variant"]), markdown.escape(row["error"])
        yield ["variants", name, TEXTS[language]["whole"], markdown.UNKNOWN, error]


def _called(result: Result, language: str) -> Iterator[list[str]]:
    failed = result.calls[result.calls["error"] != ""]
    for key, group in failed.groupby(["stage", "variant", "session", "error"], sort=True):
        stage, variant, session, error = (str(part) for part in key)
        label = markdown.escape(queries.Line(variant, session, "").label)
        cell = [markdown.escape(stage), label]
        yield from _listed(group, (cell, error), language)


def _judged(result: Result, language: str) -> Iterator[list[str]]:
    """Audio that a judge could not judge, and listeners' scores that do not count."""
    failed = result.judged[result.judged["error"] != ""]
    item = failed["rater"].where(failed["rater"] != "", failed["item"])
    failed = failed.assign(item=item, error=failed["error"].map(measures.without_line))
    for key, group in failed.groupby(["judge", "variant", "session", "error"], sort=True):
        judge, variant, session, error = (str(part) for part in key)
        label = markdown.escape(queries.Line(variant, session or "default", "").label)
        yield from _listed(group, ([markdown.code(judge), label], error), language)


def _listed(
    group: pd.DataFrame, where: tuple[list[str], str], language: str
) -> Iterator[list[str]]:
    """A row per utterance that failed in the same way; one row for more than a few."""
    texts, (cell, error) = TEXTS[language], where
    counted = group.groupby("item", sort=True).size()
    names = [markdown.escape(str(item)) or texts["whole"] for item in counted.index]
    if len(names) > FEW:
        n = markdown.count(len(names), language)
        rows = [(texts["many"].format(first=", ".join(names[:FEW]), n=n), len(group))]
    else:
        rows = [(name, int(calls)) for name, calls in zip(names, counted, strict=True)]
    for name, calls in rows:
        yield [*cell, name, markdown.count(calls, language), markdown.escape(error)]


section = Section(order=110, title={"es": "Errores", "en": "Errors"}, render=render)
