"""Number words against num2words, the Academy's lists and arithmetic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.speech import text
from harness.speech.text import numerals

# num2words 0.5.14, num2words(n, lang="es"); every n < 30,000 and 20,000 larger ones agreed too
NUM2WORDS = {
    0: "cero",
    1: "uno",
    16: "dieciséis",
    21: "veintiuno",
    22: "veintidós",
    31: "treinta y uno",
    99: "noventa y nueve",
    100: "cien",
    101: "ciento uno",
    500: "quinientos",
    777: "setecientos setenta y siete",
    1000: "mil",
    1234: "mil doscientos treinta y cuatro",
    2024: "dos mil veinticuatro",
    21000: "veintiuno mil",
    100000: "cien mil",
    101300: "ciento uno mil trescientos",
    1000000: "un millón",
    21000000: "veintiuno millones",
    123456789: "ciento veintitrés millones cuatrocientos cincuenta y seis mil setecientos"
    " ochenta y nueve",
    2000000000: "dos mil millones",
    10**12: "un billón",
}


@pytest.mark.parametrize(("number", "words"), NUM2WORDS.items())
def test_cardinals_are_those_of_num2words(number: int, words: str) -> None:
    assert " ".join(numerals.cardinal(number)) == words


def value(words: list[str]) -> int:
    """What the words of a number add up to."""
    total = group = 0
    for word in words:
        if word == "mil":
            group = max(group, 1) * 1000
        elif word in ("billón", "billones"):
            total, group = total + group * 10**12, 0
        elif word in ("millón", "millones"):
            total, group = total + group * 10**6, 0
        elif word in numerals.SMALL:
            group += numerals.SMALL.index(word)
        elif word in numerals.TENS:
            group += 10 * (numerals.TENS.index(word) + 3)
        elif word in numerals.HUNDREDS:
            group += 100 * (numerals.HUNDREDS.index(word) + 1)
        else:
            group += {"un": 1, "cien": 100, "y": 0}[word]
    return total + group


@given(st.integers(0, 10**15 - 1))
def test_the_words_of_a_number_add_up_to_it(number: int) -> None:
    words = numerals.cardinal(number)
    assert value(words) == number
    assert text.spanish(f"{number:,}".replace(",", ".")) == " ".join(words)


@pytest.mark.parametrize("number", [10**15, 10**400])
def test_a_number_beyond_all_words_is_read_digit_by_digit(number: int) -> None:
    digits = " ".join(["uno", *["cero"] * (len(str(number)) - 1)])
    assert text.spanish(str(number)) == text.spanish(f"{number:,}".replace(",", ".")) == digits


@pytest.mark.parametrize(
    ("number", "ending", "words"),
    [
        # Diccionario panhispánico de dudas, "ordinales", table
        (1, "º", "primero"),
        (1, "er", "primer"),
        (3, "ª", "tercera"),
        (10, "º", "décimo"),
        (11, "º", "undécimo"),
        (12, "ª", "duodécima"),
        (13, "er", "décimo tercer"),
        (14, "º", "décimo cuarto"),
        (20, "ª", "vigésima"),
        (21, "ª", "vigésima primera"),
        (40, "º", "cuadragésimo"),
        (88, "º", "octogésimo octavo"),
        (100, "º", "centésimo"),
        (400, "º", "cuadringentésimo"),
        (999, "º", "noningentésimo nonagésimo noveno"),
        # the last letters, as they are typed
        (2, "do", "segundo"),
        (4, "ta", "cuarta"),
        (7, "mo", "séptimo"),
        (8, "va", "octava"),
        (9, "no", "noveno"),
        (5, "no", None),
        (2, "er", None),
        (0, "º", None),
        (1000, "º", None),
    ],
)
def test_ordinals_are_those_of_the_academy(number: int, ending: str, words: str | None) -> None:
    found = numerals.ordinal(number, ending)
    assert found == (words.split() if words else None)


@pytest.mark.parametrize("tenth", ["decimo", "vigesimo"])
@pytest.mark.parametrize("gender", ["o", "a"])
def test_ordinals_in_one_word_meet_their_digits(tenth: str, gender: str) -> None:
    names = ["primer", "tercer", "cuart", "quint", "sext", "séptim", "octav", "noven"]
    sign = {"o": "º", "a": "ª"}[gender]
    for number, name in zip([1, 3, 4, 5, 6, 7, 8, 9], names, strict=True):
        digits = {"decimo": 10, "vigesimo": 20}[tenth] + number
        if digits != 11:  # undécimo and decimoprimero are two words
            assert text.spanish(tenth + name + gender) == text.spanish(f"{digits}{sign}")


@pytest.mark.parametrize(
    ("run", "words"),
    [
        ("15:30", "quince treinta"),
        ("24:00", "veinticuatro"),
        ("1:00", "una"),
        ("25:00", "veinticinco cero cero"),
        ("3:5", "tres cinco"),
        ("0:45", "cero cuarenta y cinco"),
        ("01.5", "cero uno punto cinco"),
        ("0.500", "cero punto quinientos"),
        ("1234.567", "mil doscientos treinta y cuatro punto quinientos sesenta y siete"),
        ("1.234,05", "mil doscientos treinta y cuatro coma cero cinco"),
        ("12.05.2024", "doce punto cero cinco punto dos mil veinticuatro"),
        ("00", "cero cero"),
    ],
)
def test_digits_with_signs_between_them_are_read(run: str, words: str) -> None:
    assert " ".join(numerals.said(run)) == words
