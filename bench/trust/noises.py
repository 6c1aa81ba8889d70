"""Machines that verdicts are tried on: how the time of a call changes over a run, in logarithms.

Each says what "true" means. Against *the run*: the quantile of the calls as the machine was in
these minutes, over all of their time, for any clip and any fresh process. Against *the law*: the
same over all the minutes that such a machine ever has. Where noise outlasts a run the two differ,
and no run can do better than the first.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

Numbers = np.ndarray
Level = Callable[[np.random.Generator, int, Numbers], Numbers]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Numbers]

CALL = 0.08  # log standard deviation of a call, as 300 real calls had
KNOTS = 4001
SAMPLE = 400_000  # draws that a distribution is known from


def normal(sd: float) -> Draw:
    return lambda random, shape: sd * random.standard_normal(shape)


def still(random: np.random.Generator, runs: int, times: Numbers) -> Numbers:
    """No change over the run."""
    return np.zeros((runs, times.size))


@dataclass(frozen=True)
class Noise:
    """`level` over the times of a run (0 to 1 of it, shape (n,)) -> (runs, n); the rest is drawn
    for each call, each block, each clip (of the candidate's time over the baseline's too) and each
    process. `shocks` are the baseline's alone."""

    name: str
    true: str
    level: Level = still
    call: Draw = field(default_factory=lambda: normal(CALL))
    block: float | Draw = 0.0
    clip: float | Draw = 0.0
    between: float = 0.0  # log standard deviation over clips of the ratio to the baseline
    process: float = 0.0
    hides: str = ""  # why no test can see 10 % through it, if so
    shocks: float = 0.0  # share of the baseline's calls that take 1.5 times as long

    @property
    def seed(self) -> int:
        return zlib.crc32(self.name.encode())

    def drawn(
        self, what: float | Draw, random: np.random.Generator, shape: tuple[int, ...]
    ) -> Numbers:
        return what(random, shape) if callable(what) else what * random.standard_normal(shape)

    def mixed(self, random: np.random.Generator, baseline: bool) -> Numbers:
        """All that is drawn beside the level, in one sample: a call of any clip and process."""
        shape = (SAMPLE,)
        parts = [
            self.drawn(w, random, shape) for w in (self.call, self.block, self.clip, self.process)
        ]
        if baseline:
            parts.append(np.log(1.5) * (random.random(shape) < self.shocks))
        elif self.between:
            parts.append(self.between * random.standard_normal(shape))
        return np.sum(parts, axis=0)


# ------------------------------------------------------------------------------ levels over a run
MINUTES = 10.0  # that a run takes
THIS_RUN = "the run's own quantile, over all of its ten minutes"
LAW = "the law: the noise is over within seconds, so that the run has all of it"


def autocorrelated(sd: float, seconds: float) -> Level:
    """An Ornstein-Uhlenbeck process: likeness falls to 1/e within so many seconds."""

    def level(random: np.random.Generator, runs: int, times: Numbers) -> Numbers:
        keep = np.exp(-np.diff(times) * MINUTES * 60 / seconds)
        out = np.empty((runs, times.size))
        out[:, 0] = random.standard_normal(runs)
        steps = random.standard_normal((runs, times.size - 1))
        for at in range(times.size - 1):
            out[:, at + 1] = keep[at] * out[:, at] + np.sqrt(1 - keep[at] ** 2) * steps[:, at]
        return sd * out

    return level


def regimes(step: float, seconds: float, share: float = 0.5) -> Level:
    """Two levels; each lasts exponentially long, `seconds` in the mean of the two."""

    def level(random: np.random.Generator, runs: int, times: Numbers) -> Numbers:
        gap = np.diff(times, prepend=times[0]) * MINUTES * 60
        stay = np.exp(-gap / seconds)
        state = random.random(runs) < share
        out = np.empty((runs, times.size), dtype=bool)
        for at in range(times.size):
            anew = random.random(runs) >= stay[at]
            state = np.where(anew, random.random(runs) < share, state)
            out[:, at] = state
        return np.log1p(step) * out

    return level


def periodic(step: float, seconds: float, duty: float) -> Level:
    """A neighbour that comes every so many seconds, at a phase of its own, for a share of them."""

    def level(random: np.random.Generator, runs: int, times: Numbers) -> Numbers:
        phase = (times * MINUTES * 60 / seconds)[None, :] + random.random(runs)[:, None]
        return np.log1p(step) * (phase % 1 < duty)

    return level


def decaying(step: float, seconds: float) -> Level:
    """A start that is so much slower (or faster: negative), and passes."""

    def level(random: np.random.Generator, runs: int, times: Numbers) -> Numbers:
        return np.tile(np.log1p(step * np.exp(-times * MINUTES * 60 / seconds)), (runs, 1))

    return level


