"""A Parquet data set of the Hugging Face hub (FLEURS ...), or a local folder of Parquet files."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt

from harness.contracts import Dataset, Locate, Source
from harness.errors import AssetError
from harness.plugins.datasets._sampling import Wanted
from harness.plugins.datasets.hub import copying
from harness.plugins.datasets.hub.finding import HubPlace, find


@dataclass(frozen=True)
class Params:
    repository: str = ""
    """The hub's name of the data set, such as google/fleurs; or use path."""
    path: str = ""
    """A local folder of Parquet files, instead of a repository."""
    config: str = ""
    """The part of it that the hub calls config or subset, such as es_419; or the folder of it,
    where a data set has one per language and does not say so."""
    split: str = "test"
    """The split: test, validation, train ..."""
    revision: str = "main"
    """Branch, tag or commit; with a commit, what was fetched needs no network again. Data sets that
    are still a script have their Parquet files at refs/convert/parquet."""
    audio: str = ""
    """The column with the clips: encoded, or paths of files below a local folder. When left out,
    the one that is marked or called so, else the only one."""
    text: str = ""
    """The column with the transcript; text, sentence, transcription ... when left out."""
    speaker: str = ""
    """The column that says who speaks; speaker_id, client_id or speaker when left out."""
    limit: Annotated[int, Ge(1)] | None = None
    """Evaluate a sample of so many utterances; all of them when left out."""
    minutes: Annotated[float, Gt(0)] | None = None
    """Evaluate a sample of so many minutes of audio at most."""
    seed: int = 0
    """Draws the sample; the experiment's `seed` when left out."""

    def __post_init__(self) -> None:
        if bool(self.repository) == bool(self.path):
            raise ValueError("should have exactly one of repository, path")


def load(params: Params, locate: Locate) -> Dataset:
    """The split's utterances in its order. The row groups that hold a wanted clip are streamed, and
    those clips are kept in the cache as they were encoded.

    Raises: AssetError (one line) where the hub or the repository cannot be reached, the split or a
    needed column is not there, or it is not Parquet.
    """
    wanted = Wanted(params.limit, params.minutes, params.seed)
    return copying.read(find(_place(params, locate)), _names(params), wanted)


def look(params: Params, locate: Locate) -> float:
    """How many rows the split of a local folder has, NaN for the hub's. Raises: AssetError."""
    if not params.path:
        return math.nan
    return copying.look(find(_place(params, locate)), _names(params))


def labels(params: Params, locate: Locate) -> tuple[str, ...] | None:
    """The other columns of a local folder; none are known of the hub's. Raises: AssetError."""
    return copying.labelled(find(_place(params, locate)), _names(params)) if params.path else None


def _place(params: Params, locate: Locate) -> HubPlace:
    folder = locate(params.path) if params.path else None
    if folder is not None and not folder.is_dir():
        raise AssetError(f"{folder.name} is not a folder; `path` is a folder of Parquet files.")
    return HubPlace(folder or params.repository, params.config, params.split, params.revision)


def _names(params: Params) -> dict[str, str]:
    return {"audio": params.audio, "text": params.text, "speaker": params.speaker}


source = Source(Params, load, look=look, labels=labels)
