"""How near an output is to the baseline's of the same item, as numbers that pool over items.

r is the baseline's output, y the variant's, one position (a frame, a token) a row. Sums are over
all positions; what is made of them is in plugins/metrics/.

| figure        | formula                                                                          |
|---------------|----------------------------------------------------------------------------------|
| noise, signal | sum (y - r)^2, sum r^2: relative L2 and SQNR are made of them (Widrow and Kollar,|
|               | Quantization Noise, 2008, 1.1: power of the signal over that of the noise)       |
| largest       | max |y - r|                                                                      |
| cosine        | sum over positions of y.r / (|y| |r|) (as torch.nn.functional.cosine_similarity, |
|               | dim=-1); 1 where both are zero, 0 where one is                                   |
| kl            | sum over positions of D(P || Q) = sum p ln(p / q), in nats, P the baseline's     |
|               | softmax, Q the variant's (Kullback and Leibler, Ann. Math. Stat. 22, 1951)       |
| kl_p99        | its 0.99 quantile over the positions of the item, by nearest rank                |
| agreeing      | positions at which both have the same largest class                              |
| first         | positions before the first at which they have not; all of them where there is no |
|               | such                                                                             |
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from harness.errors import OutputError

NUMBERS = 1 << 20  # looked at at once: 8 MB for each array, however large a piece is
TAIL = 0.99

Rows = NDArray[np.float64]


class Added(Protocol):
    """What is added up piece by piece, and told at the end."""

    def add(self, mine: np.ndarray, theirs: np.ndarray, name: str) -> None: ...
    def figures(self) -> dict[str, float]: ...


class OfOutputs:
    """Sums over any output. A position of one number has no direction, so that of those the cosine
    is of all that a piece holds."""

    def __init__(self) -> None:
        self.positions = 0
        self.noise = self.signal = self.largest = self.cosine = 0.0

    def add(self, mine: np.ndarray, theirs: np.ndarray, name: str) -> None:
        """A piece of each, of the same shape. Raises: OutputError for what is not a number."""
        mine, theirs = rows_of(mine), rows_of(theirs)
        if mine.shape[1] == 1:
            mine, theirs = mine.reshape(1, -1), theirs.reshape(1, -1)
        for at in _parts(mine):
            y, r = _numbers(mine[at], name), _numbers(theirs[at], f"the baseline's {name}")
            off = y - r
            self.noise += float(np.vdot(off, off))
            self.signal += float(np.vdot(r, r))
            self.largest = max(self.largest, float(np.abs(off).max(initial=0.0)))
            self.cosine += float(_cosines(y, r).sum())
            self.positions += len(y)

    def figures(self) -> dict[str, float]:
        names = ("positions", "noise", "signal", "largest", "cosine")
        return {name: float(getattr(self, name)) for name in names}


class OfLogits:
    """Sums over what scores classes on its last axis."""

    def __init__(self) -> None:
        self._each: list[NDArray[np.float64]] = []  # a number for each position
        self._same: list[NDArray[np.bool_]] = []

    def add(self, mine: np.ndarray, theirs: np.ndarray, name: str) -> None:
        """A piece of each, of the same shape. Raises: OutputError for what is not a number, and for
        a position of one number: there is nothing to choose from."""
        mine, theirs = rows_of(mine), rows_of(theirs)
        if mine.shape[1] < 2:
            raise OutputError(f"{name} holds one number a position: no classes to compare.")
        for at in _parts(mine):
            y, r = _numbers(mine[at], name), _numbers(theirs[at], f"the baseline's {name}")
            self._same.append(y.argmax(axis=1) == r.argmax(axis=1))
            self._each.append(divergence(r, y))

    def figures(self) -> dict[str, float]:
        each, same = np.concatenate(self._each), np.concatenate(self._same)
        found = {"positions": float(each.size), "kl": float(each.sum())}
        if each.size:
            found["kl_p99"] = float(np.quantile(each, TAIL, method="inverted_cdf"))
        found["agreeing"] = float(np.count_nonzero(same))
        found["first"] = float(same.size if same.all() else np.argmin(same))
        return found


def divergence(reference: Rows, other: Rows) -> NDArray[np.float64]:
    """D(P || Q) in nats of each row, from logits (or log-probabilities), never under zero."""
    p, q = _log_softmax(reference), _log_softmax(other)
    found: NDArray[np.float64] = np.maximum((np.exp(p) * (p - q)).sum(axis=1), 0.0)
    return found


def rows_of(piece: np.ndarray) -> np.ndarray:
    """(positions, features) of a piece: its last axis is a position's vector."""
    if piece.ndim < 2:
        return piece.reshape(1, -1)
    return piece.reshape(-1, piece.shape[-1]) if piece.size else piece.reshape(0, 1)


def _parts(rows: np.ndarray) -> list[slice]:
    step = max(1, NUMBERS // max(rows.shape[1], 1))
    return [slice(at, at + step) for at in range(0, len(rows), step)]


def _numbers(rows: np.ndarray, name: str) -> Rows:
    """Raises: OutputError for what is not finite."""
    found = rows.astype(np.float64)
    if not np.isfinite(found).all():
        raise OutputError(f"{name} holds what is not a finite number: nothing to compare.")
    return found


def _cosines(one: Rows, other: Rows) -> NDArray[np.float64]:
    lengths = np.linalg.norm(one, axis=1), np.linalg.norm(other, axis=1)
    product, dot = lengths[0] * lengths[1], (one * other).sum(axis=1)
    both = (lengths[0] == 0) & (lengths[1] == 0)
    cosines = np.divide(dot, product, out=both.astype(np.float64), where=product > 0)
    found: NDArray[np.float64] = np.clip(cosines, -1.0, 1.0)
    return found


def _log_softmax(rows: Rows) -> Rows:
    above = rows - rows.max(axis=1, keepdims=True)
    found: Rows = above - np.log(np.exp(above).sum(axis=1, keepdims=True))
    return found
