"""An estimate with its two bounds, and how much more data would move a bound past a limit."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Codes = NDArray[np.intp]


FEWEST = 5  # independent units under which resampling them says nothing
MOST_SAMPLES = 1e9  # more than this is no plan


@dataclass(frozen=True)
class Interval:
    """An estimate and its bounds, from `n` samples in `units` that are independent of each other.

    `why` tells what is wrong with the bounds: "few" (infinite: too few data), "constant" (the
    values never vary: nothing may pass on them), "broken" (all NaN: no data, or data that are no
    numbers), else "". `grown(k)` gives the bounds after k times as many samples like these, for
    figures whose bounds do not shrink with 1 / sqrt(k).
    """

    estimate: float
    low: float
    high: float
    n: int
    units: int
    method: str
    p: float = math.nan  # two-sided, against "no difference"; NaN where nothing is compared
    why: str = ""
    grown: Callable[[float], tuple[float, float]] | None = field(
        default=None, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        """The bounds always hold the estimate, also where a skewed resample would not."""
        if math.isnan(self.estimate):
            for name in ("low", "high", "p"):
                object.__setattr__(self, name, math.nan)
            object.__setattr__(self, "why", "broken")
            return
        object.__setattr__(self, "low", min(self.low, self.estimate))
        object.__setattr__(self, "high", max(self.high, self.estimate))
        if not self.why and not (math.isfinite(self.low) and math.isfinite(self.high)):
            object.__setattr__(self, "why", "few")


def exactly(value: float, n: int, method: str) -> Interval:
    """A figure without sampling error (bytes of a file): both bounds are the value itself."""
    if not math.isfinite(value):
        return broken(n, method)
    return Interval(value, value, value, n, n, method)


def allowing(interval: Interval, drift: float) -> Interval:
    """Bounds of a time that may yet turn out faster or slower by the share `drift`."""
    return replace(interval, low=interval.low / (1 + drift), high=interval.high * (1 + drift))


def unbounded(estimate: float, n: int, units: int, method: str, why: str = "few") -> Interval:
    """An estimate of which nothing can be said."""
    return Interval(estimate, -math.inf, math.inf, n, units, method, why=why)


def broken(n: int, method: str) -> Interval:
    """No data, or data that are no numbers."""
    return Interval(math.nan, math.nan, math.nan, n, 0, method)


def needed_for_bound(interval: Interval, limit: float) -> float:
    """Samples in all after which the bound that straddles `limit` would probably clear it.

    Widths shrink with 1 / sqrt(n), so n grows with (margin of error / distance to the limit)^2; of
    a share that was never seen they shrink with 1 / n, so it tells its bounds itself (`grown`). No
    factor for power: a limit that lies inside the bounds is seen nearer than it is, by about that
    much. With too few units for any bound: what the fewest units take. NaN where nothing is known.
    """
    if interval.grown is not None and interval.grown(1.0) == (interval.low, interval.high):
        return _grown_past(interval, interval.grown, limit)
    distance = abs(limit - interval.estimate)
    bound = interval.high if interval.estimate <= limit else interval.low
    width = abs(bound - interval.estimate)
    if math.isinf(width) and 0 < interval.units < FEWEST:
        return float(math.ceil(interval.n / interval.units * FEWEST))
    if not (math.isfinite(width) and width > 0 and distance > 0):
        return math.nan
    return float(math.ceil(interval.n * (width / distance) ** 2 - 1e-9))


def _grown_past(
    interval: Interval, grown: Callable[[float], tuple[float, float]], limit: float
) -> float:
    """Samples after which the bound on the limit's side is past it; NaN where none are enough."""
    above = interval.estimate <= limit

    def clears(samples: float) -> bool:
        low, high = grown(samples / interval.n)
        return high <= limit if above else low > limit

    most = float(interval.n)
    while not clears(most):
        most *= 2
        if most > MOST_SAMPLES:
            return math.nan
    least = 1.0
    while most - least > 1:
        middle = math.floor((least + most) / 2)
        least, most = (least, middle) if clears(middle) else (middle, most)
    return most


def codes(labels: NDArray[np.generic]) -> tuple[Codes, int]:
    """Labels (any dtype that sorts) as 0 .. units - 1, in the order of the labels."""
    found, inverse = np.unique(labels, return_inverse=True)
    return inverse.reshape(-1).astype(np.intp), len(found)
