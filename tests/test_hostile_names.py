"""A run whose every name, error and transcript is hostile: nothing of it is markdown, a link, a
tag, a formula or a control sequence, wherever it is shown."""

from __future__ import annotations

import csv
import itertools
import re
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import filed
import invented_run
import invented_speech
import pandas as pd
import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as some
from markdown_it import MarkdownIt
from markdown_it.token import Token

from harness.contracts import Result
from harness.errors.limits import TERMINAL_LINE
from harness.io import escaping
from harness.io.escaping import results
from harness.report import document, drawing, markdown, wording
from harness.store import encoding, tables

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
ADDRESS = re.compile(r"\w+:|www\.|.*@")  # what GFM links; linkify takes `1.az` for one too
UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufdd0-\ufdef]"
)


def poisoned(result: Result, words: list[str]) -> Result:
    """The run with one of the words before each name, in turn, and in place of each free text."""
    known = {
        text
        for name, data in result.tables.items()
        for column in NAMES
        if column in data and (name, column) != ("datasets", "source")
        for text in data[column].unique()
    } - KEPT
    turn = itertools.cycle(words)
    other = {text: f"{next(turn)}{text}" for text in sorted(known)}

    def named(text: str) -> str:
        return other.get(text, text)

    changed = results._mapped(result, named, named)
    out = {}
    for name, data in changed.tables.items():
        free = {
            column: [next(turn) if text else "" for text in data[column]]
            for column in FREE
            if column in data
        }
        out[name] = data.assign(**free)
    told = {"title": next(turn), "description": next(turn)}
    return replace(filed.changed(changed, **told), tables=out)


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
    for token, shown in itertools.pairwise([*tokens(text), Token("end", "", 0)]):
        if token.type in ("html_inline", "html_block"):
            if token.content not in ("<sub>", "</sub>", "<br>"):
                found.append(token.content)
        elif token.type == "link_open":
            target = str(token.attrs["href"])
            bare = token.markup == "linkify" and not ADDRESS.match(shown.content)
            if not bare and not target.startswith(("#", "audio/")):
                found.append(target)
        elif token.type == "image":
            source = str(token.attrs["src"])
            found += [] if re.fullmatch(r"figures/[A-Za-z0-9_]+\.png", source) else [source]
    return found


def shape(text: str) -> list[str]:
    """The blocks of a report: headings, tables, lists, programs and spans of code."""
    kept = ("heading_open", "table_open", "tr_open", "td_open", "bullet_list_open", "hr", "fence",
            "ordered_list_open", "blockquote_open", "code_inline", "code_block")  # fmt: skip
    return [token.type for token in tokens(text) if token.type in kept]


@pytest.mark.parametrize("start", [0, 17, 34])
@pytest.mark.parametrize(("run", "language"), [("text", "es"), ("speech", "en")])
def test_no_name_makes_a_tag_a_link_an_image_or_a_control(
    start: int, run: str, language: str, runs: dict[str, Result]
) -> None:
    text = document.render(poisoned(runs[run], HOSTILE[start:] + HOSTILE[:start]), language)
    assert outside(text) == []
    assert not UNSEEN.search(text)
    assert "evil.example" in text


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda text: ascii(text)[1:30])
def test_a_text_shows_itself_wherever_markdown_stands(hostile: str) -> None:
    name = escaping.marked(hostile)
    page = (
        f"# {name}\n\n{name}\n\n`{name}` and {name}\n\n- {name}\n\n"
        + markdown.table([name, "b"], [[f"`{name}`", name]], "ll")
        + f"\n\n```text\n{name}\n```\n\nend\n"
    )
    plain = page.replace(name, "plain")
    text = escaping.settled(page)
    assert outside(text) == []
    assert shape(text) == shape(plain)
    assert not UNSEEN.search(text)


@settings(max_examples=examples(150), deadline=None)
@given(some.text(some.sampled_from("`*_[]<>|~#$&:/@.-+=()!\\ \nab1w")))
def test_no_text_is_read_as_markdown(text: str) -> None:
    def page(name: str) -> str:
        cells = markdown.table(["a"], [[f"`q{name}`"], [name]], "l")
        return f"x {name} y\n\n{name}z\n\n{cells}"

    settled = escaping.settled(page(escaping.marked(text)))
    assert outside(settled) == []
    assert shape(settled) == shape(page("plain"))


TEXTS = [*HOSTILE, "-5", "+34 600", "'", "''=x", "'quoted'", "＝1", "\n=1", "x\ry", "\r", 'a,"b"']


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text)[1:30])
def test_a_text_in_a_csv_is_no_formula_and_comes_back_unchanged(text: str, tmp_path: Path) -> None:
    data = tables.frame("claims", [{"metric": text, "claimed": -0.1, "reason": "=1"}] * 2)
    path = tmp_path / "claims.csv"
    path.write_bytes(tables.to_csv("claims", data))
    pd.testing.assert_frame_equal(encoding.read_csv("claims", path, path.read_bytes()), data)
    with path.open(encoding="utf-8", newline="") as file:
        for row in list(csv.reader(file))[1:]:
            assert not row[0].startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
            assert row[3] == "-0.1"


@settings(max_examples=examples(200), deadline=None)
@given(some.text())
def test_guarding_a_text_can_be_undone(text: str) -> None:
    assert escaping.unguarded(escaping.guarded(text)) == text


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[1:30])
def test_nothing_steers_a_terminal(text: str) -> None:
    shown = escaping.terminal(text)
    assert not UNSEEN.search(shown.replace("\n", ""))
    assert max(map(len, shown.split("\n"))) <= 10 * TERMINAL_LINE


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("./sqnr db.py", "sqnr db"),
        ("metrics/snr.py", "snr"),
        ("../a/b/my_metric.py", "my metric"),
        ("wer", "WER"),
        ("latency_p99_ms", "Latency P99"),
    ],
)
def test_a_metric_of_ones_own_is_shown_by_its_name(name: str, shown: str) -> None:
    assert wording.metric(name, "en") == shown


@pytest.mark.slow
def test_a_long_reason_is_cut_in_the_report_with_a_line(runs: dict[str, Result]) -> None:
    run, long = runs["text"], "reason " * 15_000
    calls = run.calls.assign(error=run.calls["error"].where(run.calls["error"] == "", long))
    text = document.render(replace(run, tables={**run.tables, "calls": calls}), "en")
    assert "(cut: 105,000 characters in all; the table has them)" in text
    assert len(text) < 200_000


@pytest.mark.slow
def test_figures_are_drawn_of_hostile_names(runs: dict[str, Result], tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = drawing.draw(poisoned(runs["text"], HOSTILE), tmp_path, "es")
    assert len(drawn) > 5
