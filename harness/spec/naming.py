"""What a name in an experiment stands for: paths, plugins, metrics, assets and normalisers."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from harness import plugins
from harness.contracts import Locate
from harness.errors import SpecError
from harness.plugins import NamedMetric

EXPERIMENTS = "experiments"
WORDS = plugins.PACKAGE / "report" / "words"  # a file for each language of the report

PROJECT = (".git", "pyproject.toml")  # what tells the folder of a project


def locator(file: Path) -> Locate:
    """Finds a path written in that YAML file: beside it, else in the nearest folder above it, up to
    the project's.

    So `data/x` in experiments/e.yaml is the project's data/x, and nothing that lies about further
    up is taken for it. The function raises SpecError for a path that is nowhere.
    """
    folder = file.resolve().parent
    places = _places(folder)

    def locate(text: str) -> Path:
        for base in places:
            with contextlib.suppress(OSError, ValueError):  # too long, or holds a zero
                if (base / text).exists():
                    return base / text
        up = f" or in a folder above it up to {places[-1]}" if len(places) > 1 else ""
        raise SpecError(f"no {text!r} beside the experiment file{up}; looked in {folder}.")

    return locate


def _places(folder: Path) -> list[Path]:
    """The YAML's folder and those above it up to the project's: the nearest one with .git or
    pyproject.toml, else the one above `experiments`, beside which results lie too."""
    found = [folder]
    for above in (folder, *folder.parents):
        if any((above / name).exists() for name in PROJECT):
            return found if above == folder else [*found, *_until(folder, above)]
    return [*found, folder.parent] if folder.name == EXPERIMENTS else found


def _until(folder: Path, last: Path) -> list[Path]:
    parents = list(folder.parents)
    return parents[: parents.index(last) + 1]


def own_files(part: Any, locate: Locate) -> Iterator[tuple[str, Path]]:
    """(as written, file) of the user's own Python files that an experiment names, as plain data;
    what is only called like one, in a description or so, is nowhere."""
    if isinstance(part, str) and part.endswith(".py"):
        with contextlib.suppress(SpecError):
            path = locate(part)
            if path.is_file():
                yield part, path
    elif isinstance(part, Mapping):
        for key, value in part.items():
            yield from own_files(key, locate)
            if not _made_by_script(key, value):  # a process of its own runs that
                yield from own_files(value, locate)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from own_files(value, locate)


def scripts(part: Any, locate: Locate) -> Iterator[tuple[str, Path]]:
    """(as written, file) of the scripts of the user's own that a run starts to make model files, of
    an experiment as plain data."""
    if isinstance(part, Mapping):
        for key, value in part.items():
            if _made_by_script(key, value):
                with contextlib.suppress(SpecError):
                    yield value["script"], locate(value["script"])
            else:
                yield from scripts(value, locate)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from scripts(value, locate)


def _made_by_script(key: Any, value: Any) -> bool:
    if key != "source" or not isinstance(value, Mapping):
        return False
    return isinstance(value.get("script"), str)


def interpreter(name: str, locate: Locate) -> Path | None:
    """The Python that runs a script: the one of this process unless named; a path is found as the
    experiment's are, a command as a shell does. None where it is nowhere. A link is kept: that of a
    virtual environment tells Python where its packages are."""
    if not name:
        return Path(sys.executable)
    if "/" not in name and os.sep not in name:
        found = shutil.which(name)
        return Path(found) if found else None
    with contextlib.suppress(SpecError):
        place = locate(name)
        return place.parent.resolve() / place.name if place.is_file() else None
    return None


def results_folder(file: Path, name: str) -> Path:
    """reports/<name> beside the folder `experiments`, or beside the file if it is elsewhere."""
    parent = file.resolve().parent
    return (parent.parent if parent.name == EXPERIMENTS else parent) / "reports" / name


def load_plugin(kind: str, name: str, locate: Locate) -> Any:
    """The value that a plugin file exports, whether it is ours (`wer`) or the user's (`./wer.py`).

    Raises: UnknownNameError, PluginError, SpecError for a file that is nowhere.
    """
    return plugins.load(kind, str(locate(name)) if name.endswith(".py") else name)


def load_family(model: Any, locate: Locate) -> Any:
    """The family of a model (a `ModelSpec`) as the model's parameters make it.

    Raises: as `load_plugin`.
    """
    family = load_plugin("families", model.family, locate)
    return plugins.shaped(family, asdict(model.params))


def find_metric(name: str, locate: Locate) -> NamedMetric:
    """The metric that a name means (see plugins.find_metric), a user's own file included.

    Raises: UnknownNameError, PluginError, SpecError for a file that is nowhere.
    """
    if not name.endswith(".py"):
        return plugins.find_metric(name)
    return replace(plugins.find_metric(str(locate(name))), name=name)


def assets() -> list[str]:
    """Names of the assets that the project knows, one file each in harness/assets/entries/."""
    return sorted(p.stem for p in (plugins.PACKAGE / "assets" / "entries").glob("*.yaml"))


def languages() -> list[str]:
    """Codes of the languages that a report can be written in, one file each."""
    return sorted(path.stem for path in WORDS.glob("*.yaml"))


def normalisers() -> dict[str, str]:
    """Names of the ways to make texts comparable, and the languages that each is for."""
    from harness.speech import text  # here, since a child process has no use for it

    fits = {name: f"for texts in {code}" for name, code in text.LANGUAGES.items()}
    return {name: fits.get(name, "for any language") for name in text.NORMALISERS}
