"""Cold against warm: loading the model, its first call, and the memory it takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from harness.contracts import Result, Section
from harness.decide import measures
from harness.report import markdown, wording, words
from harness.store import queries

METRICS = ("load_ms", "first_call_ms", "latency_p50_ms", "peak_memory_mb")
TEXTS = words.table("sections.cold")


def render(result: Result, language: str) -> str:
    if not measures.times_audio(result):
        return ""
    texts = TEXTS[language]
    rows = list(_rows(result, language))
    if not rows:
        return texts["none"]
    headers = [texts["line"], *(wording.metric(name, language) for name in METRICS)]
    headers[3] = texts["warm"]
    headers.append(texts["longest"])
    return markdown.paragraphs(
        texts["note"],
        markdown.table(headers, rows, "l"),
        markdown.source(language, "summary", stage="latency"),
    )


def _rows(result: Result, language: str) -> Iterator[list[str]]:
    workload = queries.main_length(result)
    for line in queries.lines(result):
        cell = {"variant": line.variant, "session": line.session, "replica": 0}
        here = queries.rows(result.summary, stage="latency", **cell)
        found = {name: _longest(queries.rows(here, metric=name), workload) for name in METRICS}
        if not found["load_ms"] and not found["first_call_ms"]:
            continue
        peaks = queries.rows(here, metric="peak_memory_mb")
        found["peak_memory_mb"] = queries.row(peaks.sort_values("value", ascending=False))
        found["latency_p50_ms"] = queries.latency(result, line, "latency_p50_ms", workload)
        units = ("ms", "ms", "ms", "MB")
        yield [
            markdown.escape(line.label),
            *(
                markdown.quantity(queries.bounds(found[name])[0], unit, language)
                for name, unit in zip(METRICS, units, strict=True)
            ),
            _longest_heard(result, line, language),
        ]


def _longest_heard(result: Result, line: queries.Line, language: str) -> str:
    """The longest audio of the process whose memory is shown; a dash where no call is known."""
    cell = {"stage": "latency", "variant": line.variant, "session": line.session, "replica": 0}
    heard = queries.rows(result.calls, **cell, error="")["audio_seconds"]
    longest = float(heard.max()) if len(heard) else float("nan")
    return markdown.given(longest, "s", language)


def _longest(rows: pd.DataFrame, workload: str) -> dict[str, Any] | None:
    """The row at the main length; without one the largest value of the cell."""
    ordered = rows.assign(here=rows["workload"] == workload).sort_values(["here", "value"])
    return queries.row(ordered.iloc[::-1])


section = Section(
    order=44, title={"es": "En frío y en caliente", "en": "Cold and warm"}, render=render
)
