"""A look at the model folders of an experiment before it runs: what is missing, or ambiguous.

Nothing is built, fetched or opened in a session; what lies on a hub or in the catalogue is not
looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.assets import resolve
from harness.contracts import Family, Locate
from harness.errors import HarnessError
from harness.run.variants.picking import alone, picked
from harness.spec import Experiment, ModelSpec, Origin, load_family


def wrong(experiment: Experiment, locate: Locate) -> list[str]:
    """A line for each local folder that a model or variant could not be made of."""
    lines: dict[str, None] = {}
    for where, origin, look in _places(experiment, locate):
        try:
            look(_folder(origin, locate))
        except HarnessError as error:
            lines[f"{where}: {error}"] = None
    return list(lines)


def _folder(origin: Origin, locate: Locate) -> Path:
    if (file := locate(origin.path)).is_file():
        return alone(file, origin.files, lambda _: None)[0]
    folder, _ = resolve(asdict(origin), locate)
    return picked(folder, origin.files, lambda _: None)[0] if origin.files else folder


def _places(
    experiment: Experiment, locate: Locate
) -> Iterator[tuple[str, Origin, Callable[[Path], object]]]:
    """(where in the experiment, a local source, what looks at it)."""
    yield from _of_model("model", experiment.model, locate)
    for variant in experiment.variants:
        here = f"variants.{variant.name}"
        if variant.model is not None:
            yield from _of_model(f"{here}.model", variant.model, locate)
        if variant.source is not None and variant.source.path:
            model = variant.model or experiment.model
            family: Family = load_family(model, locate)
            yield f"{here}.source", variant.source, family.graphs


def _of_model(
    where: str, model: ModelSpec, locate: Locate
) -> Iterator[tuple[str, Origin, Callable[[Path], object]]]:
    for role, part in model.parts.items():
        yield from _of_model(f"{where}.parts.{role}", part, locate)
    if model.source is not None and model.source.path:
        family: Any = load_family(model, locate)
        yield f"{where}.source", model.source, getattr(family, "look", None) or (lambda _: None)
