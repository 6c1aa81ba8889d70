"""The files that are measured stay those that the fingerprint is of: looked at around each answer.

A look costs a `stat` of each file, outside of every clock. Before a report names a fingerprint, all
bytes are read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.assets import seals
from harness.errors import AssetError, ModelError
from harness.run.worker import Connection
from harness.store.made import Made


@dataclass(frozen=True)
class Watch:
    """The folders of all models of a run, as they were when they were hashed."""

    stamps: Mapping[Path, seals.Stamps]
    fingerprints: Mapping[Path, str]

    @classmethod
    def of(cls, made: Iterable[Made]) -> Watch:
        """Raises: AssetError for files that are not those that were hashed."""
        prints = {one.folder: one.fingerprint for one in _with_files(made)}
        watch = cls({folder: seals.stamps(folder) for folder in prints}, prints)
        for folder, known in prints.items():
            if seals.fingerprint_of(folder) != known:
                raise AssetError(f"{folder}: its files changed as the run began; start it again.")
        return watch

    def starting(self, start: Callable[[str], Any]) -> Callable[[str], Any]:
        """`start`, with every connection watched."""
        return lambda label: Watched(start(label), label, self)

    def changed(self, folders: Iterable[Path]) -> str:
        """What has been written in one of these folders since; "" for nothing."""
        for folder in folders:
            if folder in self.stamps and (why := seals.changed(self.stamps[folder], folder)):
                return f"{why} in {folder.name}"
        return ""

    def require_whole(self) -> None:
        """Read all bytes again. Raises: AssetError where a fingerprint no longer holds."""
        for folder, known in self.fingerprints.items():
            if seals.fingerprint_of(folder, whole=True) != known:
                raise AssetError(
                    f"{folder}: its files are no longer those that were measured, so that no "
                    "report can name them; run again with --fresh."
                )


class Watched:
    """A child process whose answers do not count once the files that it opened have changed."""

    def __init__(self, inner: Connection, label: str, watch: Watch) -> None:
        self._inner, self._label, self._watch = inner, label, watch
        self._folders: list[Path] = []

    def ask(self, request: Mapping[str, Any], limit_seconds: float) -> dict[str, Any]:
        """Raises: as the connection, and ModelError for files that were changed."""
        if "open" in request:
            self._folders = list(_folders(request["open"]))
        reply = self._inner.ask(request, limit_seconds)
        if why := self._watch.changed(self._folders):
            raise ModelError(f"{self._label}: {why} while it was measured.")
        return reply

    def close(self) -> None:
        self._inner.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def _with_files(made: Iterable[Made]) -> Iterator[Made]:
    """Those that have files, parts of systems too."""
    for one in made:
        yield from _with_files(one.parts.values())
        if not one.error and not one.parts and one.record.get("files"):
            yield one


def _folders(body: Mapping[str, Any]) -> Iterator[Path]:
    yield Path(body["folder"])
    for part in body.get("parts", {}).values():
        yield from _folders(part)
