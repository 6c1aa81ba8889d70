"""The first screen: the verdict, why, and the gate table with how each line was decided."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from harness.contracts import Result, Section
from harness.decide import gate_rules, measures, protocol, versus
from harness.report import (
    captions,
    findings,
    markdown,
    noise,
    shortfall,
    stand_in,
    standing,
    wording,
    words,
)
from harness.store import queries

TEXTS = words.table("sections.result")

BUSY = 0.25  # share of the blocks under noise from which the first screen tells of it
USUAL = 0.95  # the level of bounds that were looked at once
COUNTED = ("WAIVED", "FAIL", "INCONCLUSIVE", "NOT MEASURED")


def render(result: Result, language: str) -> str:
    texts = TEXTS[language]
    checks = _named(result, language)
    named = wording.verdict(str(result.verdict.get("verdict") or ""), language)
    opening = f"**{texts['verdict']}: {named}**" if named else ""
    told = "\n".join(f"- {line}" for line in _told(result, language))
    if not checks:
        return markdown.paragraphs(opening, texts["none"], told)
    return markdown.paragraphs(
        markdown.paragraphs(opening + ". " + _subject(result, language) + _why(checks, language)),
        told,
        _table(checks, language),
        markdown.source(language, "checks"),
        texts["conventions"].format(tail=texts["tail"] if _tailed(checks) else ""),
        texts["stopped"] if any(check["level"] > USUAL for check in checks) else "",
        _figure(result, checks, language),
    )


# ---------------------------------------- what the reader must know beside the verdict
def _told(result: Result, language: str) -> Iterator[str]:
    """A line each: that the model is a stand-in, what no gate asks, what an audit found, what could
    not be made, what was cut short, noise."""
    yield from stand_in.told(result, language)
    yield from _unsaid(result, language)
    yield from _audited(result, language)
    for variant, why in versus.broken(result).items():
        yield TEXTS[language]["broken"].format(variant=variant, why=markdown.escape(why))
    cut = shortfall.told(result, language)
    if cut:
        yield cut
    yield from _busy(result, language)
    yield from standing.told(result, language)


def _unsaid(result: Result, language: str) -> Iterator[str]:
    """What the gates do not ask, or where: with it nobody takes an approval for more than it is."""
    known = gate_rules.records(result, queries.own_checks(result))
    checks = {check["gate"]: check for check in known}
    for found in (result.verdict.get("shown") or {}).get("findings", ()):
        yield findings.finding(found, checks.get(found.get("gate")), language)


def _busy(result: Result, language: str) -> Iterator[str]:
    blocks = noise.blocks(result)
    noisy = int(blocks["noisy"].sum())
    if noisy and noisy >= BUSY * len(blocks):
        yield TEXTS[language]["busy"].format(
            noisy=markdown.count(noisy, language),
            all=markdown.count(len(blocks), language),
            share=markdown.quantity(noisy / len(blocks), "share", language),
        )


def _audited(result: Result, language: str) -> Iterator[str]:
    """Whom the replayed protocol named, and whether any gain held when measured again."""
    texts, found = TEXTS[language], protocol.read(result)
    if found is None or not found.winners:
        return
    winners = list(dict.fromkeys(found.winners.values()))
    others = [one for one in winners if one is not found.first]
    held = [one.name for one in others if one.ours.reads == "faster"]
    listed = ", ".join(markdown.code(name) for name in held)
    outcome = texts["held"].format(list=listed) if held else texts["not_held"]
    named = [
        texts["first"].format(name=one.name) if one is found.first else markdown.code(one.name)
        for one in winners
    ]
    ran = len(found.winners)
    yield texts["audit"].format(
        source=markdown.escape(found.plan.source),
        n=texts["once"] if ran == 1 else texts["times"].format(n=ran),
        list=", ".join(named),
        held=outcome if others else texts["no_gain"],
    )


def _tailed(checks: list[dict[str, Any]]) -> bool:
    return any(str(check["metric"]).startswith("latency_p99") for check in checks)


def _named(result: Result, language: str) -> list[dict[str, Any]]:
    """The candidate's checks, each with its `name` in the reader's words, and whether somebody
    speaks where it was measured (`spoken`)."""
    many = measures.many_sets(result)
    checks = gate_rules.records(result, queries.own_checks(result))
    return [
        {
            **check,
            "name": wording.gate_name(check, language, many),
            "spoken": not measures.nobody_speaks(result, str(check["workload"])),
        }
        for check in checks
    ]


def _subject(result: Result, language: str) -> str:
    variant, session = queries.candidate(result)
    if not variant:
        return ""
    names = {"candidate": f"`{variant}`", "session": session or "default"}
    return (
        TEXTS[language]["subject"].format(**names, baseline=f"`{queries.baseline(result)}`") + " "
    )


def _why(checks: list[dict[str, Any]], language: str) -> str:
    texts = TEXTS[language]
    hard = [check for check in checks if check["severity"] != "warn"]
    passed = sum(check["status"] == "PASS" for check in hard)
    key = "PASS_one" if passed == 1 else "PASS"
    parts = [texts[key].format(n=passed, all=len(hard))]
    for status in COUNTED:
        found = [_short(check, language) for check in hard if check["status"] == status]
        if found:
            parts.append(texts[status].format(list=", ".join(found)))
    soft = [check for check in checks if check["severity"] == "warn" and check["status"] != "PASS"]
    told = [f"{c['name']}: {_word(c, language)}" for c in soft]
    warned = " " + texts["warn"].format(list="; ".join(told)) if told else ""
    return "; ".join(parts) + "." + warned


def _word(check: Mapping[str, Any], language: str) -> str:
    return wording.plain(wording.status(check["status"], language))


def _short(check: Mapping[str, Any], language: str) -> str:
    name, limit = str(check["name"]), wording.gate_limit(check, language)
    if math.isnan(check["observed"]):
        return f"{name} ({limit})"
    observed = wording.gate_observed(check, language)
    return TEXTS[language]["short"].format(name=name, observed=observed, limit=limit)


def _table(checks: list[dict[str, Any]], language: str) -> str:
    texts = TEXTS[language]
    headers = [texts[key] for key in ("metric", "limit", "observed", "n", "status", "how")]
    return markdown.table(headers, [_row(check, language) for check in checks], "lrrrll")


def _row(check: Mapping[str, Any], language: str) -> list[str]:
    soft = f" *({TEXTS[language]['is_warn']})*" if check["severity"] == "warn" else ""
    return [
        f"**{markdown.escape(check['name'])}**{soft}",
        wording.gate_limit(check, language),
        wording.gate_observed(check, language),
        markdown.count(check["n"], language) if check["n"] else markdown.UNKNOWN,
        wording.status(check["status"], language),
        _how(check, language),
    ]


def _how(check: Mapping[str, Any], language: str) -> str:
    """The method, in parentheses how many of the samples count as independent, the level of the
    bounds where the run looked more than once, and what it would take to decide."""
    texts = TEXTS[language]
    method = markdown.escape(wording.how(check["method"], language, bool(check["spoken"])))
    if not method:
        return markdown.UNKNOWN
    units = f" ({markdown.count(check['units'], language)})" if check["units"] > 1 else ""
    parts = [method + units]
    if check["level"] > USUAL:
        level = markdown.number(100 * check["level"], language, 2)
        parts.append(texts["level"].format(level=level))
    if check["allowance"] > 0:
        drift = markdown.number(100 * check["allowance"], language, 1)
        parts.append(texts["drift"].format(drift=drift))
    if math.isfinite(check["needs"]):
        parts.append(texts["needs"].format(n=markdown.count(check["needs"], language)))
    return "; ".join(parts)


def _figure(result: Result, checks: list[dict[str, Any]], language: str) -> str:
    if all(math.isnan(check["observed"]) for check in checks):
        return ""
    return captions.shown(result, "gates", language)


section = Section(order=10, title={"es": "Resultado", "en": "Result"}, render=render)
