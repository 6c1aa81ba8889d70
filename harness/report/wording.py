"""The words of the tables (metrics, statuses, methods ...) in each language of the report."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from harness import plugins
from harness.io.escaping import marked, unmarked
from harness.plugins import QUANTILE
from harness.report import noted
from harness.report.markdown import estimate, given
from harness.report.metric_names import METRICS, PURPOSES, VERDICTS, own_title, stem

Words = Mapping[str, Mapping[str, str]]

OPERATIONS: Words = {
    "es": {
        "pipeline": "de audio a texto",
        "features": "características",
        "encoder": "codificador",
        "decoder_step": "un paso del decodificador",
        "recogniser": "reconocedor",
        "synthesiser": "sintetizador",
        "fast": "el rápido",
        "slow": "el lento",
        "load": "carga",
        "first_call": "primera llamada",
    },
    "en": {
        "pipeline": "audio to text",
        "features": "features",
        "encoder": "encoder",
        "decoder_step": "one decoder step",
        "recogniser": "recogniser",
        "synthesiser": "synthesiser",
        "fast": "the fast one",
        "slow": "the slow one",
        "load": "load",
        "first_call": "first call",
    },
}

# what goes in and what comes out, for the user's own operation
WAYS: Words = {
    "es": {
        "audio > text": "De audio a texto",
        "text > audio": "De texto a audio",
        "audio > audio": "De audio a audio",
        "audio > text, audio": "De audio a texto y audio",
    },
    "en": {
        "audio > text": "Audio to text",
        "text > audio": "Text to audio",
        "audio > audio": "Audio to audio",
        "audio > text, audio": "Audio to text and audio",
    },
}

STATUSES: Words = {
    "es": {
        "PASS": "✅ cumple",
        "FAIL": "❌ no cumple",
        "INCONCLUSIVE": "❔ no concluyente",
        "NOT MEASURED": "❔ sin medir",
        "WAIVED": "⚠️ excepción aceptada",
        "confirmed": "✅ se reproduce",
        "refuted": "❌ no se reproduce",
        "undecided": "❔ sin decidir",
        "not measured": "❔ sin medir",
    },
    "en": {
        "PASS": "✅ met",
        "FAIL": "❌ not met",
        "INCONCLUSIVE": "❔ inconclusive",
        "NOT MEASURED": "❔ not measured",
        "WAIVED": "⚠️ waived",
        "confirmed": "✅ reproduced",
        "refuted": "❌ not reproduced",
        "undecided": "❔ undecided",
        "not measured": "❔ not measured",
    },
}


def metric(name: str, language: str) -> str:
    """ "latency_p99_ms" as "Latencia P99"; a metric of the user's own (`./sqnr db.py`) by its
    file's name without folder and ending: "sqnr db"."""
    if own := own_title(name, language):
        return own
    name = stem(name)
    known = METRICS[language]
    if name in known:
        return known[name]
    match = QUANTILE.match(name)
    measured = match["stem"] + (match["unit"] or "") if match else ""
    if match is None or measured not in known:
        return name.replace("_", " ")
    digits = match["digits"].replace("_", "," if language == "es" else ".")
    return f"{known[measured]} P{digits}"


def operation(name: str, language: str) -> str:
    """What was timed, in the reader's words; a family's own operation by its name."""
    return OPERATIONS[language].get(name, name.replace("_", " "))


def way(takes: str, gives: Sequence[str], language: str) -> str:
    """ "De audio a texto": what the user's own operation does, as a sentence begins."""
    ordered = [kind for kind in ("text", "audio") if kind in gives]
    known = WAYS[language]
    return known.get(f"{takes} > {', '.join(ordered)}", known["audio > text"])


def status(name: str, language: str) -> str:
    """A check's or claim's status with its one mark."""
    return STATUSES[language].get(name, name)


_ONLY = {"es": "{} SOLO PARA {}", "en": "{} FOR {} ONLY"}


def verdict(name: str, language: str) -> str:
    """The verdict with its one mark; an approval for one purpose only says so."""
    plain, _, purpose = name.removesuffix(" ONLY").partition(" FOR ")
    said = VERDICTS[language].get(plain, plain)
    if not purpose:
        return said
    return _ONLY[language].format(said, purpose_of(purpose.lower(), language).upper())


def purpose_of(name: str, language: str) -> str:
    """What an approval is for."""
    return PURPOSES[language].get(name, name)


def plain(text: str) -> str:
    """A status or verdict without its mark, for the middle of a sentence or a figure."""
    return text.partition(" ")[2] or text


# ---------------------------------------- a row of `checks`
_OVER = {"es": "frente a", "en": "over"}


_QUOTED = {"es": "«{}»", "en": "“{}”"}


def gate_name(check: Mapping[str, Any], language: str, many_sets: bool = False) -> str:
    """ "Latencia P50 (5 s)", "WER frente a fp32"; with its data set where there are many, and in
    quotes the name that the experiment gives the gate, so that two on one metric are told apart."""
    over = f" {_OVER[language]} {check['over']}" if check["over"] else ""
    where = str(check["workload"])
    named = where.endswith(" s") or (many_sets and where)
    at = f" ({workload(where, language)})" if named else ""
    own = given_name(check)
    behind = f" {quoted(own, language)}" if own else ""
    return metric(check["metric"], language) + over + at + behind


def quoted(name: str, language: str) -> str:
    """A name that somebody else gave, as it is."""
    return _QUOTED[language].format(name)


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
    return amount.replace(".", ",") + " s" if language == "es" else name


def _gate(kind: str) -> Any:
    return plugins.load("gates", kind) if kind in plugins.names("gates") else None


