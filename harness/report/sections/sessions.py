"""The sweep of session configurations: each one's time against the default, and the noise band."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from harness.contracts import Result, Section
from harness.decide import measures, resolution
from harness.report import captions, markdown, noise, words
from harness.store import queries

COLUMNS = ("session", "options", "variant", "ratio", "fresh", "reads", "blocks")
TEXTS = words.table("sections.sessions")


def render(result: Result, language: str) -> str:
    if not measures.times_audio(result):
        return ""
    texts = TEXTS[language]
    if result.sessions.empty:
        return texts["none"]
    if set(result.sessions["session"]) == {"default"}:
        return ""  # nothing was swept: the default session alone serves the A/A twin
    today = resolution.of_sweep(result)
    low, high = today.band
    band = texts["no_band"]
    if math.isinf(low):
        band = texts["few"]
    elif not math.isnan(low):
        ends = {"low": low, "high": high}
        shown = {key: markdown.quantity(end, "share", language) for key, end in ends.items()}
        band = texts["band"].format(baseline=queries.baseline(result), **shown)
    headers = [texts[k] for k in COLUMNS]
    variant = queries.candidate(result)[0]
    first = result.sessions.assign(other=result.sessions["variant"] != variant)
    ordered = first.sort_values(["other", "variant", "ratio"], na_position="last", kind="stable")
    blocks = queries.rows(noise.blocks(result), stage="sweep")
    rows = [
        [*_row(row, today, variant, language), _counted(row, blocks, language)]
        for row in queries.records(ordered)
    ]
    return markdown.paragraphs(
        texts["intro"] + " " + band,
        captions.shown(result, "sessions", language),
        markdown.table(headers, rows, "lllrrlr"),
        markdown.source(language, "sessions"),
        noise.legend(result, rows, language),
    )


def _row(
    row: Mapping[str, Any], today: resolution.Resolution, variant: str, language: str
) -> list[str]:
    options = [f"{key}={_plain(value)}" for key, value in queries.options(row["options"]).items()]
    fresh = (row["confirmed"], row["confirmed_low"], row["confirmed_high"])
    return [
        markdown.code(row["session"]),
        "<br>".join(markdown.code(option) for option in options) or markdown.UNKNOWN,
        markdown.escape(row["variant"]),
        markdown.estimate(queries.bounds(row, "ratio"), "share", language),
        markdown.estimate(fresh, "share", language),
        _reading(row, today, variant, language),
    ]


def _counted(row: Mapping[str, Any], blocks: pd.DataFrame, language: str) -> str:
    """The blocks of the sweep, and those marked; the fresh measurement has its own in latency."""
    counted = noise.counted(blocks, variant=row["variant"], session=row["session"])
    return noise.shown(counted, language)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _reading(
    row: Mapping[str, Any], today: resolution.Resolution, variant: str, language: str
) -> str:
    texts = TEXTS[language]
    if row["error"]:
        return texts["failed"].format(error=markdown.escape(row["error"]))
    if row["chosen"] and row["variant"] == variant:
        if row["session"] == "default" or row["confirmed"] != row["confirmed"]:
            return texts["chosen"]
        return texts["held" if row["holds"] else "lost"]
    if row["session"] == "default":
        return texts["reference"]
    return texts[resolution.speed_of(row, today)]


section = Section(
    order=46,
    title={"es": "Barrido de configuraciones de sesión", "en": "Sweep of session configurations"},
    render=render,
)
