"""How a figure of sums spreads over its units, and bounds that hold although the units are skewed.

Each bound is the farthest of three, which fail in different places (bench/trust/quality.py measures
them; docs/trust.md has the figures):

- the expanded percentile of the resamples, for few units (see resampling.py);
- t on the standard error of the linearised figure (Cochran, Sampling Techniques, 3rd ed., 2.11),
  for outliers: resamples of one utterance that loops are in lumps. Its degrees of freedom are those
  of a variance that is itself known from heavy tails (Satterthwaite's match of
  Var(s^2) = sigma^4 (2 / (K - 1) + excess kurtosis / K): Cramer, Mathematical Methods of
  Statistics, 1946, 27.4);
- BCa, the percentile corrected for bias and skewness (Efron and Tibshirani, An Introduction to the
  Bootstrap, 1993, ch. 14), its tails expanded alike, for speakers who differ much.

Where errors are counted their variance grows with their number, so that a sample that happens to
have few also looks steady. `widening_of_*` tell by how much the standard error is larger if the
truth lies at the bound: the score interval of Wilson (JASA 22, 1927) for one rate and of Tango
(Statistics in Medicine 17, 1998) for a paired difference, with the clusters' own variance instead
of the binomial one. Between no errors and no errors they are 1: a test against 0 stays what it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special  # not scipy.stats, which takes a second to import

from harness.decide.stats.bounds import Numbers
from harness.decide.stats.resampling import expanded_bounds, tail_share, two_sided_p

Bounds = tuple[float, float]
STEPS = 20  # of a fixed point that gains a digit or more with each


@dataclass(frozen=True)
class Spread:
    """A figure, the same figure of each resample, and its linear part in each unit.

    `figures` has shape (draws,), NaN where a resample has no such figure; `parts` has shape
    (units,), adds up to 0, and its squares to (units - 1) / units of the figure's variance.
    """

    estimate: float
    figures: Numbers
    parts: Numbers

    @property
    def units(self) -> int:
        return int(self.parts.size)

    @property
    def error(self) -> float:
        """The standard error of the linearised figure; inf for a single unit."""
        if self.units < 2:
            return math.inf
        return math.sqrt(self.units / (self.units - 1) * float(np.sum(self.parts**2)))

    @property
    def freedom(self) -> float:
        """Degrees of freedom of the standard error: units - 1, fewer with heavy tails."""
        units, squares = self.units, float(np.sum(self.parts**2))
        if units < 2 or squares == 0:
            return 1.0
        excess = units * float(np.sum(self.parts**4)) / squares**2 - 3
        return 2 / (2 / (units - 1) + max(excess, 0.0) / units)

    def half(self, level: float) -> float:
        """Half the t interval."""
        return float(special.stdtrit(self.freedom, level)) * self.error

    def bounds(self, level: float) -> Bounds:
        """The farthest lower and upper bound of the three; infinite where the units are too few."""
        low, high = expanded_bounds(self.figures, self.units, level)
        if math.isinf(low) and math.isinf(high):
            return low, high
        half, corrected = self.half(level), self._corrected(level)
        return (
            min(low, self.estimate - half, corrected[0]),
            max(high, self.estimate + half, corrected[1]),
        )

    def p(self, nothing: float = 0.0) -> float:
        """Two-sided, against `nothing`: the level at which the bounds reach it (NaN: no bounds)."""
        p = two_sided_p(self.figures, self.units, nothing)
        if math.isnan(p):
            return p
        away = abs(self.estimate - nothing)
        t = away / self.error if self.error > 0 else math.inf
        by_t = float(2 * special.stdtr(self.freedom, -t)) if away > 0 else 1.0
        return max(p, by_t, self._corrected_p(nothing))

    @property
    def _bias(self) -> float:
        below = np.sum(self.figures < self.estimate) + np.sum(self.figures == self.estimate) / 2
        return float(special.ndtri((below + 0.5) / (self.figures.size + 1)))

    @property
    def _acceleration(self) -> float:
        squares = float(np.sum(self.parts**2))
        return float(np.sum(self.parts**3)) / (6 * squares**1.5) if squares > 0 else 0.0

    def _corrected(self, level: float) -> Bounds:
        bias, skew = self._bias, self._acceleration
        z = float(special.ndtri(tail_share(self.units, level)))
        ordered = np.sort(self.figures[~np.isnan(self.figures)])
        last = ordered.size - 1

        def at(x: float) -> float:
            room = 1 - skew * x
            share = special.ndtr(bias + x / room) if room > 0 else float(x > 0)
            return float(ordered[min(max(int(share * ordered.size), 0), last)])

        return at(bias + z), at(bias - z)

    def _corrected_p(self, nothing: float) -> float:
        """`_corrected` solved for the level."""
        below = np.sum(self.figures < nothing) + np.sum(self.figures == nothing) / 2
        moved = float(special.ndtri((below + 0.5) / (self.figures.size + 1))) - self._bias
        room = 1 + self._acceleration * moved
        if room <= 0:
            return 0.0  # beyond every corrected bound
        z = moved / room - self._bias
        spread = math.sqrt(self.units / (self.units - 1))
        return float(2 * special.stdtr(self.units - 1, -abs(z) / spread))


def widening_of_rate(total: float, half: float) -> float:
    """By how much a rate's upper half interval is wider if the truth lies at its end: at least 1.

    `total` and `half`: errors, and half the interval in errors. Solves d = half sqrt(1 + d / total)
    for the distance d.
    """
    if not (total > 0 and 0 < half < math.inf):
        return 1.0
    lean = half / (2 * total)
    return lean + math.sqrt(1 + lean * lean)


def widening_of_difference(ups: float, downs: float, half: float) -> float:
    """The same for the upper end of a difference of `ups` - `downs` errors: at least 1.

    `ups` is by how much utterances got worse in sum, `downs` by how much others got better. Their
    expected sum, given the difference, is that of two Poisson counts (the larger root of
    2 m^2 + (2 d - ups - downs) m - downs d = 0 for the expected `downs`).
    """
    moves = ups + downs
    if not (moves > 0 and 0 < half < math.inf):
        return 1.0
    distance = half
    for _ in range(STEPS):
        d = ups - downs + distance
        expected = (moves + math.sqrt(max((2 * d - moves) ** 2 + 8 * downs * d, 0.0))) / 2
        distance = half * math.sqrt(expected / moves)
    return max(distance / half, 1.0)
