"""When a run looks at what it has measured, and how strict each look is.

Few early looks at a very high level and a last one at what is left of alpha (Haybittle, British
Journal of Radiology 44, 1971; Peto et al., British Journal of Cancer 34, 1976). The chances of each
look to err add up to alpha at most, whatever depends on what: that a run may stop at any of them
does not make it err more often. Bounds that hold at every single moment (Howard and Ramdas,
Bernoulli 28, 2022; Waudby-Smith and Ramdas, JRSS B 86, 2024) need independent units, which calls in
a row are not; docs/trust.md has what they cost here.

What the runner does early is reject: a latency is approved when its plan is through, a text when
its data is (see looking.py). A run that stopped early has not seen what comes late, whatever bound
it had.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

ALPHA = 0.05  # of each bound of a gate, all looks together
EARLY_ALPHA = 0.0025  # of each early look
MOST_LOOKS = 10
GROWTH = 1.25  # looks nearer to each other learn too little to be worth their alpha
BEFORE = 3  # looks before the most demanding quantile can be decided: for what is hopeless


@dataclass(frozen=True)
class Look:
    """How one look reads a figure: the level of each bound, and by how much a latency of an earlier
    time, when runs stopped early on approvals, may yet drift."""

    level: float = 1 - ALPHA
    allowance: float = 0.0


def looks(first: int, planned: int, likely: int = 0) -> tuple[int, ...]:
    """After how many of the `planned` rounds (or utterances) to look early, ascending.

    Geometric from `first`, at most ten, none at the end itself. `likely`: before it the most
    demanding quantile cannot be decided, so that only three looks are spent before.
    """
    if not 0 < first < planned:
        return ()
    if first < likely < planned:
        before = _geometric(first, likely, BEFORE)
        return (*before, *_geometric(likely, planned, MOST_LOOKS - len(before)))
    return _geometric(first, planned, MOST_LOOKS)


def early() -> Look:
    """An early look."""
    return Look(1 - EARLY_ALPHA)


def last(taken: int) -> Look:
    """The last look, after so many early ones."""
    return Look(1 - ALPHA + EARLY_ALPHA * min(taken, MOST_LOOKS))


def _geometric(first: int, end: int, most: int) -> tuple[int, ...]:
    count = max(1, min(most, int(math.log(end / first) / math.log(GROWTH))))
    steps = (math.ceil(first * (end / first) ** (k / count) - 1e-9) for k in range(count))
    return tuple(dict.fromkeys(step for step in steps if step < end))
