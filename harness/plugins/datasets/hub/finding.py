"""Which Parquet files a split has, and at which commit: the hub's own client and `datasets`."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

from harness.errors import AssetError
from harness.io.network import guarded, within

# An unreachable hub is noticed by the first question; the client's own tries take minutes.
ANSWER_SECONDS = 3.0
LIMIT_SECONDS = 4.0
LISTING_SECONDS = 60.0
_SHOWN = 12  # folders in a message
_COMMIT = re.compile(r"[0-9a-f]{40}")
T = TypeVar("T")


@dataclass(frozen=True)
class HubPlace:
    """What the experiment names: a repository or a folder, and the part of it."""

    where: str | Path
    config: str
    split: str
    revision: str

    @property
    def label(self) -> str:
        """How messages name it."""
        name = self.where.name if isinstance(self.where, Path) else f"hub {self.where}"
        return " ".join(part for part in (name, self.config) if part)


@dataclass(frozen=True)
class HubSplit:
    """A split at a commit; `files` asks for its Parquet files (local paths or hf:// addresses)."""

    place: HubPlace
    commit: str  # "" for a local folder
    identity: str  # hash of all that decides which rows there are
    files: Callable[[], Sequence[str]]


def find(place: HubPlace) -> HubSplit:
    """The split, with one short question to the hub unless the revision is a commit.

    Raises: AssetError (one line).
    """
    if isinstance(place.where, Path):
        files = _files(place, str(place.where.resolve()), None)
        stats = [(file, Path(file).stat()) for file in files]
        parts = [f"{file}\n{stat.st_size} {stat.st_mtime_ns}" for file, stat in stats]
        return HubSplit(place, "", _hash(place.split, *parts), lambda: files)
    commit = place.revision if _COMMIT.fullmatch(place.revision) else _commit(place)
    identity = _hash(str(place.where), place.config, place.split, commit)
    return HubSplit(place, commit, identity, lambda: _files(place, str(place.where), commit))


def asked(act: Callable[[], T], place: HubPlace, seconds: float) -> T:
    """What the client's call returns; too slow or failed, it is one line."""
    return within(seconds, lambda: guarded(act, place.label, _known()), place.label)


def _commit(place: HubPlace) -> str:
    from huggingface_hub import HfApi

    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None)

    def ask() -> str:
        info = api.dataset_info(str(place.where), revision=place.revision, timeout=ANSWER_SECONDS)
        return str(info.sha)

    return asked(ask, place, LIMIT_SECONDS)


def _files(place: HubPlace, where: str, commit: str | None) -> Sequence[str]:
    splits = asked(lambda: _splits(where, place.config, commit), place, LISTING_SECONDS)
    files = splits.get(place.split)
    if not files:
        raise AssetError(
            f"{place.label}: no split {place.split}; there is: {', '.join(splits) or 'none'}."
        )
    if others := [file for file in files if not file.endswith(".parquet")]:
        raise AssetError(
            f"{place.label}: {Path(others[0]).name} is not Parquet; the hub may have a Parquet "
            "copy at `revision: refs/convert/parquet`."
        )
    _one_set(place, files)
    return files


def _one_set(place: HubPlace, files: Sequence[str]) -> None:
    """Raises: AssetError where a split's files lie in several folders: languages, or other parts,
    that nobody declared to be one data set."""
    folders = sorted({PurePosixPath(file.replace("\\", "/")).parent.name for file in files})
    if len(folders) > 1:
        known = ", ".join(folders[:_SHOWN]) + (" ..." if len(folders) > _SHOWN else "")
        raise AssetError(
            f"{place.label}: its split {place.split} lies in {len(folders)} folders: {known}; say "
            f"which one, such as `config: {folders[0]}`."
        )


def _splits(where: str, config: str, commit: str | None) -> dict[str, list[str]]:
    import datasets

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as locks:
        known = {"revision": commit, "cache_dir": locks}
        try:
            builder = datasets.load_dataset_builder(where, config or None, **known)
        except ValueError as error:
            if not _is_folder(where, config) or "not found" not in str(error):
                raise
            try:  # a folder per part that no README declares
                builder = datasets.load_dataset_builder(where, data_dir=config, **known)
            except (OSError, ValueError):
                raise error from None
        files = builder.config.data_files or {}
    return {str(split): [str(file) for file in found] for split, found in files.items()}


def _is_folder(where: str, config: str) -> bool:
    """Whether the part could be a folder of the data set; of one on the hub, asking tells."""
    if not config or "/" in config or "\\" in config or config.startswith("."):
        return False
    return (Path(where) / config).is_dir() or not Path(where).is_dir()


def _known() -> tuple[type[BaseException], ...]:
    """What the clients raise: the transport's errors derive from their library's own root."""
    from huggingface_hub.errors import HfHubHTTPError
    from pyarrow import ArrowException

    roots = [base for base in HfHubHTTPError.__mro__ if base.__name__ == "HTTPError"]
    return (OSError, ValueError, RuntimeError, ArrowException, *roots)


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]
