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
from collections import Counter
from collections.abc import Iterator, Sequence

TIMES = (6, 4, 3, 3)  # of a block of 1, 2, 3, 4 words
TIMES_OF_LONGER = 2
LETTERS = 24
OF_LETTERS = re.compile(r"(.+?)\1{3,}")


def loops(text: str, reference: str = "") -> list[tuple[int, int]]:
    """(first word, word after the last one) of each loop in `text`; they may overlap.

    Both texts normalised: words are what single spaces separate.
    """
    words = text.split()
    if not words or (len(set(words)) == len(words) and max(map(len, words)) < LETTERS):
        return []
    known = f" {reference} "
    runs = {*_of_words(words), *_of_letters(words)}
    return sorted(run for run in runs if f" {' '.join(words[slice(*run)])} " not in known)


def looped_words(text: str, reference: str = "") -> int:
    """How many words of `text` are in a loop."""
    return len({place for run in loops(text, reference) for place in range(*run)})


def _of_words(words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Each longest run of whole blocks, for each size of block that could have one."""
    for size, matches in sorted(_gaps(words).items()):
        least = TIMES[size - 1] if size <= len(TIMES) else TIMES_OF_LONGER
        if matches < size * (least - 1):
            continue
        same = 0  # words in a row that are the one `size` words before them
        for place in range(size, len(words) + 1):
            if place < len(words) and words[place] == words[place - size]:
                same += 1
                continue
            times = 1 + same // size
            if times >= least:
                start = place - same - size
                yield start, start + times * size
            same = 0


def _gaps(words: Sequence[str]) -> Counter[int]:
    """How many pairs of equal words are how far apart: few, but in a loop."""
    places: dict[str, list[int]] = {}
    gaps: Counter[int] = Counter()
    for place, word in enumerate(words):
        before = places.setdefault(word, [])
        gaps.update(place - other for other in before)
        before.append(place)
    return gaps


def _of_letters(words: Sequence[str]) -> Iterator[tuple[int, int]]:
    for place, word in enumerate(words):
        if len(word) >= LETTERS and OF_LETTERS.fullmatch(word):
            yield place, place + 1
