"""YAML -> frozen Experiment, strictly; the only reader of experiment files.

`load` reports every problem of a file at once, one line each, before anything is downloaded or run.
PyYAML and pydantic are imported by the first call, so that a child process which only needs the
dataclasses starts without them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.contracts import Locate
from harness.contracts.experiment import (
    DEFAULT_SESSION,
    At,
    Audit,
    Budget,
    Calibration,
    Claim,
    Experiment,
    GateSpec,
    Latency,
    ModelSpec,
    Origin,
    Quality,
    Recorded,
    Report,
    Selection,
    Unchecked,
    Use,
    Variant,
    Waiver,
)
from harness.contracts.plain import to_json
from harness.errors import SpecError
from harness.errors.limits import YAML_BYTES
from harness.spec.naming import (
    find_metric,
    interpreter,
    load_family,
    load_plugin,
    locator,
    own_files,
    results_folder,
    scripts,
)

__all__ = [
    "DEFAULT_SESSION",
    "At",
    "Audit",
    "Budget",
    "Calibration",
    "Claim",
    "Experiment",
    "GateSpec",
    "Latency",
    "ModelSpec",
    "Origin",
    "Quality",
    "Recorded",
    "Report",
    "Selection",
    "Unchecked",
    "Use",
    "Variant",
    "Waiver",
    "find_metric",
    "from_json",
    "interpreter",
    "load",
    "load_family",
    "load_plugin",
    "locator",
    "own_files",
    "own_files_of",
    "parse",
    "results_folder",
    "schema",
    "scripts",
    "to_json",
]


def load(path: Path) -> Experiment:
    """The experiment that the YAML file holds, every default filled in.

    Raises: SpecError whose text has one line per problem: file:line: path: what is wrong and what
    would be right.
    """
    try:
        text = _bytes(Path(path)).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            line = error.object.count(b"\n", 0, error.start) + 1
            raise SpecError(f"{path}:{line}: is not UTF-8 text (byte {error.start}).") from error
        why = getattr(error, "strerror", None) or error  # a path with a NUL is a ValueError
        raise SpecError(f"{path}: cannot be read: {why}.") from error
    return parse(text, Path(path))


def _bytes(path: Path) -> bytes:
    """What is in the file, of which no more than the bound is read."""
    if path.exists() and not path.is_file():
        raise SpecError(f"{path}: is no file; an experiment is a YAML file.")
    with path.open("rb") as file:
        found = file.read(YAML_BYTES + 1)
    if len(found) > YAML_BYTES:
        raise SpecError(f"{path}: is over {YAML_BYTES:,} bytes: too much to be an experiment.")
    return found


def parse(text: str, path: Path) -> Experiment:
    """The experiment in `text`, as if it stood in the file `path`. Raises: as `load`."""
    from harness.io import strict_yaml
    from harness.spec import building

    document = strict_yaml.read(text, Path(path).as_posix())
    return building.Builder(document, locator(Path(path))).experiment()


def own_files_of(path: Path) -> dict[str, Path]:
    """The user's own Python files that a YAML file names, as written there: they are run when it is
    checked, and found without running any; nothing for a file that is no YAML."""
    from harness.io import strict_yaml

    with contextlib.suppress(OSError, UnicodeDecodeError, SpecError):
        text = _bytes(Path(path)).decode("utf-8-sig")  # what is wrong with it, `load` tells
        data = strict_yaml.read(text, Path(path).as_posix()).data
        return dict(own_files(data, locator(Path(path))))
    return {}


def from_json(data: Mapping[str, Any], locate: Locate) -> Experiment:
    """What `to_json` gave, as an Experiment again. Raises: SpecError, as `load`."""
    from harness.io import strict_yaml
    from harness.spec import building

    document = strict_yaml.Document("stored experiment", dict(data))
    return building.Builder(document, locate, stored=True).experiment()


def schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of an experiment file, for an editor's completion and checks."""
    from harness.spec import json_schema

    return json_schema.schema()
