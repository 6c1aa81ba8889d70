"""What is still open and what would settle it."""

from __future__ import annotations

from collections.abc import Iterator

from harness.contracts import Result, Section
from harness.decide import gate_rules, measures
from harness.plugins import unit_of
from harness.report import markdown, wording, words
from harness.store import queries

TEXTS = words.table("sections.next_steps")
KEYS = {"FAIL": "failed", "WAIVED": "waived", "NOT MEASURED": "missing"}


def render(result: Result, language: str) -> str:
    steps = [*_gates(result, language), *_claims(result, language)]
    if not steps:
        return TEXTS[language]["none"]
    listed = "\n".join(f"{place}. {step}" for place, step in enumerate(steps, 1))
    return markdown.paragraphs(listed, markdown.source(language, "checks"))


def _gates(result: Result, language: str) -> Iterator[str]:
    until = {waiver.gate: waiver.until.isoformat() for waiver in result.experiment.waivers}
    for check in gate_rules.records(result, queries.own_checks(result)):
        if check["status"] == "PASS":
            continue
        key = KEYS.get(check["status"]) or ("needs" if check["needs"] > 0 else "open")
        yield TEXTS[language][key].format(
            gate=markdown.escape(wording.gate_name(check, language, measures.many_sets(result))),
            limit=wording.gate_limit(check, language),
            observed=wording.gate_observed(check, language),
            n=markdown.count(check["n"], language),
            needs=markdown.count(check["needs"], language),
            until=until.get(check["waiver"], "") or markdown.UNKNOWN,
            why=markdown.escape(wording.why(check, language)),
        )


def _claims(result: Result, language: str) -> Iterator[str]:
    keys = {"not measured": "claim", "refuted": "refuted", "undecided": "undecided"}
    for row in queries.records(result.claims):
        if row["status"] in keys:
            unit = row["unit"] or unit_of(row["metric"])
            people = measures.is_listeners(result, str(row["metric"]))
            opinion = people and row["status"] == "not measured"
            yield TEXTS[language]["listen" if opinion else keys[row["status"]]].format(
                metric=wording.metric(row["metric"], language),
                claimed=markdown.given(row["claimed"], unit, language),
                source=markdown.escape(row["source"]),
            )


section = Section(order=100, title={"es": "Próximos pasos", "en": "Next steps"}, render=render)
