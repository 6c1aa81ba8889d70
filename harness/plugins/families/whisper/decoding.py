"""Greedy decoding with Whisper's suppression rules, a token budget and a repetition guard."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from harness.contracts import notes
from harness.errors import OutputError

Step = Callable[[Sequence[int]], np.ndarray]
"""Feeds tokens after those fed before; gives the logits (vocabulary,) that follow the last one."""


@dataclass(frozen=True)
class Rules:
    """What one transcript is decoded under: token ids and bounds.

    `suppress` are never sampled, `suppress_begin` not as the first token (openai/whisper,
    decoding.py, `SuppressTokens` and `SuppressBlank`; the lists come with the model).
    """

    prompt: tuple[int, ...]
    end: int
    suppress: tuple[int, ...]
    suppress_begin: tuple[int, ...]
    positions: int  # the longest sequence that the decoder takes, prompt included


@dataclass(frozen=True)
class Guard:
    """Stops when the last tokens are one block, said `repeats` times or more in a row, that
    together are at least `tokens` long; repeats = 0 never stops."""

    repeats: int
    tokens: int

    def stops(self, said: Sequence[int]) -> bool:
        """Whether the end of `said` is such a loop. Cost: about len(said) / repeats comparisons."""
        if self.repeats < 1 or len(said) < self.tokens:
            return False
        for period in range(1, len(said) // self.repeats + 1):
            if said[-1] != said[-1 - period]:
                continue
            span = period * max(self.repeats, math.ceil(self.tokens / period))
            if span <= len(said) and said[-span:-period] == said[-span + period :]:
                return True
        return False


@dataclass(frozen=True)
class Decoded:
    """Sampled tokens without the closing one; `steps` runs of the decoder; why it stopped early.

    `log_probability`: summed over the tokens and the closing one, 0 where nobody asked.
    """

    tokens: list[int]
    steps: int
    note: str = ""
    log_probability: float = 0.0


def greedy(
    step: Step, rules: Rules, budget: int, guard: Guard, confidence: bool = False
) -> Decoded:
    """The likeliest token each time, until the end token, `budget` tokens or the guard.

    With `confidence` the logarithm of each token's probability is added up.

    Raises: OutputError where the logits are not numbers.
    """
    said: list[int] = []
    total = 0.0
    fed: Sequence[int] = rules.prompt
    banned = frozenset(rules.suppress)
    begin = banned | frozenset(rules.suppress_begin)
    limit = min(budget, rules.positions - len(rules.prompt))
    while len(said) < limit:
        logits, forbidden = step(fed), banned if said else begin
        token = likeliest(logits, forbidden)
        if confidence:
            total += log_probability(logits, token, forbidden)
        if token == rules.end:
            return Decoded(said, len(said) + 1, "", total)
        said.append(token)
        if guard.stops(said):
            note = notes.written("repetition_guard", tokens=len(said))
            return Decoded(said, len(said), note, total)
        fed = (token,)
    return Decoded(said, len(said), notes.written("budget_spent", tokens=limit), total)


def mean_log_probability(parts: Sequence[Decoded]) -> float:
    """Summed log-probability over tokens + 1 for each part's end, as openai/whisper's `avg_logprob`
    (decoding.py, `DecodingTask.run`), which counts that end also where it was never reached."""
    return sum(p.log_probability for p in parts) / sum(len(p.tokens) + 1 for p in parts)


def log_probability(logits: np.ndarray, token: int, banned: frozenset[int]) -> float:
    """The logarithm of the token's probability among those that are not banned (openai/whisper
    masks them before its softmax, `GreedyDecoder.update`)."""
    above = logits.astype(np.float32) - np.float32(logits[token])  # in float16 the sum would be off
    above[list(banned)] = -np.inf
    np.exp(above, out=above)
    return -math.log(float(above.sum()))


def likeliest(logits: np.ndarray, banned: frozenset[int]) -> int:
    """The index of the largest logit that is not banned.

    Raises: OutputError for NaN anywhere or for infinity, since argmax finds the first NaN.
    """
    best = int(np.argmax(logits))
    if not np.isfinite(logits[best]):
        raise OutputError(f"the decoder gave {logits[best]} as a logit: not a number to compare.")
    if best not in banned:
        return best
    allowed = np.array(logits)
    allowed[sorted(banned)] = -np.inf
    return int(np.argmax(allowed))
