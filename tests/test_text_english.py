"""The English normaliser: values that Whisper's own tests state, and the rules of its paper."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.speech import text
from harness.speech.text.english_words import american

# openai/whisper (MIT), tests/test_normalizer.py, test_number_normalizer: every value of it
NUMBERS = """
two | 2
thirty one | 31
five twenty four | 524
nineteen ninety nine | 1999
twenty nineteen | 2019
two point five million | 2500000
four point two billions | 4200000000s
200 thousand | 200000
200 thousand dollars | $200000
$20 million | $20000000
€52.4 million | €52400000
£77 thousands | £77000s
two double o eight | 2008
three thousand twenty nine | 3029
forty three thousand two hundred sixty | 43260
forty three thousand two hundred and sixty | 43260
nineteen fifties | 1950s
thirty first | 31st
thirty three thousand and three hundred and thirty third | 33333rd
three billion | 3000000000
millions | 1000000s
july third twenty twenty | july 3rd 2020
august twenty sixth twenty twenty one | august 26th 2021
3 14 | 3 14
3.14 | 3.14
3 point 2 | 3.2
3 point 14 | 3.14
fourteen point 4 | 14.4
two point two five dollars | $2.25
two hundred million dollars | $200000000
$20.1 million | $20100000
ninety percent | 90%
seventy six per cent | 76%
double oh seven | 007
double zero seven | 007
nine one one | 911
nine double one | 911
one triple oh one | 10001
two thousandth | 2000th
thirty two thousandth | 32000th
minus 500 | -500
positive twenty thousand | +20000
two dollars and seventy cents | $2.70
3 cents | ¢3
$0.36 | ¢36
three euros and sixty five cents | €3.65
three and a half million | 3500000
forty eight and a half dollars | $48.5
b747 | b 747
10 th | 10th
10th | 10th
"""
# the same file, test_text_normalizer; and the examples of the paper's appendix C
TEXTS = """
Let's | let us
he's like | he is like
she's been like | she has been like
10km | 10 km
10mm | 10 mm
RC232 | rc 232
Mr. Park visited Assoc. Prof. Kim Jr. | mister park visited associate professor kim junior
Ten thousand dollars | $10000
"""
# the paper's rules, one by one; ours where the docstring says that we part
RULES = """
well [noise] (laughs) yes | well yes
um, I see | i see
the dog 's | the dog is
I can't, won't and don't | i can not will not and do not
don’t | do not
1,234,567.5 | 1234567.5
U.S. and e.g. | us and eg
café-bar & co | cafe bar and co
100 % sure, 5 $ | 100 sure 5
50% of $5 | 50% of $5
press one, then 1 | press one then one
press one two three | press 123
a second ago | a 2nd ago
oh my | oh my
the point is two | the point is 2
two and three | 2 and 3
room one oh five | room 105
no. 007 | no 007
St. Ives, the 1 st | saint ives the 1st
double trouble | double trouble
one hundred and one | 101
"""
SPELLING = """
mobilisation mobilization
cancelation cancellation
colour color
favourite favorite
neighbours neighbors
humorous humorous
organised organized
rise rise
promise promise
exercise exercise
advise advise
surprise surprise
analysed analyzed
analysis analysis
travelling traveling
centre center
metres meters
here here
dialogue dialog
grey gray
our our
hour hour
four four
tour tour
licence license
science science
"""


def cases(table: str, between: str) -> list[tuple[str, ...]]:
    return [tuple(line.split(between)) for line in table.strip().splitlines()]


@pytest.mark.parametrize(
    ("raw", "expected"), cases(NUMBERS + TEXTS.lstrip() + RULES.lstrip(), " | ")
)
def test_english_text_becomes_what_whispers_tests_and_paper_say(raw: str, expected: str) -> None:
    assert text.english(raw) == expected


@pytest.mark.parametrize(("british", "expected"), cases(SPELLING, " "))
def test_british_spellings_become_american(british: str, expected: str) -> None:
    assert american(british) == expected


WORDS = st.lists(
    st.one_of(
        st.sampled_from((NUMBERS + RULES + "oh o hundred and a half point double").split()),
        st.text(max_size=8),
    ),
    max_size=12,
).map(" ".join)


@given(raw=WORDS)
def test_any_text_is_read(raw: str) -> None:
    found = text.english(raw)
    assert found == " ".join(found.split())
    assert found == text.english(raw.upper().lower())


def test_a_long_number_is_read_in_a_moment() -> None:
    digits = "9" * 50_000
    assert text.english(f"{digits} thousand") == f"{digits} 1000"
    assert text.english("nine " * 20_000) == "9" * 20_000


@pytest.mark.parametrize("name", text.LANGUAGES)
def test_a_normaliser_of_a_language_is_one(name: str) -> None:
    assert name in text.NORMALISERS
