"""A Common Voice release (`cv-corpus-*/es`, `sps-corpus-*`, or its tar): any split, speaker =
client_id."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Gt, MinLen

from harness.contracts import Dataset, Locate, Source
from harness.errors import AssetError
from harness.plugins.datasets._corpus import release
from harness.plugins.datasets._corpus.release import Split
from harness.plugins.datasets._sampling import Wanted

SPLITS = ("test", "dev", "validated", "train")  # which of them first, for a measurement


@dataclass(frozen=True)
class Params:
    path: Annotated[str, MinLen(1)]
    """The release folder, the language's folder in it, or the release's archive (a tar, plain or
    packed, whatever its name)."""
    locale: str = "es"
    """The language's folder in the release."""
    split: str = "test"
    """The table to read: test, dev, train, validated ... (the file <split>.tsv); of a release of
    spontaneous speech, the rows of that split."""
    limit: Annotated[int, Ge(1)] | None = None
    """Evaluate a sample of so many utterances; all of them when left out."""
    minutes: Annotated[float, Gt(0)] | None = None
    """Evaluate a sample of so many minutes of audio at most."""
    seed: int = 0
    """Draws the sample; the experiment's `seed` when left out."""


def load(params: Params, locate: Locate) -> Dataset:
    """The split's utterances in the table's order; a clip that is missing becomes an error row.

    Of an archive, the tables and the clips that are used are copied to the cache.

    Raises: AssetError (one line) where the release, the split or a needed column is not there, or
    an archive is damaged or has a member that leaves its folder.
    """
    return release.read(locate(params.path), _split(params))


def look(params: Params, locate: Locate) -> float:
    """How many utterances the split has. Raises: AssetError, as `load`; no archive is read."""
    return release.look(locate(params.path), _split(params))


def labels(params: Params, locate: Locate) -> tuple[str, ...] | None:
    """The split's other columns. Raises: AssetError, as `look`."""
    return release.labelled(locate(params.path), _split(params))


def _split(params: Params) -> Split:
    wanted = Wanted(params.limit, params.minutes, params.seed)
    return Split(params.locale, params.split, wanted)


def sight(path: Path, language: str) -> Sequence[Mapping[str, Any]]:
    """Each split of a release's folder, in the language that is asked for where it has that; of an
    archive, which is not read yet, the usual one."""
    if not path.is_dir():
        locale = language or Params.locale
        with contextlib.suppress(AssetError, OSError):
            unread = math.isnan(look(Params(str(path), locale), Path))
            return [{"path": str(path), "locale": locale}] if unread else []
        return []
    here = [path.name] if any(path.glob("*.tsv")) else []
    locales = [*here, *sorted(one.parent.name for one in path.glob("*/*.tsv"))]
    asked = [one for one in locales if language and one.partition("-")[0] == language]
    found = []
    for locale in dict.fromkeys(asked or locales):
        for split in SPLITS:
            params = Params(str(path), locale, split)
            with contextlib.suppress(AssetError, OSError):
                if not math.isnan(look(params, Path)):
                    found.append({"path": str(path), "locale": locale, "split": split})
    return found


source = Source(Params, load, look=look, labels=labels, sight=sight)
