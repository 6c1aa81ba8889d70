"""Warm latency of the user's own operation per length, variant and session, against the
baseline."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from harness.contracts import Result, Section
from harness.decide import measures
from harness.report import captions, markdown, noise, row_text, wording, words
from harness.store import queries

TEXTS = words.table("sections.latency")


def render(result: Result, language: str) -> str:
    texts = TEXTS[language]
    blocks = queries.rows(noise.blocks(result), stage="latency")
    rows = list(_rows(result, blocks, language))
    made = markdown.source(language, "calls", stage="latency", operation="pipeline", warm="True")
    timed = len(queries.timed(result)) > 0
    seen = captions.shown(result, "latency_cells", language, made) if timed else ""
    if not rows:
        return markdown.paragraphs(_none(result, language), seen)
    made = markdown.source(language, "summary", stage="latency", metric="latency_p50_ms")
    sure = "95" + markdown.behind("%", language)
    headers = [texts["length"], texts["line"], f"P50 [{sure}]", "P90", f"P99 [{sure}]"]
    headers += [texts["against"].format(baseline=f"`{queries.baseline(result)}`"), texts["n"]]
    headers += [texts["blocks"]]
    return markdown.paragraphs(
        texts["intro"].format(way=row_text.way(result, language)),
        seen,
        captions.shown(result, "latency_lengths", language, made),
        markdown.table(headers, rows, "rlrrrrrr"),
        markdown.source(language, "summary", stage="latency", operation="pipeline"),
        noise.legend(result, rows, language),
    )


def _none(result: Result, language: str) -> str:
    """Where the times are, if not here."""
    texts = TEXTS[language]
    timed = queries.rows(result.summary, stage="quality", replica=0)
    known = [name for name in measures.times(result) if (timed["metric"] == name).any()]
    if measures.times_audio(result) or not known:
        return texts["none"]
    named = ", ".join(wording.metric(name, language) for name in known)
    return texts["elsewhere"].format(metrics=named)


def _rows(result: Result, blocks: pd.DataFrame, language: str) -> Iterator[list[str]]:
    stage = queries.rows(result.summary, stage="latency", operation="pipeline")
    for workload in queries.lengths(stage):
        for line in queries.lines(result):
            p50 = queries.latency(result, line, "latency_p50_ms", workload)
            if p50 is None:
                continue
            p90 = queries.latency(result, line, "latency_p90_ms", workload)
            p99 = queries.latency(result, line, "latency_p99_ms", workload)
            cell = {"variant": line.variant, "session": line.session}
            counted = noise.counted(blocks, **cell, audio_seconds=queries.seconds(workload))
            yield [
                wording.workload(workload, language),
                markdown.escape(line.label),
                markdown.estimate(queries.bounds(p50), "ms", language),
                markdown.quantity(queries.bounds(p90)[0], "ms", language),
                markdown.estimate(queries.bounds(p99), "ms", language),
                _against(result, line, workload, language),
                markdown.count(p50["n"], language),
                noise.shown(counted, language),
            ]


def _against(result: Result, line: queries.Line, workload: str, language: str) -> str:
    if line.role == "baseline":
        return "1"
    found = queries.change(result, line, "latency_p50_ms", workload)
    if found is None:
        return markdown.UNKNOWN
    values = (found["ratio"], found["ratio_low"], found["ratio_high"])
    return markdown.estimate(values, "ratio", language)


section = Section(order=40, title={"es": "Latencia", "en": "Latency"}, render=render)
