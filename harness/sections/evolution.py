"""The way from what was recorded elsewhere, over the baseline, to the best configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness import markdown, reading, wording
from harness.contracts import Result, Section

NAN = float("nan")
TEXTS = {
    "es": {
        "step": "Paso",
        "latency": "Latencia P50 ({workload})",
        "times": "Respecto a {baseline}",
        "size": "Tamaño",
        "origin": "Origen",
        "recorded": "registrado en otro lugar: {source}",
        "measured": "medido aquí",
        "none": "Sin medir: no hay variantes ni cifras registradas.",
        "total": (
            "De `{first}` a `{last}`: {before} → {after}, es decir, {times} veces más rápido. La "
            "primera cifra "
            "se midió en otro lugar y con otro equipo; la comparación solo es orientativa."
        ),
        "own": (
            "De `{first}` a `{last}`: {before} → {after}; emparejado por rondas, {ratio} del "
            "tiempo "
            "de `{first}`{noise}."
        ),
        "noise": ", lo que no se distingue del ruido de hoy en este equipo",
    },
    "en": {
        "step": "Step",
        "latency": "Latency P50 ({workload})",
        "times": "Against {baseline}",
        "size": "Size",
        "origin": "Origin",
        "recorded": "recorded elsewhere: {source}",
        "measured": "measured here",
        "none": "Not measured: there are no variants and no recorded figures.",
        "total": (
            "From `{first}` to `{last}`: {before} → {after}, that is, {times} times as fast. The "
            "first figure was "
            "measured elsewhere, on another machine; the comparison only gives an idea."
        ),
        "own": (
            "From `{first}` to `{last}`: {before} → {after}; paired by rounds, {ratio} of the "
            "time of "
            "`{first}`{noise}."
        ),
        "noise": ", which cannot be told from today's noise on this machine",
    },
}


def render(result: Result, language: str) -> str:
    texts, workload = TEXTS[language], reading.main_length(result)
    steps = [*_recorded(result), *_measured(result, workload)]
    if not steps:
        return texts["none"]
    shown = wording.workload(workload, language) or markdown.UNKNOWN
    headers = [texts["step"], texts["latency"].format(workload=shown)]
    headers += [texts["times"].format(baseline=f"`{reading.baseline(result)}`")]
    headers += [texts["size"], "WER", texts["origin"]]
    base = next((s["latency"][0] for s in steps if s["role"] == "baseline"), NAN)
    rows = [_row(step, base, language) for step in steps]
    where = {"stage": "latency", "workload": workload} if workload else {}
    parts = [markdown.table(headers, rows, "lrrrrl"), markdown.source(language, "summary", **where)]
    return markdown.paragraphs(*parts, *_totals(steps, language))


def _recorded(result: Result) -> Iterator[dict[str, Any]]:
    for entry in result.experiment.get("recorded") or []:
        yield {
            "name": str(entry["name"]),
            "role": "recorded",
            "latency": (float(entry.get("latency_p50_ms", NAN)), NAN, NAN),
            "size": float(entry.get("size_mb", NAN)),
            "wer": (float(entry.get("wer", NAN)), NAN, NAN),
            "source": str(entry["source"]),
        }


def _measured(result: Result, workload: str) -> Iterator[dict[str, Any]]:
    for line in reading.lines(result):
        latency = reading.latency(result, line, "latency_p50_ms", workload)
        size = reading.row(result.summary, variant=line.variant, metric="size_mb")
        wer = reading.quality(result, line.variant, "wer")
        yield {
            "name": line.label,
            "role": line.role,
            "latency": reading.bounds(latency),
            "change": reading.change(result, line, "latency_p50_ms", workload),
            "size": reading.bounds(size)[0],
            "wer": reading.bounds(wer),
            "source": "",
        }


def _row(step: Mapping[str, Any], base: float, language: str) -> list[str]:
    texts, value = TEXTS[language], step["latency"][0]
    recorded = step["role"] == "recorded"
    strong = "**" if step["role"] == "candidate" else ""
    mark = "*" if recorded else strong
    origin = texts["recorded"].format(source=markdown.escape(step["source"]))
    return [
        f"{mark}{markdown.escape(step['name'])}{mark}",
        f"{strong}{markdown.estimate(step['latency'], 'ms', language)}{strong}",
        _against(step, value / base if base else NAN, language),
        markdown.quantity(step["size"], "MB", language),
        markdown.estimate(step["wer"], "fraction", language),
        origin if recorded else texts["measured"],
    ]


def _against(step: Mapping[str, Any], plain: float, language: str) -> str:
    """Paired by rounds where it was measured here; else one figure over the other."""
    found = step.get("change")
    if not found:
        return markdown.quantity(plain, "ratio", language)
    return markdown.estimate(_ratio(found), "ratio", language)


def _ratio(change: Mapping[str, Any]) -> tuple[float, float, float]:
    return float(change["ratio"]), float(change["ratio_low"]), float(change["ratio_high"])


def _totals(steps: list[dict[str, Any]], language: str) -> Iterator[str]:
    texts = TEXTS[language]
    known = [step for step in steps if step["latency"][0] == step["latency"][0]]
    last = next((s for s in reversed(known) if s["role"] == "candidate"), None)
    for role, key in (("recorded", "total"), ("baseline", "own")):
        first = next((step for step in known if step["role"] == role), None)
        if first is None or last is None or (key == "own" and not last["change"]):
            continue
        before, after = first["latency"][0], last["latency"][0]
        change = last["change"] or {"ratio": NAN, "ratio_low": NAN, "ratio_high": NAN}
        yield texts[key].format(
            first=first["name"],
            last=last["name"],
            before=markdown.quantity(before, "ms", language),
            after=markdown.quantity(after, "ms", language),
            times=markdown.number(before / after, language),
            ratio=markdown.estimate(_ratio(change), "share", language),
            noise="" if last["change"] and change["resolved"] else texts["noise"],
        )


section = Section(order=20, title={"es": "Evolución", "en": "Evolution"}, render=render)
