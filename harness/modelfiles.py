"""The files of a model's folder: JSON beside the graphs, and files taken over into another one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.errors import ModelError


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object. Raises: ModelError where the file is missing or holds something else."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"{path.name} is missing in {path.parent.name}.") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(f"{path.name} is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise ModelError(f"{path.name} must hold a JSON object.")
    return value


def copy(files: Iterable[Path], source: Path, target: Path) -> None:
    """The files of `source` also in `target`, at the same place below it. No hard links: an export
    that is written again in place would change what was kept under its old hash.

    Raises: ModelError for one that is missing.
    """
    for path in sorted(set(files)):
        if not path.is_file():
            raise ModelError(f"{path.name}, which a graph needs, is missing in {source.name}.")
        new = target / path.relative_to(source)
        new.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, new)
