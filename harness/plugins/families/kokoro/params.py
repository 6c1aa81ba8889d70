"""What an experiment may set of Kokoro."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Params:
    """`voice`: one of the folder's. `language`: eSpeak NG's name, such as es-419 or es. `speed`:
    over 1 is faster. `pieces`: "limit" says as much as the model takes in one run (510 signs; what
    is longer is cut at clauses), "sentences" says one after the other, so that the first sound is
    there earlier, at the price of sentences that do not know of each other."""

    voice: str = "jf_alpha"
    language: str = "es-419"
    speed: float = 1.0
    pieces: Literal["limit", "sentences"] = "limit"

    def __post_init__(self) -> None:
        if not 0.5 <= self.speed <= 2:
            raise ValueError(f"speed must be from 0.5 to 2, not {self.speed}")
