"""What the README and docs/ show works: examples load and run, commands parse, links hold.

A stale reference page? `python docs/reference.py` (or `make golden`) writes all three anew.
"""

from __future__ import annotations

import importlib.util
import math
import re
import shlex
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import invented_run
import numpy as np
import onnx
import pytest
import tiny_graphs
import yaml
from matplotlib.figure import Figure as Picture

import harness
from harness import plugins, spec, store
from harness.app import cli
from harness.contracts import (
    Call,
    Evidence,
    Export,
    Family,
    Figure,
    Gate,
    Judge,
    Method,
    Metric,
    Section,
    Source,
    Status,
)

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
WHOLE = {"name", "model", "variants"}  # keys by which a whole experiment is known
FILE = re.compile(r"# (\w+\.py)\n")  # first line of a block that is a plugin's file


@dataclass(frozen=True)
class Block:
    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    found = re.finditer(r"^ *```(\w+)\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [Block(page, text[: m.start()].count("\n") + 1, m[1], m[2]) for m in found]


ALL = [block for page in PAGES for block in blocks(page)]
YAML = [block for block in ALL if block.language == "yaml"]
PYTHON = [block for block in ALL if block.language == "python"]
FILES = [block for block in PYTHON if FILE.match(block.text)]


def named(found: list[Any]) -> Any:
    return pytest.mark.parametrize("block", found, ids=str)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder as the examples expect it: data, experiments, the plugins that pages show, and an
    empty file or folder for whatever else their paths name."""
    (tmp_path / "experiments").mkdir()
    (tmp_path / "data").mkdir()
    for shipped in (ROOT / "data").iterdir():
        (tmp_path / "data" / shipped.name).symlink_to(shipped)
    named = r"(?:path|script|python|weights): ([\w./-]+)"
    for path in {tmp_path / name for b in YAML for name in re.findall(named, b.text)}:
        if not path.exists():
            is_file = path.suffix or path.name == "python"
            (path.parent if is_file else path).mkdir(parents=True, exist_ok=True)
            path.touch()
    for block in FILES:
        name = FILE.match(block.text)[1]  # type: ignore[index]
        (tmp_path / "experiments" / name).write_text(block.text, encoding="utf-8")
    return tmp_path


def parts(block: Block) -> dict[str, Any]:
    found = yaml.safe_load(block.text)
    assert isinstance(found, dict), block
    return found


def is_whole(block: Block) -> bool:
    return WHOLE.issubset(parts(block))


def example() -> dict[str, Any]:
    """The experiment of the first report, that shorter examples are parts of."""
    return next(parts(b) for b in YAML if b.page.name == "first-report.md" and is_whole(b))


def loaded(project: Path, experiment: dict[str, Any]) -> spec.Experiment:
    path = project / "experiments" / f"{experiment['name']}.yaml"
    path.write_text(yaml.safe_dump(experiment, allow_unicode=True), encoding="utf-8")
    return spec.load(path)


@named([block for block in YAML if is_whole(block)])
def test_each_whole_experiment_loads(block: Block, project: Path) -> None:
    path = project / "experiments" / "shown.yaml"
    path.write_text(block.text, encoding="utf-8")
    assert spec.load(path).gates


@named([block for block in YAML if not is_whole(block)])
def test_each_part_of_an_experiment_fits_into_one(block: Block, project: Path) -> None:
    shown = parts(block)
    whole = example()
    for key in ("gates", "sessions", "latency"):  # they may speak of what is replaced
        whole.pop(key, None)
    assert loaded(project, {**whole, **shown})


@named(FILES)
def test_each_plugin_that_a_page_shows_is_one(block: Block, project: Path) -> None:
    name = FILE.match(block.text)[1]  # type: ignore[index]
    kind = kind_of(block)
    value = plugins.load(kind, f"./{name}", project / "experiments")
    used = USED.get(kind)
    assert used is not None, kind
    assert used(value)


def kind_of(block: Block) -> str:
    """The kind of the plugin whose file a block is."""
    (kind,) = (
        kind
        for kind, (attribute, _) in plugins.CONTRACTS.items()
        if re.search(rf"^{attribute} = ", block.text, re.MULTILINE)
    )
    return kind


def test_a_page_shows_a_whole_file_of_each_kind() -> None:
    assert {kind_of(block) for block in FILES} == set(plugins.CONTRACTS)


def measured(metric: Metric) -> bool:
    assert metric.measure is not None
    call = Call("pipeline", 0.1, 2.0, 5.0, 1e6, "una palabra", "una", figures={"level_db": -20.0})
    value, weight = metric.measure(call)
    return math.isfinite(value) and weight > 0


def checked(gate: Gate) -> bool:
    good, bad = Evidence(1.5, 1.4, 1.6, 50, "t"), Evidence(3.0, 2.9, 3.1, 50, "t")
    return (gate.check(2.0, good), gate.check(2.0, bad)) == (Status.PASS, Status.FAIL)


def heard(judge: Judge) -> bool:
    assert judge.open is not None
    said = judge.open(judge.Params(), {}, {})(np.full(16_000, 0.1, dtype=np.float32))
    return set(said.figures) == set(judge.figures) and said.figures["level_db"] < -19


def quantized(method: Method) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        graph, target = Path(folder, "a.onnx"), Path(folder, "b.onnx")
        onnx.save(tiny_graphs.two_layers(), graph)
        done = method.apply(method.Params(), graph, target, ())
        return dict(done.operators) == {"MatMul": 2} and target.is_file()


def recognised(family: Family) -> bool:
    model = family.open(Path(), lambda path: None, family.Params())  # type: ignore[arg-type, return-value]
    return model.prepare("pipeline", np.zeros(32_000, dtype=np.float32))().text == "2 seconds"


def read(source: Source) -> bool:
    params = source.Params()
    data = source.load(params, Path)
    assert source.look is not None
    return len(data.utterances) == source.look(params, Path) and len(data.fingerprint) == 64


def said(section: Section) -> bool:
    return section.render(invented_run.build(), "en").count("\n") == 4


def drawn(figure: Figure) -> bool:
    return isinstance(figure.draw(invented_run.build(), "en"), Picture)


def exported(export: Export) -> bool:
    return export.render(invented_run.build()) == b"whisper_base_es: APPROVED WITH WAIVERS\n"


USED: dict[str, Callable[[Any], bool]] = {
    "metrics": measured,
    "gates": checked,
    "judges": heard,
    "quantize": quantized,
    "families": recognised,
    "datasets": read,
    "sections": said,
    "figures": drawn,
    "exports": exported,
}


@named([block for block in PYTHON if block not in FILES])
def test_each_python_example_runs_on_a_run(
    block: Block, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = invented_run.build(project / "reports" / "whisper_base_es")
    open_ = {**made.verdict, "verdict": "INSUFFICIENT EVIDENCE", "exit_code": 3}
    store.publish(replace(made, verdict=open_), "name: whisper_base_es\n")
    monkeypatch.chdir(project)
    space: dict[str, Any] = {}
    exec(compile(block.text, str(block), "exec"), space)
    assert len(space["result"].checks) > 0


def commands() -> list[tuple[str, str]]:
    """(where, line) of each `harness ...` in a block of shell."""
    lines = [
        (f"{block.page.name}:{block.line}", line.strip())
        for block in ALL
        if block.language == "sh"
        for line in block.text.splitlines()
    ]
    return [(where, line) for where, line in lines if line.startswith("harness ")]


@pytest.mark.parametrize(("where", "line"), commands())
def test_each_command_is_one_that_the_parser_takes(where: str, line: str) -> None:
    options = cli._parser().parse_args(shlex.split(line, comments=True)[1:])
    assert callable(options.command)


def test_each_target_of_make_is_one() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    asked = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE))
    assert {"report", "test", "check"} <= asked
    assert asked <= targets


def terms() -> list[str]:
    rows = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()
    return [row.split("**")[1] for row in rows if row.startswith("| **")]


def test_each_word_of_the_glossary_is_one_of_the_code_and_the_map_links_to_it() -> None:
    files = [*(ROOT / "harness").rglob("*.py"), ROOT / "harness/report/words/en.yaml"]
    text = " ".join(path.read_text(encoding="utf-8") for path in files)
    plain = re.sub(r"[_\s-]+", " ", text)
    assert 20 <= len(terms()) <= 40
    for term in terms():
        own = re.escape(re.sub(r"[_\s-]+", " ", term))
        shape = 0 if term.isupper() else re.IGNORECASE
        assert re.search(rf"\b{own}s?\b", plain, shape), term
    assert "docs/glossary.md" in (harness.__doc__ or "")


OTHERWISE = ("quantis", "synthesiz", r"\bnormalizer\b", r"\brecognizer", "optimis", "judgement",
             "artifact", "behavior", "realtime", "noisefloor")  # fmt: skip


@pytest.mark.parametrize("other", OTHERWISE)
def test_a_noun_has_one_spelling(other: str) -> None:
    for path in [*(ROOT / "harness").rglob("*.py"), *PAGES]:
        for line in path.read_text(encoding="utf-8").splitlines():
            assert not re.search(other, line, re.IGNORECASE), f"{path.name}: {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_link_and_picture_is_there(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    missing = [
        link
        for link in links
        if "://" not in link
        and not link.startswith("#")
        and not (page.parent / link.partition("#")[0]).exists()
    ]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_place_in_the_package_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    found = re.findall(r"`(harness/[\w./]*)`", text)
    assert [path for path in found if not (ROOT / path).exists()] == []


def test_what_pages_tell_to_install_is_this_distribution_and_its_extras() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    name = re.search(r'^name = "([^"]+)"', text, re.MULTILINE)[1]  # type: ignore[index]
    asked = [
        match
        for page in PAGES
        for match in re.findall(
            r'pip install "?([a-z][\w-]*)(?:\[([\w-]+)\])?', page.read_text(encoding="utf-8")
        )
    ]
    assert asked
    assert {distribution for distribution, _ in asked} == {name}
    extras = {extra for _, extra in asked if extra}
    assert all(re.search(rf"^{extra} = \[", text, re.MULTILINE) for extra in extras)


def test_the_readme_is_short_and_each_page_is_linked_from_it() -> None:
    text = README.read_text(encoding="utf-8")
    assert text.count("\n") <= 150
    pages = {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}
    assert pages - set(re.findall(r"\]\(([^)#]+)", text)) == {"docs/trust.md"}  # by its own page


def reference() -> ModuleType:
    described = importlib.util.spec_from_file_location("reference", ROOT / "docs" / "reference.py")
    assert described is not None
    assert described.loader is not None
    module = importlib.util.module_from_spec(described)
    described.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "name", ["reference-yaml.md", "reference-commands.md", "reference-tables.md"]
)
def test_the_reference_pages_are_current(name: str) -> None:
    # stale? python docs/reference.py
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == reference().pages()[name]


def test_the_reference_knows_each_key_command_column_and_parameter() -> None:
    pages = reference().pages()
    assert all(f"`{key}`" in pages["reference-yaml.md"] for key in spec.schema()["properties"])
    for kind in ("families", "datasets", "quantize", "judges"):
        for plugin in plugins.names(kind):
            assert f"### {kind}: `{plugin}`" in pages["reference-yaml.md"]
    for table, columns in store.tables.TABLES.items():
        section = pages["reference-tables.md"].split(f"## `{table}`")[1].split("## `")[0]
        assert all(f"| `{column}` |" in section for column in columns)
