"""Whose a folder is: a run's if it is new, empty, or marked by an earlier run; else nothing is
written into it.

`.work/run.json` marks a folder that a run has begun in; `manifest.json`, as it lies in every
published run, tells of one whose `.work` was not kept (it is not committed). What a run may
overwrite is what one of the two names; every other file of the folder is the user's.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import StoreError
from harness.store import names
from harness.store.files import as_json, bounded, inside, json_of, parsed, write_atomic

_MARKED = {"folder of": "a run of harness", "format": 1}
_HASH = re.compile(r"[0-9a-f]{64}")
_SHOWN = 3  # names of somebody else's files in the line that refuses a folder


def claim(folder: Path, renders: Collection[str]) -> None:
    """Refuse a folder that is not a run's, and one in which somebody else's file has the name of
    one that a run writes; `renders`: those of report and figures. Writes nothing.

    Raises: StoreError.
    """
    found = _entries(folder)
    if not found:
        return
    if not ours(folder):
        shown = ", ".join(found[:_SHOWN]) + (" ..." if len(found) > _SHOWN else "")
        raise StoreError(
            f"{folder}: holds files that no run of harness wrote ({shown}); nothing was written. "
            "Give --out a new or an empty folder."
        )
    mine = written(folder)
    for name in sorted(
        {*names.PUBLISHED, *names.LATER, names.HISTORY, names.OWN_SCORES, *renders} - mine
    ):
        path = inside(folder, name)
        if path.exists() or path.is_symlink():
            raise StoreError(f"{path}: is there already and no run wrote it; move it away.")
    for name in sorted(mine):
        path = inside(folder, name)
        if path.is_dir():
            raise StoreError(f"{path}: is a folder where a run has a file; move it away.")
    history = folder / names.HISTORY
    if history.is_symlink():  # a run adds to it: what it leads to would be copied into the folder
        raise StoreError(f"{history}: is a link; put the file itself there.")


def _entries(folder: Path) -> list[str]:
    """What lies in a folder that may be none yet. Raises: StoreError for what cannot be one."""
    if folder.is_symlink() and not folder.exists():
        raise StoreError(f"{folder}: is a link that leads nowhere; give another --out.")
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"{folder}: is a file; a run needs a folder of its own: give --out.")
    try:
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    except OSError as error:
        raise StoreError(f"{folder}: cannot be read: {error.strerror}.") from error


def ours(folder: Path) -> bool:
    """Whether a run of this tool has begun or published in the folder."""
    if inside(folder, names.MARK).parent.is_dir() and _marked(folder):
        return True
    if manifest(folder) is not None:
        return True
    work = folder / names.WORK  # a run of before there was a mark, which published nothing yet
    return [path.name for path in folder.iterdir()] == [names.WORK] and (work / "lock").is_file()


def mark(folder: Path) -> None:
    """Say that a run has begun in the folder."""
    if not _marked(folder):
        write_atomic(inside(folder, names.MARK), as_json(_MARKED))


def _marked(folder: Path) -> bool:
    with contextlib.suppress(StoreError):
        return bool(json_of(inside(folder, names.MARK)) == _MARKED)
    return False


def written(folder: Path) -> set[str]:
    """The published files that a run wrote, report and figures too: as the manifest says, and what
    the run noted for itself, also of a publication that a kill cut short."""
    mine: set[str] = set()
    for noted, key in ((names.FINISHED, "files"), (names.SWAP, "write")):
        with contextlib.suppress(StoreError, TypeError, KeyError):
            mine |= {name for name in json_of(inside(folder, noted))[key] if names.known(name)}
    found = manifest(folder)
    if found is not None:
        mine |= {*found["files"], *_rendered(folder, found)}
    return {*mine, names.HISTORY, names.MANIFEST} if mine else mine


def rendered(folder: Path) -> set[str]:
    """The report and figures that the folder's manifest tells of."""
    found = manifest(folder)
    return set(_rendered(folder, found)) if found else set()


def _rendered(folder: Path, found: Mapping[str, Any]) -> Iterator[str]:
    """What was rendered; manifests of before they told that: what lies there by such a name."""
    if "rendered" in found:
        yield from found["rendered"]
        return
    yield names.REPORT
    figures = inside(folder, "figures/x.png").parent
    for path in figures.glob("*.png") if figures.is_dir() else ():
        if names.FIGURE.fullmatch(f"figures/{path.name}"):
            yield f"figures/{path.name}"


def manifest(folder: Path) -> dict[str, Any] | None:
    """The folder's manifest; None where there is none, or another tool's."""
    path = folder / names.MANIFEST
    if path.is_symlink() or not path.is_file():
        return None
    with contextlib.suppress(StoreError):
        found = parsed(path, bounded(path, 1_000_000))
        return found if is_manifest(found) else None
    return None


def is_manifest(found: Any) -> bool:
    """Whether it is one as a run writes it: our files, each with its hash, the tables among them.
    A file that is merely called so is none."""
    if not isinstance(found, dict) or set(found) - {"schema", "files", "rendered"}:
        return False
    files, rendered = found.get("files"), found.get("rendered", [])
    if type(found.get("schema")) is not int or not isinstance(files, dict):
        return False
    if not isinstance(rendered, list) or not all(isinstance(name, str) for name in rendered):
        return False
    hashed = all(isinstance(h, str) and _HASH.fullmatch(h) for h in files.values())
    known = all(names.known(name) for name in files)
    fine = all(names.RENDERED.fullmatch(name) for name in rendered)
    return hashed and known and fine and {"calls.parquet", "verdict.json"} <= set(files)
