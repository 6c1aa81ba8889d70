"""Everything planned that failed: each cell and utterance, with its reason."""

from __future__ import annotations

from collections.abc import Iterator

from harness import markdown, reading
from harness.contracts import Result, Section

SHOWN = 40
TEXTS = {
    "es": {
        "none": "Todo lo planeado se midió sin errores.",
        "stage": "Etapa",
        "cell": "Variante · sesión",
        "item": "Frase",
        "n": "Llamadas",
        "error": "Error",
        "whole": "toda la celda",
        "more": "Y {n} más, en la tabla.",
    },
    "en": {
        "none": "Everything planned was measured without errors.",
        "stage": "Stage",
        "cell": "Variant · session",
        "item": "Utterance",
        "n": "Calls",
        "error": "Error",
        "whole": "the whole cell",
        "more": "And {n} more, in the table.",
    },
}


def render(result: Result, language: str) -> str:
    texts = TEXTS[language]
    rows = [*_made(result, language), *_called(result, language), *_judged(result, language)]
    if not rows:
        return texts["none"]
    headers = [texts[key] for key in ("stage", "cell", "item", "n", "error")]
    more = texts["more"].format(n=len(rows) - SHOWN) if len(rows) > SHOWN else ""
    origin = markdown.source(language, "calls")
    if (result.judged["error"] != "").any():
        origin = origin.replace("</sub>", ", `judged.csv`</sub>")
    return markdown.paragraphs(markdown.table(headers, rows[:SHOWN], "lllrl"), more, origin)


def _made(result: Result, language: str) -> Iterator[list[str]]:
    for row in reading.records(result.variants[result.variants["error"] != ""]):
        name, error = markdown.escape(row["variant"]), markdown.escape(row["error"])
        yield ["variants", name, TEXTS[language]["whole"], markdown.UNKNOWN, error]


def _called(result: Result, language: str) -> Iterator[list[str]]:
    failed = result.calls[result.calls["error"] != ""]
    keys = ["stage", "variant", "session", "item", "error"]
    for key, group in failed.groupby(keys, sort=True):
        stage, variant, session, item, error = (str(part) for part in key)
        yield [
            markdown.escape(stage),
            markdown.escape(reading.Line(variant, session, "").label),
            markdown.escape(item) or TEXTS[language]["whole"],
            markdown.count(len(group), language),
            markdown.escape(error),
        ]


def _judged(result: Result, language: str) -> Iterator[list[str]]:
    """Audio that a judge could not judge, and listeners' scores that do not count."""
    failed = result.judged[result.judged["error"] != ""]
    failed = failed.assign(item=failed["rater"].where(failed["rater"] != "", failed["item"]))
    for key, group in failed.groupby(["judge", "variant", "session", "item", "error"], sort=True):
        judge, variant, session, item, error = (str(part) for part in key)
        yield [
            markdown.code(judge),
            markdown.escape(reading.Line(variant, session or "default", "").label),
            markdown.escape(item) or TEXTS[language]["whole"],
            markdown.count(len(group), language),
            markdown.escape(error),
        ]


section = Section(order=110, title={"es": "Errores", "en": "Errors"}, render=render)
