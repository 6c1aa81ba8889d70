"""A model hub as a source, through its own client; an unreachable one costs a few seconds."""

from __future__ import annotations

import fnmatch
import os
import shutil
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from harness.errors import AssetError, limits
from harness.io.network import within

# The client tries for minutes when a hub is away, so one question with no second try comes first;
# the thread's limit also bounds a name look-up that hangs, which no socket time-out does.
ANSWER_SECONDS = 3.0
LIMIT_SECONDS = 4.0

Kind = Literal["model", "dataset"]
T = TypeVar("T")


@dataclass(frozen=True)
class Repository:
    """A hub's repository at a revision; `revision` is best a commit of 40 hex digits."""

    name: str
    revision: str
    kind: Kind = "model"

    @property
    def label(self) -> str:
        """How messages name it."""
        return f"hub {self.name} at {self.revision[:12]}"


def fetch_files(
    repository: Repository,
    names: Sequence[str],
    target: Path,
    tell: Callable[[str], None],
    most: int = limits.HUB_BYTES,
) -> str:
    """Bring the named files (patterns allowed; none: all) to `target`; returns the commit.

    Files that the hub client's own cache already holds need no network. Files that an interrupted
    try completed in `target` are not fetched again; more than `most` bytes are not begun.

    Raises: AssetError (one line), OSError where the disk refuses.
    """

    def allowed(size: int) -> None:
        if size > most:
            raise AssetError(f"its files have {size} bytes, at most {most} are fetched")

    return _guarded(lambda: _fetch(repository, names, target, (tell, allowed)))


def _fetch(
    repository: Repository,
    names: Sequence[str],
    target: Path,
    told: tuple[Callable[[str], None], Callable[[int], None]],
) -> str:
    tell, allowed = told
    plain = names and not any(set("*?[") & set(name) for name in names)
    if plain and all(kept := [_kept(repository, name) for name in names]):
        return _copy(kept, names, target, repository.revision)
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise AssetError("switched off by HF_HUB_OFFLINE")
    commit, listed = within(LIMIT_SECONDS, lambda: _guarded(lambda: _ask(repository)), "the hub")
    allowed(sum(size for n, size in listed.items() if not names or _matches(n, names)))
    wanted = [n for n in listed if not names or _matches(n, names)]
    if missing := [p for p in names if not any(fnmatch.fnmatchcase(n, p) for n in listed)]:
        raise AssetError(f"the repository holds no {', '.join(missing)}")
    tell(f"fetching {len(wanted)} files from {repository.label}")
    for name in wanted:
        _download(repository, commit, name, target)
    return commit


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT") or None  # read now: the client reads it once, at import


def _kept(repository: Repository, name: str) -> str:
    """Where the hub client's own cache holds the file at this revision, or nothing."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(
        repository.name, name, revision=repository.revision, repo_type=repository.kind
    )
    return found if isinstance(found, str) else ""


def _copy(kept: Sequence[str], names: Sequence[str], target: Path, commit: str) -> str:
    for source, name in zip(kept, names, strict=True):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target / name)
    return commit


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _ask(repository: Repository) -> tuple[str, dict[str, int]]:
    """The commit that the revision means, and its files (hidden ones left out) with their bytes, 0
    where the hub does not say."""
    from huggingface_hub import HfApi

    api = HfApi(endpoint=_endpoint())
    ask = api.dataset_info if repository.kind == "dataset" else api.model_info
    info = ask(
        repository.name,
        revision=repository.revision,
        timeout=ANSWER_SECONDS,
        files_metadata=True,
    )
    files = {file.rfilename: int(getattr(file, "size", 0) or 0) for file in info.siblings or []}
    shown = {n: size for n, size in files.items() if not n.startswith(".") and "/." not in n}
    return str(info.sha), dict(sorted(shown.items()))


def _download(repository: Repository, commit: str, name: str, target: Path) -> None:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    if "HF_HUB_DISABLE_PROGRESS_BARS" not in os.environ:  # else the client warns that it may not
        disable_progress_bars()
    hf_hub_download(
        repository.name,
        name,
        revision=commit,
        repo_type=repository.kind,
        local_dir=target,
        etag_timeout=ANSWER_SECONDS,
        endpoint=_endpoint(),
    )


def _guarded(act: Callable[[], T]) -> T:
    """What `act` returns; whatever its client raises becomes one line."""
    from huggingface_hub.errors import HfHubHTTPError

    # transport errors of the client's HTTP library (httpx, httpx2) are no OSError, and the library
    # changes between versions of the client: its root is found where the client derives from it
    roots = [base for base in HfHubHTTPError.__mro__ if base.__name__ == "HTTPError"]
    known: tuple[type[BaseException], ...] = (OSError, ValueError, RuntimeError, *roots)
    try:
        return act()
    except known as error:
        network = isinstance(error, (ConnectionError, TimeoutError, socket.gaierror))
        if isinstance(error, OSError) and error.errno is not None and not network:
            raise  # the disk: the caller says so
        raise AssetError(_says(error)) from error


def _says(error: BaseException) -> str:
    kind = type(error).__name__
    if any(word in kind for word in ("Connect", "Timeout", "Protocol", "Proxy", "Network")):
        return "the hub cannot be reached"
    told = {
        "RepositoryNotFoundError": "no such repository, or it needs a login",
        "RevisionNotFoundError": "no such revision",
        "GatedRepoError": "the repository asks for its terms to be accepted first",
    }
    answer: Any = getattr(error, "response", None)
    if kind in told or answer is None:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return told.get(kind, (lines or [kind])[0][:200])
    return f"the hub answered with HTTP {answer.status_code}"
