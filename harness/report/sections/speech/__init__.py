"""Synthesised speech: what predictors and listeners say of it, whether it is understood, how long
it takes, and where to listen to it."""

from __future__ import annotations

from harness.contracts import Result, Section
from harness.decide import measures
from harness.report import captions, markdown
from harness.report.sections.speech import judged, listening, tables
from harness.report.sections.speech.words import TEXTS

TABLES = (*measures.OPINIONS, *measures.HEARD, *measures.SPOKEN)


def render(result: Result, language: str) -> str:
    if not measures.asked(result, *TABLES):
        return ""
    texts = TEXTS[language]
    sets = list(measures.data_sets(result, measures.group(result, *TABLES)))
    if not sets:
        return texts["none"]
    parts = [
        part
        for name, here in sets
        for part in (
            tables.told(result, name, here, language),
            *judged.warned(result, name, here, language),
            *judged.listeners(result, name, language),
            *judged.judges(result, name, language),
            *listening.worst(result, name, language),
        )
    ]
    source = markdown.source(language, "summary", stage="quality")
    drawn = any(measures.judged(result))
    seen = captions.shown(result, "speech", language, source) if drawn else ""
    return markdown.paragraphs(*parts, seen, *listening.first(result, language))


section = Section(
    order=54, title={"es": "Habla sintetizada", "en": "Synthesised speech"}, render=render
)
