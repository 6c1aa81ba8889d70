"""A language of the report is one file of words, ours or the user's own."""

from __future__ import annotations

import ast
import copy
import re
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import filed
import invented_run
import invented_speech
import pytest
import yaml
from test_pipeline import Local, finished, project, ran_once, run  # noqa: F401  fixtures of a whole run

from harness import plugins, spec
from harness.app import api, cli
from harness.errors import HarnessError, SpecError, StoreError
from harness.report import document, markdown, wording, words

REPORT = plugins.PACKAGE / "report"
CODES = words.languages()
OTHERS = [code for code in CODES if code != words.ENGLISH]
RUNS = {"report": invented_run.build, "speech": invented_speech.build}
WORD = r"[^\W\d_]{2,}"


def content(language: str) -> dict[str, Any]:
    text = (REPORT / "words" / f"{language}.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def catalan() -> dict[str, Any]:
    """A language that is not ours: the Portuguese words, told apart by two of its own."""
    found = copy.deepcopy(content("pt"))
    found["language"] |= {"name": "Català", "locale": "ca", "quotes": ["«", "»"]}
    found["document"]["texts"]["title"] = "informe de validació"
    found["titles"]["result"] = "Resultat"
    return found


def written(folder: Path, data: Any, name: str = "ca.yaml") -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return path


# ---------------------------------------- whole files
@pytest.mark.parametrize("language", CODES)
def test_a_language_has_the_words_of_english_with_the_same_places(language: str) -> None:
    words.read(REPORT / "words" / f"{language}.yaml")
    assert {"en", "es", "pt"} <= set(CODES)


def asked() -> set[tuple[str, str]]:
    """(part, table) of each `words.table(...)` in the report."""
    found = set()
    for path in REPORT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "words.table":
                place, *name = [ast.literal_eval(argument) for argument in node.args]
                found.add((place, name[0] if name else "texts"))
    return found


def test_each_table_of_the_files_is_asked_for_and_there() -> None:
    parts = {place: tables for place, tables in content("en").items() if place != words.HEAD}
    assert asked() == {(place, name) for place, tables in parts.items() for name in tables}


def test_words_stand_nowhere_else() -> None:
    """But in what a plugin says of itself: titles, a judge's `about`, a family's words."""
    for path in plugins.PACKAGE.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"\blanguage (==|!=|in) [\"'(]", source), path
        tree = ast.parse(source)
        told = [n for n in ast.walk(tree) if isinstance(n, ast.keyword)]
        own = [
            keyword.value for keyword in told if keyword.arg in ("title", "about", "words", "named")
        ]
        shared = [n for n in tree.body if isinstance(n, ast.Assign)]
        own += [one.value for one in shared if ast.unparse(one.targets[0]) == "WORDS"]
        for node in ast.walk(tree):
            if isinstance(node, ast.Dict) and node not in own:
                keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
                assert not {"es", "en"} <= keys, f"{path}:{node.lineno}"


@pytest.mark.parametrize("language", ["pt"])
def test_a_language_without_its_plugins_has_their_titles_and_what_their_judges_are_valid_for(
    language: str,
) -> None:
    assert set(content(language)["titles"]) == set(plugins.names("sections"))
    assert set(content(language)["about"]) == set(plugins.names("judges"))
    assert set(content(language)["versions"]) == set(plugins.names("judges"))
    assert set(content(language)["captions"]) == set(plugins.names("figures"))
    assert set(content(language)["metrics"]) == set(plugins.names("metrics"))
    texts = [(name, plugins.load("families", name).words) for name in plugins.names("families")]
    families = {f"{name}.{key}" for name, said in texts for key in said.get("en", ())}
    assert set(content(language)["families"]) == families


# ---------------------------------------- a report without leftovers
def pieces(language: str) -> set[str]:
    """What the texts of a language say between their places, of three words or more."""
    found = set()
    for tables in content(language).values():
        for table in tables.values():
            for text in table.values() if isinstance(table, dict) else [str(table)]:
                said = (literal for literal, *_ in string.Formatter().parse(text))
                found |= {part.strip() for part in said if len(re.findall(WORD, part)) > 2}
    return found


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("run", RUNS)
def test_a_report_says_nothing_in_another_language(run: str, language: str) -> None:
    result = RUNS[run]()
    text = " ".join(document.render(result, language).split())
    for error in {*result.calls["error"], *result.judged["error"]} - {""}:
        text = text.replace(error, "")  # as it was stored
    mine = pieces(language)
    for other in set(CODES) - {language}:
        left = {part for part in pieces(other) - mine if " ".join(part.split()) in text}
        assert not left, f"in {other}: {left}"


@pytest.mark.parametrize("run", RUNS)
def test_headings_are_those_of_the_language_file(run: str) -> None:
    found = re.findall(r"^## (.+)$", document.render(RUNS[run](), "pt"), re.M)
    own = {*content("pt")["titles"].values(), "Configuração escolhida"}
    assert found
    assert set(found) <= own


