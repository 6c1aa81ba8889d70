"""How the candidate was found among several variants, and whether its figure held afresh."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.contracts import Result, Section
from harness.contracts.experiment import Selection
from harness.decide import gate_rules, measures, versus
from harness.report import markdown, row_text, wording, words
from harness.store import queries

TEXTS = words.table("sections.selection")


def render(result: Result, language: str) -> str:
    texts, plan = TEXTS[language], result.experiment.selection
    if plan is None:
        return ""
    rows = [_row(result, plan, name, language) for name in plan.among]
    stage = queries.rows(result.summary, stage="quality", workload=plan.dataset, replica=0)
    if queries.rows(stage, metric=plan.metric).empty:
        return texts["none"]
    name = wording.metric(plan.metric, language)
    base = texts[_scale(plan.metric)].format(baseline=queries.baseline(result))
    headers = [texts["variant"], name, base, texts["missed"], texts["reads"]]
    return markdown.paragraphs(
        texts["intro"].format(metric=name, dataset=plan.dataset),
        markdown.table(headers, rows, "lrrll"),
        markdown.source(language, "summary", workload=plan.dataset, metric=plan.metric),
        *_afresh(result, plan, language),
    )


def _scale(metric: str) -> str:
    return "difference" if measures.by_difference(metric) else "ratio"


def _row(result: Result, plan: Selection, variant: str, language: str) -> list[str]:
    texts = TEXTS[language]
    cell = {"stage": "quality", "workload": plan.dataset, "variant": variant, "replica": 0}
    row = queries.row(result.summary, **cell, metric=plan.metric)
    checks = queries.rows(result.checks, variant=variant, workload=plan.dataset)
    every = [check for check in gate_rules.records(result, checks) if measures.misses(check)]
    hard = measures.selected_by(result)
    missed = [check for check in every if check["gate"] in hard]
    listed = [_missed(check, check["gate"] not in hard, language) for check in every]
    made = queries.row(result.variants, variant=variant)
    if made and made["error"]:
        reads = texts["error"].format(error=markdown.escape(made["error"]))
    elif variant == queries.candidate(result)[0]:
        unfit = any(check["severity"] == "fail" for check in missed)  # as was every other
        reads = texts["least" if unfit else "chosen"]
    elif missed:
        reads = texts["one" if len(missed) == 1 else "out"].format(n=len(missed))
    else:
        reads = texts["tied" if versus.tied(result, variant) else "lost"]
    line = queries.Line(variant, str(row["session"]) if row else "default", "")
    where = (plan.dataset, plan.metric)
    over = row_text.against(result, line, where, language)
    shown = markdown.escape(variant), row_text.shown(row, language), over
    return [*shown, "<br>".join(listed) or markdown.UNKNOWN, reads]


def _missed(check: dict[str, Any], soft: bool, language: str) -> str:
    name = markdown.escape(wording.gate_name(check, language))
    named = TEXTS[language]["warning"].format(gate=name) if soft else name
    observed, limit = (f(check, language) for f in (wording.gate_observed, wording.gate_limit))
    return f"{named}: {observed}, {limit}"


def _afresh(result: Result, plan: Selection, language: str) -> Iterator[str]:
    """The winner against the baseline on each data set that asks for the metric and that it was
    not chosen by, beside the same when it was chosen."""
    texts, variant = TEXTS[language], queries.candidate(result)[0]
    metric, base = plan.metric, queries.baseline(result)
    found = queries.rows(result.summary, stage="quality", variant=variant, metric=metric, replica=0)
    asked = [metric in queries.asked(result, str(name)) for name in found["workload"]]
    lines = {
        str(row["workload"]): queries.Line(variant, str(row["session"]), "")
        for row in queries.records(found[asked])
    }
    over = {
        name: row_text.against(result, line, (name, metric), language)
        for name, line in lines.items()
    }
    before = over.pop(plan.dataset, markdown.UNKNOWN)
    for name, value in over.items():
        yield texts["fresh"].format(
            baseline=base,
            dataset=name,
            metric=wording.metric(metric, language),
            how=texts[f"{_scale(metric)}_of"].format(baseline=base),
            value=value,
            before=before,
        )
    yield texts["trust" if over else "unconfirmed"].format(baseline=base)


section = Section(
    order=25, title={"es": "Elección de la variante", "en": "Choice of the variant"}, render=render
)
