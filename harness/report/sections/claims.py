"""Claims made before, beside what was measured here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.contracts import Result, Section
from harness.decide import measures
from harness.plugins import unit_of
from harness.report import markdown, wording
from harness.store import queries

TEXTS = {
    "es": {
        "none": "No hay afirmaciones que contrastar.",
        "metric": "Métrica",
        "variant": "Medido con",
        "claimed": "Afirmado",
        "observed": "Medido aquí [cotas del 95 %]",
        "status": "Resultado",
        "source": "Quién lo afirma",
        "note": (
            "Una afirmación no es una medida: aquí se contrasta y nunca sustituye a la cifra "
            "medida. Es de quien la hace, quizá con otro modelo y otro equipo: que se reproduzca o "
            "no vale para la variante de su fila en este equipo, y nada dice de los suyos. Entre "
            "corchetes, como en la tabla de límites, cotas que valen cada una al 95 %."
        ),
        "opinion": (
            "Un MOS de {claimed} es de oyentes, y aquí no se preguntó a ninguno: {predicted} no es "
            "lo que dirían, así que ni lo confirma ni lo refuta. Haría falta una prueba de escucha "
            "(`mos_ratings`)."
        ),
        "nobody": (
            "Un MOS de {claimed} es de oyentes, y aquí no se preguntó a ninguno: haría falta una "
            "prueba de escucha (`mos_ratings`)."
        ),
    },
    "en": {
        "none": "There are no claims to check.",
        "metric": "Metric",
        "variant": "Measured with",
        "claimed": "Claimed",
        "observed": "Measured here [95% bounds]",
        "status": "Outcome",
        "source": "Who claims it",
        "note": (
            "A claim is not a measurement: it is checked here and never stands in for one. It is "
            "of whoever makes it, perhaps with another model and machine: whether it is reproduced "
            "holds for the variant of its row on this machine, and says nothing about theirs. "
            "Brackets hold, as in the table of limits, bounds that each hold with 95%."
        ),
        "opinion": (
            "A MOS of {claimed} is that of listeners, and none was asked here: {predicted} is not "
            "what they would say, so it neither confirms nor refutes it. It would take a listening "
            "test (`mos_ratings`)."
        ),
        "nobody": (
            "A MOS of {claimed} is that of listeners, and none was asked here: it would take a "
            "listening test (`mos_ratings`)."
        ),
    },
}


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
