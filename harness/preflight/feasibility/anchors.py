"""What is published or measured about models like these: read from anchors.yaml, each sourced."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FILE = Path(__file__).with_name("anchors.yaml")


@dataclass(frozen=True)
class Reference:
    """Where a figure was read, and the words or the table that say it."""

    title: str
    year: int
    url: str
    quote: str

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.title, str(self.year), self.url)))


@dataclass(frozen=True)
class Anchor:
    """One known figure in the metric's unit, and what it holds for ("" and 0: anything)."""

    kind: Literal["best", "floor", "cost", "spread", "note"]
    metric: str
    about: str
    source: Reference
    value: float = float("nan")
    better: Literal["lower", "higher"] = "lower"
    model: str = ""
    parameters_millions: float = 0.0
    bits: int = 0
    operation: str = ""
    cores: int = 0
    data: str = ""
    language: str = ""
    conditions: str = ""


@dataclass(frozen=True)
class Scope:
    """What a target is about. `data` is any text that names the data set."""

    metric: str
    data: str = ""
    language: str = ""
    size_mb: float = float("inf")


@functools.cache
def known() -> tuple[Anchor, ...]:
    """Every anchor of the project."""
    import yaml

    data = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    sources = {name: Reference(**fields) for name, fields in data["sources"].items()}
    return tuple(Anchor(**{**row, "source": sources[row["source"]]}) for row in data["anchors"])


def find(kind: str, metric: str) -> Iterator[Anchor]:
    """The anchors of a kind for a metric, in the file's order."""
    return (a for a in known() if a.kind == kind and a.metric == metric)


def best(scope: Scope) -> Anchor | None:
    """The best figure known within a scope; None where none is.

    A size limit lets in what would fit with one byte a parameter, as after 8-bit quantization.
    """
    inside = [anchor for anchor in find("best", scope.metric) if _fits(anchor, scope)]
    if not inside:
        return None
    pick = min if inside[0].better == "lower" else max
    return pick(inside, key=lambda anchor: anchor.value)


def of_model(model: str, scope: Scope) -> Anchor | None:
    """What is published of this very model on the scope's data; None where nothing is."""
    found = (a for a in find("best", scope.metric) if model and a.model == model)
    return next((anchor for anchor in found if _fits(anchor, scope)), None)


def model_in(text: str) -> str:
    """The model that a source names (asset, hub repository or folder); "" for none we know."""
    names = {a.model for a in known() if a.model}
    return max((n for n in names if n in text.lower()), key=len, default="")


def parameters_millions(model: str) -> float:
    """How many parameters a model has; NaN for one that we do not know."""
    found = (a.parameters_millions for a in known() if a.model == model and a.parameters_millions)
    return next(found, float("nan")) if model else float("nan")


def _fits(anchor: Anchor, scope: Scope) -> bool:
    return (
        (not anchor.data or _plain(anchor.data) in _plain(scope.data))
        and (not anchor.language or anchor.language == scope.language)
        and anchor.parameters_millions <= scope.size_mb
    )


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.lower())
