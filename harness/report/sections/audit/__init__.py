"""Another's protocol replayed: what it would have said, and what it can and cannot support."""

from __future__ import annotations

from harness.contracts import Result, Section
from harness.decide import protocol
from harness.decide.protocol import Configuration, Percentiles, Repeat, Replayed
from harness.report import captions, markdown, wording
from harness.report.sections.audit import findings
from harness.report.sections.audit.texts import TEXTS


def render(result: Result, language: str) -> str:
    if result.experiment.audit is None:
        return ""
    replayed = protocol.read(result)
    if replayed is None or not replayed.winners:
        return TEXTS[language]["none"]
    number, best = next(iter(replayed.winners.items()))
    lines = findings.lines(replayed, best, number, language)
    source = markdown.source(language, "audit_repeats", "audit_rounds")
    return markdown.paragraphs(
        _intro(replayed, language),
        captions.shown(result, "audit", language, source),
        _configurations(replayed, language),
        source,
        "\n".join(f"- {line}" for line in lines),
        _lengths(best.repeats[number], language),
        markdown.source(language, "audit_repeats", session=best.name, repeat=str(number)),
    )


def _intro(replayed: Replayed, language: str) -> str:
    plan = replayed.plan
    lengths = [wording.workload(f"{s:g} s", language) for s in plan.audio_seconds]
    return TEXTS[language]["intro"].format(
        source=markdown.escape(plan.source),
        count=len(replayed.configurations),
        iterations=plan.iterations,
        operation=wording.operation(plan.operation, language),
        lengths=len(lengths),
        list=", ".join(lengths),
        n=plan.iterations * len(lengths),
        repeats=plan.repeats,
        rounds=replayed.rounds,
    )


# ---------------------------------------- tables
def _configurations(replayed: Replayed, language: str) -> str:
    texts, times = TEXTS[language], replayed.plan.repeats
    passes = [texts["pass"].format(n=n + 1) for n in range(times)]
    ours = texts["ours"].format(first=replayed.first.name)
    headers = [texts["configuration"], *passes, texts["drift"], ours, texts["reading"]]
    rows = [_row(replayed, one, language) for one in replayed.configurations]
    return markdown.table(headers, rows, "l" + "r" * (times + 2) + "l")


def _row(replayed: Replayed, one: Configuration, language: str) -> list[str]:
    texts, first = TEXTS[language], one is replayed.first
    cells = []
    for place, repeat in enumerate(one.repeats):
        shown = " · ".join(
            findings.ms(value, language) for value in (repeat.pooled.p50, repeat.pooled.p99)
        )
        wins = replayed.winners.get(place) is one
        cells.append(texts["wins"].format(value=shown) if wins else shown)
    said = texts["reference"] if first else texts[one.ours.reads]
    if one.error:
        said = texts["failed"].format(error=markdown.escape(one.error))
    shown = findings.percent(1, language) if first else findings.paired(one.ours, language)
    return [markdown.code(one.name), *cells, findings.percent(one.drift, language), shown, said]


def _lengths(repeat: Repeat, language: str) -> str:
    texts = TEXTS[language]
    parts: list[tuple[str, Percentiles]] = [
        (wording.workload(f"{part.seconds:g} s", language), part) for part in repeat.lengths
    ]
    headers = [texts["length"], "P50", "P99", texts["longest"], "n"]
    rows = [
        [
            name,
            *(findings.ms(value, language) for value in (part.p50, part.p99, part.largest)),
            markdown.count(part.n, language),
        ]
        for name, part in [*parts, (f"*{texts['pooled']}*", repeat.pooled)]
    ]
    return markdown.table(headers, rows, "rrrrr")


section = Section(
    order=74,
    title={
        "es": "Qué puede sostener el protocolo de referencia",
        "en": "What the reference protocol can support",
    },
    render=render,
)
