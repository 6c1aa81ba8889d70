"""Claims made before, beside what was measured here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness import markdown, reading, wording
from harness.contracts import Result, Section

TEXTS = {
    "es": {
        "none": "No hay afirmaciones que contrastar.",
        "metric": "Métrica",
        "variant": "Variante",
        "claimed": "Afirmado",
        "observed": "Medido [95 %]",
        "status": "Resultado",
        "source": "Quién lo afirma",
        "note": (
            "Una afirmación no es una medida: aquí se contrasta y nunca sustituye a la cifra "
            "medida."
        ),
    },
    "en": {
        "none": "There are no claims to check.",
        "metric": "Metric",
        "variant": "Variant",
        "claimed": "Claimed",
        "observed": "Measured [95%]",
        "status": "Outcome",
        "source": "Who claims it",
        "note": "A claim is not a measurement: it is checked here and never stands in for one.",
    },
}


def render(result: Result, language: str) -> str:
    texts = TEXTS[language]
    if result.claims.empty:
        return texts["none"]
    keys = ("metric", "variant", "claimed", "observed", "status", "source")
    rows = [_row(row, language) for row in reading.records(result.claims)]
    return markdown.paragraphs(
        texts["note"],
        markdown.table([texts[key] for key in keys], rows, "llrrll"),
        markdown.source(language, "claims"),
    )


def _row(row: Mapping[str, Any], language: str) -> list[str]:
    unit = row["unit"] or wording.unit(row["metric"])
    claimed = markdown.given(row["claimed"], unit, language)
    if row["tolerance"] > 0:
        claimed += " ± " + markdown.given(row["tolerance"], unit, language, difference=True)
    values = (row["observed"], row["low"], row["high"])
    return [
        f"**{markdown.escape(wording.metric(row['metric'], language))}**",
        markdown.escape(row["variant"]),
        claimed,
        markdown.estimate(values, unit, language),
        wording.status(row["status"], language),
        markdown.escape(row["source"]),
    ]


section = Section(
    order=70,
    title={"es": "Afirmaciones y medidas", "en": "Claims against measurements"},
    render=render,
)
