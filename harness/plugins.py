"""Name -> file -> the exported value, with near-name suggestions: the whole plugin system."""

from __future__ import annotations

import ast
import difflib
import hashlib
import importlib
import importlib.util
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from harness import contracts
from harness.errors import PluginError, UnknownNameError

PACKAGE = Path(__file__).parent
CONTRACTS: dict[str, tuple[str, type | tuple[type, ...]]] = {
    "datasets": ("source", contracts.Source),
    "families": ("family", (contracts.Family, contracts.Composite)),
    "quantize": ("method", contracts.Method),
    "metrics": ("metric", contracts.Metric),
    "gates": ("gate", contracts.Gate),
    "judges": ("judge", contracts.Judge),
    "sections": ("section", contracts.Section),
}


def names(kind: str) -> list[str]:
    """The plugins that the folder `harness/<kind>/` holds, by file or folder name."""
    found = (
        p for p in (PACKAGE / kind).iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()
    )
    return sorted(p.stem for p in found if not p.name.startswith("_"))


def nearest(name: str, known: list[str]) -> str:
    """A sentence that helps after a wrong name: the nearest one, then all of them."""
    close = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"{hint} There is: {', '.join(known)}."


def load(kind: str, name: str, beside: Path | None = None) -> Any:
    """Import `harness/<kind>/<name>.py`, or a user's own file (`./my_metric.py`), and return
    the one value that it exports.

    Raises: UnknownNameError where no file carries the name, PluginError where the file does not
    export what `contracts.py` asks for.
    """
    if name.endswith(".py"):
        module, where = _own_file((beside or Path.cwd()) / name), name
    else:
        known = names(kind)
        if name not in known:
            raise UnknownNameError(f"no {name!r} in harness/{kind}/.{nearest(name, known)}")
        module, where = (
            importlib.import_module(f"harness.{kind}.{name}"),
            f"harness/{kind}/{name}.py",
        )
    attribute, contract = CONTRACTS[kind]
    entry = getattr(module, attribute, None)
    if not isinstance(entry, contract):
        kinds = contract if isinstance(contract, tuple) else (contract,)
        wanted = " or ".join(f"`{attribute} = {kind.__name__}(...)`" for kind in kinds)
        raise PluginError(f"{where} must define {wanted}.")
    return entry


@dataclass(frozen=True)
class NamedMetric:
    """A metric as the experiment names it; `quantile` is NaN unless it is folded by one."""

    name: str
    metric: contracts.Metric
    quantile: float


QUANTILE = re.compile(r"^(?P<stem>.+)_p(?P<digits>\d+(?:_\d+)?)(?P<unit>_[a-z]+)?$")


def find_metric(name: str, beside: Path | None = None) -> NamedMetric:
    """The metric that `name` means: a file in metrics/, or a quantile of one.

    `latency_p99_9_ms` is the 0.999 quantile of `latency_ms`, `rtf_p95` the 0.95 quantile of `rtf`.

    Raises: UnknownNameError where neither exists.
    """
    match = QUANTILE.match(name)
    if match is None or name in names("metrics"):
        metric = load("metrics", name, beside)
        return NamedMetric(name, metric, 0.5 if metric.fold == "quantile" else float("nan"))
    quantile = float(match["digits"].replace("_", ".")) / 100
    metric = load("metrics", match["stem"] + (match["unit"] or ""), beside)
    if metric.measure is None or not 0 < quantile < 1:
        raise UnknownNameError(f"{name!r} is not a quantile that can be measured.")
    return NamedMetric(name, metric, quantile)


def docline(kind: str, name: str) -> str:
    """The first line of the plugin's docstring, read without importing it."""
    path = PACKAGE / kind / f"{name}.py"
    path = path if path.exists() else PACKAGE / kind / name / "__init__.py"
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


def _own_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise UnknownNameError(f"no file {path}; a plugin of your own is named by its path.")
    name = f"harness_own_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    found = importlib.util.spec_from_file_location(name, path)
    if found is None or found.loader is None:
        raise PluginError(f"{path} cannot be imported as a Python file.")
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    try:
        found.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]  # half of a module must not be found by whoever asks next
        if not isinstance(error, Exception):
            raise
        raise PluginError(f"{path}: {type(error).__name__}: {error}") from error
    return module
