"""The report: golden files, both languages, what it says of missing data, numbers and cells."""

from __future__ import annotations

import importlib
import itertools
import math
import re
import string
from dataclasses import replace
from pathlib import Path
from typing import Any

import filed
import invented_run
import invented_speech
import jiwer
import pandas as pd
import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as some

from harness import plugins, store
from harness.contracts import Result
from harness.decide import resolution
from harness.errors import SpecError
from harness.io.escaping import visible
from harness.report import document, markdown, wording, words
from harness.store import tables

GOLDEN = Path(__file__).parent / "golden"
SECTIONS = plugins.names("sections")
EVALUATED = {"name": "x", "metrics": ["wer", "loops", "dnsmos_ovrl"], "normaliser": "spanish"}
FIGURES = plugins.names("figures")


@pytest.fixture(scope="module")
def result() -> Result:
    return invented_run.build()


@pytest.fixture(scope="module")
def spoken() -> Result:
    return invented_speech.build()


def emptied(result: Result, **changes: Any) -> Result:
    """The run of which nothing was measured."""
    blank = {name: tables.frame(name, []) for name in tables.TABLES}
    return replace(result, tables=blank, verdict={}, **changes)


def test_what_was_validated_counts_no_loads_errors_or_utterances_without_a_result(
    result: Result,
) -> None:
    quality = {"stage": "quality", "variant": "v", "session": "default", "dataset": "cv"}
    quality |= {"operation": "pipeline", "warm": True, "audio_seconds": 2.0, "reference": "sí"}
    rows = [quality | {"item": f"c{i}", "seconds": 0.1} for i in range(3)]
    rows += [quality | {"item": "c9", "error": "cannot be decoded"}]
    rows += [
        quality | {"item": "c8", "seconds": 0.5, "operation": name, "warm": False}
        for name in ("load", "first_call")
    ]
    run = replace(result, tables={**result.tables, "calls": tables.frame("calls", rows)})
    text = plugins.load("sections", "validated").render(run, "en")
    assert "3 utterances of `cv` (6 s of audio, speakers unknown); variants, 1" in text
    assert "In all, timed calls, 4; errors, 1;" in text


def test_the_peak_memory_is_the_largest_over_all_lengths(result: Result) -> None:
    cell = {"stage": "latency", "variant": "fp32", "session": "default", "n": 1}
    peaks = [
        cell | {"metric": "peak_memory_mb", "workload": workload, "value": value}
        for workload, value in (("5 s", 700.0), ("29 s", 987.0), ("1 s", 600.0))
    ]
    kept = result.summary[result.summary["metric"] != "peak_memory_mb"]
    summary = pd.concat([kept, tables.frame("summary", peaks)], ignore_index=True)
    run = replace(result, tables={**result.tables, "summary": summary})
    assert "987\xa0MB" in plugins.load("sections", "cold").render(run, "en")


