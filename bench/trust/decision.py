"""The whole decision on a large corpus: seconds, memory, and whether they grow in proportion."""

from __future__ import annotations

import math

import decision

from trust.rows import Row

SIZES = (50_000, 100_000, 200_000)
ASKED = 100_000


def rows(experiments: int, seed: int) -> list[Row]:
    """Each size once, in a process of its own; `seed` is the corpus's own."""
    found = {n: decision.alone(decision.utterances(n)) for n in SIZES}
    case = f"{ASKED:,} utterances x 2 variants, 10,000 draws"
    asked, first, last = found[ASKED], found[SIZES[0]], found[SIZES[-1]]
    growth = last["seconds"] / first["seconds"] / (SIZES[-1] / SIZES[0])
    cpu = f"{asked['cpu_seconds']:g} s of CPU time"
    before = f"{asked['peak_mb_before']:g} MB of them for reading the calls"
    sizes = f"{SIZES[0]:,} to {SIZES[-1]:,} utterances, time against their number"
    return [
        Row("decision", case, asked["seconds"], math.nan, 1, "<= 10", cpu, "s"),
        Row("decision", case, asked["peak_mb"], math.nan, 1, "<= 1000", before, "MB"),
        Row("decision", sizes, growth, math.nan, 1, "<= 1.2", "1 is linear", "x"),
    ]
