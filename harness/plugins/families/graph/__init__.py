"""Any ONNX graph, or several in a chain: what its inputs are given is written in the experiment.

files: params (what an experiment sets) -> arithmetic (sizes as expressions) -> signatures (what a
graph takes and gives) -> guessing, shapes, binding (what each input is given) -> features, arrays
(the arrays) -> files (which files, checked) -> ctc (frames to text) -> model (the timed
operations); sighting (what `harness init` writes).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.contracts import Comparable, Family, Feeds, Model, OpenSession
from harness.contracts.sightings import Sighting
from harness.plugins.families.graph.params import Ctc, Input, Params, Part

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Ctc", "Input", "Params", "Part", "family"]


def graphs(folder: Path) -> dict[str, Path]:
    """The one graph of a folder, as `model`. Raises: ModelError."""
    from harness.plugins.families.graph import files

    return files.find(folder, ())


def build(source: Path, target: Path) -> None:
    """The graph, its weights and the small files beside it, copied. Raises: ModelError."""
    from harness.plugins.families.graph import files

    files.build(source, target, graphs(source))


def open_model(folder: Path, open_session: OpenSession, params: Params) -> Model:
    """Raises: ModelError for files that do not fit what the experiment says of them."""
    from harness.plugins.families.graph import model

    return model.OpenGraphs(folder, open_session, params)


def feeds(
    folder: Path, open_session: OpenSession, params: Params, clips: Iterable[np.ndarray]
) -> Iterator[tuple[str, Feeds]]:
    """The inputs of every graph on real clips, for calibration."""
    from harness.plugins.families.graph import model

    yield from model.feeds(folder, open_session, params, clips)


def outputs(folder: Path, params: Params) -> tuple[Comparable, ...]:
    """What the graphs give that can be held against the baseline's. Raises: ModelError."""
    from harness.plugins.families.graph import files

    return tuple(Comparable(*one) for one in files.comparable(folder, params))


def shaped(given: Mapping[str, Any]) -> Family:
    """The family for these parameters: a chain's graphs are operations, a stream has hops, and one
    with a vocabulary gives text."""
    from harness.plugins.families.graph import files

    params = files.params_of(given)
    parts = files.named(params)
    names = tuple(name for name, _ in parts) if len(parts) > 1 else ()

    def own_graphs(folder: Path) -> dict[str, Path]:
        return files.find(folder, parts)

    def own_build(source: Path, target: Path) -> None:
        files.build(source, target, own_graphs(source))

    return replace(
        family,
        sample_rate=params.sample_rate,
        operations=("pipeline", *names, *(("hop",) if params.hop else ())),
        gives=("text",) if params.ctc is not None else (),
        graphs=own_graphs,
        build=own_build,
        look=lambda folder: files.looked_at(folder, params),
        outputs=outputs,
        fits=lambda start, variant: files.fits(start, variant, params),
    )


def sight(path: Path, language: str) -> Sighting | None:
    """What `harness init` writes of a graph. Raises: ModelError."""
    from harness.plugins.families.graph import sighting

    return sighting.sight(path, language)


family = Family(
    Params=Params,
    sample_rate=16_000,
    operations=("pipeline",),
    build=build,
    graphs=graphs,
    open=open_model,
    feeds=feeds,
    gives=(),
    look=graphs,
    outputs=outputs,
    sight=sight,
    shaped=shaped,
    words={
        "en": {"hop": "one hop"},
        "es": {"hop": "un salto"},
    },
)
