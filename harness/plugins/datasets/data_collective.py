"""A speech data set of the Mozilla Data Collective, such as Common Voice, through its own SDK.

It needs an account, accepted terms of the data set, a key in MDC_API_KEY and the extra
`data-collective`. The archive is fetched once, to the SDK's own folder, and read as it is.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, TypeVar

from annotated_types import Ge, Gt, MinLen

from harness.contracts import Dataset, Locate, Source
from harness.errors import AssetError, ExtraError
from harness.io.network import guarded, within
from harness.plugins.datasets._corpus.release import Split, read
from harness.plugins.datasets._sampling import Wanted

KEY = "MDC_API_KEY"
WHO = "Mozilla Data Collective"
# The SDK waits ten seconds for a connection and sixty for a byte, at each of three questions.
ANSWER_SECONDS = 10.0
STALL_SECONDS = 30.0
_SHA256 = re.compile(r"(?:sha256:)?([0-9a-f]{64})", re.IGNORECASE)
T = TypeVar("T")


@dataclass(frozen=True)
class Params:
    dataset: Annotated[str, MinLen(1)]
    """The data set's id or slug, as its page on the platform has it."""
    locale: str = "es"
    """The language's folder in the release."""
    split: str = "test"
    """The table to read: test, dev, train, validated ... (the file <split>.tsv)."""
    folder: str = ""
    """Where archives are kept, a folder that exists; the SDK's own place (MDC_DOWNLOAD_PATH) when
    left out."""
    limit: Annotated[int, Ge(1)] | None = None
    """Evaluate a sample of so many utterances; all of them when left out."""
    minutes: Annotated[float, Gt(0)] | None = None
    """Evaluate a sample of so many minutes of audio at most."""
    seed: int = 0
    """Draws the sample; the experiment's `seed` when left out."""


def load(params: Params, locate: Locate) -> Dataset:
    """The split's utterances, read from the archive that the SDK brought.

    Raises: ExtraError where the SDK is not installed; SpecError where `folder` is nowhere;
    AssetError (one line) for a key that is missing or not accepted, terms not accepted, too many
    requests, a server that is away, hangs or answers half, and for what is wrong with the archive.
    """
    folder = locate(str(Path(params.folder).expanduser())) if params.folder else None
    sdk = _sdk()
    if not os.environ.get(KEY, "").strip():
        raise AssetError(f"{WHO}: {KEY} is not set; create a key in your profile on its web site.")
    details = _asked(lambda: sdk.get_dataset_details(params.dataset), params, ANSWER_SECONDS)
    archive = _download(sdk, details, params, folder)
    announced = _SHA256.fullmatch(str(details.checksum or ""))
    wanted = Wanted(params.limit, params.minutes, params.seed)
    split = Split(params.locale, params.split, wanted)
    data = read(archive, split, announced[1].lower() if announced else "")
    known = {"collection": WHO, "dataset": params.dataset, **_stated(details)}
    return Dataset(data.name, data.utterances, data.fingerprint, known | dict(data.notes))


def _sdk() -> ModuleType:
    """The SDK. At import it reads a file `.env` into the environment, of which only its own names
    may stay."""
    if sys.version_info < (3, 11):
        raise ExtraError("the Mozilla Data Collective's SDK needs Python 3.11 or newer.")
    before = dict(os.environ)
    try:
        import datacollective
    except ImportError as error:
        raise ExtraError(
            'data_collective needs the SDK: pip install "onnx-speech-harness[data-collective]".'
        ) from error
    for name in set(os.environ) - set(before):
        if not name.startswith("MDC_"):
            del os.environ[name]
    sdk: ModuleType = datacollective
    return sdk


def _asked(
    act: Callable[[], T], params: Params, seconds: float, moved: Callable[[], object] | None = None
) -> T:
    who = f"{WHO}, {params.dataset}"
    return within(seconds, lambda: guarded(_once(act), who, _known()), who, moved)


def _once(act: Callable[[], T]) -> Callable[[], T]:
    """The SDK's errors of several lines are unfolded to what caused them; one would show an address
    that is as good as a key."""

    def run() -> T:
        from datacollective.errors import DownloadError

        try:
            return act()
        except DownloadError as error:
            if error.__cause__ is not None:
                raise error.__cause__ from None
            raise RuntimeError("the download failed") from error
        except RuntimeError as error:
            if str(error).startswith("Unexpected response format"):
                raise RuntimeError("the server's answer is not as expected") from None
            raise

    return run


def _known() -> tuple[type[BaseException], ...]:
    from datacollective.errors import DownloadError

    return (OSError, ValueError, RuntimeError, DownloadError)  # requests' errors are OSErrors


def _download(sdk: ModuleType, details: Any, params: Params, folder: Path | None) -> Path:
    """The archive's path; a download that stands still is given up, and goes on next time."""
    name = str(details.filename or "")
    place = Path(folder or os.environ.get("MDC_DOWNLOAD_PATH") or "~/.mozdata/datasets")
    part = place.expanduser() / f"{name}.part"

    def bring() -> Path:
        given = str(folder) if folder else None
        return Path(
            sdk.download_dataset(params.dataset, download_directory=given, show_progress=False)
        )

    archive = _asked(bring, params, STALL_SECONDS, lambda: _size(part))
    announced = int(details.sizeBytes or 0)
    if announced and archive.stat().st_size != announced:
        raise AssetError(
            f"{archive.name} has {archive.stat().st_size} bytes instead of {announced}; remove it "
            "and fetch it again."
        )
    return archive


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return -1


def _stated(details: Any) -> dict[str, str]:
    """What the platform says of the data set that belongs into a report."""
    names = ("name", "version", "licenseAbbreviation", "license")
    values = {name: getattr(details, name, None) for name in names}
    return {name: str(value) for name, value in values.items() if value}


source = Source(Params, load)
