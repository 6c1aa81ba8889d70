"""Recognisers of the onnx-asr package (Parakeet, Canary, GigaAM, Vosk, Whisper ...), our sessions.

files: params (what an experiment sets) -> layouts (which files, by onnx-asr's own patterns) ->
sessions (onnx-asr gets ours instead of opening its own) -> model (the timed call, calibration);
sighting (what `harness init` writes).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from harness.contracts import Family, Feeds, Model, OpenSession
from harness.contracts.sightings import Sighting
from harness.plugins.families.onnx_asr import layouts
from harness.plugins.families.onnx_asr.params import Params

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Params", "family"]


def graphs(folder: Path) -> dict[str, Path]:
    """Role -> ONNX file, the roles named as in onnx-asr.

    Raises: ModelError for a folder that holds none of its models or several, ExtraError.
    """
    return layouts.find(folder).graphs


def open_model(folder: Path, open_session: OpenSession, params: Params) -> Model:
    """Raises: ModelError for files that do not fit, SpecError for `model` or `language`."""
    from harness.plugins.families.onnx_asr import model

    return model.open_model(folder, open_session, params)


def feeds(
    folder: Path, open_session: OpenSession, params: Params, clips: Iterable[np.ndarray]
) -> Iterator[tuple[str, Feeds]]:
    """The inputs of every graph on real clips, for calibration."""
    from harness.plugins.families.onnx_asr import model

    yield from model.feeds(folder, open_session, params, clips)


def sight(path: Path, language: str) -> Sighting | None:
    """What `harness init` writes of these files. Raises: ModelError."""
    from harness.plugins.families.onnx_asr import sighting

    return sighting.sight(path, language)


family = Family(
    Params=Params,
    sample_rate=16_000,
    operations=("pipeline",),
    build=layouts.build,
    graphs=graphs,
    look=graphs,
    sight=sight,
    open=open_model,
    feeds=feeds,
    outputs=lambda folder, params: layouts.outputs(folder),
)
