"""UTMOS22 (optional): predicts naturalness of synthetic speech; learned from English listeners.

The network is the one of the package speechonnxmetrics (extra `utmos`), which brings its weights
from a hub when it is first used; a copy on disk serves instead (`path`). Without `revision` the
weights are what the hub has that day: nothing here knows their hash, so `version` claims none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.contracts import Judge, Judged, Model
from harness.errors import AssetError, AudioError, ExtraError, ModelError, OutputError
from harness.io.network import guarded, within
from harness.runtime.session import SessionConfig, open_session

WHO = "UTMOS's weights from the hub"
SHORTEST = 400  # samples that the network's first layers need
CONFIG = SessionConfig("judge", (("session.force_spinning_stop", "1"),))


@dataclass(frozen=True)
class Params:
    path: str = ""
    """The network on disk (utmos22_strong.onnx), absolute; from the hub when left out."""
    revision: str = ""
    """The hub's commit to take it from; what the hub has that day when left out."""
    seconds: float = 60.0
    """How long the hub may take to bring it (about 400 MB) before the judge gives up."""

    def __post_init__(self) -> None:
        if not self.seconds > 0:
            raise ValueError(f"seconds must be over 0, not {self.seconds}")


def open_judge(
    params: Params, files: Mapping[str, Path], parts: Mapping[str, Model]
) -> Callable[[np.ndarray], Judged]:
    """What takes samples at 16 kHz.

    Raises: ExtraError where the package is missing, AssetError where the weights cannot be had,
    ModelError where they are no network that takes samples.
    """
    path = Path(params.path) if params.path else _brought(params)
    session = open_session(path, CONFIG)
    if len(entries := session.get_inputs()) != 1:
        raise ModelError(f"{path.name} is not the network of UTMOS: {len(entries)} inputs.")

    def judged(samples: np.ndarray) -> Judged:
        if not samples.size:
            raise AudioError("UTMOS needs audio: there are no samples.")
        wave = np.pad(samples, (0, max(0, SHORTEST - samples.size))).astype(np.float32)
        score = float(np.ravel(session.run(None, {entries[0].name: wave[None]})[0])[0])
        if not np.isfinite(score):
            raise OutputError("UTMOS gave a score that is not a number.")
        return Judged({"utmos": score})

    return judged


def _brought(params: Params) -> Path:
    """The network's file, from the package's cache or from the hub."""
    entry, resolver = _package()
    from huggingface_hub.errors import HfHubHTTPError

    # transport errors of the hub client's HTTP library, which changes between its versions
    roots = [base for base in HfHubHTTPError.__mro__ if base.__name__ == "HTTPError"]
    known: tuple[type[BaseException], ...] = (OSError, ValueError, RuntimeError, *roots)

    def fetch() -> str:
        file: str = resolver.resolve(
            entry.hf_file, hf_repo=entry.hf_repo, revision=params.revision or entry.revision
        )
        return file

    try:
        return Path(within(params.seconds, lambda: guarded(fetch, WHO, known), WHO))
    except AssetError as error:
        said = str(error).rstrip(".")
        own = f"path: /models/{entry.hf_file}"
        raise AssetError(f"{said}; give a copy on disk: `{own}`.") from error


def _package() -> tuple[Any, Any]:
    """(what the package knows of the weights, what finds them)."""
    try:
        from speechonnxmetrics import resolver
        from speechonnxmetrics.mos import UTMOS
    except ImportError as error:
        raise ExtraError(
            'utmos needs a package: pip install "onnx-speech-harness[utmos]".'
        ) from error
    return UTMOS().model, resolver


judge = Judge(
    Params=Params,
    version="UTMOS22 strong learner (MIT) by speechonnxmetrics; weights unpinned: what the hub has "
    "on the day, or the file in `path`",
    named={
        "es": "UTMOS22, modelo fuerte (MIT), de speechonnxmetrics; pesos sin fijar: "
        "los que el hub tenga ese día, o el archivo de `path`",
    },
    about={
        "en": "Predicts the naturalness that listeners gave synthetic speech in the VoiceMOS "
        "challenge 2022, trained on English (BVCC). In Spanish it may rank variants of one voice "
        "and cannot say how good they are; small vocoders score too high; it does not hear what "
        "is said. It cannot confirm a listeners' MOS such as 4.3; read it as a paired difference. "
        "Heard at 16 kHz (polyphase resampling), the level and the silences as they are.",
        "es": "Predice la naturalidad que los oyentes dieron a voz sintética en el reto VoiceMOS "
        "2022, entrenado con inglés (BVCC). En español puede ordenar variantes de una voz y no "
        "decir cómo de buenas son; los vocoders pequeños salen demasiado bien; no oye lo que se "
        "dice. No puede confirmar un MOS de oyentes como 4,3; léase como diferencia pareada. Se "
        "oye a 16 kHz (remuestreo polifásico), con el nivel y los silencios tal como están.",
    },
    figures=("utmos",),
    open=open_judge,
)
