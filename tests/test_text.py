"""Normalisers: the documented table case by case, and the laws that hold for any text."""

from __future__ import annotations

import unicodedata

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import text
from harness.errors import UnknownNameError

# letters, marks, digits and signs that meet in Spanish text, beside anything else
SPANISH = st.text(
    st.sampled_from("aánñoóuüÁÑÜ\u0301\u0303\u0308 12.,:;-–'’¿?¡!«»…()%€º\u00ad\ufeff\tİß")
)
TEXTS = st.one_of(st.text(), SPANISH)
WORDS = st.lists(st.sampled_from(["año", "ano", "sí", "si", "no", "a"]), max_size=8).map(" ".join)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("¿Qué tal, señor? ¡Adiós!", "qué tal señor adiós"),
        ("«Año» … ÚLTIMO pingüino", "año último pingüino"),
        ("ex-presidente – teórico‐práctico", "ex presidente teórico práctico"),
        ("d'Artagnan, O’Higgins", "dartagnan ohiggins"),
        ("cuesta 3,5 o 1.234, a las 5:30.", "cuesta 3,5 o 1.234 a las 5:30"),
        ("hola,mundo.fin", "hola mundo fin"),
        ("EE.UU. y el 1.º del n.º 2", "ee uu y el 1 º del n º 2"),
        ("(en voz baja) [sic] hola", "en voz baja sic hola"),
        ("50% de 20€", "50 de 20"),
        ("\ufeffcon\u00adtrol\t total\n", "control total"),
        ("nin\u0303o esta\u0301", "niño está"),  # NFD, as macOS writes it
        ("...", ""),
        ("", ""),
    ],
)
def test_the_spanish_normaliser_follows_its_table(raw: str, expected: str) -> None:
    assert text.spanish(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        # openai/whisper tests/test_normalizer.py style: marks and signs become spaces
        ("¿Qué tal, señor?", "qué tal señor"),
        ("hola (risas) [música] <ruido> adiós", "hola adiós"),
        ("1.º", "1 o"),  # NFKC, one of its known traps
    ],
)
def test_the_basic_normaliser_is_whispers(raw: str, expected: str) -> None:
    assert text.basic(raw) == expected


@given(TEXTS)
def test_no_rule_looks_beyond_white_space_so_that_words_can_be_remembered(raw: str) -> None:
    at_once = text._spanish_part.__wrapped__
    assert text.spanish(raw) == at_once(raw)


@pytest.mark.parametrize("name", text.NORMALISERS)
@given(raw=TEXTS)
def test_normalising_twice_changes_nothing(name: str, raw: str) -> None:
    once = text.normaliser(name)(raw)
    assert text.normaliser(name)(once) == once


@given(raw=TEXTS)
def test_composed_and_decomposed_letters_are_the_same(raw: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, raw) for form in ("NFC", "NFD"))
    assert text.spanish(composed) == text.spanish(decomposed) == text.spanish(raw)


@given(raw=TEXTS)
def test_a_normalised_text_has_single_spaces_and_no_signs(raw: str) -> None:
    done = text.spanish(raw)
    assert done == " ".join(done.split())
    assert not set(done) & set("¿?¡!«»…-–'\"()[];%€")


@given(raw=st.text(st.sampled_from("abcñüáéíóú ")))
def test_case_does_not_matter_and_letters_survive(raw: str) -> None:
    assert text.spanish(raw.upper()) == text.spanish(raw) == " ".join(raw.split())


@given(raw=TEXTS)
def test_stripping_accents_keeps_the_letters_of_spanish(raw: str) -> None:
    once = text.strip_accents(raw)
    assert text.strip_accents(once) == once
    assert text.strip_accents("El pingüino del año está así") == "El pingüino del año esta asi"


def test_an_unknown_normaliser_gets_the_nearest_name() -> None:
    with pytest.raises(
        UnknownNameError, match=r"Did you mean 'spanish'\? There is: spanish, basic"
    ):
        text.normaliser("spansh")


@given(reference=WORDS, hypothesis=WORDS)
def test_word_edits_are_jiwers_counts(reference: str, hypothesis: str) -> None:
    theirs = jiwer.process_words(reference, hypothesis)
    edits = theirs.substitutions + theirs.deletions + theirs.insertions
    assert text.word_edits(reference, hypothesis) == (edits, len(theirs.references[0]))


@given(reference=TEXTS.map(text.spanish), hypothesis=TEXTS.map(text.spanish))
def test_character_edits_are_jiwers_counts(reference: str, hypothesis: str) -> None:
    theirs = jiwer.process_characters(reference, hypothesis)
    edits = theirs.substitutions + theirs.deletions + theirs.insertions
    assert text.character_edits(reference, hypothesis) == (edits, len(theirs.references[0]))
