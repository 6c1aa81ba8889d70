"""The other variants and sessions, and by what figure each one lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness import markdown, measures, reading, wording
from harness.contracts import Result, Section

TEXTS = {
    "es": {
        "none": "No se midió ninguna alternativa.",
        "alternative": "Alternativa",
        "why": "Por qué no",
        "failed": "falló: {error}",
        "missed": "no cumple {gate}: {observed}, límite {limit}",
        "quality": "{metric} {value}, es decir, {delta} frente a `{baseline}`",
        "latency": "{metric} de {mine} frente a {its} de `{best}` ({workload})",
        "size": "ocupa {size} frente a {best_size} de `{best}`",
        "other": "más rápida, pero el experimento pregunta por `{best}`",
        "session": "sesión `{session}`",
        "slower": "más lenta: tarda el {ratio} de lo que tarda `default`",
        "same": "no se distingue de `default`: tarda el {ratio}",
        "faster": "más rápida que `default` (tarda el {ratio}), pero no fue la elegida",
    },
    "en": {
        "none": "No alternative was measured.",
        "alternative": "Alternative",
        "why": "Why not",
        "failed": "failed: {error}",
        "missed": "misses {gate}: {observed}, limit {limit}",
        "quality": "{metric} {value}, that is, {delta} against `{baseline}`",
        "latency": "{metric} of {mine} against {its} of `{best}` ({workload})",
        "size": "takes {size} against {best_size} of `{best}`",
        "other": "faster, but the experiment asks about `{best}`",
        "session": "session `{session}`",
        "slower": "slower: takes {ratio} of the time of `default`",
        "same": "cannot be told apart from `default`: {ratio}",
        "faster": "faster than `default` ({ratio}), but not the one chosen",
    },
}


def render(result: Result, language: str) -> str:
    texts = TEXTS[language]
    rows = [*_variants(result, language), *_sessions(result, language)]
    if not rows:
        return texts["none"]
    return markdown.paragraphs(
        markdown.table([texts["alternative"], texts["why"]], rows, "ll"),
        markdown.source(language, "summary")[: -len("</sub>")]
        + ", `changes.csv`, `sessions.csv`</sub>",
    )


def _variants(result: Result, language: str) -> Iterator[list[str]]:
    best = reading.candidate(result)[0]
    for line in reading.lines(result):
        if line.variant == best:
            continue
        made = reading.row(result.variants, variant=line.variant)
        reasons = [*_missed(result, line, language), *_reasons(result, line, language)]
        if made and made["error"]:
            error = markdown.escape(made["error"])
            reasons = [TEXTS[language]["failed"].format(error=error)]
        yield [f"`{line.variant}`", "; ".join(reasons) or markdown.UNKNOWN]


def _missed(result: Result, line: reading.Line, language: str) -> Iterator[str]:
    """The gates that another variant does not meet."""
    for check in reading.records(reading.rows(result.checks, variant=line.variant)):
        if check["status"] == "FAIL":
            yield TEXTS[language]["missed"].format(
                gate=wording.gate_name(check, language, measures.many_sets(result)),
                observed=wording.gate_observed(check, language),
                limit=wording.gate_limit(check, language),
            )


def _reasons(result: Result, line: reading.Line, language: str) -> Iterator[str]:
    texts, base = TEXTS[language], reading.baseline(result)
    for measure in measures.qualities(result):
        row, worse = measure.of(result, line), measure.change(result, line)
        if row and worse and line.variant != base:
            delta = markdown.quantity(worse["delta"], measure.unit, language, difference=True)
            yield texts["quality"].format(
                metric=wording.metric(measure.metric, language),
                value=markdown.quantity(row["value"], measure.unit, language),
                delta=delta,
                baseline=base,
            )
    best = next(
        (known for known in reversed(reading.lines(result)) if _is_best(result, known)), None
    )
    if best is None:
        return
    yield from _slower(result, line, best, language)
    yield from _size(result, (line.variant, best.variant), language)


def _slower(result: Result, line: reading.Line, best: reading.Line, language: str) -> Iterator[str]:
    speed = measures.speed(result)
    mine, its = (speed.of(result, each) if speed else None for each in (line, best))
    missed = any(True for _ in _missed(result, line, language))
    if speed and mine and its and not (missed and mine["value"] < its["value"]):
        values = [
            markdown.estimate(reading.bounds(row), speed.unit, language) for row in (mine, its)
        ]
        name = "P50" if speed.stage == "latency" else wording.metric(speed.metric, language)
        yield TEXTS[language]["latency"].format(
            metric=name,
            mine=values[0],
            its=values[1],
            best=best.label,
            workload=wording.workload(speed.workload, language),
        )
        if mine["value"] < its["value"] and line.role == "variant" and not missed:
            yield TEXTS[language]["other"].format(best=best.label)


def _is_best(result: Result, line: reading.Line) -> bool:
    return (line.variant, line.session) == reading.candidate(result)


def _size(result: Result, pair: tuple[str, str], language: str) -> Iterator[str]:
    sizes: list[Any] = [
        reading.row(result.summary, variant=name, metric="size_mb") for name in pair
    ]
    if all(sizes) and sizes[0]["value"] > sizes[1]["value"] * 1.05:
        shown = [markdown.quantity(size["value"], "MB", language) for size in sizes]
        yield TEXTS[language]["size"].format(size=shown[0], best_size=shown[1], best=pair[1])


def _sessions(result: Result, language: str) -> Iterator[list[str]]:
    texts, (variant, chosen) = TEXTS[language], reading.candidate(result)
    band = reading.twin_band(result)
    for row in reading.records(reading.rows(result.sessions, variant=variant)):
        if row["session"] in (chosen, "default"):
            continue
        ratio = markdown.estimate(reading.bounds(row, "ratio"), "share", language)
        why = texts[reading.told_apart(row, band)].format(ratio=ratio)
        if row["error"]:
            why = texts["failed"].format(error=markdown.escape(row["error"]))
        yield [texts["session"].format(session=row["session"]), why]


section = Section(
    order=80,
    title={"es": "Alternativas y por qué no", "en": "Alternatives and why they lost"},
    render=render,
)
