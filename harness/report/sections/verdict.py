"""The verdict once more, as the last line, with the exit code that a pipeline sees."""

from __future__ import annotations

from harness.contracts import Result, Section
from harness.report import markdown, wording
from harness.store import queries

TEXTS = {
    "es": {
        "none": "Sin veredicto: la medición no llegó a su fin.",
        "line": "**{verdict}**: {subject} (código de salida {code}).",
        "APPROVED": "`{candidate}` puede sustituir a `{baseline}` en este equipo",
        "APPROVED WITH WAIVERS": (
            "`{candidate}` puede sustituir a `{baseline}` en este equipo mientras valgan las "
            "excepciones"
        ),
        "REJECTED": "`{candidate}` no puede sustituir a `{baseline}` en este equipo",
        "INSUFFICIENT EVIDENCE": (
            "con lo medido no se puede afirmar que `{candidate}` sustituya a `{baseline}` en este "
            "equipo"
        ),
        "only": (
            "por {purpose}, `{{candidate}}` puede sustituir a `{{baseline}}` en este equipo; nadie "
            "ha mirado lo que dice"
        ),
        "alpha": (
            "Para aprobar hacen falta todos los límites a la vez, cada uno al 95 %: está pensado "
            "para que la probabilidad de aprobar por error un candidato que incumple alguno no "
            "pase del 5 %. Cuánto es de verdad se ha medido y está en `docs/trust.md` de harness, "
            "también dónde no se cumple, como en medidas cortas de una llamada por bloque."
        ),
    },
    "en": {
        "none": "No verdict: the measurement did not come to its end.",
        "line": "**{verdict}**: {subject} (exit code {code}).",
        "APPROVED": "`{candidate}` may replace `{baseline}` on this machine",
        "APPROVED WITH WAIVERS": (
            "`{candidate}` may replace `{baseline}` on this machine while the waivers hold"
        ),
        "REJECTED": "`{candidate}` may not replace `{baseline}` on this machine",
        "INSUFFICIENT EVIDENCE": (
            "what was measured does not show that `{candidate}` may replace `{baseline}` on this "
            "machine"
        ),
        "only": (
            "for its {purpose}, `{{candidate}}` may replace `{{baseline}}` on this machine; nobody "
            "looked at what it says"
        ),
        "alpha": (
            "Approval takes every gate at once, each at 95%: it is meant to keep the probability "
            "of approving by mistake a candidate that misses one of them at 5% or less. What it "
            "really is was measured and stands in `docs/trust.md` of harness, also where that is "
            "not kept, as in short runs of one call a block."
        ),
    },
}


def render(result: Result, language: str) -> str:
    texts, name = TEXTS[language], str(result.verdict.get("verdict") or "")
    plain, _, purpose = name.removesuffix(" ONLY").partition(" FOR ")
    if plain not in texts:
        return texts["none"]
    text = texts[plain]
    if purpose:
        said = wording.purpose_of(purpose.lower(), language)
        text = texts["only"].format(purpose=said)
    variant, session = queries.candidate(result)
    label = queries.Line(variant, session or "default", "").label
    subject = text.format(candidate=label, baseline=queries.baseline(result))
    line = texts["line"].format(
        verdict=wording.verdict(name, language),
        subject=subject,
        code=result.verdict.get("exit_code", markdown.UNKNOWN),
    )
    return markdown.paragraphs(line, texts["alpha"])


section = Section(order=140, title={"es": "Veredicto", "en": "Verdict"}, render=render)
