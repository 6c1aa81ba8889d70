"""What an experiment may set of the Whisper family."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

ENCODER, LOGITS = "encoder", "logits"  # outputs that can be compared
MOST_SECONDS = 30.0
# which ones a model has, its tokenizer says when it is opened
LANGUAGE = re.compile("[a-z]{2,3}")


@dataclass(frozen=True)
class Context:
    """Encode only max(min_seconds, length + extra_seconds) of the 30 s that Whisper pads to."""

    min_seconds: float = 10.0
    extra_seconds: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.min_seconds <= MOST_SECONDS:
            raise ValueError(f"min_seconds must be over 0 and at most 30, not {self.min_seconds}")
        if not 0 <= self.extra_seconds <= MOST_SECONDS:
            raise ValueError(f"extra_seconds must be from 0 to 30, not {self.extra_seconds}")


@dataclass(frozen=True)
class Params:
    """The language is forced. A transcript ends at the end token, at the token budget, which is
    min(max_tokens, spare_tokens + tokens_per_second * seconds), or when the last tokens are one
    block said `guard_repeats` times in a row that spans `guard_tokens` or more (0: no guard).
    `confidence`: each output says how likely its tokens were, on average, in logarithms."""

    language: str = "es"
    task: Literal["transcribe", "translate"] = "transcribe"
    context: Context | None = None  # None: the full 30 s
    max_tokens: int = 224
    tokens_per_second: float = 12.0
    spare_tokens: int = 16
    guard_repeats: int = 4
    guard_tokens: int = 16
    confidence: bool = False

    def __post_init__(self) -> None:
        if not LANGUAGE.fullmatch(self.language):
            raise ValueError(
                f"language: takes the code of one, such as es, en, pt, yue, not {self.language!r}"
            )
        least = {"max_tokens": 1, "tokens_per_second": 0, "spare_tokens": 1, "guard_tokens": 1}
        for name, value in least.items():
            if not getattr(self, name) >= value:
                raise ValueError(f"{name} must be at least {value}, not {getattr(self, name)}")
        if self.guard_repeats < 0 or self.guard_repeats == 1:
            raise ValueError(f"guard_repeats must be 0 or at least 2, not {self.guard_repeats}")
