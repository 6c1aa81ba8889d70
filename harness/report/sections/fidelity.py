"""Nearness of each variant to the baseline: its outputs, its choices, its transcripts."""

from __future__ import annotations

from collections.abc import Iterator

from harness.contracts import Result, Section
from harness.decide import measures, nearness
from harness.decide.nearness import ComparedOutputs
from harness.plugins import unit_of
from harness.report import markdown, row_text, wording, words
from harness.store import queries

WORST = 5  # utterances that are listed
SPREAD = ("kl",)  # means over positions whose standard error is told
TEXTS = words.table("sections.fidelity")


def render(result: Result, language: str) -> str:
    found = list(nearness.comparisons(result))
    if not found:
        return TEXTS[language]["none"] if nearness.asked(result) else ""
    base = f"`{queries.baseline(result)}`"
    parts = [part for one in found for part in _compared(result, one, language)]
    return markdown.paragraphs(
        TEXTS[language]["intro"].format(baseline=base), *parts, *_worst(result, language)
    )


def _compared(result: Result, one: ComparedOutputs, language: str) -> Iterator[str]:
    texts = TEXTS[language]
    outputs = markdown.listed([f"`{markdown.escape(o)}`" for o in one.outputs], language)
    yield texts[one.kind].format(dataset=one.dataset, outputs=outputs)
    if len(one.summary):
        yield _table(one, language)
        yield markdown.source(language, "summary", stage="quality", workload=one.dataset)
    yield from _errors(result, one, language)
    for variant, (lost, planned, why) in one.failed.items():
        yield texts["failed"].format(
            variant=markdown.escape(variant),
            n=markdown.count(lost, language),
            all=markdown.count(planned, language),
            why=markdown.escape(why.rstrip(".")),
        )


def _table(one: ComparedOutputs, language: str) -> str:
    texts = TEXTS[language]
    headers = [texts["variant"], *(wording.metric(name, language) for name in one.metrics)]
    rows = []
    for line, group in measures.cells(one.summary):
        found = [queries.row(group, metric=name) for name in one.metrics]
        n = next((row["n"] for row in found if row is not None), None)
        count = markdown.UNKNOWN if n is None else markdown.count(n, language)
        shown = [row_text.shown(row, language) for row in found]
        rows.append([markdown.escape(line.label), *shown, count])
    return markdown.table([*headers, texts["n"]], rows, "l")


def _errors(result: Result, one: ComparedOutputs, language: str) -> Iterator[str]:
    """The standard error of a mean over positions, of each variant."""
    for metric in one.metrics:
        for row in queries.records(queries.rows(one.summary, metric=metric)):
            if metric in SPREAD:
                error = nearness.standard_error(result, one.dataset, metric, str(row["variant"]))
                yield TEXTS[language]["spread"].format(
                    metric=wording.metric(metric, language),
                    variant=markdown.escape(str(row["variant"])),
                    value=markdown.quantity(float(row["value"]), "", language),
                    error=markdown.quantity(error, str(row["unit"]), language),
                )


def _worst(result: Result, language: str) -> Iterator[str]:
    """The utterances that are furthest from the baseline."""
    main = nearness.main(result)
    if main is None:
        return
    texts, (dataset, metric) = TEXTS[language], main
    found = nearness.by_utterance(result, dataset, metric)[:WORST]
    unit = unit_of(metric)
    rows = [
        [
            markdown.escape(str(row["variant"])),
            markdown.escape(str(row["item"])),
            markdown.quantity(float(row["value"]), unit, language),
        ]
        for row in found
    ]
    named = wording.metric(metric, language)
    yield texts["worst"].format(n=len(rows), metric=named, dataset=dataset)
    yield markdown.table([texts["variant"], texts["item"], named], rows, "ll")
    yield markdown.source(language, "distances", dataset=dataset)


section = Section(
    order=52,
    title={"es": "Fidelidad a la base", "en": "Fidelity to the baseline"},
    render=render,
)
