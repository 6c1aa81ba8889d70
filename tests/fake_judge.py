"""A judge that says how loud a piece is, and takes none that is under a quarter of a second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.contracts import Judge, Judged, Model
from harness.errors import AudioError

RATE = 8_000


@dataclass(frozen=True)
class Params:
    scale: float = 1.0


def open_judge(
    params: Params, files: Mapping[str, Path], parts: Mapping[str, Model]
) -> Callable[[np.ndarray], Judged]:
    def judged(samples: np.ndarray) -> Judged:
        if len(samples) < RATE / 4:
            raise AudioError("too short to judge.")
        return Judged({"loudness": float(np.abs(samples).max()) * params.scale}, "adiós mundo")

    return judged


judge = Judge(
    Params=Params,
    version="fake 1.0",
    about={"en": "says how loud it is, not how good", "es": "dice cuánto suena, no cómo de bien"},
    sample_rate=RATE,
    figures=("loudness",),
    open=open_judge,
)
