"""Greedy decoding: suppression, budget, repetition guard, and logits that are not numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from harness.errors import OutputError
from harness.plugins.families.whisper.decoding import (
    Decoded,
    Guard,
    Rules,
    greedy,
    likeliest,
    log_probability,
    mean_log_probability,
)

RULES = Rules(prompt=(7, 8), end=9, suppress=(1,), suppress_begin=(2, 9), positions=50)
NEVER = Guard(0, 1)


class Script:
    """Wants to say the given tokens, one a step; records what it was fed."""

    def __init__(self, *tokens: int) -> None:
        self.tokens, self.fed = list(tokens), []

    def __call__(self, tokens: Sequence[int]) -> np.ndarray:
        self.fed.append(tuple(tokens))
        logits = np.arange(10, dtype=np.float32) * -0.01  # lower ids are the second choice
        logits[self.tokens[len(self.fed) - 1]] = 5
        return logits


def test_the_prompt_goes_in_whole_and_each_token_alone() -> None:
    script = Script(3, 4, 9)
    found = greedy(script, RULES, 20, NEVER)
    assert (found.tokens, found.steps, found.note) == ([3, 4], 3, "")
    assert script.fed == [(7, 8), (3,), (4,)]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ([1, 3, 9], [0, 3]),  # 1 is never said: the next best is 0
        ([3, 1, 9], [3, 0]),
        ([2, 2, 9], [0, 2]),  # 2 only not at the beginning
        ([9, 9], [0]),  # nor does a transcript begin with its end
    ],
)
def test_suppressed_tokens_give_way_to_the_next_best(wanted: list[int], said: list[int]) -> None:
    assert greedy(Script(*wanted), RULES, 20, NEVER).tokens == said


def test_the_budget_ends_a_transcript_and_says_so() -> None:
    found = greedy(Script(*[3, 4] * 20), RULES, 5, NEVER)
    assert (found.tokens, found.steps) == ([3, 4, 3, 4, 3], 5)
    assert found.note == "budget_spent tokens=5"


def test_the_positions_of_the_decoder_bound_the_budget() -> None:
    found = greedy(Script(*[3, 4, 5] * 40), RULES, 1000, NEVER)
    assert len(found.tokens) == 50 - 2


def test_the_guard_ends_a_loop_and_says_so() -> None:
    found = greedy(Script(5, *[3, 4] * 20), RULES, 40, Guard(4, 8))
    assert found.tokens == [5, 3, 4, 3, 4, 3, 4, 3, 4]
    assert found.note == "repetition_guard tokens=9"


@pytest.mark.parametrize(
    ("said", "stops"),
    [
        ([3] * 11, False),
        ([3] * 12, True),  # one token needs 12 times: 12 tokens are the least
        ([3, 4, 5, 6] * 3, False),
        ([3, 4, 5, 6] * 3 + [3, 4, 5], False),
        ([3, 4, 5, 6] * 4, True),
        ([3, 4, 5, 6] * 4 + [7], False),
        ([7, 8] + [3, 4, 5, 6] * 4, True),
        ([1, 2, 3, 4, 5, 6] * 4, True),
        ([0, *range(20)], False),
        ([], False),
    ],
)
def test_a_loop_is_a_block_said_often_enough_in_a_row(said: list[int], stops: bool) -> None:
    assert Guard(4, 12).stops(said) is stops


@given(
    st.lists(st.integers(0, 3), max_size=8),
    st.lists(st.integers(0, 3), min_size=1, max_size=5),
    st.integers(2, 5),
    st.integers(1, 12),
)
def test_any_block_said_often_enough_is_found(
    before: list[int], unit: list[int], repeats: int, least: int
) -> None:
    times = max(repeats, -(-least // len(unit)))
    assert Guard(repeats, least).stops(before + unit * times)


@given(st.lists(st.integers(0, 2), max_size=40), st.integers(2, 4), st.integers(1, 10))
def test_what_the_guard_finds_is_a_loop(said: list[int], repeats: int, least: int) -> None:
    def loop(period: int) -> bool:
        times = max(repeats, -(-least // period))
        return len(said) >= times * period and said[-times * period :] == said[-period:] * times

    expected = any(loop(period) for period in range(1, len(said) + 1))
    assert Guard(repeats, least).stops(said) == expected


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_logits_that_are_not_numbers_are_an_output_error(value: float) -> None:
    logits = np.zeros(10, np.float32)
    if value == -np.inf:
        logits[:] = value
    else:
        logits[1] = value  # even where the token is suppressed
    with pytest.raises(OutputError, match=r"logit"):
        likeliest(logits, frozenset({1}))


# -------------------------------------------------------------------------------------- confidence
def masked(logits: np.ndarray, banned: Sequence[int]) -> np.ndarray:
    """Log-probabilities as openai/whisper has them: suppressed first, then log_softmax."""
    allowed = logits.astype(np.float64)
    allowed[list(banned)] = -np.inf
    found: np.ndarray = special.log_softmax(allowed)
    return found


@given(st.lists(st.floats(-30, 30), min_size=10, max_size=10), st.sets(st.integers(0, 8)))
def test_a_tokens_log_probability_is_its_log_softmax_among_the_allowed(values, banned) -> None:
    logits = np.array(values, np.float32)
    token = likeliest(logits, frozenset(banned))
    found = log_probability(logits, token, frozenset(banned))
    assert found == pytest.approx(masked(logits, sorted(banned))[token], abs=1e-5)
    assert found <= 0


def test_logits_that_no_float_could_exponentiate_are_fine() -> None:
    logits = np.array([-1e4, 1e4, 3e38, 0], np.float32)
    assert log_probability(logits, 1, frozenset({2})) == 0.0


def expected_sum(script: Script, said: Sequence[int], end: bool) -> float:
    """Over the tokens, and the closing one where it was sampled."""
    total = 0.0
    for at, token in enumerate([*said, RULES.end] if end else said):
        logits = np.arange(10, dtype=np.float32) * -0.01
        logits[script.tokens[at]] = 5
        total += masked(logits, [1] if at else [1, 2, 9])[token]
    return total


@pytest.mark.parametrize(
    ("wanted", "budget", "guard", "ended"),
    [
        ([3, 1, 4, 9], 20, NEVER, True),  # 1 is never said
        ([9, 3, 9], 20, NEVER, True),  # nor does a transcript begin with its end
        ([3, 4] * 20, 5, NEVER, False),
        ([5, *[3, 4] * 20], 40, Guard(4, 8), False),
    ],
)
def test_the_confidence_counts_every_sampled_token_and_one_for_the_end(
    wanted: list[int], budget: int, guard: Guard, ended: bool
) -> None:
    script = Script(*wanted)
    found = greedy(script, RULES, budget, guard, confidence=True)
    expected = expected_sum(script, found.tokens, ended)
    assert found.log_probability == pytest.approx(expected, abs=1e-5)
    # openai/whisper, decoding.py: sum_logprobs / (len(tokens) + 1)
    per_token = expected / (len(found.tokens) + 1)
    assert mean_log_probability([found]) == pytest.approx(per_token, abs=1e-5)


def test_what_is_said_does_not_depend_on_whether_confidence_is_asked_for() -> None:
    without, beside = (
        greedy(Script(3, 1, 4, 9), RULES, 20, NEVER, confidence=c) for c in (False, True)
    )
    assert (without.tokens, without.steps, without.note) == (beside.tokens, beside.steps, "")
    assert without.log_probability == 0.0


def test_windows_count_by_their_tokens() -> None:
    parts = [Decoded([3, 4], 3, "", -0.6), Decoded([], 1, "", -0.2)]
    assert mean_log_probability(parts) == pytest.approx(-0.8 / (3 + 1))
