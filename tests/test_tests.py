"""The tests keep to tests/README.md: they read nothing that a command of ours writes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
FILES = sorted(path for path in TESTS.rglob("*.py") if "cases" not in path.parts)
CASES = sorted((TESTS / "hostile").rglob("case.yaml"))
# folders that `make report`, `make trust` and a run fill anew
WRITTEN = re.compile(r"(?:^|/)(?:reports|docs/trust|\.work)(?:/|$)")
OWN = re.compile(r"tmp|project|folder|base|place|made")  # names of folders that a test makes itself


def parts(chain: ast.expr) -> Iterator[ast.expr]:
    """Of `a / "b" / "c"`: a, "b", "c"."""
    if isinstance(chain, ast.BinOp) and isinstance(chain.op, ast.Div):
        yield from parts(chain.left)
        yield chain.right
    else:
        yield chain


def text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def taken(node: ast.AST) -> list[str]:
    """What a node takes from a folder that a command writes, unless the test made it itself."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        first, *rest = parts(node)
        path = "/".join(text(part) or "*" for part in rest)
        mine = isinstance(first, ast.Name) and OWN.search(first.id)
        return [] if mine or not WRITTEN.search(path) else [ast.unparse(node)]
    if isinstance(node, ast.Call):  # Path("reports/x"), open("reports/x"), join(ROOT, "reports")
        name = ast.unparse(node.func).split(".")[-1]
        asked = [*node.args, *(word.value for word in node.keywords)]
        if name in {"Path", "open", "join", "joinpath", "load", "read", "read_csv", "read_parquet"}:
            return [text(one) for one in asked if WRITTEN.search(text(one))]
        if name in {"get", "getenv"}:
            return [text(one) for one in asked[1:] if WRITTEN.search(text(one))]
    return []


def taken_by(source: str) -> list[str]:
    return [found for node in ast.walk(ast.parse(source)) for found in taken(node)]


@pytest.mark.parametrize(
    "line",
    [
        'SHIPPED = Path(__file__).resolve().parents[1] / "reports" / "whisper_base_es"',
        'folder = ROOT / "reports" / "whisper_base_es"',
        'folder = ROOT / "reports/whisper_base_es/calls.parquet"',
        'path = root / "docs" / "trust" / "latency.json"',
        'path = ROOT / name / "reports"',
        'store.read(Path("reports/whisper_base_es"))',
        'harness.load("reports/whisper_base_es")',
        'SHIPPED = ROOT / os.environ.get("HARNESS_REPORT", "reports/whisper_base_es")',
        'pd.read_csv("../reports/x/checks.csv")',
    ],
)
def test_a_line_that_reads_what_a_command_writes_is_seen(line: str) -> None:
    assert taken_by(line)


@pytest.mark.parametrize(
    "line",
    [
        'made = invented_run.build(project / "reports" / "whisper_base_es")',
        'folder = tmp_path / "reports" / "whisper_base_es"',
        'MEASURED = Path(__file__).parent / "frozen" / "whisper_base_es"',
        'base = tmp_path_factory.mktemp("reports")',
        'before = costs.Earlier("2026-11-22", "reports/whisper_base_es", {})',
        'assert "reports that it read" in report',
    ],
)
def test_a_line_that_does_not_is_left_alone(line: str) -> None:
    assert not taken_by(line)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(TESTS).as_posix())
def test_no_test_reads_what_a_command_of_ours_writes(path: Path) -> None:
    found = taken_by(path.read_text(encoding="utf-8"))
    assert found == [], "freeze what is needed under tests/frozen (tests/README.md)"


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.parent.name)
def test_no_hostile_case_reaches_out_of_its_folder(path: Path) -> None:
    assert "../reports" not in path.read_text(encoding="utf-8")


def test_each_mark_and_frozen_folder_is_in_the_readme_of_the_tests(
    pytestconfig: pytest.Config,
) -> None:
    told = (TESTS / "README.md").read_text(encoding="utf-8")
    marks = [line.split(":")[0] for line in pytestconfig.getini("markers")]
    ours = {mark for mark in marks if mark in {"model", "simulation", "slow", "disk"}}
    assert len(ours) == 4
    assert all(f"`{name}`" in told for name in ours)
    frozen = [path for path in (TESTS / "frozen").iterdir() if path.is_dir()]
    assert frozen
    assert all(f"`frozen/{path.name}`" in told for path in frozen)
