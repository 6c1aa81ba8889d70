"""The house keeps its shape: one direction of imports, small files, a docstring each."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import plugins

PACKAGE = Path(plugins.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

# each layer may import those before it (and itself, where it is a folder)
LAYERS = [
    "errors", "limits", "faults", "nearest", "garbage", "places", "hashes", "network", "made",
    "stats", "sampling", "text", "repeats",
    "audio", "mel", "contracts", "figures", "corpus",
    "ruling", "kinds", "plugins", "stored", "escaping", "markdown", "metric_names", "noted",
    "wording", "reading", "findings", "measures", "row_text", "replayed", "noise",
    "shortfall", "graph",
    "modelfiles", "environment", "session", "phonemes", "synthesis", "spec", "tables",
    "assets", "variants", "store", "worker", "runner", "feasibility", "scoring", "rivals",
    "verdict",
    "deciding", "looking", "selecting", "setting",
    "comparing", "history", "pipeline", "plots", "report", "progress", "doctor", "api",
    "exits", "cli",
]  # fmt: skip
FOR_PLUGINS = {"errors", "limits", "nearest", "ruling", "places", "sampling", "corpus", "network",
               "stats", "text", "repeats", "audio", "mel", "contracts", "figures", "graph",
               "modelfiles", "phonemes", "synthesis", "session", "markdown", "wording", "reading",
               "measures", "row_text", "replayed", "plugins", "kinds", "noise", "rivals",
               "shortfall", "escaping", "findings"}  # fmt: skip


def imported(path: Path) -> Iterator[str]:
    """The `harness.<x>[.<y>]` modules that a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("harness."))
        elif isinstance(node, ast.ImportFrom) and node.module == "harness":
            yield from (f"harness.{a.name}" for a in node.names if not a.name.startswith("_"))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("harness."):
            yield str(node.module)


def layer(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_each_file_imports_only_what_lies_above_it(path: Path) -> None:
    own = layer(path)
    for module in imported(path):
        other = module.split(".")[1]
        if own == other and own not in plugins.CONTRACTS:
            continue
        if own in plugins.CONTRACTS:
            same_plugin = module.split(".")[:3] == ["harness", *path.relative_to(PACKAGE).parts[:2]]
            assert other in FOR_PLUGINS or same_plugin, f"the plugin {path.name} imports {module}"
        elif own != "__init__":
            assert own in LAYERS, f"{path.name} has no place in the layers"
            assert other in LAYERS[: LAYERS.index(own)], f"{own} imports {module}, which is below"


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_each_file_says_what_it_is_for_and_stays_small(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(source)), f"{path.name} has no docstring"
    assert source.count("\n") <= 450, f"{path.name} holds more than one idea"
    assert path.stem not in {"utils", "common", "helpers", "base", "manager"}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_functions_stay_short(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno <= 50, f"{path.name}: {node.name}"


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in plugins.CONTRACTS for name in plugins.names(kind)]
)
def test_each_plugin_keeps_its_contract_and_says_what_it_is(kind: str, name: str) -> None:
    attribute, contract = plugins.CONTRACTS[kind]
    assert isinstance(plugins.load(kind, name), contract), f"{kind}/{name}: {attribute}"
    assert len(plugins.docline(kind, name)) > 20


def test_the_map_in_the_package_docstring_names_each_core_file() -> None:
    text = importlib.import_module("harness").__doc__ or ""
    core = {layer(path) for path in FILES} - {"__init__"}
    assert {name for name in core if name not in text} == set()
