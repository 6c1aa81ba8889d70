"""What a name in an experiment stands for: paths, plugins, metrics, assets and normalisers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from harness import plugins
from harness.contracts import Locate
from harness.errors import SpecError
from harness.plugins import NamedMetric


def locator(file: Path) -> Locate:
    """Finds a path written in that YAML file: beside it, else in the nearest folder above it.

    So `data/x` in experiments/e.yaml is the project's data/x. The function raises SpecError for a
    path that is nowhere.
    """
    folder = file.resolve().parent

    def locate(text: str) -> Path:
        for base in (folder, *folder.parents):
            if (base / text).exists():
                return base / text
        raise SpecError(f"no {text!r} beside the experiment file or in a folder above it.")

    return locate


def results_folder(file: Path, name: str) -> Path:
    """reports/<name> beside the folder `experiments`, or beside the file if it is elsewhere."""
    parent = file.resolve().parent
    return (parent.parent if parent.name == "experiments" else parent) / "reports" / name


def load_plugin(kind: str, name: str, locate: Locate) -> Any:
    """The value that a plugin file exports, whether it is ours (`wer`) or the user's (`./wer.py`).

    Raises: UnknownNameError, PluginError, SpecError for a file that is nowhere.
    """
    return plugins.load(kind, str(locate(name)) if name.endswith(".py") else name)


def find_metric(name: str, locate: Locate) -> NamedMetric:
    """The metric that a name means (see plugins.find_metric), a user's own file included.

    Raises: UnknownNameError, PluginError, SpecError for a file that is nowhere.
    """
    if not name.endswith(".py"):
        return plugins.find_metric(name)
    return replace(plugins.find_metric(str(locate(name))), name=name)


def assets() -> list[str]:
    """Names of the assets that the project knows, one file each in harness/catalogue/."""
    return sorted(p.stem for p in (plugins.PACKAGE / "catalogue").glob("*.yaml"))


def normalisers() -> list[str]:
    """Names of the ways to make texts comparable (see text.py)."""
    from harness import text  # here, since a child process has no use for it

    return list(text.NORMALISERS)
