"""Two recognisers as one: the fast one first, the slow one where the fast one is unsure.

Unsure is a `confidence` under `unsure_below`, or a note that a token budget or a repetition guard
ended the text: a recogniser that loops is sure of every word. Whisper gives its confidence where
its parameters say `confidence: true`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.contracts import Composite, Model, Output, notes
from harness.errors import SpecError

if TYPE_CHECKING:
    import numpy as np

RATE = 16_000
CONFIDENCE = "confidence"


@dataclass(frozen=True)
class Params:
    unsure_below: float
    """The slow recogniser hears what the fast one's confidence is under this of; Whisper's is the
    mean log-probability of its tokens, 0 at most. -1000: never for that reason."""

    def __post_init__(self) -> None:
        if not math.isfinite(self.unsure_below):
            raise ValueError(f"unsure_below must be a number, not {self.unsure_below}")


@dataclass(frozen=True)
class TwoSpeed:
    """Implements `harness.contracts.Model`; `fast` times the fast recogniser alone, `slow` the
    slow one."""

    fast: Model
    slow: Model
    params: Params

    def prepare(self, operation: str, samples: np.ndarray) -> Callable[[], Output]:
        """Both are made ready before the clock starts, since either may be needed.

        Raises: AudioError. The call raises SpecError where the fast one gives no confidence.
        """
        if operation == "pipeline":
            fast, slow = (part.prepare("pipeline", samples) for part in (self.fast, self.slow))
            return lambda: self._call(fast, slow)
        return (self.fast if operation == "fast" else self.slow).prepare("pipeline", samples)

    def _call(self, fast: Callable[[], Output], slow: Callable[[], Output]) -> Output:
        first = fast()
        if CONFIDENCE not in first.figures:
            raise SpecError(
                "two_speed: its part `fast` gives no confidence to compare with unsure_below; "
                "Whisper gives one with `confidence: true`."
            )
        sure = first.figures[CONFIDENCE]
        if sure >= self.params.unsure_below and not first.notes:
            return _output(first, first, used_slow=False)
        return _output(first, slow(), used_slow=True)


def _output(first: Output, counts: Output, *, used_slow: bool) -> Output:
    """What counts, with the steps of both; the notes are those of the text that counts.

    Steps of a part that has none (CTC, a server) are left out, so that a budget that the other one
    spent is seen; NaN where neither has any.
    """
    steps = [one.tokens for one in ((first, counts) if used_slow else (first,))]
    known = [tokens for tokens in steps if not math.isnan(tokens)]
    own = {name: counts.figures[name] for name in (CONFIDENCE,) if name in counts.figures}
    return Output(
        text=counts.text,
        tokens=sum(known) if known else math.nan,
        notes=notes.joined(notes.written("slow") if used_slow else "", counts.notes),
        figures={
            "used_slow": float(used_slow),
            "fast_confidence": first.figures[CONFIDENCE],
            **own,
        },
    )


def assemble(models: Mapping[str, Model], rates: Mapping[str, int], params: Params) -> Model:
    """Raises: SpecError for a part that takes audio at another rate."""
    for role, rate in rates.items():
        if rate != RATE:
            raise SpecError(f"two_speed: its part `{role}` takes {rate} Hz, it must take {RATE}.")
    return TwoSpeed(models["fast"], models["slow"], params)


family = Composite(
    Params=Params,
    sample_rate=RATE,
    operations=("pipeline", "fast", "slow"),
    parts={"fast": "audio", "slow": "audio"},
    assemble=assemble,
    words={
        "en": {
            "fast": "the fast one",
            "slow": "the slow one",
        },
        "es": {
            "fast": "el rápido",
            "slow": "el lento",
        },
    },
)
