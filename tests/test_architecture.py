"""The house keeps its shape: rooms on floors, one direction of imports, small files."""

from __future__ import annotations

import ast
import functools
import importlib
import re
from pathlib import Path

import pytest

from harness import plugins

PACKAGE = plugins.PACKAGE
BENCH = PACKAGE.parent / "bench"
FILES = sorted(PACKAGE.rglob("*.py"))
PAGES = [path for path in FILES if path.parent != PACKAGE]  # all but the face and __main__

# a room imports only from floors below its own
FLOORS = [
    {"errors", "contracts"},
    {"io", "speech", "runtime"},
    {"plugins", "assets", "store"},
    {"spec"},
    {"decide"},
    {"run", "report", "preflight"},
    {"app"},
]
# what a plugin may see: the two lowest floors, and for a section what has been decided
FOR_PLUGINS = FLOORS[0] | FLOORS[1]
FOR_SECTIONS = FOR_PLUGINS | {"store", "decide", "plugins"}
MOST_ROOMS, MOST_FLOORS, MOST_ARROWS = 14, 7, 70


@functools.cache
def imported(path: Path, package: str = "harness") -> tuple[str, ...]:
    """The modules of a package that a file imports, also inside functions; `from a import b` gives
    a.b, which may be a name in a."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += (a.name for a in node.names if a.name.split(".")[0] == package)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package:
            found += (f"{node.module}.{a.name}" for a in node.names if a.name[:2] != "__")
    return tuple(found)


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0]


def arrows() -> set[tuple[str, str]]:
    """(room, another that it imports from)."""
    found = {(room(path), module.split(".")[1]) for path in PAGES for module in imported(path)}
    return {(one, other) for one, other in found if one != other}


def floor(name: str) -> int:
    return next(level for level, rooms in enumerate(FLOORS) if name in rooms)


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def test_the_package_has_few_rooms_and_all_of_them_are_packages() -> None:
    doors = {p.name for p in PACKAGE.iterdir() if p.suffix == ".py"} - {"__init__.py"}
    assert doors <= {"__main__.py"}
    rooms = {p.name for p in PACKAGE.iterdir() if p.is_dir() and p.name != "__pycache__"}
    assert rooms == set().union(*FLOORS)
    assert all((PACKAGE / name / "__init__.py").is_file() for name in rooms)
    assert len(rooms) <= MOST_ROOMS
    assert len(FLOORS) <= MOST_FLOORS
    assert len(arrows()) <= MOST_ARROWS


@pytest.mark.parametrize(("room", "other"), sorted(arrows()))
def test_a_room_imports_only_from_floors_below(room: str, other: str) -> None:
    assert floor(other) < floor(room)


KINDS = [(kind, path) for kind in plugins.CONTRACTS for path in plugins.folder(kind).rglob("*.py")]


@pytest.mark.parametrize(("kind", "path"), KINDS, ids=lambda value: str(value)[-40:])
def test_a_plugin_sees_the_floors_for_plugins_and_shared_files_of_its_kind(
    kind: str, path: Path
) -> None:
    mine = path.relative_to(plugins.folder(kind)).with_suffix("").parts[0]
    home = plugins.home(kind)[:-1].replace("/", ".")
    for module in imported(path):
        if module.startswith(home):
            other = module[len(home) + 1 :].split(".")[0]
            assert other == mine or other.startswith("_") or not other, f"{path}: {module}"
        elif kind in plugins.IN_THE_REPORT and module.startswith("harness.report."):
            assert module.split(".")[2] not in {"sections", "figures", "document"}, module
        else:
            seen = FOR_SECTIONS if kind in plugins.IN_THE_REPORT else FOR_PLUGINS
            assert module.split(".")[1] in seen, f"{path.name} imports {module}"


def modules(folder: Path, package: str) -> dict[str, set[str]]:
    """Module -> those of the same folder that it imports when it is itself imported."""
    names = {
        ".".join(path.relative_to(folder.parent).with_suffix("").parts).removesuffix(".__init__")
        for path in folder.rglob("*.py")
    }
    graph: dict[str, set[str]] = {}
    for path in folder.rglob("*.py"):
        dotted = ".".join(path.relative_to(folder.parent).with_suffix("").parts)
        own = dotted.removesuffix(".__init__")
        found = set()
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and node.module:
                full = [f"{node.module}.{alias.name}" for alias in node.names] + [node.module]
                found |= {name for name in full if name in names and name != own}
        graph[own] = found
    return {name: found for name, found in graph.items() if name.startswith(package)}


@pytest.mark.parametrize(
    ("folder", "package"), [(PACKAGE, "harness"), (BENCH / "trust", "trust")], ids=str
)
def test_no_module_imports_itself_by_way_of_others(folder: Path, package: str) -> None:
    graph = modules(folder, package)
    done: set[str] = set()

    def walk(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join([*way[way.index(name) :], name])
        if name in done:
            return
        for other in sorted(graph.get(name, ())):
            if not name.startswith(f"{other}."):  # a package is there before its parts
                walk(other, (*way, name))
        done.add(name)

    for name in graph:
        walk(name, ())


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_each_file_says_what_it_is_for_and_stays_small(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(source)), f"{path.name} has no docstring"
    assert source.count("\n") <= 450, f"{path.name} holds more than one idea"
    assert path.stem not in {"utils", "common", "helpers", "base", "manager"}


# the contract of plugins names them: what a file of each kind lets an experiment set
EACH_ITS_OWN = {"Params"}


def test_a_class_name_is_used_for_one_thing_only() -> None:
    where: dict[str, list[str]] = {}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                where.setdefault(node.name, []).append(name_of(path))
    twice = {name: files for name, files in where.items() if len(files) > 1}
    assert twice.keys() == EACH_ITS_OWN, twice


AS_DATA = re.compile(r"\bexperiment(\.get\(|\[)")


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_an_experiment_is_one_typed_value_from_the_yaml_file_to_the_report(path: Path) -> None:
    """Its fields are read as such: plain data are only in what writes and what reads its file."""
    assert not AS_DATA.search(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=name_of)
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


def test_the_map_in_the_package_docstring_says_what_each_room_is_for() -> None:
    lines = (importlib.import_module("harness").__doc__ or "").splitlines()
    told = {line[3:].split("/ ")[0] for line in lines if line[1:3] == "  " and "/ " in line[:16]}
    assert told == set().union(*FLOORS)
