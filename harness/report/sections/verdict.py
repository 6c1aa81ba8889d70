"""The verdict once more, as the last line, with the exit code that a pipeline sees."""

from __future__ import annotations

from harness.contracts import Result, Section
from harness.report import markdown, wording, words
from harness.store import queries

TEXTS = words.table("sections.verdict")


def render(result: Result, language: str) -> str:
    texts, name = TEXTS[language], str(result.verdict.get("verdict") or "")
    plain, _, purpose = name.removesuffix(" ONLY").partition(" FOR ")
    if plain not in texts:
        return texts["none"]
    text = texts[plain]
    if purpose:
        said = wording.purpose_of(purpose.lower(), language)
        text = texts["only"].format(purpose=said)
    variant, session = queries.candidate(result)
    label = queries.Line(variant, session or "default", "").label
    subject = text.format(candidate=label, baseline=queries.baseline(result))
    line = texts["line"].format(
        verdict=wording.verdict(name, language),
        subject=subject,
        code=result.verdict.get("exit_code", markdown.UNKNOWN),
    )
    return markdown.paragraphs(line, texts["alpha"])


section = Section(order=140, title={"es": "Veredicto", "en": "Verdict"}, render=render)
