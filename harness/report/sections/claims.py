"""Claims made before, beside what was measured here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.contracts import Result, Section
from harness.decide import measures
from harness.plugins import unit_of
from harness.report import markdown, wording, words
from harness.store import queries

TEXTS = words.table("sections.claims")


def render(result: Result, language: str) -> str:
    texts = TEXTS[language]
    if result.claims.empty:
        return texts["none"]
    keys = ("metric", "source", "claimed", "variant", "observed", "status")
    rows = [_row(row, language) for row in queries.records(result.claims)]
    return markdown.paragraphs(
        texts["note"],
        markdown.table([texts[key] for key in keys], rows, "llrlrl"),
        markdown.source(language, "claims"),
        *dict.fromkeys(_opinions(result, language)),
    )


def _opinions(result: Result, language: str) -> Iterator[str]:
    """What a claim about listeners' opinion needs: no predictor can stand in for them."""
    claims = queries.records(queries.rows(result.claims, status="not measured"))
    whole = measures.group(result, "opinions")
    for row in (row for row in claims if measures.is_listeners(result, str(row["metric"]))):
        known = queries.rows(result.summary, stage="quality", variant=row["variant"])
        predicted = [
            f"{wording.metric(name, language)} {markdown.number(value, language, 2)}"
            for name, value in zip(known["metric"], known["value"], strict=True)
            if name in whole and not measures.is_listeners(result, name)
        ]
        claimed = markdown.number(row["claimed"], language, 1)
        told = TEXTS[language]["opinion" if predicted else "nobody"]
        yield told.format(claimed=claimed, predicted=", ".join(predicted))


def _row(row: Mapping[str, Any], language: str) -> list[str]:
    unit = row["unit"] or unit_of(row["metric"])
    claimed = markdown.given(row["claimed"], unit, language)
    if row["tolerance"] > 0:
        claimed += " ± " + markdown.given(row["tolerance"], unit, language, difference=True)
    values = (row["observed"], row["low"], row["high"])
    return [
        f"**{markdown.escape(wording.metric(row['metric'], language))}**",
        markdown.escape(row["source"]),
        claimed,
        markdown.escape(row["variant"]),
        markdown.estimate(values, unit, language),
        wording.status(row["status"], language),
    ]


section = Section(
    order=70,
    title={"es": "Afirmaciones y medidas", "en": "Claims against measurements"},
    render=render,
)
