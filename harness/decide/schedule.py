"""What a stage measures: its cells, and which of them are still open. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.decide import stats
from harness.decide.entry import Entry
from harness.errors.limits import FEWEST_UTTERANCES as FEWEST_UTTERANCES
from harness.errors.limits import MINIMUM_ROUNDS as MINIMUM_ROUNDS

SWEEP_SHARE = 0.4  # of the budget that the utterances leave, for the sweep

Cell = tuple[Entry, str, float]
Clips = Mapping[float, Sequence[tuple[str, str]]]  # seconds -> (clip id, .npy file), in turn
Costs = Mapping[Cell, float]  # seconds of one call
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Task:
    """A cell of a latency stage: one operation at one audio length.

    `calls` of each block, 0: as many as a quarter of a second holds; `rounds` that are wanted, more
    where the most demanding gate on it takes `calls_wanted`.
    """

    entry: Entry
    operation: str
    audio_seconds: float
    calls: int = 0
    rounds: int = 0
    calls_wanted: int = 0
    must: bool = False  # something has to be decided on it: the last to be cut

    @property
    def cell(self) -> Cell:
        return self.entry, self.operation, self.audio_seconds

    @property
    def key(self) -> tuple[str, str, int, str, float]:
        """The cell as the rows of the calls table name it."""
        entry = self.entry
        session = entry.session.name
        return entry.variant, session, entry.replica, self.operation, self.audio_seconds

    @property
    def label(self) -> str:
        return f"{self.entry.label} {self.operation} {self.audio_seconds:g} s"

    def stop(self, rounds: int, look: stats.Look, why: str) -> dict[str, Any]:
        """A row of the `stops` table, but for its stage."""
        return {
            "variant": self.entry.variant,
            "session": self.entry.session.name,
            "replica": self.entry.replica,
            "operation": self.operation,
            "workload": f"{self.audio_seconds:g} s",
            "done": rounds,
            "level": look.level,
            "allowance": look.allowance,
            "why": why,
        }


StillOpen = Callable[[Rows, Rows], Callable[[Task], bool]]
"""(rows measured so far, rows of the stops table as of this look) -> whether to go on with one."""


@dataclass(frozen=True)
class Rounds:
    """A stage in rounds of one process each. `seconds` is its share of the budget."""

    stage: str
    clips: Clips
    rounds: int  # of every cell
    warmup: int
    seconds: float
    seed: int
