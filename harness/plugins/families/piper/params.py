"""What an experiment may set of a Piper voice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Params:
    """`language` is eSpeak NG's name of the language whose phonemes are said, such as es-419; ""
    takes the voice's own. A voice says the phonemes of another language as it can, which may be
    gibberish. `speaker`: a name or number, for voices that have several. `length_scale`: the
    tempo, over 1 is slower; None takes the voice's own. Noise: see the family's docstring."""

    language: str = ""
    speaker: str = ""
    noise_scale: float = 0.0
    noise_w: float = 0.0
    length_scale: float | None = None

    def __post_init__(self) -> None:
        for name in ("noise_scale", "noise_w"):
            if not 0 <= getattr(self, name) <= 2:
                raise ValueError(f"{name} must be from 0 to 2, not {getattr(self, name)}")
        if self.length_scale is not None and not 0.1 <= self.length_scale <= 10:
            raise ValueError(f"length_scale must be from 0.1 to 10, not {self.length_scale}")