# ---------------------------------------- whole reports
@pytest.mark.parametrize("language", words.languages())
@pytest.mark.parametrize(("run", "name"), [("result", "report"), ("spoken", "speech")])
def test_the_report_is_the_golden_one(
    run: str, name: str, language: str, request: pytest.FixtureRequest
) -> None:
    path = GOLDEN / f"{name}.{language}.md"
    text = document.render(request.getfixturevalue(run), language)
    if request.config.getoption("--golden"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
    assert text == path.read_bytes().decode(), "wanted? `make golden`, then review the difference"


def test_a_run_that_was_stored_and_read_renders_the_same_bytes(
    result: Result, tmp_path: Path
) -> None:
    stored = replace(result, folder=tmp_path / "run")
    store.publish(stored, "name: invented\n")
    back = store.read(stored.folder)
    again = replace(back, tables={**back.tables, "scores": result.scores})
    assert document.render(again, "es") == document.render(result, "es")


@pytest.mark.parametrize("language", words.languages())
@pytest.mark.parametrize("run", ["result", "spoken"])
def test_no_unknown_is_written_as_a_number(
    run: str, language: str, request: pytest.FixtureRequest
) -> None:
    made: Result = request.getfixturevalue(run)
    for text in (document.render(made, language), document.render(emptied(made), language)):
        assert not re.search(r"\b(nan|inf|None)\b", text)


def test_the_first_screen_holds_the_verdict_the_reason_and_the_gate_table(result: Result) -> None:
    screen = "\n".join(document.render(result, "es").splitlines()[:20])
    assert "APROBADO CON EXCEPCIONES" in screen
    assert "4 de 5 límites se cumplen; con excepción en vigor: Latencia P50 (5 s), 2" in screen
    for check in result.checks["metric"]:
        assert f"| **{wording.metric(check, 'es')}" in screen


def test_an_unknown_language_is_one_clear_line(result: Result) -> None:
    with pytest.raises(SpecError, match=r"no 'fr'\. There is: en, es"):
        document.render(result, "fr")


def test_only_the_sections_that_the_experiment_names_are_written(result: Result) -> None:
    report = {"language": "en", "sections": ["verdict", "result"]}
    text = document.render(filed.changed(result, report=report), "en")
    assert re.findall(r"^## (.+)$", text, re.M) == ["Result", "Verdict"]


@pytest.mark.parametrize("run", ["result", "spoken"])
def test_every_table_and_figure_says_which_rows_it_was_made_from(
    run: str, request: pytest.FixtureRequest
) -> None:
    blocks = document.render(request.getfixturevalue(run), "en").split("\n\n")
    for block, after in itertools.pairwise(blocks):
        if block.startswith("![") and "gates.png" not in block and "sessions.png" not in block:
            assert after.startswith("<sub>From:"), block
        if block.startswith("| "):
            assert after.startswith("<sub>From:"), block[:60]


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("APPROVED", 0, "puede sustituir a `fp32` en este equipo (código"),
        ("APPROVED WITH WAIVERS", 0, "mientras valgan las excepciones (código de salida 0)"),
        ("REJECTED", 1, "no puede sustituir a `fp32`"),
        ("INSUFFICIENT EVIDENCE", 3, "no se puede afirmar"),
    ],
)
def test_every_verdict_has_its_sentence(result: Result, name: str, code: int, said: str) -> None:
    verdict = {**result.verdict, "verdict": name, "exit_code": code}
    last = document.render(replace(result, verdict=verdict), "es").split("## Veredicto")[1]
    assert said in last
    assert f"código de salida {code}" in last


# ---------------------------------------- sections on their own
@pytest.mark.slow
@pytest.mark.parametrize("language", words.languages())
@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_without_its_data_says_so_in_plain_words(
    result: Result, name: str, language: str
) -> None:
    # without these the sections about them are left out
    metrics = [*EVALUATED["metrics"], "output_error"]
    evaluated = [{**EVALUATED, "slices": ["speaker"], "metrics": metrics}]
    audit = {"source": "x", "sessions": ["default"], "audio_seconds": [5]}
    among = {"metric": "rtf", "dataset": "x", "among": ["fp32", "int8"]}
    parts = {"audit": audit, "latency": {"audio_seconds": [5]}, "quality": evaluated}
    parts["selection"] = among
    bare = filed.experiment({"baseline": "fp32", **parts})
    for experiment in (bare, filed.changed(result, **parts).experiment):
        nothing = emptied(result, experiment=experiment, environment={})
        body = plugins.load("sections", name).render(nothing, language)
        assert body.strip()
        assert not re.search(r"\b(nan|inf)\b|!\[", body)


@pytest.mark.slow
@pytest.mark.parametrize("table", tables.TABLES)
@pytest.mark.parametrize("run", ["result", "spoken"])
def test_any_one_table_may_be_empty(run: str, table: str, request: pytest.FixtureRequest) -> None:
    made: Result = request.getfixturevalue(run)
    without = replace(made, tables={**made.tables, table: tables.frame(table, [])})
    assert document.render(without, "es").startswith(f"# {made.experiment.title}")


