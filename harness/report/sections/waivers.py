"""The waivers: their bound, date and reason, and whether each was used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.contracts import Result, Section
from harness.plugins import unit_of
from harness.report import markdown, wording, words
from harness.store import queries

TEXTS = words.table("sections.waivers")


def render(result: Result, language: str) -> str:
    texts = TEXTS[language]
    waivers = result.experiment.get("waivers") or []
    if not waivers:
        return texts["none"]
    keys = ("gate", "up_to", "observed", "until", "state", "because")
    rows = [_row(result, waiver, language) for waiver in waivers]
    return markdown.paragraphs(
        texts["note"],
        markdown.table([texts[key] for key in keys], rows, "lrrlll"),
        markdown.source(language, "checks", status="WAIVED"),
    )


def _row(result: Result, waiver: Mapping[str, Any], language: str) -> list[str]:
    gate = str(waiver["gate"])
    own = queries.own_checks(result)
    check = queries.row(own, gate=gate) or queries.row(own, metric=gate)
    metric = check["metric"] if check else gate
    unit = check["unit"] if check else unit_of(gate)
    return [
        f"**{markdown.escape(wording.metric(metric, language))}**",
        markdown.given(float(waiver["up_to"]), unit, language),
        wording.gate_observed(check, language) if check else markdown.UNKNOWN,
        str(waiver.get("until") or markdown.UNKNOWN),
        _state(result, gate, language),
        markdown.escape(str(waiver.get("because") or "")),
    ]


def _state(result: Result, gate: str, language: str) -> str:
    """As the verdict noted it: used, unused or "expired on <day>"."""
    noted = [w for w in result.verdict.get("waivers") or [] if w["gate"] == gate]
    state = str(noted[0]["state"]) if noted else "unused"
    return TEXTS[language][state.partition(" ")[0]]


section = Section(
    order=90,
    title={"es": "Justificación de las excepciones", "en": "Justification of waivers"},
    render=render,
)
