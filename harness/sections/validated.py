"""What was validated: how many calls, lengths, sessions, utterances and minutes stand behind it."""

from __future__ import annotations

from collections.abc import Iterator

from harness import markdown, reading, wording
from harness.contracts import Result, Section

TEXTS = {
    "es": {
        "none": "Sin medir: no hay ninguna llamada.",
        "quantized": "Cuantización `{method}`: `{variant}` pasa de {before} a {after} ({change}).",
        "latency": (
            "Latencia: {calls} llamadas en caliente, {cells} celdas, {lengths} duraciones ({list})."
        ),
        "twin": "Gemelo A/A de la base: {calls} llamadas.",
        "sweep": "Barrido: {sessions} sesiones, {calls} llamadas en caliente en {rounds} rondas.",
        "audit": (
            "Auditoría de un protocolo ajeno: {replayed} llamadas a su modo y {rounds} al nuestro."
        ),
        "quality": (
            "Calidad: {items} frases de `{dataset}` ({seconds} s de audio, {speakers}), "
            "{variants} variantes."
        ),
        "speaker": "1 locutor",
        "speakers": "{n} locutores",
        "unknown": "locutores desconocidos",
        "total": (
            "En total, {calls} llamadas cronometradas y {errors} errores, todas en `calls.parquet`."
        ),
    },
    "en": {
        "none": "Not measured: there is no call at all.",
        "quantized": (
            "Quantization `{method}`: `{variant}` goes from {before} to {after} ({change})."
        ),
        "latency": "Latency: {calls} warm calls, {cells} cells, {lengths} lengths ({list}).",
        "twin": "A/A twin of the baseline: {calls} calls.",
        "sweep": "Sweep: {sessions} sessions, {calls} warm calls in {rounds} rounds.",
        "audit": "Audit of another's protocol: {replayed} calls its way and {rounds} ours.",
        "quality": (
            "Quality: {items} utterances of `{dataset}` ({seconds} s of audio, {speakers}), "
            "{variants} variants."
        ),
        "speaker": "1 speaker",
        "speakers": "{n} speakers",
        "unknown": "speakers unknown",
        "total": "In all, {calls} timed calls and {errors} errors, every one in `calls.parquet`.",
    },
}


def render(result: Result, language: str) -> str:
    texts = TEXTS[language]
    if result.calls.empty:
        return texts["none"]
    lines = [*_made(result, language), *_timed(result, language), *_spoken(result, language)]
    failed = int((result.calls["error"] != "").sum())
    total = {"calls": _clocked(result), "errors": failed}
    lines.append(texts["total"].format(**_counts(total, language)))
    listed = "\n".join(f"- {line}" for line in lines)
    return markdown.paragraphs(listed, markdown.source(language, "calls"))


def _clocked(result: Result) -> int:
    """Calls with a time, cold ones too; loading is no call."""
    good = reading.rows(result.calls, error="")
    return int((good["seconds"].notna() & (good["operation"] != "load")).sum())


def _counts(values: dict[str, int], language: str) -> dict[str, str]:
    return {name: markdown.count(value, language) for name, value in values.items()}


def _made(result: Result, language: str) -> Iterator[str]:
    base = reading.row(result.variants, variant=reading.baseline(result))
    for row in reading.records(result.variants):
        if base is None or not row["method"] or row["error"]:
            continue
        yield TEXTS[language]["quantized"].format(
            method=row["method"],
            variant=row["variant"],
            before=markdown.quantity(base["size_bytes"] / 1e6, "MB", language),
            after=markdown.quantity(row["size_bytes"] / 1e6, "MB", language),
            change=markdown.quantity(row["size_bytes"] / base["size_bytes"] - 1, "share", language),
        )


def _timed(result: Result, language: str) -> Iterator[str]:
    texts = TEXTS[language]
    calls = reading.warm(result, stage="latency")
    own = reading.rows(calls, replica=0)
    if len(own):
        lengths = reading.lengths(own)
        shown = ", ".join(wording.workload(name, language) for name in lengths)
        cells = len(own.groupby(["variant", "session"]))
        numbers = {"calls": len(own), "cells": cells, "lengths": len(lengths)}
        yield texts["latency"].format(**_counts(numbers, language), list=shown)
    if len(calls) > len(own):
        yield texts["twin"].format(**_counts({"calls": len(calls) - len(own)}, language))
    swept = reading.rows(result.calls, stage="sweep", warm=True)
    if len(swept):
        numbers = {"sessions": swept["session"].nunique(), "rounds": swept["round"].nunique()}
        good = int((swept["error"] == "").sum())
        yield texts["sweep"].format(**_counts({**numbers, "calls": good}, language))
    replayed = len(reading.rows(result.calls, stage="audit", warm=True, error=""))
    rounds = len(reading.rows(result.calls, stage="audit_rounds", warm=True, error=""))
    if replayed or rounds:
        counts = {"replayed": replayed, "rounds": rounds}
        yield texts["audit"].format(**_counts(counts, language))


def _spoken(result: Result, language: str) -> Iterator[str]:
    texts = TEXTS[language]
    heard = reading.rows(result.calls, stage="quality", warm=True, error="")
    for name, group in heard.groupby("dataset", sort=False):
        items = group.drop_duplicates("item")
        people = int(items["speaker"][items["speaker"] != ""].nunique())
        told = {0: texts["unknown"], 1: texts["speaker"]}.get(
            people, texts["speakers"].format(n=people)
        )
        yield texts["quality"].format(
            items=markdown.count(len(items), language),
            dataset=name,
            seconds=markdown.count(items["audio_seconds"].sum(), language),
            speakers=told,
            variants=group["variant"].nunique(),
        )


section = Section(
    order=60, title={"es": "Validación realizada", "en": "What was validated"}, render=render
)
