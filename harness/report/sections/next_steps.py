"""What is still open and what would settle it."""

from __future__ import annotations

from collections.abc import Iterator

from harness.contracts import Result, Section
from harness.decide import measures
from harness.plugins import unit_of
from harness.report import markdown, wording
from harness.store import queries

TEXTS = {
    "es": {
        "none": "Nada queda abierto: todos los límites y afirmaciones están decididos.",
        "needs": (
            "**{gate}** ({limit}) está sin decidir con {n} muestras: lo resolverían unas {needs} "
            "en total."
        ),
        "open": "**{gate}** ({limit}) está sin decidir con {n} muestras: ampliar la medida.",
        "missing": "**{gate}** ({limit}) está sin medir: {why}.",
        "failed": (
            "**{gate}** no cumple ({observed}, {limit}): mejorar el candidato o revisar el límite."
        ),
        "waived": (
            "**{gate}** se aceptó por excepción ({observed}, {limit}): renovarla o mejorar antes "
            "de {until}."
        ),
        "claim": (
            "La afirmación sobre **{metric}** ({claimed}, {source}) está sin medir: hace falta "
            "medirla aquí."
        ),
        "listen": (
            "La afirmación sobre **{metric}** ({claimed}, {source}) está sin medir: hace falta una "
            "prueba de escucha (`mos_ratings`); ningún predictor la sustituye."
        ),
        "undecided": (
            "La afirmación sobre **{metric}** ({claimed}, {source}) queda sin decidir: hacen falta "
            "más muestras."
        ),
        "refuted": (
            "La afirmación sobre **{metric}** ({claimed}, {source}) no se reproduce con este "
            "modelo y equipo: no citarla para ellos."
        ),
    },
    "en": {
        "none": "Nothing is open: every gate and claim is decided.",
        "needs": (
            "**{gate}** ({limit}) is inconclusive with {n} samples: about {needs} in all would "
            "settle it."
        ),
        "open": "**{gate}** ({limit}) is inconclusive with {n} samples: measure more.",
        "missing": "**{gate}** ({limit}) is not measured: {why}.",
        "failed": (
            "**{gate}** is not met ({observed}, {limit}): improve the candidate or review the "
            "limit."
        ),
        "waived": (
            "**{gate}** was waived ({observed}, {limit}): renew it or improve before {until}."
        ),
        "claim": (
            "The claim about **{metric}** ({claimed}, {source}) is not measured: measure it here."
        ),
        "listen": (
            "The claim about **{metric}** ({claimed}, {source}) is not measured: it takes a "
            "listening test (`mos_ratings`), which no predictor replaces."
        ),
        "undecided": (
            "The claim about **{metric}** ({claimed}, {source}) is undecided: it takes more "
            "samples."
        ),
        "refuted": (
            "The claim about **{metric}** ({claimed}, {source}) is not reproduced with this model "
            "and machine: do not quote it for them."
        ),
    },
}
KEYS = {"FAIL": "failed", "WAIVED": "waived", "NOT MEASURED": "missing"}


def render(result: Result, language: str) -> str:
    steps = [*_gates(result, language), *_claims(result, language)]
    if not steps:
        return TEXTS[language]["none"]
    listed = "\n".join(f"{place}. {step}" for place, step in enumerate(steps, 1))
    return markdown.paragraphs(listed, markdown.source(language, "checks"))


def _gates(result: Result, language: str) -> Iterator[str]:
    until = {
        str(w["gate"]): str(w.get("until", "")) for w in result.experiment.get("waivers") or []
    }
    for check in queries.records(queries.own_checks(result)):
        if check["status"] == "PASS":
            continue
        key = KEYS.get(check["status"]) or ("needs" if check["needs"] > 0 else "open")
        yield TEXTS[language][key].format(
            gate=markdown.escape(wording.gate_name(check, language, measures.many_sets(result))),
            limit=wording.gate_limit(check, language),
            observed=wording.gate_observed(check, language),
            n=markdown.count(check["n"], language),
            needs=markdown.count(check["needs"], language),
            until=until.get(check["waiver"], "") or markdown.UNKNOWN,
            why=markdown.escape(wording.why(check, language)),
        )


def _claims(result: Result, language: str) -> Iterator[str]:
    keys = {"not measured": "claim", "refuted": "refuted", "undecided": "undecided"}
    for row in queries.records(result.claims):
        if row["status"] in keys:
            unit = row["unit"] or unit_of(row["metric"])
            people = measures.is_listeners(result, str(row["metric"]))
            opinion = people and row["status"] == "not measured"
            yield TEXTS[language]["listen" if opinion else keys[row["status"]]].format(
                metric=wording.metric(row["metric"], language),
                claimed=markdown.given(row["claimed"], unit, language),
                source=markdown.escape(row["source"]),
            )


section = Section(order=100, title={"es": "Próximos pasos", "en": "Next steps"}, render=render)
