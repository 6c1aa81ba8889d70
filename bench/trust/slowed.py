"""Whisper with a slow-down of a known size in every call: what an A/B comparison has to find."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from harness.contracts import Model, OpenSession, Output
from harness.plugins.families.whisper import Params
from harness.plugins.families.whisper import family as whisper

if TYPE_CHECKING:
    import numpy as np


@dataclasses.dataclass(frozen=True)
class SlowedParams(Params):
    """`slow_by`: 0.05 makes a call last 5 % longer; 0 leaves it as it is."""

    slow_by: float = 0.0


class Slowed:
    """A model whose calls go on computing for a share of the time that each of them took."""

    def __init__(self, model: Model, slow_by: float) -> None:
        self._model, self._slow_by = model, slow_by

    def prepare(self, operation: str, samples: np.ndarray) -> Callable[[], Output]:
        call, slow_by = self._model.prepare(operation, samples), self._slow_by

        def slowed() -> Output:
            started = time.perf_counter()
            output = call()
            until = time.perf_counter() + slow_by * (time.perf_counter() - started)
            while time.perf_counter() < until:
                pass
            return output

        return slowed


def open_model(folder: Path, open_session: OpenSession, params: SlowedParams) -> Slowed:
    """The model of a folder, slowed down."""
    return Slowed(whisper.open(folder, open_session, params), params.slow_by)


family = dataclasses.replace(whisper, Params=SlowedParams, open=open_model)
