"""Where it was measured: machine, versions, seed and commit, as recorded."""

from __future__ import annotations

from typing import Any

from harness.contracts import Result, Section
from harness.report import markdown

TEXTS = {
    "es": {"none": "Sin registrar.", "key": "Dato", "value": "Valor", "yes": "sí", "no": "no"},
    "en": {"none": "Not recorded.", "key": "Fact", "value": "Value", "yes": "yes", "no": "no"},
}


def render(result: Result, language: str) -> str:
    texts = TEXTS[language]
    if not result.environment:
        return texts["none"]
    rows = [
        [markdown.code(key), markdown.escape(_shown(key, value, language))]
        for key, value in result.environment.items()
    ]
    note = "<sub>{} `environment.json`</sub>".format("Origen:" if language == "es" else "From:")
    return markdown.paragraphs(markdown.table([texts["key"], texts["value"]], rows, "ll"), note)


def _shown(key: str, value: Any, language: str) -> str:
    if isinstance(value, bool):
        return TEXTS[language]["yes" if value else "no"]
    if key.endswith("_bytes") and value:
        return markdown.quantity(float(value) / 1e9, "GB", language)
    if value is None or value == "" or value != value:
        return markdown.UNKNOWN
    if isinstance(value, float):
        return str(value).replace(".", "," if language == "es" else ".")
    return str(value)


section = Section(order=130, title={"es": "Entorno", "en": "Environment"}, render=render)
