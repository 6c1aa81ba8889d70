"""Writes a first experiment from files that a user has: `harness init`.

finding (whose model it is, which data) -> composing (variants, lengths, gates, each with its why)
-> writing (YAML with comments, beside which paths are looked for). What is recognised, and by what,
each family, data set and quantization method says itself (`sight`, `advise`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.errors import SpecError
from harness.preflight.starting import composing, finding, writing
from harness.preflight.starting.finding import Wish
from harness.runtime.session import trial
from harness.spec.naming import EXPERIMENTS

__all__ = ["Draft", "Wish", "draft"]


@dataclass(frozen=True)
class Draft:
    """An experiment as it would be written, and what a terminal says of it.

    `lacking`: what only the user can say; the text marks where. Such a text is no experiment yet.
    """

    out: Path
    text: str
    told: tuple[str, ...]
    lacking: str = ""


def draft(path: Path, wish: Wish, out: Path | None = None) -> Draft:
    """Look at a model and at data. Writes nothing.

    Raises: HarnessError, one line: no model, several, one that is broken, no data that fit.
    """
    seen = finding.model(path, wish)
    trial.opens(seen.sighting.graphs)  # what onnxruntime refuses, and what crashes it, is a line
    name = writing.name_of(seen.sighting.source)
    target = out or _beside(f"{name}.yaml")
    if target.suffix not in (".yaml", ".yml"):
        raise SpecError(f"--out {target}: an experiment is a .yaml file.")
    place = writing.Place(target)
    data = finding.data(seen, wish, place.locate)
    plan = composing.compose(seen, data)
    text = writing.text_of(writing.name_of(target), seen, data, plan, place)
    told = (f"model: {seen.sighting.what} (family {seen.name})", *plan.told)
    return Draft(target, text, told, seen.sighting.lacking)


def _beside(name: str) -> Path:
    """In the folder `experiments` where there is one, else here."""
    return Path(EXPERIMENTS, name) if Path(EXPERIMENTS).is_dir() else Path(name)
