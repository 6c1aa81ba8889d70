"""Normalisers: laws that hold for any text, the other normalisers, and the counts of jiwer."""

from __future__ import annotations

import unicodedata

import jiwer
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.errors import UnknownNameError
from harness.speech import text
from harness.speech.text import reading

# letters, marks, digits and signs that meet in Spanish text, beside anything else
SPANISH = st.text(
    st.sampled_from(
        "aánñoóuüÁÑÜmhxcye\u0301\u0303\u0308 12.,:;-–'’¿?¡!«»…()%€$º°ª+&²½٣\u00a0\u00ad\ufeff\tİß"
    )
)
# what the rules look for, in any order: whatever depends on a neighbour gets every neighbour
WORTH = (
    "1 2 01 1. 31 100 1000 1.000 3,5 3.5 3.30 15:00 1º 1.er 2do 5no 1ª un una uno mil ciento por"
    " treinta y doscientas veintiún m M. h 5m G20 5h30 x 4x4 km mm mmm ee uu EE. UU. p ej. a e o"
    " S. A. B c ° ºC º m2 km/h $ € $5 5$ us$ % & + -5 − siglo siglos XX xi al las la millón"
    " millones coma punto n.º nº d.ª sr. av. eh em , . ; ¿ u.s.a p.b.x. \u0301 n\u0303 ½ ² ª"
    " 1.° 2.as 1ros u$s u$sm² ac dc a. C. siglo V i un dos Ud."
    " treintaiuno decimotercero ac cero min @ ' \u00ad ٣ 1,2,3 1.2.3 1,234.5 5/6 y/o"
)
PIECES = [*WORTH.split(" "), "1\u00a0234", "12\u202f345", " "]
SENTENCES = st.lists(
    st.tuples(st.sampled_from(PIECES), st.sampled_from([" ", " ", "", ", "])), max_size=8
).map(lambda pieces: "".join(map("".join, pieces)))
TEXTS = st.one_of(st.text(), SPANISH, SENTENCES)
WORDS = st.lists(st.sampled_from(["año", "ano", "sí", "si", "no", "a"]), max_size=8).map(" ".join)


# by the published order of Whisper's English rules `m.m.` becomes a filler after fillers have gone
@pytest.mark.parametrize("name", [name for name in text.NORMALISERS if name != "english"])
@given(raw=TEXTS)
@example(raw="u$sm²")  # the s of u$s is no letter before a unit
@example(raw="Es de la UD.")
@example(raw="v e.m. d m.m. x")  # initials that are a filler leave nothing between letters
def test_normalising_twice_changes_nothing(name: str, raw: str) -> None:
    once = text.normaliser(name)(raw)
    assert text.normaliser(name)(once) == once


@pytest.mark.parametrize("name", ["spanish", "generic"])
@given(raw=TEXTS)
def test_composed_and_decomposed_letters_are_the_same(name: str, raw: str) -> None:
    normalise = text.normaliser(name)
    composed, decomposed = (unicodedata.normalize(form, raw) for form in ("NFC", "NFD"))
    assert normalise(composed) == normalise(decomposed) == normalise(raw)


@given(raw=TEXTS)
def test_a_normalised_text_has_words_with_single_spaces_and_no_digits_or_signs(raw: str) -> None:
    done = text.spanish(raw)
    assert done == " ".join(done.split())
    assert {unicodedata.category(sign)[0] for sign in done} <= set("LMNZ")
    assert not any(sign.isdecimal() for sign in done)


@given(raw=st.text(st.sampled_from("abñüáéíóúkmx ")))
def test_no_normaliser_of_ours_loses_a_letter_of_spanish(raw: str) -> None:
    assert text.generic(raw.upper()) == " ".join(raw.split())
    letters = text.spanish(raw).replace(" ", "")
    fillers = reading.abbreviations.FILLER
    kept = [w for w in raw.split() if w != "mm" and not fillers.fullmatch(w)]
    # letters one by one are put together; a filler among them may come of that
    assert letters == "".join(kept) or any(len(word) == 1 for word in kept)


@given(raw=SENTENCES)
@example(raw="km 1 ")
@example(raw="ºC Ud. ")  # º counts as a small letter
def test_case_does_not_matter(raw: str) -> None:
    """But for UD. at the end of a text, which is no piece of these."""
    assert text.spanish(raw.upper()) == text.spanish(raw.lower()) == text.spanish(raw)


@given(raw=TEXTS)
def test_words_that_are_remembered_one_by_one_read_as_in_their_sentence(raw: str) -> None:
    atoms = [atom for piece in raw.split() for atom in reading._atoms(piece)]
    if not reading._SPACES.search(raw) and not reading._CLUB.search(raw):
        assert text.spanish(raw) == " ".join(reading._Reading(reading._joined(atoms)).words)