def throttled(step: float, after: float) -> Level:
    """Slower by a step after a share of the run, to its end."""

    def level(random: np.random.Generator, runs: int, times: Numbers) -> Numbers:
        return np.tile(np.log1p(step) * (times >= after), (runs, 1))

    return level


def drifting(step: float) -> Level:
    def level(random: np.random.Generator, runs: int, times: Numbers) -> Numbers:
        return np.tile(np.log1p(step * times), (runs, 1))

    return level


def flicker(sd: float, points: int = 4096) -> Level:
    """1/f noise from the run's length down to a seventh of a second."""

    def level(random: np.random.Generator, runs: int, times: Numbers) -> Numbers:
        waves = points // 2
        power = 1 / np.sqrt(np.arange(1, waves + 1))
        spectrum = power * (
            random.standard_normal((runs, waves)) + 1j * random.standard_normal((runs, waves))
        )
        series = np.fft.irfft(np.concatenate([np.zeros((runs, 1)), spectrum], axis=1), n=points)
        scale = sd / (np.sqrt(np.sum(power**2)) * 2 / points)
        return (scale * series)[:, np.minimum((times * points).astype(int), points - 1)]

    return level


# ------------------------------------------------------------------------------------ single calls
def slow_share(share: float, times: float, sd: float = CALL) -> Draw:
    return lambda random, shape: (
        sd * random.standard_normal(shape) + np.log(times) * (random.random(shape) < share)
    )


def pareto(alpha: float) -> Draw:
    return lambda random, shape: random.exponential(1 / alpha, shape)


def heavy(sd: float) -> Draw:
    """Student's t of 3 degrees of freedom, scaled to the standard deviation."""
    return lambda random, shape: sd / np.sqrt(3) * random.standard_t(3, shape)


def long_clips(sd: float, share: float, times: float) -> Draw:
    return slow_share(share, times, sd)


GAP = "the median lies in a gap of 30 %: a limit 10 % higher is exceeded by as many calls"
WIDE = "85 clips that are 35 % apart tell their median to 9 %: it takes more clips"
NOISES = (
    Noise("independent calls", LAW),
    Noise("calls alike for 1 s, blocks 4 % apart", LAW, autocorrelated(0.07, 1.0), block=0.04),
    Noise("two regimes 15 % apart, of 3 s", LAW, regimes(0.15, 3)),
    Noise("two regimes 15 % apart, of 20 s", THIS_RUN, regimes(0.15, 20)),
    Noise("two regimes 15 % apart, of 150 s", THIS_RUN, regimes(0.15, 150)),
    Noise("blocks with heavy tails, 8 %", LAW, block=heavy(0.08)),
    Noise("a neighbour for 2 of 7 s, 20 %", LAW, periodic(0.2, 7, 2 / 7)),
    Noise("a neighbour for half of each minute, 15 %", THIS_RUN, periodic(0.15, 60, 0.5)),
    Noise("20 % slower at the start, for a minute", THIS_RUN, decaying(0.2, 60)),
    Noise("15 % faster at the start, for a minute", THIS_RUN, decaying(-0.15, 60)),
    Noise("throttled by 5 % after a tenth", THIS_RUN, throttled(0.05, 0.1)),
    Noise("throttled by 12 % after 30 %", THIS_RUN, throttled(0.12, 0.3)),
    Noise("throttled by 15 % after a tenth", THIS_RUN, throttled(0.15, 0.1)),
    Noise("throttled by 20 % after 30 %", THIS_RUN, throttled(0.20, 0.3)),
    Noise("throttled by 30 % after half", THIS_RUN, throttled(0.30, 0.5), hides=GAP),
    Noise("a drift of 10 %", THIS_RUN, drifting(0.1)),
    Noise("processes 2 % apart", LAW, process=0.02),
    Noise("processes 4 % apart", LAW, process=0.04),
    Noise("1/f noise of 6 %", THIS_RUN, flicker(0.06)),
    Noise("Pareto calls, alpha 8", LAW, call=pareto(8)),
    Noise("15 % of calls 1.5 times as slow", LAW, call=slow_share(0.15, 1.5)),
    Noise("two modes 30 % apart, 45 to 55", LAW, call=slow_share(0.45, 1.3, 0.03), hides=GAP),
    Noise("1 % of calls 5 times as slow", LAW, call=slow_share(0.01, 5)),
    Noise("shocks of 1.5 on 15 % of the baseline's calls alone", LAW, shocks=0.15),
    Noise("clips 10 % apart, their ratio 5 %", LAW, clip=0.10, between=0.05),
    Noise("clips 35 % apart, processes 4 %", LAW, clip=0.35, process=0.04, hides=WIDE),
    Noise("2 % of clips 3 times as long", LAW, clip=long_clips(0.05, 0.02, 3)),
)
