"""What plugins say of files that nobody has described yet: `harness init` asks each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Sighting:
    """A model that a family recognises, as an experiment would tell it.

    `params`, `otherwise`: plain data, keys as in YAML. `distance`: 0 where the files are those of
    this family, 1 where they are of one among many kinds, 2 where it would take any graph: the
    nearest family has it. `lacking`: what only the user knows, as one line that says what to write.
    """

    what: str  # in a few words: "Whisper, 80 mel bins"
    source: Path  # what `path` of the source names, a folder or a file
    files: tuple[str, ...] = ()  # `files` of the source, where not all of it is meant
    params: Mapping[str, Any] = field(default_factory=dict)  # of the model, beside its source
    why: Mapping[str, str] = field(default_factory=dict)  # parameter -> why it is what it is
    language: str = ""  # code of the only one that it knows (en); "": several, or not known
    graphs: tuple[Path, ...] = ()  # what would be opened and quantized
    # operator type -> share of the weights, where the graphs are yet to be made
    weights: Mapping[str, float] = field(default_factory=dict)
    longest: float = float("inf")  # seconds of audio that it hears at once
    otherwise: Mapping[str, Any] = field(default_factory=dict)  # worth comparing, if not quantized
    lacking: str = ""
    distance: int = 0


@dataclass(frozen=True)
class Advice:
    """What a method of quantization would do to a model on a processor, and why."""

    params: Mapping[str, Any]
    why: tuple[str, ...] = ()  # a comment each
