"""Where it was measured: machine, versions, seed and commit, as recorded."""

from __future__ import annotations

from typing import Any

from harness.contracts import Result, Section
from harness.report import markdown, words

TEXTS = words.table("sections.environment")


def render(result: Result, language: str) -> str:
    texts = TEXTS[language]
    if not result.environment:
        return texts["none"]
    rows = [
        [markdown.code(key), markdown.escape(_shown(key, value, language))]
        for key, value in result.environment.items()
    ]
    note = f"<sub>{markdown.TEXTS[language]['from']} `environment.json`</sub>"
    return markdown.paragraphs(markdown.table([texts["key"], texts["value"]], rows, "ll"), note)


def _shown(key: str, value: Any, language: str) -> str:
    if isinstance(value, bool):
        return TEXTS[language]["yes" if value else "no"]
    if key.endswith("_bytes") and value:
        return markdown.quantity(float(value) / 1e9, "GB", language)
    if value is None or value == "" or value != value:
        return markdown.UNKNOWN
    if isinstance(value, float):
        return words.of(language).point(str(value))
    return str(value)


section = Section(order=130, title={"es": "Entorno", "en": "Environment"}, render=render)
