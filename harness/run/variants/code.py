"""The code behind a figure: what a function's file imports of this package, and which packages.

So a key over it changes with the mel filters as with the model family that uses them.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from harness import plugins
from harness.runtime import environment

OWN = plugins.PACKAGE.name
# They compute no figure: names, contracts, messages, folders, the record of the machine
NO_FIGURE = (
    "errors",
    "contracts",
    "runtime.environment",
    "io.places",
    "io.hashes",
    "io.network",
    "io.escaping",
)
LOADER = "plugins"
NO_FIGURE_OUTSIDE = {"annotated_types", "huggingface_hub", "onnxruntime", "pydantic"}


def code_of(function: Callable[..., Any]) -> str:
    """SHA-256 of the file that defines the function and of all files of this package that it
    imports, and those again, but for what computes no figure."""
    digest = hashlib.sha256()
    for path in files_of(function):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def packages_of(*functions: Callable[..., Any]) -> dict[str, str]:
    """Package -> its version, of those that the code of `code_of` imports and that are installed
    under the name by which they are imported."""
    paths = {path for function in functions for path in files_of(function)}
    outer = {name.partition(".")[0] for path in paths for name in _imports(path)}
    names = sorted(outer - {OWN} - NO_FIGURE_OUTSIDE - sys.stdlib_module_names)
    found = {name.replace("_", "-"): environment.version(name) for name in names}
    found["onnxruntime"] = environment.onnxruntime_version()  # it has builds of other names
    return {name: version for name, version in sorted(found.items()) if version}


def files_of(function: Callable[..., Any]) -> list[Path]:
    """The function's file, and those of this package that it builds on, sorted by name."""
    module = sys.modules[inspect.unwrap(function).__module__]
    todo = [Path(str(module.__file__))]
    found: set[Path] = set()
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += [file for name in _imports(path) for file in _own(name)]
    return sorted(found)


def _own(module: str) -> Iterator[Path]:
    """The file of `harness.x[.y]`, where it is one that figures depend on."""
    package, *parts = module.split(".")
    if package == OWN and parts and _computes(".".join(parts)):
        place = plugins.PACKAGE.joinpath(*parts)
        yield from filter(
            Path.is_file, (place.with_name(f"{place.name}.py"), place / "__init__.py")
        )


def _computes(module: str) -> bool:
    """Whether figures depend on `harness.<module>`; of the plugins, on all but their loader."""
    parts = [f"{name}." for name in NO_FIGURE]
    return module != LOADER and not any(f"{module}.".startswith(part) for part in parts)


def _imports(path: Path) -> tuple[str, ...]:
    stat = path.stat()
    return _imports_of(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=512)
def _imports_of(path: Path, _changed: int, _size: int) -> tuple[str, ...]:
    """Modules that a file imports, also inside functions; of `from a import b`, a and a.b."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(dict.fromkeys(names))
