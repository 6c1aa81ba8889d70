"""What was validated: how many calls, lengths, sessions, utterances and minutes stand behind it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from harness.contracts import Result, Section
from harness.contracts.experiment import ModelSpec, Origin
from harness.contracts.plain import filed
from harness.decide import measures
from harness.report import markdown, wording, words
from harness.store import queries

HASH = 12  # signs of a fingerprint
REASONS = 3  # why utterances are left out: the most frequent ones
TEXTS = words.table("sections.validated")


def render(result: Result, language: str) -> str:
    texts = TEXTS[language]
    if result.calls.empty:
        return texts["none"]
    lines = [*_models(result), *_made(result, language), *_servers(result, language)]
    lines += [*_timed(result, language), *_spoken(result, language)]
    failed = int((result.calls["error"] != "").sum())
    total = {"calls": _clocked(result), "errors": failed}
    lines.append(texts["total"].format(**_counts(total, language)))
    listed = "\n".join(f"- {line}" for line in lines)
    about = texts["format"] if len(result.datasets) else ""
    return markdown.paragraphs(listed, about, markdown.source(language, "calls"))


def _clocked(result: Result) -> int:
    """Calls with a time, cold ones too; loading is no call."""
    good = queries.rows(result.calls, error="")
    return int((good["seconds"].notna() & (good["operation"] != "load")).sum())


def _counts(values: dict[str, int], language: str) -> dict[str, str]:
    return {name: markdown.count(value, language) for name, value in values.items()}


def _made(result: Result, language: str) -> Iterator[str]:
    base = queries.row(result.variants, variant=queries.baseline(result))
    for row in queries.records(result.variants):
        if base is None or not base["size_bytes"] or not row["method"] or row["error"]:
            continue
        if row["size_bytes"] == base["size_bytes"] and row["method"] == base["method"]:
            continue  # the same files, with other parameters
        change = row["size_bytes"] / base["size_bytes"] - 1
        yield TEXTS[language]["quantized" if _same_model(result, row) else "system"].format(
            method=row["method"],
            variant=row["variant"],
            baseline=base["variant"],
            before=markdown.quantity(base["size_bytes"] / 1e6, "MB", language),
            after=markdown.quantity(row["size_bytes"] / 1e6, "MB", language),
            change=("+" if change > 0 else "") + markdown.quantity(change, "share", language),
        )


def _same_model(result: Result, row: Mapping[str, Any]) -> bool:
    """Whether a variant has files of the same names as the baseline's: a form of that model."""
    base = queries.row(result.variants, variant=queries.baseline(result))
    names = [set(queries.parsed(one["files"])) for one in (row, base) if one]
    return len(names) == 2 and names[0] == names[1]


def _models(result: Result) -> Iterator[str]:
    """Family and source of each model that some variant is or has as a part, voice and language
    where it has them: once, where variants share one."""
    known: dict[str, list[str]] = {}
    for variant in queries.variants(result):
        for role, model in _each(result.experiment.model_of(variant)):
            if model.source:
                name = f"{variant}.{role}" if role else variant
                known.setdefault(_about(model, model.source), []).append(f"`{name}`")
    for about, names in known.items():
        yield f"{', '.join(names)}: {about}."


def _each(model: ModelSpec, role: str = "") -> Iterator[tuple[str, ModelSpec]]:
    """(role, model) of a model and of its parts."""
    yield role, model
    for name, part in model.parts.items():
        yield from _each(part, f"{role}.{name}" if role else name)


def _about(model: ModelSpec, source: Origin) -> str:
    facts, params = [model.family, *map(str, filed(source).values())], model.params
    facts += [f"{key} {params[key]}" for key in ("voice", "language", "speaker") if params.get(key)]
    return " · ".join(markdown.code(fact) for fact in facts)


def _servers(result: Result, language: str) -> Iterator[str]:
    """Each server that a variant, or a part of one, asks: how, and how often again."""
    for variant in queries.variants(result):
        for role, params in _asked(result.experiment.model_of(variant)):
            where = {"variant": variant, "operation": "pipeline", "error": ""}
            calls = queries.rows(result.calls, **where)
            again = sum(queries.parsed(text).get("retries", 0) > 0 for text in calls["figures"])
            yield TEXTS[language]["server"].format(
                variant=f"{variant}.{role}" if role else variant,
                url=markdown.code(str(params["url"])),
                model=markdown.code(str(params.get("model") or "")) or markdown.UNKNOWN,
                timeout=markdown.given(_number(params, "timeout_seconds"), "s", language),
                retries=markdown.given(_number(params, "retries"), "", language),
                together=_together(params, language),
                **_counts({"again": again, "calls": len(calls)}, language),
            )


def _together(params: Mapping[str, Any], language: str) -> str:
    """How many calls were under way at once."""
    count = _number(params, "concurrency")
    texts = TEXTS[language]
    if count > 1:
        return texts["many_calls"].format(concurrency=markdown.given(count, "", language))
    return texts["one_call"]


