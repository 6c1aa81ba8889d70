"""Latencies as they are: independent, autocorrelated with block shifts, spiky, drifting.

All are lognormal with a log standard deviation of 8 % around a median of 1, as 300 real calls were
(P50, P90, P99 of 328, 362, 404 ms). `true_quantile` is exact, by the mixture's distribution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize, signal, special

SPREAD = 0.08
CALLS_PER_BLOCK = 3  # the runner's usual


@dataclass(frozen=True)
class Generator:
    """What disturbs the calls. `autocorrelation` runs on from block to block, through the `gap`
    calls of other cells that lie between them in a round."""

    name: str
    autocorrelation: float = 0.0
    block_shift: float = 0.0  # log standard deviation between blocks
    gap: int = 0
    block: int = CALLS_PER_BLOCK
    spikes: float = 0.0  # share of calls that are 5 times as slow
    drift: float = 0.0  # how much slower the last call of the planned run is than the first

    def calls(self, n: int, random: np.random.Generator) -> np.ndarray:
        """n seconds in the order of time."""
        r = self.autocorrelation
        ours = np.arange(n) + np.arange(n) // self.block * self.gap
        noise = random.standard_normal(int(ours[-1]) + 1)
        if r:
            noise *= math.sqrt(1 - r * r)
            noise[0] /= math.sqrt(1 - r * r)
            noise = signal.lfilter([1.0], [1.0, -r], noise)
        noise = noise[ours]
        logs = SPREAD * noise + self._level(n)
        if self.block_shift:
            shifts = random.standard_normal(-(-n // self.block)) * self.block_shift
            logs += np.repeat(shifts, self.block)[:n]
        if self.spikes:
            logs += math.log(5) * (random.random(n) < self.spikes)
        return np.exp(logs)

    def true_quantile(self, q: float, n: int) -> float:
        """The quantile of the whole planned run of n calls."""
        spread, level = math.hypot(SPREAD, self.block_shift), self._level(n)

        def excess(x: float) -> float:
            body = special.ndtr((x - level) / spread).mean()
            slow = special.ndtr((x - math.log(5) - level) / spread).mean()
            return float((1 - self.spikes) * body + self.spikes * slow - q)

        return math.exp(optimize.brentq(excess, -2.0, 4.0, xtol=1e-12))

    def _level(self, n: int) -> np.ndarray:
        return np.log1p(self.drift * np.arange(n) / max(n - 1, 1))


IID = Generator("iid lognormal")
AR = Generator("AR(1) 0.76, block shifts of 4 %", autocorrelation=0.76, block_shift=0.04)
AMONG_OTHERS = Generator(f"{AR.name}, among three other cells", 0.76, 0.04, gap=9)
SINGLY = Generator(f"{AR.name}, one call a block", 0.76, 0.04, block=1)
SINGLY_AMONG_OTHERS = Generator(f"{SINGLY.name}, among three other cells", 0.76, 0.04, 3, block=1)
SPIKES = Generator("1 % of calls 5 times as slow", spikes=0.01)
RARE_SPIKES = Generator("0.5 % of calls 5 times as slow", spikes=0.005)
DRIFT = Generator("slow drift of 10 %", drift=0.10)
ASKED = (IID, AR, SPIKES, DRIFT)
