"""Notes of calls, data and judges: codes with arguments, which each language of a report words."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as some

from harness import plugins
from harness.contracts.notes import BETWEEN, Note, joined, read, written
from harness.io import escaping
from harness.report import noted, wording, words

CODES = some.from_regex(r"[a-z][a-z_]{0,12}", fullmatch=True)
NAMES = some.from_regex(r"[a-z_]{1,8}", fullmatch=True)
ARGUMENTS = some.dictionaries(NAMES, some.text(), max_size=3)


@settings(max_examples=examples(200), deadline=None)
@given(some.lists(some.tuples(CODES, ARGUMENTS), min_size=1, max_size=4))
def test_what_is_written_is_read_as_it_was(told: list[tuple[str, dict[str, str]]]) -> None:
    text = joined(*(written(code, **arguments) for code, arguments in told))
    assert read(text) == [Note(code, arguments) for code, arguments in told]


@settings(max_examples=examples(200), deadline=None)
@given(some.text())
def test_any_text_is_read_and_no_part_of_it_is_lost(text: str) -> None:
    told = [part if isinstance(part, str) else "" for part in read(text)]
    assert sum(map(len, told)) <= len(text)
    assert all(part in text for part in told)
    assert isinstance(wording.note(text, "es"), str)
    assert isinstance(wording.note(escaping.marked(text), "en"), str)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("slow", [Note("slow")]),
        ("budget_spent tokens=75; slow", [Note("budget_spent", {"tokens": "75"}), Note("slow")]),
        ("a remark; slow", ["a remark", Note("slow")]),
        ('x why="a; b=\\"c\\""; slow', [Note("x", {"why": 'a; b="c"'}), Note("slow")]),
        ('x why="a; b', ['x why="a', Note("b")]),  # a quotation that does not end is a sentence
        ('x why="\\q"', ['x why="\\q"']),
        ("x why=; slow", ["x why=", Note("slow")]),
        ("Slow tokens=3", ["Slow tokens=3"]),
    ],
)
def test_a_code_is_told_from_a_sentence(text: str, found: list[Note | str]) -> None:
    assert read(text) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "budget_spent tokens=64",
            ["token budget of 64 exhausted", "agotó su tope de 64 tokens"],
        ),
        (
            "slow; silence",
            ["slow; the clip is silence", "hizo falta el lento; el clip es silencio"],
        ),
        (
            'repeated times=2 why="503, busy" seconds=1.5',
            [
                "sent 2 times after 503, busy, 1.5 s of waits counted",
                "enviada 2 veces tras 503, busy; cuentan 1,5 s de espera",
            ],
        ),
        (
            'markup markup="tokens, remarks"',
            [
                "markup that is no words left out: tokens, remarks",
                "sin marcas, que no son palabras: tokens, acotaciones",
            ],
        ),
        ("rescaled low=0.5 high=10", ["0.5 to 10, put on", "de 0,5 a 10, llevada"]),
        ("a remark of somebody; slow", ["a remark of somebody; slow", "hizo falta el lento"]),
        ("budget_spent of=64", ["budget_spent of=64"] * 2),  # not the arguments of ours
        ("tired", ["tired"] * 2),
    ],
)
def test_a_note_is_told_in_each_language(text: str, said: list[str]) -> None:
    for language, part in zip(("en", "es"), said, strict=True):
        assert part in wording.note(text, language)
        marked = wording.note(escaping.marked(text), language)
        assert escaping.unmarked(marked) == wording.note(text, language)


def test_what_a_note_of_somebody_else_holds_is_no_markdown() -> None:
    foreign = escaping.marked(written("repeated", times=2, why="<b>*x*</b>", seconds="1.0"))
    for language in words.languages():
        said = escaping.settled(wording.note(foreign, language))
        assert "<b>" not in said
        assert "\\*x\\*" in said


def writers() -> list[tuple[str, str, set[str]]]:
    """(place, code, arguments) of each note that a file of ours writes."""
    found = []
    for path in sorted(plugins.PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".written"):
                code = node.args[0] if node.args else None
                if isinstance(code, ast.Constant):
                    names = {keyword.arg or "**" for keyword in node.keywords}
                    found.append((path.name, str(code.value), names))
    return found


def test_each_note_that_is_written_has_its_words_and_their_places() -> None:
    found = writers()
    assert len(found) > 15
    for place, code, arguments in found:
        assert code in noted.NOTES["en"], f"{place}: {code}"
        if "**" not in arguments:
            places = {name for name, _, _ in words.places(noted.NOTES["en"][code])}
            assert places == arguments, f"{place}: {code}"


def test_no_file_of_ours_writes_a_note_as_a_sentence() -> None:
    """As an older run has it: the reader's expressions find none of them in our sources."""
    older = ["token budget of", "guard stopped after", "waits counted", "by length in", "is heard"]
    for folder in ("plugins", "run", "speech"):
        for path in (plugins.PACKAGE / folder).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            texts = [
                str(node.value)
                for node in ast.walk(tree)
                if isinstance(node, ast.Constant) and isinstance(node.value, str)
            ]
            docs = [ast.get_docstring(node, clean=False) for node in ast.walk(tree)
                    if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)]  # fmt: skip
            said = [text for text in texts if text not in docs]
            assert not [text for text in said for old in older if old in text], Path(path).name


def test_between_two_notes_stands_what_no_code_holds() -> None:
    assert BETWEEN not in written("x", why="a; b").replace('"a; b"', "")
