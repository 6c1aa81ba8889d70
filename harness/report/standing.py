"""What a verdict stands on, in words for the first screen: these minutes, clips and processes; and
what texts of so many utterances cannot exclude."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from harness.contracts import Result
from harness.report import markdown, words

TEXTS = words.table("standing")
IN_GENERATIONS = 5  # `measuring` of the first runs that opened fresh processes for each cell


def told(result: Result, language: str) -> Iterator[str]:
    """A sentence on times, and one for each data set whose texts a gate looks at."""
    texts, calls = TEXTS[language], result.calls
    timed = calls[
        (calls["stage"] == "latency") & calls["warm"] & (calls["operation"] == "pipeline")
    ]
    if len(timed):
        count = int(timed["generation"].nunique())
        many = texts["processes" if count > 1 else "one_process"]
        many = many.format(n=markdown.count(count, language))
        line = str(texts["times"]).format(
            calls=markdown.count(len(timed), language),
            clips=markdown.count(int(timed["item"].nunique()), language),
            processes=many,
        )
        older = (result.facts.measuring or 0) < IN_GENERATIONS
        yield line if count > 1 else f"{line} {texts['older' if older else 'alone']}"
    yield from _equal(result, language)
    for name in _gated(result):
        heard = calls[(calls["dataset"] == name) & calls["warm"] & (calls["error"] == "")]
        yield from _unseen(heard, name, language)


def _equal(result: Result, language: str) -> Iterator[str]:
    """How far apart two equal cells lie: those of the twin that has most calls."""
    known = result.twins[result.twins["equal"] == result.twins["equal"]]
    whole = known[known["operation"] == "pipeline"]
    for row in whole.head(1).to_dict("records"):
        both = [markdown.quantity(row[name], "share", language) for name in ("equal", "between")]
        yield str(TEXTS[language]["equal"]).format(equal=both[0], between=both[1])


def _gated(result: Result) -> list[str]:
    """The data sets on which a word or character error rate is gated."""
    rows = result.checks[result.checks["metric"].isin(("wer", "cer"))]
    return list(dict.fromkeys(rows["workload"].tolist()))


def _unseen(heard: pd.DataFrame, name: str, language: str) -> Iterator[str]:
    count = int(heard["item"].nunique())
    if count:
        share = min(-math.log(0.05) / count, 1.0)
        yield str(TEXTS[language]["unseen"]).format(
            n=markdown.count(count, language),
            dataset=markdown.escape(name),
            share=markdown.quantity(share, "share", language),
        )
