"""Name -> file -> the exported value, with near-name suggestions: the whole plugin system."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_type_hints

from harness import contracts
from harness.errors import HarnessError, PluginError, UnknownNameError, limits
from harness.errors.faults import located, no_way_out
from harness.errors.nearest import nearest

PACKAGE = Path(__file__).parents[1]
CONTRACTS: dict[str, tuple[str, type | tuple[type, ...]]] = {
    "datasets": ("source", contracts.Source),
    "families": ("family", (contracts.Family, contracts.Composite)),
    "quantize": ("method", contracts.Method),
    "metrics": ("metric", contracts.Metric),
    "gates": ("gate", contracts.Gate),
    "judges": ("judge", contracts.Judge),
    "sections": ("section", contracts.Section),
    "figures": ("figure", contracts.Figure),
    "exports": ("export", contracts.Export),
}


_DATA_ONLY = ContextVar("data_only", default=False)
_OWN: dict[str, str] = {}  # module name -> file of a plugin of the user's own


IN_THE_REPORT = {"sections", "figures", "exports"}  # kinds whose files say, and measure nothing


def folder(kind: str) -> Path:
    """The folder that holds the plugins of a kind."""
    return PACKAGE / ("report" if kind in IN_THE_REPORT else "plugins") / kind


def home(kind: str) -> str:
    """That folder as messages name it."""
    return f"{folder(kind).relative_to(PACKAGE.parent).as_posix()}/"


def names(kind: str) -> list[str]:
    """The plugins that the folder `harness/<kind>/` holds, by file or folder name."""
    found = (p for p in folder(kind).iterdir() if p.suffix == ".py" or (p / "__init__.py").exists())
    return sorted(p.stem for p in found if not p.name.startswith("_"))


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
            raise UnknownNameError(f"no {name!r} in {home(kind)}.{nearest(name, known)}")
        module, where = (
            importlib.import_module(f"{home(kind)[:-1].replace('/', '.')}.{name}"),
            f"{home(kind)}{name}.py",
        )
    attribute, contract = CONTRACTS[kind]
    entry = vars(module).get(attribute)
    if not isinstance(entry, contract):
        kinds = contract if isinstance(contract, tuple) else (contract,)
        wanted = " or ".join(f"`{attribute} = {kind.__name__}(...)`" for kind in kinds)
        raise PluginError(f"{where}{_line_of(module, attribute)} must define {wanted}.")
    if isinstance(entry, contracts.Metric) and name.endswith(".py"):
        _whole(entry, f"{where}{_line_of(module, attribute)}")
    if isinstance(entry, contracts.Family) and name.endswith(".py"):
        _measurable(entry, f"{where}{_line_of(module, attribute)}")
    if isinstance(entry, contracts.Figure) and name.endswith(".py"):
        _drawable(entry, f"{where}{_line_of(module, attribute)}")
    return entry


def shaped(family: Any, params: Mapping[str, Any]) -> Any:
    """The family as its parameters make it: what it times and gives may depend on them.

    Raises: what its `shaped` raises for parameters that are none of its own.
    """
    own = getattr(family, "shaped", None)
    return own(params) if own else family


def _line_of(module: ModuleType, attribute: str) -> str:
    """ ":12", the line on which a plugin's file assigns what it exports; "" where it does not."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        for node in ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8")).body:
            targets = node.targets if isinstance(node, ast.Assign) else []
            if any(isinstance(one, ast.Name) and one.id == attribute for one in targets):
                return f":{node.lineno}"
    return ""


def _whole(metric: contracts.Metric, where: str) -> None:
    """Refuse a metric of the user's own whose fields say nothing that can be folded."""
    ways = [metric.measure is not None, metric.of_variant is not None, bool(metric.ratio_of)]
    for name in ("better", "fold"):
        known = get_args(get_type_hints(contracts.Metric)[name])
        if getattr(metric, name) not in known:
            given = repr(getattr(metric, name))
            raise PluginError(f"{where}: {name}={given} should be one of {', '.join(known)}.")
    if sum(ways) != 1 or not isinstance(metric.unit, str):
        raise PluginError(
            f"{where}: should give a unit and exactly one of measure, of_variant, ratio_of."
        )


