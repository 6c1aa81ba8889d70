"""Whisper: audio to text; from CTranslate2 weights, or an ONNX export, quantized or not.

files: params (what an experiment sets) -> building (FP32 folder: weights, graphs) -> layouts (which
files, checked through onnxfile) -> engines (sessions of either layout) -> features, prompts,
decoding -> model (the timed operations); sighting (what `harness init` writes).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from harness.contracts import Comparable, Family, Feeds, Model, OpenSession
from harness.contracts.sightings import Sighting
from harness.plugins.families.whisper import building, layouts
from harness.plugins.families.whisper.params import ENCODER, LOGITS, Context, Params

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Context", "Params", "family"]


def graphs(folder: Path) -> dict[str, Path]:
    """Role -> ONNX file. Raises: ModelError for a folder that is no Whisper model."""
    return layouts.find(folder).graphs


def open_model(folder: Path, open_session: OpenSession, params: Params) -> Model:
    """Raises: ModelError for files that do not fit, SpecError for an unknown language."""
    from harness.plugins.families.whisper import model

    return model.open_model(folder, open_session, params)


def feeds(
    folder: Path, open_session: OpenSession, params: Params, clips: Iterable[np.ndarray]
) -> Iterator[tuple[str, Feeds]]:
    """The inputs of every graph on real clips, for calibration."""
    from harness.plugins.families.whisper import model

    yield from model.feeds(folder, open_session, params, clips)


def sight(path: Path, language: str) -> Sighting | None:
    """What `harness init` writes of these files. Raises: ModelError, SpecError."""
    from harness.plugins.families.whisper import sighting

    return sighting.sight(path, language)


family = Family(
    Params=Params,
    sample_rate=16_000,
    operations=("pipeline", "features", "encoder", "decoder_step"),
    build=building.build,
    graphs=graphs,
    look=building.look,
    sight=sight,
    open=open_model,
    feeds=feeds,
    outputs=lambda folder, params: (Comparable(ENCODER, False), Comparable(LOGITS, True)),
    words={
        "en": {
            "features": "features",
            "encoder": "encoder",
            "decoder_step": "one decoder step",
            "padded": "Whisper pads each clip to 30 s: the encoder costs the same for 1 s as for "
            "29 s, and what grows with the length is the number of decoder steps.",
        },
        "es": {
            "features": "características",
            "encoder": "codificador",
            "decoder_step": "un paso del decodificador",
            "padded": "Whisper rellena cada clip hasta 30 s: el codificador cuesta lo mismo con 1 "
            "s que con 29 s, y lo que crece con la duración es el número de pasos del "
            "decodificador.",
        },
    },
    remark=lambda params: "" if params.get("context") else "padded",
)
