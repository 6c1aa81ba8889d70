"""The other variants and sessions: in what each is worse or better than the candidate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.contracts import Result, Section
from harness.decide import measures, resolution, versus
from harness.decide.versus import Compared
from harness.report import markdown, wording
from harness.store import queries

COLUMNS = ("worse", "better", "same")
TEXTS = {
    "es": {
        "none": "No se midió ninguna alternativa.",
        "REJECTED": (
            "`{best}` no puede sustituir a `{baseline}`, así que `{baseline}` se queda. Lo que "
            "sigue no son motivos contra nadie: dice cómo es cada alternativa frente a `{best}`."
        ),
        "INSUFFICIENT EVIDENCE": (
            "No está demostrado que `{best}` pueda sustituir a `{baseline}`, así que `{baseline}` "
            "se queda. Lo que sigue no son motivos contra nadie: dice cómo es cada alternativa "
            "frente a `{best}`."
        ),
        "intro": (
            "Primero va la cifra de la alternativa, después la de `{best}` y entre paréntesis la "
            "de `{best}` menos la otra o, con ×, dividida por ella, emparejada y con su intervalo "
            "del 95 %. Peor o mejor es solo lo que ese intervalo y el gemelo A/A, donde lo hay, "
            "distinguen del ruido; lo demás no cuenta ni a favor ni en contra."
        ),
        "alternative": "Alternativa",
        "worse": "Peor que `{best}`",
        "better": "Mejor que `{best}`",
        "same": "No se distingue, o no se sabe",
        "failed": "falló: {error}",
        "missed": "no cumple {gate}: {observed}, límite {limit}",
        "figure": "{metric} {other} frente a {mine} ({change})",
        "few": "{metric} {other} frente a {mine} (sin intervalo: faltan muestras)",
        "lacking": "{metric}: sin medir",
        "session": "sesión `{session}`",
        "slower": "más lenta: tarda el {ratio} de lo que tarda `default`",
        "told_same": "no se distingue de `default`: tarda el {ratio}",
        "faster": "más rápida que `default` (tarda el {ratio}), pero no fue la elegida",
        "held": "más lenta: medida de nuevo, `{chosen}` tarda el {ratio} de lo que tarda esta",
        "lost": (
            "no se demostró que `{chosen}`, la elegida, sea mejor: medida de nuevo tarda el "
            "{ratio} de lo que tarda esta"
        ),
        "unconfirmed": (
            "no se midió de nuevo junto a `{chosen}`, la elegida, así que no se sabe cuál es mejor"
        ),
    },
    "en": {
        "none": "No alternative was measured.",
        "REJECTED": (
            "`{best}` may not replace `{baseline}`, so `{baseline}` stays. What follows is no case "
            "against anybody: it tells what each alternative is like beside `{best}`."
        ),
        "INSUFFICIENT EVIDENCE": (
            "That `{best}` may replace `{baseline}` is not shown, so `{baseline}` stays. What "
            "follows is no case against anybody: it tells what each alternative is like beside "
            "`{best}`."
        ),
        "intro": (
            "The alternative's figure comes first, then that of `{best}`, and in parentheses that "
            "of `{best}` minus the other or, with ×, over it, paired and with its 95% interval. "
            "Worse or better is only what that interval and the A/A twin, where there is one, tell "
            "from noise; the rest counts neither for nor against."
        ),
        "alternative": "Alternative",
        "worse": "Worse than `{best}`",
        "better": "Better than `{best}`",
        "same": "Cannot be told apart, or unknown",
        "failed": "failed: {error}",
        "missed": "misses {gate}: {observed}, limit {limit}",
        "figure": "{metric} {other} against {mine} ({change})",
        "few": "{metric} {other} against {mine} (no interval: too few samples)",
        "lacking": "{metric}: not measured",
        "session": "session `{session}`",
        "slower": "slower: takes {ratio} of the time of `default`",
        "told_same": "cannot be told apart from `default`: {ratio}",
        "faster": "faster than `default` ({ratio}), but not the one chosen",
        "held": "slower: measured again, `{chosen}` takes {ratio} of the time of this one",
        "lost": (
            "that `{chosen}`, the one chosen, is better was not shown: measured again it takes "
            "{ratio} of the time of this one"
        ),
        "unconfirmed": (
            "it was not measured again beside `{chosen}`, the one chosen, so which is better is "
            "unknown"
        ),
    },
}

Said = tuple[str, str]  # (column, text)


def render(result: Result, language: str) -> str:
    texts = TEXTS[language]
    rows = [*_variants(result, language), *_sessions(result, language)]
    if not rows:
        return texts["none"]
    names = {"best": _best(result).label, "baseline": queries.baseline(result)}
    headers = [texts["alternative"], *(texts[name].format(**names) for name in COLUMNS)]
    verdict = texts.get(str(result.verdict.get("verdict") or ""), "")
    return markdown.paragraphs(
        verdict.format(**names),
        texts["intro"].format(**names),
        markdown.table(headers, rows, "llll"),
        markdown.source(language, "summary", "checks", "sessions", "calls"),
    )


def _best(result: Result) -> queries.Line:
    return queries.Line(*queries.candidate(result), "candidate")


def _row(name: str, said: list[Said]) -> list[str]:
    cells = ["<br>".join(text for where, text in said if where == column) for column in COLUMNS]
    return [name, *(cell or markdown.UNKNOWN for cell in cells)]


# ---------------------------------------- variants
def _variants(result: Result, language: str) -> Iterator[list[str]]:
    best = queries.candidate(result)[0]
    if not best:
        return
    for line in queries.lines(result):
        if line.variant == best:
            continue
        made = queries.row(result.variants, variant=line.variant)
        if made and made["error"]:
            error = markdown.escape(made["error"])
            said = [("worse", TEXTS[language]["failed"].format(error=error))]
        else:
            said = [*_missed(result, line, language), *_compared(result, line, language)]
        yield _row(f"`{line.variant}`", said)


def _missed(result: Result, line: queries.Line, language: str) -> Iterator[Said]:
    """The gates that another variant does not meet."""
    for check in queries.records(queries.rows(result.checks, variant=line.variant)):
        if check["status"] == "FAIL":
            text = TEXTS[language]["missed"].format(
                gate=markdown.escape(
                    wording.gate_name(check, language, measures.many_sets(result))
                ),
                observed=wording.gate_observed(check, language),
                limit=wording.gate_limit(check, language),
            )
            yield "worse", text


def _compared(result: Result, line: queries.Line, language: str) -> Iterator[Said]:
    for found in versus.compared(result, line):
        unknown = found.reads == "unknown"
        yield "same" if unknown else found.reads, _figure(found, language)
    for measure in versus.lacking(result, line):
        yield "same", TEXTS[language]["lacking"].format(metric=_name(measure, language))


def _figure(found: Compared, language: str) -> str:
    unit = found.measure.unit
    change = (
        markdown.estimate(found.change, unit, language, difference=True)
        if found.difference
        else markdown.estimate(found.change, "ratio", language)
    )
    sides = (found.other, found.candidate)
    other, mine = (markdown.quantity(side, unit, language) for side in sides)
    return TEXTS[language]["few" if found.reads == "unknown" else "figure"].format(
        metric=_name(found.measure, language), other=other, mine=mine, change=change
    )


def _name(measure: measures.Measure, language: str) -> str:
    name = wording.metric(measure.metric, language)
    at = wording.workload(measure.workload, language)
    return f"{name} ({at})" if measure.stage == "latency" else name


# ---------------------------------------- sessions
def _sessions(result: Result, language: str) -> Iterator[list[str]]:
    texts, (variant, chosen) = TEXTS[language], queries.candidate(result)
    swept = queries.rows(result.sessions, variant=variant)
    for row in queries.records(swept):
        if row["session"] != chosen:
            told = _default if row["session"] == "default" else _swept
            said = [told(result, row, language)]
            yield _row(texts["session"].format(session=row["session"]), said)


def _swept(result: Result, row: Mapping[str, Any], language: str) -> Said:
    texts = TEXTS[language]
    if row["error"]:
        return "worse", texts["failed"].format(error=markdown.escape(row["error"]))
    ratio = markdown.estimate(queries.bounds(row, "ratio"), "share", language)
    reads = resolution.speed_of(row, resolution.of_sweep(result))
    # both are told against `default`: which of two faster ones is better, the sweep does not say
    return "worse" if reads == "slower" else "same", texts[
        "told_same" if reads == "same" else reads
    ].format(ratio=ratio)


def _default(result: Result, row: Mapping[str, Any], language: str) -> Said:
    """The default session beside another that was chosen: by the fresh measurement."""
    texts, (_, chosen) = TEXTS[language], queries.candidate(result)
    best = queries.row(result.sessions, variant=row["variant"], session=chosen)
    if best is None or best["confirmed"] != best["confirmed"]:
        return "same", texts["unconfirmed"].format(chosen=chosen)
    fresh = (best["confirmed"], best["confirmed_low"], best["confirmed_high"])
    ratio = markdown.estimate(fresh, "share", language)
    key = "held" if best["holds"] else "lost"
    return "worse" if best["holds"] else "same", texts[key].format(chosen=chosen, ratio=ratio)


section = Section(
    order=80,
    title={"es": "Alternativas", "en": "Alternatives"},
    render=render,
)