def test_a_title_is_the_files_else_the_plugins_else_its_english_one() -> None:
    assert words.title("loops", {"en": "Loops", "pt": "Outro"}, "pt") == "Laços e alucinações"
    assert words.title("my_own", {"en": "Mine", "pt": "Meu"}, "pt") == "Meu"
    assert words.title("my_own", {"en": "Mine", "es": "Mío"}, "pt") == "Mine"
    assert words.about("utmos", {"en": "What it hears"}, "es") == "What it hears"


# ---------------------------------------- figures, shares, dates and lists
@pytest.mark.parametrize(
    ("language", "said"),
    [  # CLDR 45; Spanish thousands by the RAE's norm: from five figures on, with a narrow space
        ("en", ["1,234", "12,345.6", "−0.5", "14.4%", "[13.1, 15.8]", "22 November 2026"]),
        ("es", ["1234", "12\u202f345,6", "−0,5", "14,4\xa0%", "[13,1; 15,8]",
                "22 de noviembre de 2026"]),
        ("pt", ["1.234", "12.345,6", "−0,5", "14,4%", "[13,1; 15,8]", "22 de novembro de 2026"]),
    ],
)  # fmt: skip
def test_figures_are_written_as_the_language_writes_them(language: str, said: list[str]) -> None:
    assert [
        markdown.number(1234, language, 0),
        markdown.number(12345.6, language, 1),
        markdown.number(-0.5, language, 1),
        markdown.quantity(14.4, "%", language),
        markdown.interval(13.1, 15.8, "%", language),
        markdown.date("2026-11-22", language),
    ] == said


@pytest.mark.parametrize(
    ("language", "all_of", "one_of"),
    [
        ("en", "a, b and c", "a, b or c"),
        ("es", "a, b y c", "a, b o c"),
        ("pt", "a, b e c", "a, b ou c"),
    ],
)
def test_lists_are_joined_as_the_language_joins_them(
    language: str, all_of: str, one_of: str
) -> None:
    assert markdown.listed("abc", language) == all_of
    assert markdown.listed("abc", language, "or") == one_of


@pytest.mark.parametrize("text", ["", "soon", "2026-13-40"])
def test_what_is_no_date_stays_as_it_is(text: str) -> None:
    assert markdown.date(text, "pt") == text


def test_quantiles_and_lengths_have_the_decimal_sign_of_the_language() -> None:
    assert wording.metric("latency_p99_9_ms", "pt") == "Latência P99,9"
    assert wording.workload("2.5 s", "pt") == "2,5 s"
    assert wording.quoted("x", "pt") == "“x”"
    noted = "sent 2 times after 503, 1.5 s of waits counted"
    assert wording.note(noted, "pt").endswith("1,5 s de espera")


# ---------------------------------------- a file of the user's own
def test_a_language_from_outside_is_one_file(tmp_path: Path) -> None:
    own = words.read(written(tmp_path, catalan()))
    with words.speaking("./ca.yaml", own):
        text = document.render(RUNS["report"](), "./ca.yaml")
    assert "informe de validació\n\n" in text
    assert "22 de novembre del 2026" in text
    assert "\n## Resultat\n" in text
    with pytest.raises(SpecError, match=r"no './ca\.yaml'"):
        words.of("./ca.yaml")


def lacking(data: dict[str, Any]) -> None:
    del data["sections.loops"]["texts"]["clean"], data["noise"]


def unknown(data: dict[str, Any]) -> None:
    data["noise"]["texts"]["louder"] = "x"


def unlike(data: dict[str, Any]) -> None:
    data["sections.errors"]["texts"]["many"] = "{first} … ({first.__class__})"


def unclosed(data: dict[str, Any]) -> None:
    data["sections.errors"]["texts"]["many"] = "{first} … ({n"


def empty(data: dict[str, Any]) -> None:
    data["document"]["texts"]["title"] = ""


def a_column_short(data: dict[str, Any]) -> None:
    texts = data["comparison.wording"]["texts"]
    texts["headers"] = texts["headers"].rpartition("|")[0]


def headless(data: dict[str, Any]) -> None:
    del data["language"]


def nowhere(data: dict[str, Any]) -> None:
    data["language"]["locale"] = "xx_YY"


def other_figures(data: dict[str, Any]) -> None:
    data["language"]["locale"] = "../en"


def one_quote(data: dict[str, Any]) -> None:
    data["language"]["quotes"] = ["«"]


def typed(data: dict[str, Any]) -> None:
    data["language"]["thousands_from"] = "many"