def holes(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize(
    "module",
    [*(f"harness.report.sections.{name}" for name in SECTIONS), "harness.report.document"]
    + [f"harness.report.figures.{name}" for name in FIGURES],
)
def test_both_languages_say_the_same_things(module: str) -> None:
    texts = importlib.import_module(module).TEXTS
    assert set(texts) == set(words.languages())
    assert set(texts["es"]) == set(texts["en"])
    for key, text in texts["es"].items():
        assert text
        assert holes(text) == holes(texts["en"][key]), key


@pytest.mark.parametrize("words", ["OPERATIONS", "STATUSES", "VERDICTS", "REASONS"], ids=str.lower)
def test_every_word_of_the_tables_is_in_both_languages(words: str) -> None:
    both = getattr(wording, words)
    assert set(both["es"]) == set(both["en"])


def test_every_reason_that_a_check_can_have_is_translated() -> None:
    from harness.decide.verdict import reasons

    assert set(reasons.SENTENCES) == set(wording.REASONS["es"])


def test_the_python_of_the_best_configuration_compiles_and_holds_its_option(
    result: Result,
) -> None:
    body = plugins.load("sections", "best_configuration").render(result, "en")
    source = body.split("```python\n")[1].split("```")[0]
    compile(source, "best.py", "exec")
    assert "'session.force_spinning_stop', '1'" in source
    assert "encoder.onnx" in source


def test_the_band_is_what_the_sweep_decided_with(result: Result) -> None:
    reach = result.sessions["reach"].iloc[0]
    assert 0 < reach < 0.1
    assert resolution.of_sweep(result).band == (1 - reach, 1 + reach)


@pytest.mark.parametrize(
    ("fresh", "said"),
    [
        ({"confirmed": 0.884, "confirmed_high": 0.9, "holds": True}, "the one to trust"),
        ({"confirmed": 0.97, "confirmed_high": 1.01, "holds": False}, "The gain did not hold"),
        ({"confirmed": math.nan, "holds": False}, "whether the sweep's gain"),
    ],
)
def test_a_gain_is_stated_only_where_it_held_when_measured_again(
    result: Result, fresh: dict[str, Any], said: str
) -> None:
    table = result.sessions.copy()
    best = table["chosen"].to_numpy()
    for column, value in fresh.items():
        table.loc[best, column] = value
    run = replace(result, tables={**result.tables, "sessions": table})
    best_text = plugins.load("sections", "best_configuration").render(run, "en")
    assert said in best_text
    assert ("did not hold" in best_text) == (said == "The gain did not hold")
    swept = plugins.load("sections", "sessions").render(run, "en")
    assert ("the gain held" in swept) == bool(fresh["holds"])
    lost = "chosen in the sweep; not shown to be better than `default`"
    assert (lost in swept) == (said == "The gain did not hold")
    assert "**chosen**, but" not in swept


# ---------------------------------------- numbers and cells
@pytest.mark.parametrize(
    ("value", "unit", "spanish", "english"),
    [
        (0.144, "fraction", "14,4 %", "14.4%"),
        (250.6, "ms", "251 ms", "251 ms"),
        (10660.0, "ms", "10\u202f660 ms", "10,660 ms"),
        (3.92, "ms", "3,92 ms", "3.92 ms"),
        (42.46, "x", "42,5×", "42.5×"),
        (0.0587, "", "0,0587", "0.0587"),
        (-0.5, "ms", "−0,500 ms", "−0.500 ms"),
        (-0.00001, "fraction", "0,0 %", "0.0%"),
        (0.0, "ms", "0 ms", "0 ms"),
        (math.nan, "ms", "—", "—"),
        (math.inf, "ms", "∞ ms", "∞ ms"),
    ],
)
def test_numbers_are_written_as_each_language_does(
    value: float, unit: str, spanish: str, english: str
) -> None:
    plain = {"es": spanish, "en": english}
    for language, expected in plain.items():
        said = markdown.quantity(value, unit, language)
        assert said.replace(markdown.NBSP, " ") == expected


def test_a_difference_of_shares_is_in_points_with_its_sign_and_bounds_share_decimals() -> None:
    said = markdown.estimate((0.0071, -0.0049, 0.019), "fraction", "es", difference=True)
    assert said.replace(markdown.NBSP, " ") == "+0,7 pp [−0,5; 1,9]"
    assert markdown.estimate((2.0, 2.0, 2.0), "", "en") == "2.00"
    assert markdown.interval(1.0, math.inf, "ms", "en") == "[1.00, ∞]"


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.03, "fraction", "3%"),
        (240.0, "ms", "240 ms"),
        (0.005, "fraction", "0.5%"),
        (10, "x", "10×"),
    ],
)
def test_a_limit_has_no_decimals_that_nobody_wrote(value: float, unit: str, said: str) -> None:
    assert markdown.given(value, unit, "en").replace(markdown.NBSP, " ") == said


