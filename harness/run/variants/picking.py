"""The files of a local folder that an experiment names (`source: {path: ..., files: [...]}`)."""

from __future__ import annotations

import fnmatch
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from harness.assets import seals
from harness.errors import AssetError
from harness.errors.nearest import nearest
from harness.io.hashes import Hashes, fingerprint, hash_folder
from harness.run.variants.cache import cached
from harness.runtime import graph


def picked(source: Path, patterns: Sequence[str], tell: Callable[[str], None]) -> tuple[Path, str]:
    """A folder with those files alone and the SHA-256 over them; the weights of a graph that lie in
    other files come along.

    Raises: AssetError for a pattern that no file matches, ModelError.
    """
    known = hash_folder(source)
    names: set[str] = set()
    for pattern in patterns:
        found = {name for name in known if _matches(name, pattern)}
        if not found:
            raise AssetError(
                f"files: {source.name} has no {pattern!r}.{nearest(pattern, [*known])}"
            )
        names |= found
    for name in [name for name in names if name.endswith(".onnx")]:
        parent = PurePosixPath(name).parent
        names |= {(parent / one).as_posix() for one in graph.external_files(source / name)}
    hashes = {name: known[name] for name in sorted(names & set(known))}

    def copy(folder: Path) -> dict[str, Any]:
        with seals.untouched(source):
            for name in hashes:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / name, folder / name)
        return {"picked": sorted(hashes)}

    place, _ = cached(["picked", hashes], copy, tell)
    return place, fingerprint(hashes)


def alone(file: Path, patterns: Sequence[str], tell: Callable[[str], None]) -> tuple[Path, str]:
    """A folder with one ONNX file, its weights, and the files beside it that are named in full: the
    folder that it lies in may hold anything, and is not read.

    Raises: AssetError for a file that is missing or no ONNX file, ModelError.
    """
    if file.suffix != ".onnx":
        raise AssetError(f"{file.name} is no .onnx file; name one, or the folder of the model.")
    names = {file.name, *graph.external_files(file), *patterns}
    for name in sorted(names):
        if not (file.parent / name).is_file():
            raise AssetError(f"files: there is no {name!r} beside {file.name}.")
    with Hashes() as known:
        hashes = {name: known.of(file.parent / name) for name in sorted(names)}

    def copy(folder: Path) -> dict[str, Any]:
        for name in hashes:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.parent / name, folder / name)
        return {"picked": sorted(hashes)}

    place, _ = cached(["picked", hashes], copy, tell)
    return place, fingerprint(hashes)


def _matches(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(Path(name).name, pattern)