def _asked(model: ModelSpec, role: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(role, parameters) of what a model asks by a URL, itself or in its parts."""
    yield from ((name, one.params) for name, one in _each(model, role) if one.params.get("url"))


def _number(params: Mapping[str, Any], key: str) -> float:
    return float(params.get(key, math.nan))


def _timed(result: Result, language: str) -> Iterator[str]:
    texts = TEXTS[language]
    calls = queries.warm(result, stage="latency")
    own = queries.rows(calls, replica=0)
    if len(own):
        lengths = queries.lengths(own)
        shown = ", ".join(wording.workload(name, language) for name in lengths)
        cells = len(own.groupby(["variant", "session"]))
        numbers = {"calls": len(own), "cells": cells, "rounds": own["round"].nunique()}
        yield texts["latency"].format(**_counts(numbers, language), list=shown)
    if len(calls) > len(own):
        yield texts["twin"].format(**_counts({"calls": len(calls) - len(own)}, language))
    swept = queries.rows(result.calls, stage="sweep", warm=True)
    if len(swept):
        numbers = {"sessions": swept["session"].nunique(), "rounds": swept["round"].nunique()}
        good = int((swept["error"] == "").sum())
        yield texts["sweep" if numbers["sessions"] > 1 else "unswept"].format(
            **_counts({**numbers, "calls": good}, language)
        )
    replayed = len(queries.rows(result.calls, stage="audit", warm=True, error=""))
    rounds = len(queries.rows(result.calls, stage="audit_rounds", warm=True, error=""))
    if replayed or rounds:
        counts = {"replayed": replayed, "rounds": rounds}
        yield texts["audit"].format(**_counts(counts, language))


def _spoken(result: Result, language: str) -> Iterator[str]:
    texts = TEXTS[language]
    heard = queries.rows(result.calls, stage="quality", warm=True, error="")
    for name, group in heard.groupby("dataset", sort=False):
        items = group.drop_duplicates("item")
        people = int(items["speaker"][items["speaker"] != ""].nunique())
        if measures.takes_text(result):
            yield _said(str(name), group, language)
            yield from _drawn(result, str(name), language)
            continue
        told = {0: texts["unknown"], 1: texts["speaker"]}.get(
            people, texts["speakers"].format(n=people)
        )
        kind = {"none": "silent", "unknown": "unwritten"}
        yield texts[kind.get(measures.transcripts(result, str(name)), "quality")].format(
            items=markdown.count(len(items), language),
            dataset=name,
            seconds=markdown.count(items["audio_seconds"].sum(), language),
            speakers=told,
            variants=group["variant"].nunique(),
        )
        yield from _drawn(result, str(name), language)
    if len(result.judged):
        errors = int((result.judged["error"] != "").sum())
        numbers = {"n": len(result.judged), "errors": errors}
        yield texts["judged"].format(**_counts(numbers, language))


def _said(name: str, group: pd.DataFrame, language: str) -> str:
    return TEXTS[language]["spoken"].format(
        items=markdown.count(group["item"].nunique(), language),
        dataset=name,
        seconds=markdown.count(group["audio_seconds"].sum(), language),
        variants=group["variant"].nunique(),
    )


def _drawn(result: Result, name: str, language: str) -> Iterator[str]:
    """Where a data set comes from, how it was drawn, and how much of it is left out and why."""
    texts = TEXTS[language]
    row = queries.row(result.datasets, dataset=name)
    if row:
        known = wording.notes(queries.parsed(row["notes"]), language)
        notes = "; ".join(f"{key}: {value}" for key, value in known.items())
        yield texts["source"].format(
            dataset=name,
            source=row["source"],
            fingerprint=row["fingerprint"][:HASH],
            notes=f" ({markdown.escape(notes)})" if notes else "",
        )
        if rates := queries.parsed(row["source_rates"]):
            yield texts["sound"].format(
                dataset=name,
                rates=", ".join(f"{rate} Hz ({n})" for rate, n in rates.items()),
                band=markdown.given(row["bandwidth_hz"], "Hz", language),
                n=sum(rates.values()),
            )
    calls = queries.rows(result.calls, stage="quality", dataset=name, replica=0)
    failed = calls[calls["error"] != ""].drop_duplicates(["item", "error"])
    lost = failed["item"].nunique()
    if lost:
        most = failed["error"].value_counts(sort=False).sort_values(ascending=False, kind="stable")
        why = [
            texts["times"].format(why=markdown.escape(str(error)), n=markdown.count(n, language))
            for error, n in most.head(REASONS).items()
        ]
        whole = max(calls["item"].nunique(), row["planned"] if row else 0)
        yield texts["left"].format(
            dataset=name,
            n=markdown.count(lost, language),
            all=markdown.count(whole, language),
            share=markdown.quantity(lost / whole, "share", language),
            why="; ".join([*why, *["…"] * (len(most) > REASONS)]),
        )


section = Section(
    order=60, title={"es": "Validación realizada", "en": "What was validated"}, render=render
)
