"""The other variants and sessions: in what each is worse or better than the candidate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.contracts import Result, Section
from harness.decide import gate_rules, measures, resolution, versus
from harness.decide.versus import Compared
from harness.report import markdown, wording, words
from harness.store import queries

COLUMNS = ("worse", "better", "same")
TEXTS = words.table("sections.alternatives")

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
    for check in gate_rules.records(result, queries.rows(result.checks, variant=line.variant)):
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
