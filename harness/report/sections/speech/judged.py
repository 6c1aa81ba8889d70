"""Who judged: what each predictor is valid for, the listeners, and where a predictor is fooled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from harness import plugins
from harness.contracts import Judge, Result
from harness.decide import measures
from harness.io.escaping import unmarked
from harness.report import markdown, row_text, wording, words
from harness.report.sections.speech.words import TEXTS
from harness.store import queries

REASONS = 3  # why scores are left out: the most frequent ones


def warned(result: Result, name: str, here: pd.DataFrame, language: str) -> Iterator[str]:
    """What a predictor's MOS is worth beside the round trip, or without it."""
    texts = TEXTS[language]
    opinions = measures.group(result, *measures.OPINIONS)
    known = [metric for metric in opinions if not measures.is_listeners(result, metric)]
    predicted = [metric for metric in known if (here["metric"] == metric).any()]
    heard = queries.rows(here, metric="round_trip_wer")
    if not predicted:
        return
    if heard.empty:
        yield texts["alone"]
        return
    yield texts["own"] + " " + texts["beside"]
    panels = [
        measures.Measure(metric, "quality", name, unit, better)
        for metric, unit, better in (
            (predicted[0], "MOS", "higher"),
            ("round_trip_wer", "fraction", "lower"),
        )
    ]
    for line, group in measures.cells(here):
        row = queries.row(group, metric="round_trip_wer")
        liked = queries.row(group, metric=predicted[0])
        if row and liked and row["value"] >= measures.GIBBERISH:
            opinion = wording.metric(predicted[0], language)
            value = markdown.number(float(liked["value"]), language, 2)
            fooled = measures.approves(result, line, (panels[0], panels[1]))
            yield texts["gibberish" if fooled else "lost"].format(
                line=line.label,
                opinion=f"{opinion} {value}",
                heard=row_text.shown(row, language),
            )


def listeners(result: Result, name: str, language: str) -> Iterator[str]:
    """How many scores of how many listeners, and what was left out and why."""
    texts = TEXTS[language]
    scores = queries.rows(result.judged, dataset=name)
    scores = scores[scores["rater"] != ""]
    if scores.empty:
        return
    good = queries.rows(scores, error="")
    told = texts["listeners"].format(
        scores=markdown.count(len(good), language),
        raters=markdown.count(good["rater"].nunique(), language),
        items=markdown.count(good["item"].nunique(), language),
    )
    left = scores[scores["error"] != ""]
    if len(left):
        reasons = left["error"].map(measures.without_line)
        most = reasons.value_counts().sort_index().sort_values(ascending=False, kind="stable")
        why = [
            texts["times"].format(
                why=markdown.escape(wording.note(str(reason), language)),
                n=markdown.count(n, language),
            )
            for reason, n in most.head(REASONS).items()
        ]
        told += " " + texts["screened"].format(
            n=markdown.count(len(left), language),
            why="; ".join([*why, *["…"] * (len(most) > REASONS)]),
        )
    yield told


def judges(result: Result, name: str, language: str) -> Iterator[str]:
    """A line per judge: name, version, what it is valid for, how it was set, what it noted."""
    rows = queries.records(queries.rows(result.judges, dataset=name))
    if not rows:
        return
    yield TEXTS[language]["judges"]
    yield "\n".join(f"- {_judge(row, language)}" for row in rows)
    yield markdown.source(language, "judges", dataset=name)


def _version(name: str, version: str, language: str) -> str:
    """What a judge is, in the reader's words where it is the one that we have; else as stored."""
    if language == words.ENGLISH or name not in plugins.names("judges"):
        return version
    judge: Judge = plugins.load("judges", name)
    same = unmarked(version) == judge.version
    return (words.version(name, judge.named, language) if same else "") or version


def _judge(row: Mapping[str, Any], language: str) -> str:
    about = queries.parsed(row["about"])
    said = words.about(unmarked(str(row["judge"])), about, language)
    version = _version(unmarked(str(row["judge"])), str(row["version"]), language)
    parts = [f"`{row['judge']}`: {markdown.escape(version)}.", markdown.escape(said)]
    if queries.parsed(row["parameters"]):
        parts.append(markdown.code(row["parameters"]) + ".")
    notes = queries.parsed(row["notes"])
    recogniser = notes.pop("recogniser", "")
    if recogniser:
        value = markdown.escape(wording.note(str(recogniser), language))
        parts.append(TEXTS[language]["recogniser"].format(value=value))
    if notes:
        named = wording.notes(notes, language)
        listed = "; ".join(f"{key}: {value}" for key, value in named.items())
        parts.append(markdown.escape(listed) + ".")
    return " ".join(part for part in parts if part)
