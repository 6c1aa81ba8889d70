"""WER under other rules: what each counts, and that it is jiwer's on its own strings."""

from __future__ import annotations

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import plugins
from harness.contracts import Call, Metric
from harness.speech import text
from harness.speech.text import signs

RULES = {
    "wer": text.spanish,
    "wer_no_accents": lambda raw: text.strip_accents(text.spanish(raw)),
    "wer_basic": text.basic,
    "wer_raw": text.fold_spaces,
}
RAW = st.lists(
    st.sampled_from(["¿Está", "esta", "año,", "ano", "3", "tres", "(sí)", "Si", "pingüino"]),
    max_size=6,
).map(" ".join)


def measured(name: str, reference: str, heard: str) -> tuple[float, float]:
    metric = plugins.load("metrics", name)
    assert isinstance(metric, Metric)
    assert metric.measure is not None
    return metric.measure(
        Call(
            operation="pipeline",
            seconds=1.0,
            audio_seconds=1.0,
            tokens=1.0,
            rss_bytes=1.0,
            text=text.spanish(heard),
            reference=text.spanish(reference),
            raw_text=heard,
            raw_reference=reference,
        )
    )


@pytest.mark.parametrize(
    ("reference", "heard", "strict", "no_accents", "basic", "raw"),
    [
        # edits and reference words, counted by hand
        ("¿Está?", "esta", (1, 1), (0, 1), (1, 1), (1, 1)),
        ("El año", "el ano", (1, 2), (1, 2), (1, 2), (2, 2)),
        ("Un pingüino", "un pinguino", (1, 2), (1, 2), (1, 2), (2, 2)),
        ("Presione tres.", "Presione 3.", (0, 2), (0, 2), (1, 2), (1, 2)),
        ("hola", "hola (risas)", (1, 1), (1, 1), (0, 1), (1, 1)),
        ("", "gracias", (1, 0), (1, 0), (1, 0), (1, 0)),
        ("igual", "igual", (0, 1), (0, 1), (0, 1), (0, 1)),
    ],
)
def test_each_rule_counts_what_its_name_says(
    reference: str,
    heard: str,
    strict: tuple[int, int],
    no_accents: tuple[int, int],
    basic: tuple[int, int],
    raw: tuple[int, int],
) -> None:
    found = [measured(name, reference, heard) for name in RULES]
    assert found == [strict, no_accents, basic, raw]


@pytest.mark.parametrize("name", RULES)
@given(pairs=st.lists(st.tuples(RAW, RAW), min_size=1, max_size=5))
def test_the_pooled_figure_is_jiwers_to_the_last_digit(
    name: str, pairs: list[tuple[str, str]]
) -> None:
    values, weights = zip(*(measured(name, *pair) for pair in pairs), strict=True)
    references, heard = ([RULES[name](pair[side]) for pair in pairs] for side in (0, 1))
    if sum(weights):
        assert sum(values) / sum(weights) == jiwer.wer(references, heard)


@given(reference=RAW, heard=RAW)
def test_folding_accents_never_adds_an_error(reference: str, heard: str) -> None:
    strict, folded = (measured(name, reference, heard) for name in ("wer", "wer_no_accents"))
    assert folded[0] <= strict[0]
    assert folded[1] == strict[1]


def test_a_table_of_words_asks_its_rule_once_and_stays_small(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(signs, "MOST_WORDS", 3)
    asked: list[str] = []
    known = signs.WordTable(lambda word: asked.append(word) or word.upper())
    assert [known[word] for word in "abcabcdad"] == [*"ABCABCDAD"]
    assert "".join(asked) == "abcda"  # d is one too many: all begins anew
    assert len(known) <= 3