def cells_of(line: str) -> list[str]:
    """A row taken apart as GitHub's parser does: at each pipe that no backslash escapes."""
    parts = re.findall(r"((?:\\.|[^\\|])*)\|", line, re.DOTALL)
    return [part.strip() for part in parts[1:]]


def unescaped(cell: str) -> str:
    return re.sub(r"\\(.)", r"\1", cell).replace("&amp;", "&")


@settings(max_examples=examples(200), deadline=None)
@given(some.lists(some.lists(some.text(), min_size=2, max_size=2), max_size=4))
def test_foreign_text_comes_out_of_a_cell_as_it_went_in(rows: list[list[str]]) -> None:
    text = markdown.table(["a", "b"], [[markdown.escape(cell) for cell in row] for row in rows])
    lines = text.split("\n")
    assert len(lines) == len(rows) + 2
    for line, row in zip(lines[2:], rows, strict=True):
        assert [unescaped(cell) for cell in cells_of(line)] == [
            " ".join(visible(t).split()) for t in row
        ]


@settings(max_examples=examples(200), deadline=None)
@given(some.text(), some.text())
def test_no_cell_can_break_a_table(first: str, second: str) -> None:
    lines = markdown.table(["a", "b"], [[first, second]]).split("\n")
    assert len(lines) == 3
    assert len(cells_of(lines[2])) == 2


@given(some.text(alphabet="`a b", max_size=12))
def test_a_code_span_is_closed_by_its_own_fence_only(text: str) -> None:
    span = markdown.code(text)
    inner = " ".join(text.split())
    if not inner:
        assert span == ""
        return
    fence = re.match("`+", span).group()  # type: ignore[union-attr]
    runs = set(re.findall("`+", inner))
    assert fence not in runs


# ---------------------------------------- aligned words
WORDS = some.lists(some.sampled_from(["por", "favor", "marque", "cero", "la"]), max_size=9)


@settings(max_examples=examples(100), deadline=None)
@given(WORDS, WORDS, WORDS)
def test_aligned_lines_hold_every_word_and_mark_as_many_edits_as_jiwer(
    reference: list[str], one: list[str], two: list[str]
) -> None:
    texts = {"fp32": " ".join(one), "int8": " ".join(two)}
    block = markdown.aligned(" ".join(reference), texts, width=10_000)
    lines = block.split("\n")
    assert lines[0].split()[1:] == reference
    for name, text in texts.items():
        at = next(i for i, line in enumerate(lines) if line.startswith(name))
        assert [w for w in lines[at].split()[1:] if "*" not in w] == text.split()
        below = lines[at + 1] if at + 1 < len(lines) else ""
        marks = "" if below.startswith(("fp32", "int8")) else "".join(below.split())
        found = jiwer.process_words(" ".join(reference), text)
        assert len(marks) == found.substitutions + found.deletions + found.insertions


def test_an_alignment_reads_like_this() -> None:
    texts = {"fp32": "marque la tecla cero", "int8": "marca la la cero"}
    assert markdown.aligned("marque la tecla cero ya", texts) == (
        "REF   marque la tecla cero ya\n"
        "fp32  marque la tecla cero **\n"
        "                           D\n"
        "int8  marca  la la    cero **\n"
        "      S         S          D"
    )


def test_a_long_utterance_is_folded_to_the_width() -> None:
    text = " ".join(["contraseña"] * 30)
    block = markdown.aligned(text, {"int8": text}, width=60)
    assert max(map(len, block.split("\n"))) <= 60
    assert block.count("contraseña") == 60
