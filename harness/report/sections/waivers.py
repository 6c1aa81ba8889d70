"""The waivers: their bound, date and reason, and whether each was used."""

from __future__ import annotations

from harness.contracts import Result, Section
from harness.contracts.experiment import Waiver
from harness.decide import gate_rules
from harness.plugins import unit_of
from harness.report import markdown, wording, words
from harness.store import queries

TEXTS = words.table("sections.waivers")


def render(result: Result, language: str) -> str:
    texts = TEXTS[language]
    waivers = result.experiment.waivers
    if not waivers:
        return texts["none"]
    keys = ("gate", "up_to", "observed", "until", "state", "because")
    rows = [_row(result, waiver, language) for waiver in waivers]
    return markdown.paragraphs(
        texts["note"],
        markdown.table([texts[key] for key in keys], rows, "lrrlll"),
        markdown.source(language, "checks", status="WAIVED"),
    )


def _row(result: Result, waiver: Waiver, language: str) -> list[str]:
    gate = waiver.gate
    own = gate_rules.records(result, queries.own_checks(result))
    known = (one for key in ("gate", "metric") for one in own if one[key] == gate)
    check, up_to = next(known, None), waiver.up_to
    metric = check["metric"] if check else gate
    return [
        f"**{markdown.escape(wording.metric(metric, language))}**",
        wording.gate_limit({**check, "limit": up_to}, language)
        if check
        else markdown.given(up_to, unit_of(gate), language),
        wording.gate_observed(check, language) if check else markdown.UNKNOWN,
        waiver.until.isoformat(),
        _state(result, gate, language),
        markdown.escape(waiver.because),
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
