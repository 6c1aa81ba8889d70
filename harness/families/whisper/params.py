"""What an experiment may set of the Whisper family."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

MOST_SECONDS = 30.0
# the codes of Whisper up to large-v2, alphabetically (openai/whisper, tokenizer.py)
LANGUAGES = (
    "af", "am", "ar", "as", "az", "ba", "be", "bg", "bn", "bo", "br", "bs", "ca", "cs", "cy",
    "da", "de", "el", "en", "es", "et", "eu", "fa", "fi", "fo", "fr", "gl", "gu", "ha", "haw",
    "he", "hi", "hr", "ht", "hu", "hy", "id", "is", "it", "ja", "jw", "ka", "kk", "km", "kn",
    "ko", "la", "lb", "ln", "lo", "lt", "lv", "mg", "mi", "mk", "ml", "mn", "mr", "ms", "mt",
    "my", "ne", "nl", "nn", "no", "oc", "pa", "pl", "ps", "pt", "ro", "ru", "sa", "sd", "si",
    "sk", "sl", "sn", "so", "sq", "sr", "su", "sv", "sw", "ta", "te", "tg", "th", "tk", "tl",
    "tr", "tt", "uk", "ur", "uz", "vi", "yi", "yo", "zh",
)  # fmt: skip


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
        if self.language not in LANGUAGES:
            near = difflib.get_close_matches(self.language, LANGUAGES, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]!r}?" if near else "; it takes codes such as es, en, pt"
            raise ValueError(f"language: Whisper has no {self.language!r}{hint}")
        least = {"max_tokens": 1, "tokens_per_second": 0, "spare_tokens": 1, "guard_tokens": 1}
        for name, value in least.items():
            if not getattr(self, name) >= value:
                raise ValueError(f"{name} must be at least {value}, not {getattr(self, name)}")
        if self.guard_repeats < 0 or self.guard_repeats == 1:
            raise ValueError(f"guard_repeats must be 0 or at least 2, not {self.guard_repeats}")
