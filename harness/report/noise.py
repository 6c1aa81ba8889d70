"""Which blocks were measured while something else had the processor: marked, never dropped.

Two witnesses are kept with every block, and either marks it:

- stolen time: the share of CPU time that the hypervisor gave to others during the block. Above
  NOISY_STEAL the block is slower for a known reason, and by as much as blocks of one and the same
  thing differ by on a shared machine anyway (standard deviation 4 to 5 %); less is lost in that.
  The kernel counts in ticks of 10 ms, so that one tick marks a block of under 100 ms on two cores.
- load: how many processes wanted to run, over the whole machine and the last minute. A run of ours
  keeps one thread busy per core and a parent that mostly waits: more than the cores + 1 means that
  others took turns with it. An average over a minute sets in late and lasts on, so that it marks
  stretches of rounds and not single blocks; a session with more threads than cores may mark itself.

Not dropped, because slow calls are what a tail is made of, because users meet neighbours too, and
because whoever may leave out slow blocks may approve anything. The bounds take blocks as the unit,
so that noise widens them; a mark tells the reader where the width came from, and to measure again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.contracts import Result
from harness.report import words
from harness.report.markdown import count, given, number
from harness.store import queries

NOISY_STEAL = 0.05
# with a tenth of the blocks marked, and all of them slow, the P50 is the P56 of the others
MUCH = 0.1
SIGN = "†"
TEXTS = words.table("noise")
CELL = ("stage", "variant", "session", "replica", "audio_seconds")


@dataclass(frozen=True)
class Counted:
    """Blocks of a cell, and how many of them are marked."""

    noisy: int
    blocks: int

    @property
    def much(self) -> bool:
        return self.noisy > MUCH * self.blocks


def most_load(environment: Mapping[str, Any]) -> float:
    """The load above which others took turns with us: the machine's physical cores + 1.

    Of the whole machine, also where affinity or a quota gives this process a part of it, because
    load is counted over all of it. NaN where the record does not say how many there are.
    """
    cores, allowed = environment.get("physical_cores"), environment.get("affinity_cpus")
    everywhere = environment.get("logical_cpus")
    if cores and allowed and everywhere:
        return float(everywhere) * float(cores) / float(allowed) + 1
    known = environment.get("cores")
    return float(known) + 1 if known else math.nan


def marked(result: Result, calls: pd.DataFrame) -> NDArray[np.bool_]:
    """For each call, whether its block is marked; what could not be read (NaN) marks nothing."""
    load = calls["load"].to_numpy() > most_load(result.environment)
    found: NDArray[np.bool_] = (calls["steal"].to_numpy() > NOISY_STEAL) | load
    return found


def blocks(result: Result) -> pd.DataFrame:
    """A row per block of warm pipeline calls: its median over its cell's, steal, load, `noisy`."""
    calls = queries.warm(result, operation="pipeline")
    calls = calls[calls["stage"] != "quality"]
    grouped = calls.groupby([*CELL, "round", "block"], sort=True, observed=True)
    found = grouped.agg(
        seconds=("seconds", "median"),
        steal=("steal", "max"),
        load=("load", "max"),
        n=("seconds", "size"),
    ).reset_index()
    found["relative"] = found["seconds"] / found.groupby(list(CELL))["seconds"].transform("median")
    return found.assign(noisy=marked(result, found))


def counted(every: pd.DataFrame, **cell: Any) -> Counted:
    """The marks of one cell, out of `blocks`."""
    mine = queries.rows(every, replica=0, **cell)
    return Counted(int(mine["noisy"].sum()), len(mine))


def shown(noise: Counted, language: str) -> str:
    """How many blocks, and how many of them are marked: "20 (3 †)"."""
    marks = f" ({count(noise.noisy, language)} {SIGN})" if noise.noisy else ""
    return count(noise.blocks, language) + marks


def cause(result: Result, language: str) -> str:
    """What a mark means, with the limits of this run."""
    load = most_load(result.environment)
    words = TEXTS[language]["steal" if math.isnan(load) else "both"]
    steal = given(NOISY_STEAL, "share", language)
    return words.format(steal=steal, load=number(load, language, 0))


def legend(result: Result, rows: Sequence[Sequence[str]], language: str) -> str:
    """What the sign means, below a table that holds one; else nothing."""
    if not any(SIGN in row[-1] for row in rows):
        return ""
    return TEXTS[language]["legend"].format(sign=SIGN, cause=cause(result, language))


def stretches(of: pd.DataFrame) -> list[tuple[int, int]]:
    """(first, last) round of each run of rounds in which at least half of the blocks are marked.

    `of`: the blocks of one stage. A round without blocks ends a stretch.
    """
    share = of.groupby("round")["noisy"].mean()
    return _runs([int(number) for number in share.index[share >= 0.5]])


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for each in numbers:
        if found and each == found[-1][1] + 1:
            found[-1] = (found[-1][0], each)
        else:
            found.append((each, each))
    return found
