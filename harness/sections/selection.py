"""How the candidate was found among several variants, and whether its figure held afresh."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness import markdown, measures, reading, wording
from harness.contracts import Result, Section

TEXTS = {
    "es": {
        "none": "Sin medir: no se llegó a comparar las variantes entre las que elegir.",
        "intro": (
            "Se elige la mejor por {metric} sobre `{dataset}` entre las variantes que allí no "
            "incumplen ningún límite."
        ),
        "variant": "Variante",
        "missed": "Límites que no cumple",
        "reads": "Lectura",
        "chosen": "**elegida**",
        "least": "**elegida**, aunque no cumple: ninguna cumple",
        "out": "fuera: {n} límites sin cumplir",
        "one": "fuera: un límite sin cumplir",
        "error": "falló: {error}",
        "lost": "no incumple, y no es la mejor",
        "fresh": (
            "La elegida se midió de nuevo, junto a `{baseline}`, sobre `{dataset}`, con frases con "
            "las que no se eligió: {metric} {value}, frente a {before} al elegirla. Vale la cifra "
            "nueva: la primera es la de quien gana un concurso y tiende a exagerar."
        ),
        "unconfirmed": (
            "No se midió de nuevo con otras frases, así que su cifra es la de quien gana un "
            "concurso y tiende a exagerar."
        ),
    },
    "en": {
        "none": "Not measured: the variants to choose from were not compared.",
        "intro": (
            "The best by {metric} on `{dataset}` is chosen, among the variants that miss no gate "
            "there."
        ),
        "variant": "Variant",
        "missed": "Gates not met",
        "reads": "Reading",
        "chosen": "**chosen**",
        "least": "**chosen**, though it does not meet them: none does",
        "out": "out: {n} gates not met",
        "one": "out: one gate not met",
        "error": "failed: {error}",
        "lost": "misses none, and is not the best",
        "fresh": (
            "The chosen one was measured again, beside `{baseline}`, on `{dataset}`, with "
            "utterances that it was not chosen by: {metric} {value}, against {before} when chosen. "
            "The new figure is the one to trust: the first is that of a contest's winner and tends "
            "to flatter."
        ),
        "unconfirmed": (
            "It was not measured again on other utterances, so its figure is that of a contest's "
            "winner and tends to flatter."
        ),
    },
}


def render(result: Result, language: str) -> str:
    texts, plan = TEXTS[language], result.experiment.get("selection")
    if not plan:
        return ""
    rows = [_row(result, plan, str(name), language) for name in plan["among"]]
    stage = reading.rows(result.summary, stage="quality", workload=plan["dataset"], replica=0)
    if reading.rows(stage, metric=plan["metric"]).empty:
        return texts["none"]
    name = wording.metric(plan["metric"], language)
    headers = [texts["variant"], name, texts["missed"], texts["reads"]]
    return markdown.paragraphs(
        texts["intro"].format(metric=name, dataset=plan["dataset"]),
        markdown.table(headers, rows, "lrll"),
        markdown.source(language, "summary", workload=plan["dataset"], metric=plan["metric"]),
        *_afresh(result, plan, language),
    )


def _row(result: Result, plan: dict[str, Any], variant: str, language: str) -> list[str]:
    texts = TEXTS[language]
    where = {"stage": "quality", "workload": plan["dataset"], "variant": variant, "replica": 0}
    row = reading.row(result.summary, **where, metric=plan["metric"])
    checks = reading.rows(result.checks, variant=variant, workload=plan["dataset"])
    missed = [check for check in reading.records(checks) if measures.misses(check)]
    listed = [_missed(check, language) for check in missed]
    made = reading.row(result.variants, variant=variant)
    if made and made["error"]:
        reads = texts["error"].format(error=markdown.escape(made["error"]))
    elif variant == reading.candidate(result)[0]:
        hard = any(check["severity"] == "fail" for check in missed)  # no variant was fit
        reads = texts["least" if hard else "chosen"]
    elif missed:
        reads = texts["one" if len(missed) == 1 else "out"].format(n=len(missed))
    else:
        reads = texts["lost"]
    shown = markdown.escape(variant), measures.shown(row, language)
    return [*shown, "<br>".join(listed) or markdown.UNKNOWN, reads]


def _missed(check: dict[str, Any], language: str) -> str:
    name = markdown.escape(wording.gate_name(check, language))
    observed, limit = (f(check, language) for f in (wording.gate_observed, wording.gate_limit))
    return f"{name}: {observed}, {limit}"


def _afresh(result: Result, plan: dict[str, Any], language: str) -> Iterator[str]:
    """The winner's figure on each data set that it was not chosen by."""
    texts, variant = TEXTS[language], reading.candidate(result)[0]
    found = reading.rows(result.summary, stage="quality", variant=variant, metric=plan["metric"])
    found = reading.rows(found, replica=0, operation="pipeline")
    before = reading.row(found, workload=plan["dataset"])
    others = found[found["workload"] != plan["dataset"]]
    if others.empty:
        yield texts["unconfirmed"]
    for row in reading.records(others):
        yield texts["fresh"].format(
            baseline=reading.baseline(result),
            dataset=row["workload"],
            metric=wording.metric(plan["metric"], language),
            value=measures.shown(row, language),
            before=measures.shown(before, language),
        )


section = Section(
    order=25, title={"es": "Elección de la variante", "en": "Choice of the variant"}, render=render
)
