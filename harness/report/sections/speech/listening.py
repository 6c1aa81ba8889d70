"""Where the audio lies, and the sentences that a recogniser understands worst."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from harness.contracts import Result
from harness.decide import measures
from harness.io.escaping import marked, unmarked
from harness.report import markdown
from harness.report.sections.speech.words import TEXTS
from harness.speech import text
from harness.store import queries

FIRST = 3  # sentences of each variant
WORST = 5
HASH = 12  # signs of a SHA-256
FOLDER = "audio/"


def first(result: Result, language: str) -> Iterator[str]:
    """The first sentences of each variant, each with a link that works from the run's folder."""
    texts = TEXTS[language]
    calls = queries.rows(result.calls, stage="quality", replica=0, error="")
    calls = calls[(calls["audio"] != "") & calls["warm"]]
    if calls.empty:
        return
    order = {line.variant: place for place, line in enumerate(queries.lines(result))}
    items = {name: place for place, name in enumerate(calls["item"].unique())}
    calls = calls.assign(
        place=calls["variant"].map(order).fillna(len(order)), turn=calls["item"].map(items)
    )
    calls = calls.sort_values(["dataset", "place", "turn"], kind="stable")
    shown = calls.groupby(["dataset", "variant", "session"], sort=False).head(FIRST)
    rows = [_row(row) for row in queries.records(shown)]
    yield texts["listen"]
    headers = [texts[key] for key in ("variant", "item", "text", "audio", "hash")]
    yield markdown.table(headers, rows, "lllll")
    yield markdown.source(language, "calls", stage="quality")


def _row(row: dict[str, Any]) -> list[str]:
    path = FOLDER + str(row["audio"])
    name = path.rpartition("/")[2]
    return [
        markdown.escape(queries.Line(row["variant"], row["session"], "").label),
        markdown.escape(row["item"]),
        markdown.escape(row["reference"]),
        markdown.link(name, path),
        markdown.code(str(row["audio_sha256"])[:HASH]),
    ]


def worst(result: Result, name: str, language: str) -> Iterator[str]:
    """The candidate's worst sentences by the round trip, aligned, with the baseline's beside."""
    texts = TEXTS[language]
    lines = queries.lines(result)
    variant = queries.candidate(result)[0] or (lines[-1].variant if lines else "")
    where = {"stage": "quality", "workload": name, "metric": "round_trip_wer", "replica": 0}
    scores = queries.rows(result.scores, **where, variant=variant)
    wrong = scores[(scores["value"] > 0) & (scores["weight"] > 0)]
    heard = _heard(result, name)
    if wrong.empty or heard.empty:
        return
    wrong = wrong.assign(wer=wrong["value"] / wrong["weight"]).drop_duplicates("item")
    wrong = wrong.sort_values(["wer", "item"], ascending=[False, True], kind="stable").head(WORST)
    known = set(heard.index)
    wrong = wrong[[(variant, item) in known for item in wrong["item"]]]
    yield texts["worst"].format(n=len(wrong), variant=variant) if len(wrong) else ""
    names = dict.fromkeys((queries.baseline(result), variant))
    for row in queries.records(wrong):
        item = str(row["item"])
        shown = markdown.quantity(float(row["wer"]), "fraction", language)
        yield texts["wrong"].format(item=item, wer=shown)
        said = {who: str(heard["text"][who, item]) for who in names if (who, item) in known}
        yield f"```text\n{markdown.aligned(str(heard['reference'][variant, item]), said)}\n```"
    yield markdown.source(language, "judged", judge="round_trip", dataset=name)


def _heard(result: Result, name: str) -> pd.DataFrame:
    """(variant, item) -> what was heard and the text, both as they are compared."""
    rows = queries.rows(result.judged, dataset=name, judge="round_trip", replica=0, error="")
    rows = rows.drop_duplicates(["variant", "item"]).set_index(["variant", "item"])
    rule = measures.normaliser(result, name)
    normalise = text.NORMALISERS.get(rule, str)

    def compared(said: str) -> str:
        return marked(normalise(unmarked(said)))

    both = rows[["text", "reference"]]
    return both.apply(lambda column: column.map(compared)) if len(both) else both
