"""Loops in transcripts: the table's limits, what people say, and what the reference says too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.plugins.metrics import _repeats

WORDS = st.sampled_from(["uno", "dos", "tres", "cuatro", "cinco", "seis", "siete"])


def block(size: int) -> list[str]:
    return [f"w{i}" for i in range(size)]


@pytest.mark.parametrize(
    ("size", "times"), [(1, 6), (2, 4), (3, 3), (4, 3), (5, 2), (6, 2), (20, 2)]
)
def test_a_block_is_a_loop_from_the_tables_number_of_times_on(size, times):
    words = block(size)
    assert _repeats.loops(" ".join(words * times)) != []
    assert _repeats.loops(" ".join(words * (times - 1) + words[:-1])) == []


@pytest.mark.parametrize(
    "said",
    [
        "",
        "no no no",
        "ja ja ja",
        "ja ja ja ja ja",
        "jajajajaja",
        "por favor por favor por favor",
        "me oye usted me oye usted",
        "electroencefalografista",
        "si si claro que si si claro que si",
        "anticonstitucionalmenteanticonstitucionalmente",  # two words run together
    ],
)
def test_what_people_say_is_no_loop(said):
    assert _repeats.loops(said) == []


@pytest.mark.parametrize(
    ("said", "looped"),
    [
        # what Whisper base in INT8 said of data/cv-es-prompts with no context beyond the clip
        ("ya " * 16, 16),
        ("es" + " en" * 16, 16),
        ("usted tiene un era" + " a la conferencia" * 4, 12),
        ("su mensaje es muy corto " * 4, 20),
        ("para reducir el volumen de su habla hacia otros participantes " * 2, 20),
        ("j" + "aj" * 30 + "a", 1),
    ],
)
def test_loops_are_found_and_their_words_counted(said, looped):
    assert _repeats.loops(said.strip()) != []
    assert _repeats.looped_words(said.strip()) == looped


def test_what_the_reference_says_as_often_is_no_loop():
    spelled = "el código es cero cero cero cero cero cero cero"
    assert _repeats.loops(spelled, spelled) == []
    assert _repeats.loops(spelled + " cero", spelled) == [(3, 11)]
    assert _repeats.loops(spelled, "el código es cero cero") == [(3, 10)]


@given(st.lists(WORDS, max_size=6), st.lists(WORDS, min_size=1, max_size=8), st.integers(6, 9))
def test_any_block_said_six_times_is_found_whatever_comes_before(before, unit, times):
    said = " ".join(before + unit * times)
    assert _repeats.looped_words(said) >= len(unit) * (times - 1)


@given(st.lists(WORDS, max_size=30))
def test_what_is_found_is_whole_blocks_in_a_row_as_often_as_the_table_says(words):
    for start, end in _repeats.loops(" ".join(words)):
        run = words[start:end]
        sizes = [n for n in range(1, len(run) // 2 + 1) if run == run[:n] * (len(run) // n)]
        least = [(6, 4, 3, 3)[n - 1] if n <= 4 else 2 for n in sizes]
        assert any(len(run) >= n * times for n, times in zip(sizes, least, strict=True))


@given(st.lists(WORDS, max_size=24))
def test_a_brute_search_finds_the_same(words):
    def loop(start: int, size: int) -> bool:
        times = (6, 4, 3, 3)[size - 1] if size <= 4 else 2
        unit = words[start : start + size]
        return len(unit) == size and words[start : start + size * times] == unit * times

    expected = any(loop(i, n) for i in range(len(words)) for n in range(1, len(words) // 2 + 1))
    assert bool(_repeats.loops(" ".join(words))) == expected


def by_definition(words: list[str]) -> list[tuple[int, int]]:
    """The table row by row: for each size of block, each longest run of whole blocks."""
    found = set()
    for size in range(1, len(words) // 2 + 1):
        same = 0  # words in a row that are the one `size` words before them
        for place in range(size, len(words) + 1):
            if place < len(words) and words[place] == words[place - size]:
                same += 1
                continue
            times = 1 + same // size
            if times >= ((6, 4, 3, 3)[size - 1] if size <= 4 else 2):
                start = place - same - size
                found.add((start, start + times * size))
            same = 0
    return sorted(found)


UNITS = st.lists(st.sampled_from("abc"), min_size=1, max_size=6)
REPEATED = st.lists(st.tuples(UNITS, st.integers(1, 14)), max_size=5).map(
    lambda parts: [word for unit, times in parts for word in unit * times]
)


@given(REPEATED, st.integers(1, 3))
def test_the_runs_are_those_of_the_definition(words, times):
    words = words * times
    found = by_definition(words)
    said = " ".join(words)
    assert _repeats.loops(said) == found
    assert _repeats.looped_words(said) == len({at for run in found for at in range(*run)})


def test_a_loop_costs_little_more_than_its_length(monkeypatch):
    """Half a minute and more where each pair of equal words is looked at, and asked for once."""
    assert _repeats.looped_words("no " * 16_000) == 16_000
    assert len(_repeats.loops("no " * 16_000)) == len({16_000 // n * n for n in range(1, 8001)})
    asked = []
    monkeypatch.setattr(_repeats, "_of_words", lambda words: asked.append(words) or ())
    _repeats.loops("no " * 16_000)
    assert asked == []  # both metrics share one look


@given(st.lists(st.sampled_from([f"w{i}" for i in range(40)]), max_size=30, unique=True))
def test_words_that_differ_are_never_a_loop(words):
    assert _repeats.loops(" ".join(words)) == []


@given(st.lists(WORDS, max_size=30))
def test_a_transcript_equal_to_its_reference_has_no_loop(words):
    said = " ".join(words)
    assert _repeats.looped_words(said, said) == 0
    assert 0 <= _repeats.looped_words(said) <= len(words)
