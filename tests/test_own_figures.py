"""A figure of the user's own is one file: drawn where its run is decided, shown wherever that is
read, and never run there."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import filed
import invented_run
import pytest
from test_pipeline import YAML, Local, finished, ran_once, run  # noqa: F401  fixtures of a whole run

from harness import plugins, store
from harness.app import api, cli
from harness.contracts import Figure, Result
from harness.errors import PluginError, StoreError, limits
from harness.report import document, drawing, wording

PNG = b"\x89PNG\r\n\x1a\n"
BARS = '''"""How many calls each variant has."""
from harness.contracts import Figure
from matplotlib.figure import Figure as Picture

def draw(result, language):
    picture = Picture(figsize=(3, 2))
    axes = picture.add_subplot(title={"en": "Calls", "es": "Llamadas"}[language])
    axes.bar(*zip(*result.calls["variant"].value_counts().items()))
    return picture

figure = Figure(title={"en": "Calls of each", "es": "Llamadas de cada una"}, draw=draw,
    tables=("calls",)%s)
'''
OWN = "./bars.py"
FILES = {"en": "figures/own_bars__en.png", "es": "figures/own_bars__es.png"}


@functools.cache
def recogniser() -> Result:
    return invented_run.build()


def written(folder: Path, text: str = BARS % "", name: str = "bars.py") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def asking(*names: str) -> Result:
    """An invented run whose experiment asks for these figures, and for few sections."""
    made = recogniser()
    sections = ["errors", "noise", "environment"]
    report = {"language": "en", "sections": sections, "figures": list(names)}
    return filed.changed(made, report=report)


def told(result: Result, facts: Any) -> Result:
    return filed.changed(result, own={"figures": facts})


# ---------------------------------------- a run, and who reads it
@pytest.mark.slow
def test_the_figures_of_a_run_are_stored_in_each_language_and_shown_without_their_code(
    finished: Path,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = finished / "out"
    code = written(finished)
    asks = YAML.replace("language: en", f"language: en, figures: [gates, {OWN}]")
    (finished / "x.yaml").write_text(asks, encoding="utf-8")
    assert cli.main(["check", str(finished / "x.yaml")]) == 0
    assert f"runs {OWN}" in capsys.readouterr().out
    run(finished)
    assert Local.started == []  # only decided anew
    pictures = {name: (out / file).read_bytes() for name, file in FILES.items()}
    assert all(data.startswith(PNG) for data in pictures.values())
    assert pictures["en"] != pictures["es"]
    report = (out / "report.md").read_text(encoding="utf-8")
    shown = f"## Calls of each\n\n![Calls of each]({FILES['en']})\n\n<sub>From: `calls.parquet`"
    assert shown in report
    assert "latency_cells.png" not in report  # which nobody asked for

    code.write_text("raise SystemExit(0)", encoding="utf-8")  # of whom a reader knows nothing
    assert cli.main(["report", str(out), "--language", "es"]) == 0
    report = (out / "report.md").read_text(encoding="utf-8")
    assert f"## Llamadas de cada una\n\n![Llamadas de cada una]({FILES['es']})" in report
    assert {name: (out / file).read_bytes() for name, file in FILES.items()} == pictures
    assert api.load(out).passed == api.load(out).passed

    (out / FILES["en"]).write_bytes(PNG + b"another")
    assert cli.main(["report", str(out), "--language", "en"]) == 0
    report = (out / "report.md").read_text(encoding="utf-8")
    assert f"picture of `{OWN}` does not lie with the run as it was drawn" in report
    assert FILES["en"] not in report

    written(finished)
    run(finished)
    assert (out / FILES["en"]).read_bytes() == pictures["en"]
    (finished / "x.yaml").write_text(YAML, encoding="utf-8")
    run(finished)
    assert not any((out / file).exists() for file in FILES.values())


@pytest.mark.slow
def test_a_file_of_the_users_own_that_has_the_figures_name_is_left_alone(
    finished: Path,  # noqa: F811
) -> None:
    written(finished)
    theirs = finished / "out" / FILES["es"]
    theirs.parent.mkdir(exist_ok=True)
    theirs.write_bytes(b"a photo")
    asks = YAML.replace("language: en", f"language: en, figures: [{OWN}]")
    (finished / "x.yaml").write_text(asks, encoding="utf-8")
    with pytest.raises(StoreError, match="no run wrote it; move it away"):
        run(finished)
    assert theirs.read_bytes() == b"a photo"


# ---------------------------------------- where it stands
@pytest.mark.parametrize(
    ("place", "before"),
    [
        ("", r"## Calls of each\n\n$"),
        (', section="errors"', r"## Errors(?:(?!\n## ).)*$"),
        (', section="noise"', r"figures/noise\.png\)(?:(?!\n## ).)*$"),
    ],
)
def test_a_figure_stands_at_the_end_of_its_section_or_under_its_own_heading(
    place: str, before: str, tmp_path: Path
) -> None:
    written(tmp_path, BARS % place)
    asked = asking(*plugins.names("figures"), OWN)
    facts, made = drawing.own(asked, lambda name: tmp_path / name)
    assert set(made) == set(FILES.values())
    text = document.render(told(asked, facts), "en", {Path(name).stem for name in made})
    head, _, _ = text.partition(f"![Calls of each]({FILES['en']})")
    assert head != text
    assert re.search(before, head, re.DOTALL)


def test_a_section_that_was_left_out_takes_its_figures_with_it(tmp_path: Path) -> None:
    written(tmp_path, BARS % ', section="errors"')
    asked = asking(OWN)
    facts, made = drawing.own(asked, lambda name: tmp_path / name)
    report = {**filed.data_of(asked)["report"], "sections": ["environment"]}
    less = filed.changed(asked, report=report)
    assert "![" not in document.render(told(less, facts), "en", {Path(n).stem for n in made})


def test_two_figures_of_one_name_have_a_file_each(tmp_path: Path) -> None:
    names = ["./bars.py", "./other/bars.py", "./Bárs!.py"]
    for name in names:
        written(tmp_path, name=name)
    _, made = drawing.own(asking(*names), lambda name: tmp_path / name)
    assert len(made) == 2 * len(names)
    assert set(made) <= drawing.files(names, "en")
    assert all(store.names.FIGURE.fullmatch(name) for name in made)


# ---------------------------------------- what goes wrong
@pytest.mark.parametrize(
    ("drawn", "line"),
    [
        ('"x"', "draw gives str; it should be a matplotlib figure, or None"),
        ("Picture(figsize=(500, 500))", "has 80,000 by 80,000 pixels; at most 50,000,000"),
        ("None", None),
    ],
)
def test_what_is_no_picture_is_one_line(drawn: str, line: str | None, tmp_path: Path) -> None:
    written(tmp_path, BARS.replace("return picture", f"return {drawn}") % "")
    asked = asking(OWN)

    def draw() -> Any:
        return drawing.own(asked, lambda name: tmp_path / name)

    if line is not None:
        with pytest.raises(PluginError, match=re.escape(line)):
            draw()
        return
    facts, made = draw()  # the run has nothing for it, and the report says nothing
    assert made == {}
    assert "bars" not in document.render(told(asked, facts), "en")


def test_a_file_without_a_figure_is_refused_before_anything_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, "figure = 3\n")
    file = tmp_path / "x.yaml"
    file.write_text(f"name: x\nreport: {{figures: [nothing, {OWN}]}}\n", encoding="utf-8")
    assert cli.main(["check", str(file)]) == 2
    told = capsys.readouterr().err
    assert "report.figures[0]: no 'nothing' in harness/report/figures/" in told
    assert "bars.py:1 must define `figure = Figure(...)`" in told


MANIFEST = {"calls.parquet": b"", "verdict.json": b""}


@pytest.mark.parametrize(
    ("made", "line"),
    [
        ('title="Calls", draw=draw', "title should be language -> text"),
        ('title={}, draw="bars"', "draw a function (result, language)"),
        ('title={}, draw=draw, order="x"', "order should be a whole number"),
        ('title={}, draw=draw, tables="calls"', "tables a list of names"),
    ],
)
def test_a_figure_that_cannot_be_drawn_is_refused_where_it_is_made(
    made: str, line: str, tmp_path: Path
) -> None:
    head = BARS.partition("figure = Figure(")[0]
    written(tmp_path, f"{head}figure = Figure({made})\n")
    with pytest.raises(PluginError, match=re.escape(line)):
        plugins.load("figures", OWN, tmp_path)


NONSENSE: dict[str, Callable[[str], Any]] = {
    "nothing": lambda file: None,
    "no mapping": lambda file: ["x"],
    "pictures of no kind": lambda file: {"pictures": 3},
    "a path": lambda file: {"pictures": {"en": {"file": "../../secret.png", "sha256": "0" * 64}}},
    "another file": lambda file: {"pictures": {"en": {"file": "report.md", "sha256": "0" * 64}}},
    "no hash": lambda file: {"pictures": {"en": {"file": file}}},
    "a list": lambda file: {"pictures": {"en": [file]}},
}


@pytest.mark.parametrize("kind", NONSENSE)
def test_what_a_foreign_run_tells_of_its_figures_is_data_and_no_harm(
    kind: str, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    asked = replace(told(asking(OWN), {OWN: NONSENSE[kind](FILES["en"])}), folder=folder)
    folder.mkdir()
    (folder / "manifest.json").write_text(store.manifest_of(MANIFEST, FILES.values()))
    for file in FILES.values():
        (folder / "figures").mkdir(exist_ok=True)
        (folder / file).write_bytes(PNG)
    assert store.rendered(folder) == set(FILES.values())
    _, whole = drawing.kept(asked)
    assert whole == set()
    text = document.render(asked, "en")
    assert "![" not in text.split("## Environment")[1]
    assert "secret" not in text


def test_a_picture_is_bounded_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path)
    monkeypatch.setattr(limits, "FIGURE_BYTES", 100)
    with pytest.raises(PluginError, match="is over 100 bytes"):
        drawing.own(asking(OWN), lambda name: tmp_path / name)


def test_what_a_figure_names_of_the_users_own_is_called_what_its_run_stored() -> None:
    title = {"en": "Slips", "es": "Deslices"}
    own = {"metrics": {"./slips.py": {"title": title}}}
    seen: list[str] = []

    def draw(result: Result, language: str) -> None:
        seen.append(wording.metric("./slips.py", language))

    for language in title:
        run = filed.changed(recogniser(), own=own)
        drawing._drawn("x", Figure({}, draw), run, language)
    assert seen == list(title.values())
