"""The utterances whose transcript changed with quantization, aligned word by word."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from harness.contracts import Result, Section
from harness.decide import measures
from harness.report import markdown, words
from harness.store import queries

SHOWN = 8
TEXTS = words.table("sections.changed")


def render(result: Result, language: str) -> str:
    texts = TEXTS[language]
    written = queries.rows(result.calls, stage="quality", operation="pipeline")
    if written[written["text"] != ""]["variant"].nunique() < 2:
        return "" if measures.takes_text(result) else texts["none"]
    if result.changed.empty:
        return texts["same"]
    counted = [_counted(result, group, language) for _, group in _grouped(result)]
    return markdown.paragraphs(
        *counted, *_examples(result, language), markdown.source(language, "changed")
    )


def _grouped(result: Result) -> Any:
    mine = result.changed["variant"] == queries.candidate(result)[0]
    return result.changed.assign(other=~mine).groupby(["other", "variant", "dataset"])


def _counted(result: Result, group: pd.DataFrame, language: str) -> str:
    change = group["variant_edits"] - group["baseline_edits"]
    called = queries.rows(
        result.calls, stage="quality", variant=group["variant"].iloc[0], error="", warm=True
    )
    called = called[called["dataset"] == group["dataset"].iloc[0]]
    where = f" (`{group['dataset'].iloc[0]}`)" if measures.many_sets(result) else ""
    return TEXTS[language]["intro"].format(
        variant=group["variant"].iloc[0],
        baseline=group["baseline"].iloc[0],
        where=where,
        n=len(group),
        all=called["item"].nunique(),
        worse=int((change > 0).sum()),
        better=int((change < 0).sum()),
        even=int((change == 0).sum()),
    )


def _examples(result: Result, language: str) -> Iterator[str]:
    variant = queries.candidate(result)[0] or str(result.changed["variant"].iloc[0])
    mine = queries.rows(result.changed, variant=variant)
    if mine.empty:
        return
    size = (mine["variant_edits"] - mine["baseline_edits"]).abs()
    mine = mine.assign(size=-size).sort_values(["size", "item"], kind="stable").head(SHOWN)
    texts = TEXTS[language]
    yield texts["first"].format(n=len(mine), variant=variant)
    for row in queries.records(mine):
        yield texts["edits"].format(
            item=row["item"],
            before=row["baseline_edits"],
            after=row["variant_edits"],
            words=row["words"],
        )
        said = {row["baseline"]: row["baseline_text"], variant: row["variant_text"]}
        yield f"```text\n{markdown.aligned(row['reference'], said)}\n```"


section = Section(
    order=52, title={"es": "Frases que cambiaron", "en": "Utterances that changed"}, render=render
)
