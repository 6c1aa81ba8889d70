"""Any server with OpenAI's /v1/audio/transcriptions, or /v1/chat/completions that hears; no files.

files: params (what an experiment sets) -> client (requests, repetitions, one line per failure; a
watchdog keeps its deadline) -> replies (what comes back), answers (the transcript in it, without
its markup) or chat (requests, answers and streams of a chat) -> model (samples to WAV, the timed
call).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from harness.contracts import Family, Feeds, Model, OpenSession
from harness.plugins.families.http.params import Params

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Params", "family", "identity"]


def build(_source: Path, _target: Path) -> None:
    """Nothing: the model lies on the server."""


def graphs(_folder: Path) -> dict[str, Path]:
    """None: there is nothing to quantize."""
    return {}


def open_model(_folder: Path, _open_session: OpenSession, params: Params) -> Model:
    """Raises: AssetError for a server that cannot be reached or refuses the key, SpecError for a
    key that the environment does not hold."""
    from harness.plugins.families.http import model

    return model.open_model(params)


def feeds(
    _folder: Path, _open_session: OpenSession, _params: Params, _clips: Iterable[np.ndarray]
) -> Iterator[tuple[str, Feeds]]:
    """None: there is nothing to calibrate."""
    return iter(())


def identity(params: Params) -> dict[str, str]:
    """What the server says of itself and of the model, for the fingerprint of a variant that has
    no files: nothing that changes from one answer to the next. Raises: as `open_model`."""
    from harness.plugins.families.http import client

    opened = client.connect(params)
    try:
        return opened.identity()
    finally:
        opened.close()


family = Family(
    Params=Params,
    sample_rate=16_000,
    operations=("pipeline",),
    build=build,
    graphs=graphs,
    open=open_model,
    feeds=feeds,
    has_files=False,
    identify=identity,
)
