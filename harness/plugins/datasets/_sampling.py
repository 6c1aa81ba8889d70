"""Draws which items of a data set are used: by a seed, stratified by length, so many or so long.

How it is drawn. The items are ranked by length (ties in random order, unknown lengths last) and cut
into S = min(10, limit) strata of equal count: item of rank r of n lies in stratum floor(r * S / n).
Each stratum is put in random order. Round j takes the j-th item of each stratum, the strata in
random order within the round. So every beginning of the walk holds equally many of each stratum, to
within one, and each item has the same chance but for the rounding of n / S. `limit` takes the first
items of the walk; `minutes` takes them until the next one would exceed the sum, at least one. Both:
what is reached first. Where no length is known, `limit` items are drawn plainly, all equally
likely. What is drawn comes back in the data set's own order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from harness.contracts import notes
from harness.errors import AssetError

STRATA = 10


@dataclass(frozen=True)
class Wanted:
    """How much of a data set: so many items, so many minutes of audio, or all of it."""

    limit: int | None = None
    minutes: float | None = None
    seed: int = 0

    @property
    def everything(self) -> bool:
        """Whether nothing needs to be drawn, however large the set is."""
        return self.limit is None and self.minutes is None


@dataclass(frozen=True)
class Drawn:
    """`rows`: ascending places in the data set; `how`: as a note, "" where all of it is used."""

    rows: np.ndarray
    how: str = ""

    def notes(self, wanted: Wanted, total: int) -> dict[str, str]:
        """What a data set's notes say of the draw: rows, used and, where drawn, seed and how."""
        counts = {"rows": str(total), "used": str(len(self.rows))}
        return {**counts, **({"seed": str(wanted.seed), "drawn": self.how} if self.how else {})}


def draw(lengths: np.ndarray, wanted: Wanted) -> Drawn:
    """Which items are used. `lengths`: seconds of each, NaN where unknown, shape (items,).

    An unknown length counts towards `minutes` as the mean of the known ones.

    Raises: AssetError (one line) for `minutes` where no length is known.
    """
    total = len(lengths)
    known = int(np.isfinite(lengths).sum())
    enough = wanted.limit is None or wanted.limit >= total
    if wanted.minutes is None and (enough or not known):
        return _plain(total, wanted.limit, wanted.seed)
    if not total:
        return Drawn(np.arange(0))
    if not known:
        raise AssetError("minutes: no length of a clip is known; use limit, a number of clips.")
    strata = min(STRATA, total, wanted.limit or STRATA)
    walk = _walk(lengths, strata, wanted.seed)
    count = min(wanted.limit or total, _within(lengths[walk], wanted.minutes))
    if count == total:
        return Drawn(np.arange(total))
    how = notes.written("stratified", strata=strata)
    if known < total:
        lacking = {"unknown": total - known, "all": total}
        how = notes.joined(how, notes.written("lengths_unknown", **lacking))
    return Drawn(np.sort(walk[:count]), how)


def _plain(total: int, limit: int | None, seed: int) -> Drawn:
    if limit is None or limit >= total:
        return Drawn(np.arange(total))
    drawn = np.random.default_rng(seed).choice(total, limit, replace=False)
    return Drawn(np.sort(drawn), notes.written("at_random"))


def _walk(lengths: np.ndarray, strata: int, seed: int) -> np.ndarray:
    """All items in an order of which every beginning is balanced over the strata."""
    random = np.random.default_rng(seed)
    total = len(lengths)
    mixed = random.permutation(total)
    ranked = mixed[np.argsort(lengths[mixed], kind="stable")]  # NaN sorts last
    stratum = np.arange(total) * strata // total
    shuffled = np.lexsort((random.random(total), stratum))
    first = np.searchsorted(stratum, np.arange(strata))
    place = np.arange(total) - first[stratum]  # of each within its stratum
    walked: np.ndarray = ranked[shuffled[np.lexsort((random.random(total), place))]]
    return walked


def _within(lengths: np.ndarray, minutes: float | None) -> int:
    """How many of the first ones last no longer than `minutes` together; at least one."""
    if minutes is None:
        return len(lengths)
    seconds = np.where(np.isfinite(lengths), lengths, np.nanmean(lengths))
    fits = np.searchsorted(np.cumsum(seconds), math.nextafter(minutes * 60, math.inf), "right")
    return max(1, int(fits))
