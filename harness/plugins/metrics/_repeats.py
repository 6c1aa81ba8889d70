"""Runs in a transcript: a block of words said over and over, beyond what people say.

What counts as a loop, on normalised words:

| block                              | loop from  | no loop                                   |
|------------------------------------|------------|-------------------------------------------|
| 1 word                             | 6 times    | no no no; ja ja ja ja ja                  |
| 2 words                            | 4 times    | por favor por favor por favor             |
| 3 or 4 words                       | 3 times    | me oye usted me oye usted                 |
| 5 words or more                    | 2 times    | a sentence said once                      |
| letters of a word of 24 or more,   | 4 times    | jajajajaja; electroencefalografista       |
| which is nothing but them          |            |                                           |

Only whole blocks in a row count, and what the reference says just as often in a row is no loop: a
speaker who spells a number says "cero" six times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

TIMES = (6, 4, 3, 3)  # of a block of 1, 2, 3, 4 words
TIMES_OF_LONGER = 2
FEWEST = 5  # words in a loop that were said before: from 6 times one word, 2 times five
LETTERS = 24
OF_LETTERS = re.compile(r"(.+?)\1{3,}")

Run = tuple[int, int]


def loops(text: str, reference: str = "") -> list[Run]:
    """(first word, word after the last one) of each loop in `text`; they may overlap.

    Both texts normalised: words are what single spaces separate.
    """
    return [*_loops(text, reference)]


def looped_words(text: str, reference: str = "") -> int:
    """How many words of `text` are in a loop."""
    found = reached = 0
    for start, end in _loops(text, reference):  # in order of their starts
        found += max(0, end - max(start, reached))
        reached = max(reached, end)
    return found


@lru_cache(maxsize=1 << 12)  # two metrics ask, one after the other; variants mostly hear the same
def _loops(text: str, reference: str) -> tuple[Run, ...]:
    words = text.split()
    runs = {*_of_words(words), *_of_letters(words)}
    known, longest = f" {reference} ", len(reference.split())
    return tuple(
        sorted(
            (start, end)
            for start, end in runs
            if end - start > longest or f" {' '.join(words[start:end])} " not in known
        )
    )


def _of_words(words: Sequence[str]) -> Iterator[Run]:
    """Each longest run of whole blocks, for each size of block that has one.

    What is periodic with a multiple of its smallest period is so just as far (Fine and Wilf), so
    that the runs of the smallest one give those of all sizes.
    """
    if len(words) - len(set(words)) < FEWEST:
        return
    for start, end, period in _periodic(words):
        for size in range(period, (end - start) // 2 + 1, period):
            times = (end - start) // size
            if times >= (TIMES[size - 1] if size <= len(TIMES) else TIMES_OF_LONGER):
                yield start, start + times * size


def _periodic(words: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """(start, end, period) of what is said twice or more in a row, as far as it goes.

    A stretch of `period` words or more that are those `period` words before them holds an aligned
    piece of half that length, and few pieces are equal so far apart. Sizes that only an earlier
    run's multiples explain are not looked at, since a loop has as many of them as it has words.
    """
    numbers: dict[str, int] = {}
    runs = 0
    word = np.array([numbers.setdefault(word, len(numbers)) for word in words])
    pieces = [word]  # pieces[k][i]: equal where the 2**k words from i on are
    # of the longest run so far that holds a word: its number, its length, its period
    number, length, period = np.zeros((3, len(words)), np.int64)
    for size in range(1, len(words) // 2 + 1):
        level = ((size + 1) // 2).bit_length() - 1
        if level == len(pieces):
            pieces.append(_doubled(pieces[-1], 1 << (level - 1)))
        piece, step = pieces[level], 1 << level
        at = np.flatnonzero(piece[:-size:step] == piece[size::step]) * step
        if not at.size:
            continue
        explained = (number[at] > 0) & (number[at] == number[at + size])
        explained &= size % np.maximum(period[at], 1) == 0
        if explained.all():
            continue
        for start, end in _stretches(word[size:] == word[:-size], size):
            yield start, end + size, size
            if end + size - start > length[start : end + size].max():
                runs += 1
                for what, it in ((number, runs), (length, end + size - start), (period, size)):
                    what[start : end + size] = it


def _doubled(piece: np.ndarray, length: int) -> np.ndarray:
    """The same for pieces of twice that length."""
    pairs = piece[:-length] * (int(piece.max()) + 1) + piece[length:]
    found: np.ndarray = np.unique(pairs, return_inverse=True)[1]
    return found


def _stretches(same: np.ndarray, least: int) -> list[Run]:
    """Where `same` is true at least so many times in a row."""
    edges = np.flatnonzero(np.diff(same, prepend=False, append=False))
    starts, ends = edges[::2], edges[1::2]
    long = ends - starts >= least
    return [*zip(starts[long].tolist(), ends[long].tolist(), strict=True)]


def _of_letters(words: Sequence[str]) -> Iterator[Run]:
    for place, word in enumerate(words):
        if len(word) >= LETTERS and OF_LETTERS.fullmatch(word):
            yield place, place + 1
