"""The files of a model's folder: JSON beside the graphs, and files taken over into another one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from harness.errors import ModelError, limits
from harness.io.places import content


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object. Raises: ModelError where the file is missing or holds something else."""
    try:
        value = json.loads(content(path, limits.JSON_BYTES).decode("utf-8-sig"))
    except FileNotFoundError as error:
        raise ModelError(f"{path.name} is missing in {path.parent.name}.") from error
    except OSError as error:
        raise ModelError(f"{path.name} cannot be read: {error.strerror or error}.") from error
    except RecursionError as error:
        raise ModelError(f"{path.name} is not JSON: it is nested too deeply.") from error
    except ValueError as error:
        raise ModelError(f"{path.name} is not JSON: {str(error)[:200]}.") from error
    if not isinstance(value, dict):
        raise ModelError(f"{path.name} must hold a JSON object.")
    return value


def several(folder: Path, models: Sequence[Sequence[Path]]) -> ModelError:
    """The line for a folder with more than one model, such as one in two precisions."""
    shown = "; ".join(", ".join(path.name for path in one) for one in models)
    # with a star, since weights beside a graph are called after it
    last = ", ".join(f"'{path.relative_to(folder).as_posix()}*'" for path in models[-1])
    return ModelError(
        f"{folder.name} holds several models ({shown}): choose by `files` beside `path` in "
        f"`source`, such as files: [{last}, '*.json'], or leave one in a folder of its own."
    )


def which(folder: Path, models: Sequence[Sequence[Path]]) -> ModelError:
    """The same for who has not written an experiment yet: a file tells the model."""
    shown = "; ".join(", ".join(path.name for path in one) for one in models)
    first = models[0][0].relative_to(folder).as_posix()
    return ModelError(
        f"{folder.name} holds several models ({shown}): name a file of the one that you mean, such "
        f"as {folder.name}/{first}."
    )


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