def gate_limit(check: Mapping[str, Any], language: str) -> str:
    """ "≤ 240 ms", "≤ +3 pp", "≥ ×1,5", "≥ 10×"."""
    gate, limit = _gate(check["kind"]), float(check["limit"])
    if gate is None:
        return f"{check['kind']} {given(limit, check['unit'], language)}"
    if gate.on == "ratio":
        return str(gate.sign) + given(limit, "", language)
    shown = given(limit, check["unit"], language, gate.on == "difference")
    return f"{gate.sign}{'' if gate.sign[-1] in '+−' else ' '}{shown}"


def limit_of(kind: str, limit: float, unit: str) -> str:
    """A limit before there is a check, in English: what the command line says."""
    return gate_limit({"kind": kind, "limit": limit, "unit": unit}, "en")


def gate_observed(check: Mapping[str, Any], language: str) -> str:
    """What the gate decided on, with its bounds: "251 ms [245; 260]"; a dash if not measured."""
    gate = _gate(check["kind"])
    values = (float(check["observed"]), float(check["low"]), float(check["high"]))
    if gate is not None and gate.on == "ratio":
        return estimate(values, "ratio", language)
    difference = gate is not None and gate.on == "difference"
    return estimate(values, check["unit"], language, difference=difference)


# why a check came out as it did, by its reason_code
REASONS: Words = {
    "es": {
        "within": "la cota entera queda dentro del límite",
        "beyond": "la cota entera queda fuera del límite",
        "straddles": "las cotas quedan a ambos lados del límite",
        "few": "muestras independientes insuficientes para una cota del 95 %",
        "constant": "los valores no varían nada, y así no se sabe cuánto varían",
        "broken": "algún valor no es un número, o no hay con qué comparar",
        "nothing": "no hay ninguna muestra",
        "failed": "más del 1 % de las llamadas o frases se quedó sin resultado",
        "confirmed": "la cota entera queda dentro de la tolerancia de lo que se afirmó",
        "refuted": "la cota entera queda fuera de la tolerancia de lo que se afirmó",
        "undecided": "las cotas quedan a ambos lados de la tolerancia",
        "waived": "fuera del límite y, con la cota entera, dentro de la excepción",
        "waiver_expired": "fuera del límite, y la excepción ha caducado",
        "waiver_exceeded": "fuera del límite, y la cota no cabe en la excepción",
    },
    "en": {
        "within": "the whole bound is within the limit",
        "beyond": "the whole bound is beyond the limit",
        "straddles": "the bounds lie on both sides of the limit",
        "few": "too few independent samples for a 95% bound",
        "constant": "the values never vary, so they do not tell how they vary",
        "broken": "a value is not a number, or there is none to compare with",
        "nothing": "there is no sample",
        "failed": "more than 1% of the calls or utterances have no result",
        "confirmed": "the whole bound is within the tolerance of what was claimed",
        "refuted": "the whole bound is outside the tolerance of what was claimed",
        "undecided": "the bounds lie on both sides of the tolerance",
        "waived": "beyond the limit and, with its whole bound, within the waiver",
        "waiver_expired": "beyond the limit, and its waiver has expired",
        "waiver_exceeded": "beyond the limit, and its bound is not within the waiver",
    },
}

METHODS: Words = {
    "es": {
        "exact": "valor exacto",
        "largest observed": "el mayor observado",
        "Clopper-Pearson": "Clopper-Pearson, exacto",
        "Tango score interval": "intervalo de Tango, pareado",
        "t over raters and items": "t, por oyentes y frases",
        "paired t over raters and items": "t pareada, por oyentes y frases",
        "binomial tail over blocks": "cola binomial exacta, por bloques",
        "paired t over rounds": "t pareada, por rondas",
        "paired bootstrap over rounds": "bootstrap pareado, por rondas",
        "paired bootstrap": "bootstrap pareado",
        "bootstrap": "bootstrap",
        "speaker": "por locutores",
        "sentence": "por oraciones",
        "utterance": "por frases",
        "round": "por rondas",
        "stretch": "por tramos de frases seguidas",
    },
    "en": {
        "exact": "exact value",
        "Clopper-Pearson": "Clopper-Pearson, exact",
        "Tango score interval": "Tango's interval, paired",
        "t over raters and items": "t, by raters and items",
        "paired t over raters and items": "paired t, by raters and items",
        "binomial tail over blocks": "exact binomial tail, by blocks",
        "paired t over rounds": "paired t, by rounds",
        "paired bootstrap over rounds": "paired bootstrap, by rounds",
        "speaker": "by speakers",
        "sentence": "by sentences",
        "utterance": "by utterances",
        "round": "by rounds",
        "stretch": "by stretches of utterances",
    },
}

# of clips in which nobody speaks, in place of speakers and utterances
SOUNDS: Words = {
    "es": {
        "speaker": "por sonidos",
        "sentence": "por clips",
        "utterance": "por clips",
        "stretch": "por tramos de clips seguidos",
    },
    "en": {
        "speaker": "by sounds",
        "sentence": "by clips",
        "utterance": "by clips",
        "stretch": "by stretches of clips",
    },
}


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
    if language == "en":
        return text
    whole = _spanish(text)
    return whole if whole != text else "; ".join(_spanish(part) for part in text.split("; "))


def _spanish(text: str) -> str:
    plain_text = unmarked(text)
    for pattern, said in noted.SPANISH:
        found = re.fullmatch(pattern, plain_text)
        if found:
            translated = found.expand(said)
            return translated if plain_text == text else marked(translated)
    return text


def notes(found: Mapping[str, Any], language: str) -> dict[str, str]:
    """The notes of a data set or a judge: names and, where they are the package's own words, values
    in the reader's language."""
    return {
        noted.KEYS[language].get(key, key): note(str(value), language)
        if key in noted.WORDED
        else str(value)
        for key, value in found.items()
    }
