"""MAPSSWE, the matched-pairs test on segments of sentences (Gillick and Cox, ICASSP 1989).

Errors within a sentence depend on each other (a wrong word spoils its neighbours), but not across
words that both systems got right. So sentences are cut wherever both have at least two words right
in a row, as NIST's SCTK does (`sc_stats -t mapsswe`), and what is compared is the difference of the
two systems' errors in each piece that has any. It holds for many utterances of these speakers: it
knows nothing of speakers, who make errors in other sentences alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special  # not scipy.stats, which takes a second to import

from harness.decide.stats.bounds import Codes, Numbers

BUFFER = 2  # words that both got right between two segments


@dataclass(frozen=True)
class Errors:
    """Where a system erred, in any order: arrays of shape (errors,).

    `place` is 2 i + 1 for word i of the reference (substituted or deleted), 2 i for a word inserted
    before it; `utterance` is any number that both systems have in common.
    """

    utterance: Codes
    place: Codes

    @classmethod
    def of(cls, utterance: ArrayLike, place: ArrayLike) -> Errors:
        return cls(np.asarray(utterance, dtype=np.intp), np.asarray(place, dtype=np.intp))


@dataclass(frozen=True)
class MatchedPairs:
    """`z` as SCTK prints it; `p` two-sided, by t with segments - 1 degrees of freedom, which is
    SCTK's normal where there are many. NaN where the segments do not tell how they vary."""

    mean: float
    z: float
    p: float
    segments: int


def segment_errors(ours: Errors, theirs: Errors) -> tuple[Numbers, Numbers]:
    """Errors of both systems in each segment that has any, shape (segments,)."""
    utterance = np.concatenate([ours.utterance, theirs.utterance])
    place = np.concatenate([ours.place, theirs.place])
    mine = np.arange(place.size) < ours.place.size
    order = np.lexsort([place, utterance])
    utterance, place, mine = utterance[order], place[order], mine[order]
    right = place[1:] // 2 - (place[:-1] + 1) // 2  # words between two errors
    begins = (np.diff(utterance) != 0) | (right >= BUFFER)
    segment = np.concatenate([np.zeros(min(place.size, 1), dtype=np.intp), np.cumsum(begins)])
    count = int(segment[-1]) + 1 if segment.size else 0
    found = [np.bincount(segment[side], minlength=count) for side in (mine, ~mine)]
    return found[0].astype(np.float64), found[1].astype(np.float64)


def matched_pairs(ours: ArrayLike, theirs: ArrayLike) -> MatchedPairs:
    """The test on errors per segment of both systems, shape (segments,) each."""
    each = np.asarray(ours, dtype=np.float64) - np.asarray(theirs, dtype=np.float64)
    n = each.size
    if not each.any():  # also none at all: nothing differs
        return MatchedPairs(0.0, 0.0, 1.0, n)
    mean = float(each.mean())
    spread = float(each.std(ddof=1)) if n > 1 else 0.0
    if spread == 0:
        return MatchedPairs(mean, math.nan, math.nan, n)
    z = mean / (spread / math.sqrt(n))
    return MatchedPairs(mean, z, float(2 * special.stdtr(n - 1, -abs(z))), n)
