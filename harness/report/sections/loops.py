"""Loops and hallucinations, which WER over a corpus hides: how many, and the worst of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from harness.contracts import Result, Section, Table
from harness.decide import measures
from harness.report import markdown, row_text, wording, words
from harness.store import queries

TABLES: tuple[Table, ...] = ("loops", "silence")
SIZES = ("repeated_words", "hallucinated_words")  # by which one is worse than another
EACH, MOST = 2, 8  # examples of a variant, and in all
LONGEST = 140  # characters of a transcript that are shown
TEXTS = words.table("sections.loops")


def render(result: Result, language: str) -> str:
    texts = TEXTS[language]
    if not measures.asked(result, *TABLES):
        return ""
    sets = list(measures.data_sets(result, measures.group(result, *TABLES)))
    if not sets:
        return texts["none"]
    parts = [_counted(result, name, here, language) for name, here in sets]
    return markdown.paragraphs(texts["intro"], *parts, *_worst(result, language))


def _counted(result: Result, name: str, here: pd.DataFrame, language: str) -> str:
    texts = TEXTS[language]
    present = set(here["metric"])
    known = [metric for metric in measures.group(result, *TABLES) if metric in present]
    heard = "sounds" if measures.nobody_speaks(result, name) else "n"
    first = texts["change"].format(
        metric=wording.metric(known[0], language), baseline=f"`{queries.baseline(result)}`"
    )
    headers = [texts["variant"], *(wording.metric(metric, language) for metric in known)]
    rows = []
    for line, group in measures.cells(here):
        found = [queries.row(group, metric=metric) for metric in known]
        shown = [row_text.shown(row, language) for row in found]
        n = markdown.count(found[0]["n"], language) if found[0] else markdown.UNKNOWN
        change = row_text.difference(result, line, (name, known[0]), language)
        rows.append([markdown.escape(line.label), *shown, change, n])
    return markdown.paragraphs(
        texts["set"].format(dataset=name),
        markdown.table([*headers, first, texts[heard]], rows, "l"),
        markdown.source(language, "summary", stage="quality", workload=name),
    )


# ---------------------------------------- examples
def _worst(result: Result, language: str) -> Iterator[str]:
    texts, found = TEXTS[language], struck(result)
    if found.empty:
        yield _clean(result, language)
        return
    order = {line.variant: place for place, line in enumerate(queries.lines(result))}
    found = found.assign(place=found["variant"].map(order).fillna(len(order)))
    found = found.sort_values(["size", "item"], ascending=[False, True], kind="stable")
    shown = found.groupby(["dataset", "variant"], sort=False).head(EACH).head(MOST)
    shown = shown.sort_values(["dataset", "place"], kind="stable")
    keys = ("variant", "item", "length", "sign", "said", "heard")
    rows = [_example(result, row, language) for row in queries.records(shown)]
    yield texts["worst"].format(each=EACH)
    yield markdown.table([texts[key] for key in keys], rows, "llrlll")
    yield markdown.source(language, "calls", stage="quality")


def _clean(result: Result, language: str) -> str:
    """That nothing was found, of the signs that were looked for; "" where none was."""
    texts, scores = TEXTS[language], queries.rows(result.scores, stage="quality", replica=0)
    sought = set(scores["metric"][scores["weight"] > 0])
    signs = [sign for sign in measures.signs(result, *TABLES) if sign in sought]
    told = [texts[key] for sign in signs if (key := f"no_{sign}") in texts]
    return texts["clean"].format(signs=markdown.listed(told, language, "or")) if told else ""


def struck(result: Result) -> pd.DataFrame:
    """Calls on data sets with a loop, a cut or text on silence: `signs`, and `size`, the
    words that are too many."""
    keys = ["workload", "variant", "session", "item"]
    scores = queries.rows(result.scores, stage="quality", replica=0)
    signs = scores[scores["metric"].isin(measures.signs(result, *TABLES)) & (scores["value"] > 0)]
    if signs.empty:
        return pd.DataFrame()
    named = signs.groupby(keys, sort=False)["metric"].agg(lambda names: "\n".join(sorted(names)))
    sizes = scores[scores["metric"].isin(SIZES)].groupby(keys, sort=False)["value"].sum()
    calls = queries.rows(result.calls, stage="quality", replica=0, operation="pipeline", error="")
    calls = calls.assign(workload=calls["dataset"])
    found = calls.merge(named.rename("signs").reset_index(), on=keys)
    found = found.merge(sizes.rename("size").reset_index(), on=keys, how="left")
    return found.assign(size=found["size"].fillna(0.0))


def _example(result: Result, row: Mapping[str, Any], language: str) -> list[str]:
    texts = TEXTS[language]
    known = measures.transcripts(result, str(row["dataset"])) != "unknown"
    signs = str(row["signs"]).split("\n")
    told = [texts.get(sign) or wording.metric(sign, language) for sign in signs]
    note = [markdown.escape(wording.note(row["note"], language))] if row["note"] else []
    return [
        markdown.escape(queries.Line(row["variant"], row["session"], "").label),
        markdown.escape(row["item"]),
        markdown.quantity(float(row["audio_seconds"]), "s", language),
        "; ".join([*told, *note]),
        _cut(str(row["reference"]), language) if known else markdown.UNKNOWN,
        _cut(str(row["text"]), language),
    ]


def _cut(text: str, language: str) -> str:
    """The start of a text and how many words it has; in a loop the rest is the same."""
    line = " ".join(text.split())
    if not line:
        return TEXTS[language]["nothing"]
    if len(line) <= LONGEST:
        return markdown.escape(line)
    start = markdown.escape(line[:LONGEST].rsplit(" ", 1)[0])
    words = markdown.count(len(line.split()), language)
    return TEXTS[language]["cut"].format(text=start, n=words)


section = Section(
    order=51,
    title={"es": "Bucles y alucinaciones", "en": "Loops and hallucinations"},
    render=render,
)
