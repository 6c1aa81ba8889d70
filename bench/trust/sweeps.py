"""Do sweeps repeat? Sixteen session configurations of the encoder, swept again and again.

A repeat is what the harness does: a sweep, its winner confirmed in fresh processes. Later, in fresh
processes again, 100 pairs of calls of the winner and the default tell whether the gain that was
stated holds. Where the default stays, the runner-up is measured instead: what was stated of it is
its interval in the sweep.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from harness.decide import scoring
from harness.runtime import session
from harness.runtime.session import SessionConfig
from harness.spec import Latency
from trust.measuring import DEFAULT, OPERATION, Machine, Stage
from trust.rows import Row, share

NAME = "encoder"
GRID = {
    "execution_mode": ["sequential", "parallel"],
    "graph_optimization_level": ["disable_all", "basic", "extended", "all"],
    "intra_op_num_threads": [1, 2],
}
SWEEP_SECONDS = 130.0  # what the main job's budget leaves a sweep
CONFIRMING_ROUNDS = Latency.rounds  # as many as a user gets
LATER = 1000  # added to the seed of the sweep: another order


@dataclass(frozen=True)
class Repeat:
    """One sweep: who won, whether it held, what was stated and what came out later."""

    swept: str  # the sweep's choice
    named: str  # the session presented as better; the default where none is
    rival: str  # whose ratio was stated and measured later
    stated: tuple[float, float, float]  # ratio to the default, low, high
    later: tuple[float, float, float]

    @property
    def covers(self) -> bool:
        return bool(self.stated[1] <= self.later[0] <= self.stated[2])

    @property
    def told(self) -> str:
        shown = [f"{x:.3f} [{low:.3f}, {high:.3f}]" for x, low, high in (self.stated, self.later)]
        what = "named" if self.named != DEFAULT.name else "cannot be told apart from the default"
        return f"{_short(self.rival)}: {what}, stated {shown[0]}, later {shown[1]}"


def configurations() -> tuple[SessionConfig, ...]:
    """The default and the sixteen of the grid."""
    return session.parse([{"name": DEFAULT.name}, {"name": "grid", "grid": GRID}], "sessions")


def repeat(machine: Machine, rounds: int, pairs: int, seed: int) -> Repeat:
    """Sweep, confirm, and measure later."""
    configs = {config.name: config for config in configurations()}
    default, twin = machine.entry(NAME), machine.entry(NAME, replica=1)
    rivals = [machine.entry(NAME, c) for name, c in configs.items() if name != DEFAULT.name]
    entries = [default, twin, *rivals]
    calls = machine.measure(Stage("sweep", f"sweep {seed}", entries, rounds, seed, SWEEP_SECONDS))
    options = {name: config.to_json() for name, config in configs.items()}
    sessions = scoring.sweep(calls, options, OPERATION)
    swept = scoring.chosen(sessions, NAME)
    if swept != DEFAULT.name:
        fresh = [default, twin, machine.entry(NAME, configs[swept])]
        what = Stage("latency", f"confirm {seed}", fresh, CONFIRMING_ROUNDS, seed)
        again = machine.measure(what)
        sessions = scoring.confirm(sessions, pd.concat([calls, again]), OPERATION)
    stated = settle(sessions)
    both = [default, machine.entry(NAME, configs[stated.rival])]
    later = machine.measure(Stage("latency", f"later {seed}", both, pairs, seed + LATER))
    return replace(stated, later=_later(sessions, stated.rival, later))


def settle(sessions: pd.DataFrame) -> Repeat:
    """What a sessions table states; nothing measured later."""
    unknown = (math.nan,) * 3
    chosen = sessions[sessions["chosen"] & (sessions["session"] != DEFAULT.name)]
    if len(chosen):
        row = chosen.iloc[0]
        name = str(row["session"])
        stated = (row["confirmed"], row["confirmed_low"], row["confirmed_high"])
        return Repeat(name, name if row["holds"] else DEFAULT.name, name, stated, unknown)
    rivals = sessions[(sessions["session"] != DEFAULT.name) & (sessions["error"] == "")]
    row = rivals.sort_values("ratio", kind="stable").iloc[0]
    stated = (row["ratio"], row["low"], row["high"])
    return Repeat(DEFAULT.name, DEFAULT.name, str(row["session"]), stated, unknown)


def _later(sessions: pd.DataFrame, rival: str, calls: pd.DataFrame) -> tuple[float, float, float]:
    """The ratio of the rival to the default by the same statistics as in a confirmation."""
    asked = sessions.assign(chosen=sessions["session"] == rival)
    found = scoring.confirm(asked, calls, OPERATION)
    row = found[found["chosen"]].iloc[0]
    return row["confirmed"], row["confirmed_low"], row["confirmed_high"]


def rows(machine: Machine, count: int, rounds: tuple[int, int], seed: int) -> list[Row]:
    """`count` repeats; `rounds`: of the sweep, and pairs of the later measurement."""
    found = []
    for place in range(count):
        machine.tell.line(f"sweep {place + 1} of {count}")
        found.append(repeat(machine, *rounds, seed + place))
        machine.tell.line(found[-1].told)
    return summed_up(found)


def summed_up(found: Sequence[Repeat]) -> list[Row]:
    """Whether the repeats agree, and whether what they stated holds later."""
    n = len(found)
    winners = Counter(r.named for r in found if r.named != DEFAULT.name)
    usual = winners.most_common(1)[0][0] if winners else DEFAULT.name
    same = sum(r.named in (usual, DEFAULT.name) for r in found)
    told = "; ".join(r.told for r in found)
    case = "sweeps of 16 configurations that name the same winner, or none that beats the default"
    later = "sweeps whose stated interval holds the ratio of 100 pairs measured later"
    return [
        Row("sweeps", case, *share(same, n), n, ">= 1", told),
        Row("sweeps", later, *share(sum(r.covers for r in found), n), n, ">= 0.66", told),
        Row("sweeps", "sweeps that name a winner", *share(winners.total(), n), n),
    ]


def _short(name: str) -> str:
    """A grid's name without its keys: sequential, all, 2."""
    parts = [part.partition("=")[2] for part in name.partition("/")[2].split(",") if part]
    return ", ".join(parts) or name