def _measurable(family: contracts.Family, where: str) -> None:
    """Refuse a family of the user's own that says of no audio and of no operation what it takes."""
    rate, operations = family.sample_rate, family.operations
    if type(rate) is not int or not limits.LOWEST_RATE <= rate <= limits.HIGHEST_RATE:
        raise PluginError(
            f"{where}: sample_rate={rate!r} should be a whole number of Hz from "
            f"{limits.LOWEST_RATE:,} to {limits.HIGHEST_RATE:,}."
        )
    named = isinstance(operations, tuple) and all(isinstance(one, str) for one in operations)
    if not named or not operations:
        raise PluginError(f'{where}: operations should be a tuple of names, ("pipeline",) say.')


def _drawable(figure: contracts.Figure, where: str) -> None:
    """Refuse a figure of the user's own before anything is measured for it."""
    if not isinstance(figure.title, Mapping) or not callable(figure.draw):
        raise PluginError(
            f"{where}: title should be language -> text, draw a function (result, language)."
        )
    if not isinstance(figure.order, int) or isinstance(figure.tables, str):
        raise PluginError(f"{where}: order should be a whole number, tables a list of names.")


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
    if match is None or name in names("metrics") or name.endswith(".py"):
        metric = load("metrics", name, beside)
        return NamedMetric(name, metric, 0.5 if metric.fold == "quantile" else float("nan"))
    quantile = float(match["digits"].replace("_", ".")) / 100
    metric = load("metrics", match["stem"] + (match["unit"] or ""), beside)
    if metric.measure is None or not 0 < quantile < 1:
        raise UnknownNameError(f"{name!r} is not a quantile that can be measured.")
    return NamedMetric(name, metric, quantile)


def unit_of(name: str) -> str:
    """The unit of a metric as its file says it; "" for one that no file of ours carries."""
    match = QUANTILE.match(name)
    stem = match["stem"] + (match["unit"] or "") if match else name
    for known in (name, stem):
        if known in names("metrics"):
            return str(load("metrics", known).unit)
    return ""


def docline(kind: str, name: str) -> str:
    """The first line of the plugin's docstring, read without importing it."""
    path = folder(kind) / f"{name}.py"
    path = path if path.exists() else folder(kind) / name / "__init__.py"
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


@contextlib.contextmanager
def data_only() -> Iterator[None]:
    """No plugin of a user's own is imported inside: a result is read, whoever it came from."""
    before = _DATA_ONLY.set(True)
    try:
        yield
    finally:
        _DATA_ONLY.reset(before)


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """What a plugin of the user's own fails with is one line with its file and line, and none of
    them ends the process. Raises: PluginError."""
    with no_way_out():
        try:
            yield
        except (HarnessError, KeyboardInterrupt):
            raise
        except BaseException as error:
            if isinstance(error, SystemExit) or _passed_through(error, set(_OWN.values())):
                raise PluginError(f"{located(error)}.") from error
            raise


def _passed_through(error: BaseException, files: set[str]) -> bool:
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in files:
            return True
        trace = trace.tb_next
    return False


def _own_file(path: Path) -> ModuleType:
    if _DATA_ONLY.get():
        raise PluginError(f"{path}: a result is read without running code that it names.")
    if not path.is_file():
        raise UnknownNameError(f"no file {path}; a plugin of your own is named by its path.")
    if not os.access(path, os.R_OK):
        raise PluginError(f"{path}: cannot be read: Permission denied.")
    name = f"harness_own_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    found = importlib.util.spec_from_file_location(name, path)
    if found is None or found.loader is None:
        raise PluginError(f"{path} cannot be imported as a Python file.")
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    _OWN[name] = str(path)
    try:
        with no_way_out():
            found.loader.exec_module(module)
    except KeyboardInterrupt:
        del sys.modules[name]
        raise
    except BaseException as error:
        del sys.modules[name]
        line = located(error)
        where = "" if line.startswith(str(path)) else f"{path}: "
        raise PluginError(f"{where}{line}.") from error
    return module
