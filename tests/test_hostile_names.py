"""A run whose every name, error and transcript is hostile: nothing of it is markdown, a link, a tag,
a formula or a control sequence, wherever it is shown."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import invented_run
import invented_speech
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from markdown_it import MarkdownIt
from markdown_it.token import Token

from harness import escaping, markdown, plots, report, store, tables, wording
from harness.contracts import Result
from harness.escaping import results
from harness.limits import SHOWN_TEXT, TERMINAL_LINE

NAMES = ("variant", "session", "baseline", "baseline_session", "dataset", "item", "speaker",
         "sentence", "rater", "over", "source")  # fmt: skip
KEPT = {"", "default"}  # what the package itself names
FREE = ("error", "text", "reference", "baseline_text", "variant_text", "reason", "waiver")

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!-- hidden",
    "</sub><details><summary>",
    "[click](http://evil.example)",
    "![pixel](http://evil.example/p.png)",
    "http://evil.example/a",
    "https://evil.example",
    "www.evil.example",
    "mallory@evil.example",
    "mailto:mallory@evil.example",
    "<http://evil.example>",
    "[ref]: http://evil.example",
    "[^1]: note",
    "`; rm -rf /`",
    "``` \n# heading",
    "```\n<b>out</b>\n```",
    "~~~",
    "a|b|c|d",
    "a\\|b",
    "\\",
    "\\`x\\`",
    "x\\",
    "**bold** _it_ __b__ ~~s~~",
    "# heading",
    "\n\n# heading\n\n",
    "> quote",
    "- item",
    "1. item",
    "2) item",
    "+ item",
    "---",
    "===",
    "    indented",
    "&lt;b&gt; &amp; &#60;i&#62;",
    "$x^2$ $$",
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;http://evil.example\x07t\x1b]8;;\x07",
    "\x00nul\x08\x7f\x9b31m",
    "\u202egnp.exe",
    "\u2066iso\u2069\u200f",
    "a\u200bb\ufeffc\u00ad",
    "\u2028line\u2029par",
    "\ufdd0\ufdd1\ufddf\ufdef\ufffe",
    "\ue000\U000f0000\U000e0041",
    "a\tb\rc\x0bd\x0ce",
    "=cmd|' /C calc'!A0",
    "@SUM(1)",
    "{variant} {0} %s",
    "'\"; import os; os.system('x') #",
    "x" * 5_000,
    "変種 עברית العربية 🎧",
    "a<br>b",
]  # fmt: skip
PARSER = MarkdownIt("gfm-like")


def poisoned(result: Result, hostile: str) -> Result:
    """The run with the text behind each name and in place of each free text."""
    known = {
        text
        for name, data in result.tables.items()
        for column in NAMES
        if column in data and (name, column) != ("datasets", "source")
        for text in data[column].unique()
    } - KEPT
    other = {text: f"{hostile}{text}" for text in known}

    def named(text: str) -> str:
        return other.get(text, text)

    changed = results._mapped(result, named, named)
    out = {}
    for name, data in changed.tables.items():
        free = {column: data[column].where(data[column] == "", hostile) for column in FREE
                if column in data}  # fmt: skip
        out[name] = data.assign(**free)
    told = {"title": hostile, "description": hostile}
    return replace(changed, tables=out, experiment={**changed.experiment, **told})


def tokens(text: str) -> Iterator[Token]:
    for token in PARSER.parse(text):
        yield token
        yield from token.children or []


@pytest.fixture(scope="module")
def runs() -> dict[str, Result]:
    return {"text": invented_run.build(), "speech": invented_speech.build()}


def outside(text: str) -> list[str]:
    """What markdown-it finds in a report that no template of ours has."""
    found = []
    for token in tokens(text):
        if token.type in ("html_inline", "html_block"):
            if token.content not in ("<sub>", "</sub>", "<br>"):
                found.append(token.content)
        elif token.type == "link_open":
            target = str(token.attrs["href"])
            if not target.startswith(("#", "audio/")):
                found.append(target)
        elif token.type == "image":
            if not re.fullmatch(r"figures/[a-z_]+\.png", str(token.attrs["src"])):
                found.append(str(token.attrs["src"]))
    return found


def shape(text: str) -> list[str]:
    """The blocks of a report: headings, tables, lists, programs and spans of code."""
    kept = ("heading_open", "table_open", "tr_open", "td_open", "bullet_list_open", "hr", "fence",
            "ordered_list_open", "blockquote_open", "code_inline", "code_block")  # fmt: skip
    return [token.type for token in tokens(text) if token.type in kept]


@pytest.mark.parametrize("language", markdown.LANGUAGES)
@pytest.mark.parametrize("run", ["text", "speech"])
@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda text: ascii(text)[1:30])
def test_no_name_makes_a_tag_a_link_an_image_or_a_block(
    hostile: str, run: str, language: str, runs: dict[str, Result]
) -> None:
    text = report.render(poisoned(runs[run], hostile), language)
    plain = report.render(poisoned(runs[run], "plain"), language)
    assert outside(text) == []
    assert shape(text) == shape(plain)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufdd0-\ufdef]", text)