def no_table(data: dict[str, Any]) -> None:
    data["document"] = ["x"]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lacking, r"lacks the words noise:texts\.steal, .*, sections\.loops:texts\.clean\."),
        (unknown, r"has words that nothing asks for noise:texts\.louder\."),
        (unlike, r"same \{places\} as in English: sections\.errors:texts\.many\."),
        (unclosed, r"same \{places\} as in English: sections\.errors:texts\.many\."),
        (empty, r"document:texts\.title\."),
        (a_column_short, r"comparison\.wording:texts\.headers\."),
        (headless, r"is no language: `language:` with name, locale, quotes is missing"),
        (nowhere, r"language\.locale: should be a CLDR locale"),
        (other_figures, r"language\.locale: should be a CLDR locale"),
        (one_quote, r"language\.quotes: should be a list of two signs"),
        (typed, r"language\.thousands_from: is missing or not one of"),
        (no_table, r"lacks the words document:texts\."),
    ],
    ids=lambda value: getattr(value, "__name__", "")[:30],
)  # fmt: skip
def test_what_is_wrong_with_a_language_is_one_line(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], None], told: str
) -> None:
    data = catalan()
    spoil(data)
    with pytest.raises(SpecError, match=told) as caught:
        words.read(written(tmp_path, data), "./ca.yaml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "holds nothing"),
        (b"- a\n- b\n", "is no language"),
        (b"x: [", "not valid YAML"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"x: 1\nx: 2\n", "is given twice"),
        (b"x: " + b"a" * 1_100_000, "at most 1,000,000 are read"),
    ],
    ids=["empty", "list", "broken", "latin", "twice", "large"],
)
def test_a_file_that_is_no_language_is_one_line(tmp_path: Path, text: bytes, told: str) -> None:
    path = tmp_path / "ca.yaml"
    path.write_bytes(text)
    with pytest.raises(SpecError, match=told) as caught:
        words.read(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(SpecError, match="cannot be read"):
        words.read(tmp_path)


def in_catalan(folder: Path, data: Any) -> None:
    written(folder, data)
    text = (folder / "x.yaml").read_text(encoding="utf-8")
    own = text.replace("report: {language: en}", "report: {language: ./ca.yaml}")
    (folder / "x.yaml").write_text(own, encoding="utf-8")


@pytest.mark.slow
def test_a_run_keeps_the_words_of_the_users_own_language(
    project: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    in_catalan(project, catalan())
    run(project)
    report = project / "out" / "report.md"
    first = report.read_bytes()
    assert b"informe de validaci" in first
    started = len(Local.started)
    other = catalan()
    other["document"]["texts"]["title"] = "informe"
    written(project, other)
    run(project)  # other words: another report, of the same measurements
    assert len(Local.started) == started
    assert b": informe\n" in report.read_bytes()
    written(project, catalan())
    run(project)
    assert report.read_bytes() == first
    (project / "ca.yaml").unlink()  # read again from what the run stored
    assert cli.main(["report", str(project / "out")]) == 0
    assert report.read_bytes() == first
    assert cli.main(["report", str(project / "out"), "--language", "pt"]) == 0
    assert "relatório de validação" in report.read_text(encoding="utf-8")
    monkeypatch.chdir(written(project, catalan(), "mine.yaml").parent)
    assert cli.main(["report", str(project / "out"), "--language", "./mine.yaml"]) == 0
    assert report.read_bytes() == first


def test_nothing_is_measured_with_a_language_that_lacks_words(
    project: Path,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = catalan()
    lacking(data)
    in_catalan(project, data)
    with pytest.raises(SpecError, match=r"\./ca\.yaml: lacks the words"):
        run(project)
    assert not (project / "out" / "calls.parquet").exists()
    assert cli.main(["check", str(project / "x.yaml")]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "lacks the words noise:texts.steal" in told


def test_a_run_whose_words_are_not_stored_is_one_line() -> None:
    made = invented_run.build()
    result = filed.changed(made, report={"language": "./ca.yaml"})
    with pytest.raises(StoreError, match="are not stored with it"), api.speaking(result, None):
        pass


@pytest.mark.parametrize("language", ["fr", "../words/en", "PT", ""])
def test_a_language_that_there_is_not_is_one_line(
    finished: Path,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
    language: str,
) -> None:
    before = (finished / "out" / "report.md").read_bytes()
    assert cli.main(["report", str(finished / "out"), f"--language={language}"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "There is: en, es, pt" in told
    assert (finished / "out" / "report.md").read_bytes() == before


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("pt", ""),
        ("po", "no language 'po'. There is: en, es, pt."),
        ("./nowhere.yaml", "no './nowhere.yaml' beside the experiment file"),
    ],
)
def test_an_experiment_names_a_language_that_there_is(
    project: Path,  # noqa: F811
    language: str,
    told: str,
) -> None:
    path = project / "x.yaml"
    text = path.read_text(encoding="utf-8").replace("language: en", f"language: {language}")
    path.write_text(text, encoding="utf-8")
    if not told:
        assert spec.load(path).report.language == language
        return
    with pytest.raises(HarnessError) as caught:
        spec.load(path)
    assert told in str(caught.value)


def test_the_schema_offers_the_languages_that_there_are() -> None:
    report = spec.schema()["properties"]["report"]["properties"]
    assert report["language"]["anyOf"][0] == {"enum": CODES}


def test_the_languages_are_listed_by_code_and_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list", "languages"]) == 0
    told = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert told == [["en", "English"], ["es", "Español"], ["pt", "Português"]]