@pytest.mark.parametrize(
    "loop",
    ["1", "1.", "1.111", "a.", "b ", "mil una ", "$ 1 ", "((", "1 h ", "siglo xx y ", "mm ", "n.º"],
)
def test_a_loop_of_a_model_keeps_all_its_words_and_is_read_in_one_pass(loop: str) -> None:
    """A rule that looks ahead to the end would take minutes here."""
    one, two, three = (len(text.spanish(loop * turns * 10_000).split()) for turns in (1, 2, 3))
    assert two - one == three - two
    assert (one > 0) == (loop not in ("((", "mm "))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("¿Qué tal, señor? ¡Adiós!", "qué tal señor adiós"),
        ("cuesta 3,5 o 1.234, a las 5:30.", "cuesta 3,5 o 1.234 a las 5:30"),
        ("hola,mundo.fin d'Artagnan, O’Higgins", "hola mundo fin dartagnan ohiggins"),
        ("(en voz baja) [sic] <b> 50%", "en voz baja sic b 50"),
        ("El 1.º, ½ y İ", "el 1 º ½ y i̇"),
        ("Straße, façade, ØRE", "straße façade øre"),
        ("\ufeffcon\u00adtrol\t total\n", "control total"),
        ("nin\u0303o esta\u0301", "niño está"),  # NFD, as macOS writes it
        ("...", ""),
    ],
)
def test_the_generic_normaliser_keeps_letters_digits_and_brackets(raw: str, expected: str) -> None:
    assert text.generic(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        # openai/whisper tests/test_normalizer.py style: marks and signs become spaces
        ("¿Qué tal, señor?", "qué tal señor"),
        ("hola (risas) [música] <ruido> adiós", "hola adiós"),
        ("hola (a b", "hola a b"),
        ("1.º", "1 o"),  # NFKC, one of its known traps
        ("3½ Ⅳ ﬁn", "31 2 iv fin"),
    ],
)
def test_the_basic_normaliser_is_whispers(raw: str, expected: str) -> None:
    assert text.basic(raw) == expected


@given(raw=st.one_of(st.text(), SPANISH))
def test_the_basic_normaliser_remembers_words_without_changing_the_rule(raw: str) -> None:
    """The whole text at once, as whisper/normalizers/basic.py does it."""
    signs = (
        " " if unicodedata.category(c)[0] in "MSP" else c
        for c in unicodedata.normalize("NFKC", raw.lower())
    )
    if not set(raw) & set("(<["):
        assert text.basic(raw) == " ".join("".join(signs).lower().split())


@given(raw=TEXTS)
def test_stripping_accents_keeps_the_letters_of_spanish(raw: str) -> None:
    once = text.strip_accents(raw)
    assert text.strip_accents(once) == once
    assert text.strip_accents("El pingüino del año está así") == "El pingüino del año esta asi"


def test_an_unknown_normaliser_gets_the_nearest_name() -> None:
    with pytest.raises(
        UnknownNameError,
        match=r"Did you mean 'spanish'\? There is: spanish, english, generic, basic",
    ):
        text.normaliser("spansh")


@given(reference=WORDS, hypothesis=WORDS)
def test_word_edits_are_jiwers_counts(reference: str, hypothesis: str) -> None:
    theirs = jiwer.process_words(reference, hypothesis)
    edits = theirs.substitutions + theirs.deletions + theirs.insertions
    assert text.word_edits(reference, hypothesis) == (edits, len(theirs.references[0]))


@pytest.mark.parametrize("name", text.NORMALISERS)
@given(pairs=st.lists(st.tuples(SENTENCES, SENTENCES), min_size=1, max_size=5))
def test_wer_is_jiwers_on_the_normalised_texts_to_the_last_digit(
    name: str, pairs: list[tuple[str, str]]
) -> None:
    normalise = text.normaliser(name)
    references, heard = ([normalise(pair[side]) for pair in pairs] for side in (0, 1))
    counts = [text.word_edits(*both) for both in zip(references, heard, strict=True)]
    edits, words = (sum(count[side] for count in counts) for side in (0, 1))
    if words:
        assert edits / words == jiwer.wer(references, heard)


@given(reference=TEXTS.map(text.spanish), hypothesis=TEXTS.map(text.spanish))
def test_character_edits_are_jiwers_counts(reference: str, hypothesis: str) -> None:
    theirs = jiwer.process_characters(reference, hypothesis)
    edits = theirs.substitutions + theirs.deletions + theirs.insertions
    assert text.character_edits(reference, hypothesis) == (edits, len(theirs.references[0]))
