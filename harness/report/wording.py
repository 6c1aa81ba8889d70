"""The words of the tables (metrics, statuses, methods ...) in each language of the report."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from harness import plugins
from harness.contracts.notes import BETWEEN, Note, read, written
from harness.io.escaping import marked, unmarked
from harness.plugins import QUANTILE
from harness.report import metric_names, noted, words
from harness.report.markdown import estimate, given
from harness.report.metric_names import PURPOSES, VERDICTS, own_title, stem, title

TEXTS = words.table("wording")

OPERATIONS = words.table("wording", "operations")

# what goes in and what comes out, for the user's own operation
WAYS = words.table("wording", "ways")

STATUSES = words.table("wording", "statuses")


def metric(name: str, language: str) -> str:
    """ "latency_p99_ms" as "Latencia P99"; a metric of the user's own (`./sqnr db.py`) by its
    file's name without folder and ending: "sqnr db"."""
    if own := own_title(name, language):
        return own
    name = stem(name)
    if known := title(name, language):
        return known
    match = QUANTILE.match(name)
    measured = title(match["stem"] + (match["unit"] or ""), language) if match else ""
    if match is None or not measured:
        return name.replace("_", " ")
    digits = match["digits"].replace("_", words.of(language).decimal)
    return f"{measured} P{digits}"


def operation(name: str, language: str) -> str:
    """What was timed, in the reader's words; a family's own operation by its name."""
    ours = OPERATIONS[language].get(name) or metric_names.operation(name, language)
    return ours or name.replace("_", " ")


def way(takes: str, gives: Sequence[str], language: str) -> str:
    """ "De audio a texto": what the user's own operation does, as a sentence begins."""
    ordered = [kind for kind in ("text", "audio") if kind in gives]
    known = WAYS[language]
    return known.get(f"{takes} > {', '.join(ordered) or 'arrays'}", known["audio > text"])


def status(name: str, language: str) -> str:
    """A check's or claim's status with its one mark."""
    return STATUSES[language].get(name, name)


def verdict(name: str, language: str) -> str:
    """The verdict with its one mark; an approval for one purpose only says so."""
    plain, _, purpose = name.removesuffix(" ONLY").partition(" FOR ")
    said = VERDICTS[language].get(plain, plain)
    if not purpose:
        return said
    return TEXTS[language]["only"].format(
        verdict=said, purpose=purpose_of(purpose.lower(), language).upper()
    )


def purpose_of(name: str, language: str) -> str:
    """What an approval is for."""
    return PURPOSES[language].get(name, name)


def plain(text: str) -> str:
    """A status or verdict without its mark, for the middle of a sentence or a figure."""
    return text.partition(" ")[2] or text


# ---------------------------------------- a row of `checks`


def gate_name(check: Mapping[str, Any], language: str, many_sets: bool = False) -> str:
    """ "Latencia P50 (5 s)", "WER frente a fp32"; with its data set where there are many, and in
    quotes the name that the experiment gives the gate, so that two on one metric are told apart."""
    over = f" {TEXTS[language]['over']} {check['over']}" if check["over"] else ""
    where = str(check["workload"])
    named = where.endswith(" s") or (many_sets and where)
    at = f" ({workload(where, language)})" if named else ""
    own = given_name(check)
    behind = f" {quoted(own, language)}" if own else ""
    return metric(check["metric"], language) + over + at + behind


def quoted(name: str, language: str) -> str:
    """A name that somebody else gave, as it is."""
    before, behind = words.of(language).quotes
    return f"{before}{name}{behind}"


def given_name(check: Mapping[str, Any]) -> str:
    """The name that the experiment gives a gate; "" for the usual one, metric@workload."""
    name, found = str(check.get("gate") or ""), str(check["metric"])
    usual = rf"{re.escape(unmarked(found))}(:\w+)?(@.*)?"
    return "" if re.fullmatch(usual, unmarked(name)) else name


def workload(name: str, language: str) -> str:
    """ "2.5 s" with the language's decimal sign; a data set's name as it is."""
    amount, _, unit = name.partition(" ")
    if unit != "s":
        return name
    return words.of(language).point(amount) + " s"


