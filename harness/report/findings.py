"""What the gates of an experiment leave unsaid, in each language of the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.report import markdown, wording

# what the gates leave unsaid, by its code (harness/decide/verdict/showing.py)
FINDINGS: wording.Words = {
    "es": {
        "free": "**{gate}**: su límite ({limit}) deja pasar lo peor que puede salir: no pide nada.",
        "closed": "**{gate}**: nada de lo que puede salir cumple su límite ({limit}).",
        "waiver": "**{gate}**: su excepción hasta {limit} deja pasar lo peor que puede salir.",
        "baseline": (
            "**{gate}**: el propio `{over}` está en {value}, y no ser peor que eso no demuestra "
            "nada (sirve hasta {limit}; `baseline_up_to` lo cambia)."
        ),
        "unlooked": (
            "Ningún límite decide sobre la calidad (errores en los textos, opinión del audio, "
            "parecido con una referencia): nadie ha mirado lo que dice."
        ),
        "purpose": "Ningún límite decide sobre {purpose}, que es para lo que se pide aprobar.",
        "only": "Solo para {purpose}: nadie ha mirado lo que dice.",
        "beyond": (
            "**{gate}**: la calidad se midió con clips de {low} a {high} s; a {seconds} s no se "
            "sabe nada de ella."
        ),
        "noise": ("Los tiempos son con ruido: no hay ningún conjunto de datos con voz que cortar."),
        "longer": (
            "Los tiempos llegan a {seconds} s; la calidad se midió con clips de {low} a {high} s, "
            "y más allá no se sabe nada de ella."
        ),
    },
    "en": {
        "free": "**{gate}**: its limit ({limit}) lets the worst output pass: it asks for nothing.",
        "closed": "**{gate}**: no output can meet its limit ({limit}).",
        "waiver": "**{gate}**: its waiver up to {limit} lets the worst output pass.",
        "baseline": (
            "**{gate}**: `{over}` itself is at {value}, and to be no worse than that shows nothing "
            "(of use up to {limit}; `baseline_up_to` changes that)."
        ),
        "unlooked": (
            "No gate decides on quality (errors in texts, opinion of the audio, nearness to a "
            "reference): nobody looked at what it says."
        ),
        "purpose": "No gate decides on {purpose}, which is what an approval is asked for.",
        "only": "For {purpose} only: nobody looked at what it says.",
        "beyond": (
            "**{gate}**: quality was measured on clips of {low} to {high} s; nothing is known of "
            "it at {seconds} s."
        ),
        "noise": "Times are of noise: there is no data set whose speech could be cut.",
        "longer": (
            "Times reach to {seconds} s; quality was measured on clips of {low} to {high} s, and "
            "nothing is known of it beyond."
        ),
    },
}


def finding(found: Mapping[str, Any], check: Mapping[str, Any] | None, language: str) -> str:
    """What a gate leaves unsaid, in the reader's words; `check` is the gate's row."""
    values = {k: markdown.number(v, language) for k, v in found.items() if isinstance(v, float)}
    values["purpose"] = wording.purpose_of(str(found.get("purpose", "")), language)
    if check is not None:
        values["gate"] = markdown.escape(
            wording.gate_name(check, language, bool(check["workload"]))
        )
        if found["code"] == "baseline":
            values["value"] = markdown.quantity(found["value"], check["unit"], language)
            values["limit"] = markdown.given(found["limit"], check["unit"], language)
        elif "limit" in found:
            values["limit"] = wording.gate_limit({**check, "limit": found["limit"]}, language)
    text = FINDINGS[language].get(found["code"], str(found["code"]))
    return text.format(**{k: markdown.escape(str(v)) for k, v in found.items()} | values)
