"""Result -> figures as PNG files; equal tables give equal bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.contracts import Result
from harness.io.escaping.results import for_figures
from harness.io.places import writing
from harness.report.figures import (
    audit,
    gates,
    latency,
    noise,
    parts,
    sessions,
    speech,
    tradeoff,
    utterances,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Draw = Callable[[Result, str], "Figure | None"]

FIGURES: Mapping[str, Draw] = {
    "gates": gates.draw,
    "latency_cells": latency.cells,
    "latency_lengths": latency.lengths,
    "parts": parts.draw,
    "sessions": sessions.draw,
    "tradeoff": tradeoff.draw,
    "utterances": utterances.draw,
    "speech": speech.draw,
    "noise": noise.draw,
    "audit": audit.draw,
}


def draw(result: Result, folder: Path, language: str) -> list[Path]:
    """Write every figure that the result has data for into `folder`, and return their paths.

    A figure of an earlier rendering that has no data any more is removed.

    Raises: StoreError where the disk refuses.
    """
    import matplotlib
    import matplotlib.style

    from harness.report.figures.style import DPI, SETTINGS

    shown = for_figures(result)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, make in FIGURES.items():
        path = folder / f"{name}.png"
        path.unlink(missing_ok=True)
        with matplotlib.rc_context(), matplotlib.style.context(["default", dict(SETTINGS)]):
            figure = make(shown, language)
            if figure is not None:
                with writing(path):
                    figure.savefig(path, dpi=DPI, metadata={"Software": None})
                written.append(path)
    return written