def _reads(check: Mapping[str, Any]) -> tuple[str, str]:
    """(what its gate reads, the sign of its limit), as a row of `gate_rules.records` says or a gate
    of ours; of one of the user's own of which nothing is known, ("value", "")."""
    kind = str(check["kind"])
    if "sign" not in check and kind in plugins.names("gates"):
        gate = plugins.load("gates", kind)
        return str(gate.on), str(gate.sign)
    return str(check.get("on", "value")), str(check.get("sign", ""))


def gate_limit(check: Mapping[str, Any], language: str) -> str:
    """ "≤ 240 ms", "≤ +3 pp", "≥ ×1,5", "≥ 10×"."""
    (on, sign), limit = _reads(check), float(check["limit"])
    sign = sign or str(check["kind"])
    if on == "ratio":
        return sign + given(limit, "", language)
    shown = given(limit, check["unit"], language, on == "difference")
    return f"{sign}{'' if sign[-1] in '+−' else ' '}{shown}"


def limit_of(kind: str, limit: float, unit: str) -> str:
    """A limit before there is a check, in English: what the command line says."""
    return gate_limit({"kind": kind, "limit": limit, "unit": unit}, "en")


def gate_observed(check: Mapping[str, Any], language: str) -> str:
    """What the gate decided on, with its bounds: "251 ms [245; 260]"; a dash if not measured."""
    on, _ = _reads(check)
    values = (float(check["observed"]), float(check["low"]), float(check["high"]))
    if on == "ratio":
        return estimate(values, "ratio", language)
    return estimate(values, check["unit"], language, difference=on == "difference")


# why a check came out as it did, by its reason_code
REASONS = words.table("wording", "reasons")

METHODS = words.table("wording", "methods")

# of clips in which nobody speaks, in place of speakers and utterances
SOUNDS = words.table("wording", "sounds")


def why(check: Mapping[str, Any], language: str) -> str:
    """The reason of a check's status in the reader's words; the stored one for an unknown code."""
    return REASONS[language].get(check["reason_code"], check["reason"])


def how(method: str, language: str, spoken: bool = True) -> str:
    """A check's method in the reader's words; the stored text where there are no others. Not
    `spoken`: of clips in which nobody speaks, whose speakers are kinds of sound."""
    known = METHODS[language]
    name, _, unit = method.partition(" by ")
    of = known.get(unit, unit) if spoken else SOUNDS[language].get(unit, known.get(unit, unit))
    return ", ".join(part for part in (known.get(name, name), of) if part)


def note(text: str, language: str) -> str:
    """What a run noted, in the reader's words; parts that no table has as they are."""
    older = _older(text, language)
    if older != text:
        return older
    plain_text = unmarked(text)
    said = BETWEEN.join(_said(one, language) for one in read(plain_text))
    if said == plain_text:
        return text
    return said if plain_text == text else marked(said)


def _said(one: Note | str, language: str) -> str:
    if isinstance(one, str):
        return _older(one, language)
    template = noted.NOTES[language].get(one.code)
    if template is None or {name for name, _, _ in words.places(template)} != set(one.arguments):
        return written(one.code, **one.arguments)  # another's, which happens to look like ours
    return template.format(**_figures(one.arguments, language))


def _older(text: str, language: str) -> str:
    """A sentence of before notes were codes, which is English."""
    if language == words.ENGLISH:
        return text
    plain_text = unmarked(text)
    for code, pattern in noted.CODES:
        found = re.fullmatch(pattern, plain_text)
        if found:
            said = noted.NOTES[language][code].format(**_figures(found.groupdict(), language))
            return said if plain_text == text else marked(said)
    return text


def _figures(arguments: Mapping[str, str], language: str) -> dict[str, str]:
    """What stands in a note, its figures with the language's decimal sign."""
    spoken, kinds = words.of(language), noted.MARKUP[language]
    shown = {
        name: spoken.point(text) if name in noted.FIGURES else text
        for name, text in arguments.items()
    }
    if "markup" in shown:
        parts = shown["markup"].split(", ")
        shown["markup"] = ", ".join(kinds.get(kind, kind) for kind in parts)
    return shown


def notes(found: Mapping[str, Any], language: str) -> dict[str, str]:
    """The notes of a data set or a judge: names and, where they are the package's own words, values
    in the reader's language."""
    return {
        noted.KEYS[language].get(key, key): note(str(value), language)
        if key in noted.WORDED
        else str(value)
        for key, value in found.items()
    }
