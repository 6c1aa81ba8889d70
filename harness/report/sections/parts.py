"""Where the time goes: features, encoder and decoder step, each timed on its own."""

from __future__ import annotations

from collections.abc import Iterator

from harness.contracts import Result, Section
from harness.decide import measures
from harness.report import captions, markdown, wording, words
from harness.store import queries

TEXTS = words.table("sections.parts")


def render(result: Result, language: str) -> str:
    if not measures.times_audio(result):
        return ""
    texts, workload = TEXTS[language], queries.main_length(result)
    operations = queries.parts(result)
    if not operations:
        return texts["none"]
    headers = [texts["line"], *(wording.operation(name, language) for name in operations)]
    title = texts["title"].format(workload=wording.workload(workload, language))
    source = markdown.source(language, "summary", stage="latency", metric="latency_p50_ms")
    return markdown.paragraphs(
        captions.shown(result, "parts", language, source),
        _remark(result, language),
        f"{title}:",
        markdown.table(headers, list(_rows(result, operations, workload, language)), "l"),
        markdown.source(language, "summary", stage="latency", workload=workload),
    )


def _remark(result: Result, language: str) -> str:
    """What the family says of the times of its parts, where all variants are of one model."""
    found = measures.family(result)
    own = any(variant.model for variant in result.experiment.variants)
    if found is None or own or not found.remark:
        return ""
    return words.of_family(result.experiment.model.family, found.remark, found.words, language)


def _rows(
    result: Result, operations: list[str], workload: str, language: str
) -> Iterator[list[str]]:
    for line in queries.lines(result):
        found = [
            queries.latency(result, line, "latency_p50_ms", workload, name) for name in operations
        ]
        if any(found):
            cells = [markdown.estimate(queries.bounds(row), "ms", language) for row in found]
            yield [markdown.escape(line.label), *cells]


section = Section(
    order=42, title={"es": "En qué se va el tiempo", "en": "Where the time goes"}, render=render
)
