"""A whole run with every text in it made harmless: for a report, or for its figures."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pandas as pd

from harness.contracts import Result
from harness.errors.limits import FIGURE_NAME, SHOWN_TEXT
from harness.io.escaping.markdown import marked
from harness.io.escaping.signs import cut, spelt, visible

# texts that hold a JSON object: what stands in it is foreign, its brackets are not
JSON = frozenset(
    ("figures", "notes", "about", "parameters", "files", "operators", "nodes", "versions",
     "options", "note", "labels")
)  # fmt: skip
WHOLE = frozenset(("text", "reference", "baseline_text", "variant_text"))  # words are counted
PATHS = frozenset(("audio", "audio_sha256"))  # become links: see markdown.link

Write = Callable[[str], str]


def for_report(result: Result, more: str) -> Result:
    """The run as sections may put it into markdown: nothing in its texts is markdown, and none is
    longer than a reader reads; what is cut ends in `more`. `escaping.settled` finishes it."""

    def short(text: str) -> str:
        return marked(cut(text, SHOWN_TEXT, more))

    return _mapped(result, short, marked)


def for_figures(result: Result) -> Result:
    """The run as figures may write it: in letters that the font has, and names that leave room."""
    names = _Names()
    return _mapped(result, names, lambda text: text)


class _Names(dict[str, str]):
    """Name -> what a figure calls it; two names never become one."""

    def __init__(self) -> None:
        super().__init__()
        self._taken: dict[str, int] = {}

    def __call__(self, text: str) -> str:
        if text not in self:
            short = drawable(text)
            again = self._taken[short] = self._taken.get(short, 0) + 1
            self[text] = short if again == 1 else f"{short} ({again})"
        return self[text]


def drawable(text: str) -> str:
    """One short line in the letters of the figures' font; others as their number."""
    line, end = visible(text), FIGURE_NAME // 4
    if not line.isascii():
        known = _letters()
        line = "".join(c if ord(c) in known else spelt(c) for c in line)
    return line if len(line) <= FIGURE_NAME else f"{line[: FIGURE_NAME - end]}…{line[-end:]}"


@functools.lru_cache(maxsize=1)
def _letters() -> frozenset[int]:
    from matplotlib import font_manager

    font = font_manager.get_font(font_manager.findfont("DejaVu Sans"))
    return frozenset(font.get_charmap())


# ---------------------------------------- every text of a run
def _mapped(result: Result, write: Write, whole: Write) -> Result:
    return replace(
        result,
        experiment=_plain(result.experiment, write),
        facts=_plain(result.facts, write),
        environment=_plain(result.environment, write),
        verdict=_plain(result.verdict, write),
        tables={name: _table(data, write, whole) for name, data in result.tables.items()},
    )


def _plain(value: Any, write: Write) -> Any:
    """The same value with each text in it, and each key, written."""
    if isinstance(value, str):
        return write(value)
    if isinstance(value, Mapping):
        return {_plain(key, write): _plain(each, write) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_plain(each, write) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        parts = {one.name: getattr(value, one.name) for one in fields(value)}
        return replace(value, **{name: _plain(part, write) for name, part in parts.items()})
    return value


def _table(data: pd.DataFrame, write: Write, whole: Write) -> pd.DataFrame:
    changed: dict[str, Any] = {}
    for name in data.columns:
        column = data[name]
        if name in PATHS or column.dtype.kind in "biufmM":
            continue
        how = whole if name in WHOLE else write
        made = _json(how) if name in JSON else how
        known = {text: made(text) for text in set(column) if isinstance(text, str)}
        if any(text != found for text, found in known.items()):
            changed[str(name)] = column.map(lambda text, known=known: known.get(text, text))
    return data.assign(**changed) if changed else data


def _json(write: Write) -> Write:
    def written(text: str) -> str:
        if not text.startswith("{"):
            return write(text)
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return write(text)
        return json.dumps(_plain(found, write), ensure_ascii=False)

    return written
