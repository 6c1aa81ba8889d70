"""False approvals and power of a gate on a latency quantile, with early stopping on.

Each experiment is one cell measured in blocks of three calls, looked at as the runner looks, by the
functions that the runner and the verdict use.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from harness.contracts import Status
from harness.decide import stats
from harness.decide.verdict.checks import evidence
from harness.plugins.gates._rule import at_most
from trust import betting, early, needs
from trust.generators import (
    AMONG_OTHERS,
    AR,
    ASKED,
    CALLS_PER_BLOCK,
    DRIFT,
    IID,
    RARE_SPIKES,
    SINGLY,
    SINGLY_AMONG_OTHERS,
    Generator,
)
from trust.rows import Row, share

FIRST = 12  # rounds before the first look: those in which every cell is measured
CALLS = {0.5: 1500, 0.99: 3000}
PROCESSES = 2


@dataclass(frozen=True)
class Cell:
    """`margin`: how far the true quantile lies under the limit; negative: over it."""

    generator: Generator
    q: float
    margin: float
    calls: int

    @property
    def name(self) -> str:
        where = "exactly at the limit"
        if self.margin:
            where = f"{abs(self.margin):.0%} {'under' if self.margin > 0 else 'over'} the limit"
        return f"P{self.q * 100:g}, {where}, {self.generator.name}, {self.calls} calls planned"


@dataclass(frozen=True)
class Outcome:
    status: Status
    calls: int  # that were measured
    needs: float = math.nan


def decide(seconds: np.ndarray, q: float, limit: float, block: int = CALLS_PER_BLOCK) -> Outcome:
    """One gate `max: limit` on one cell, from the first look to the last."""
    blocks = np.arange(seconds.size) // block
    planned = int(blocks[-1]) + 1
    likely = math.ceil(stats.needed_calls(q, stats.early(1.0).level) / block)
    taken = stats.looks(FIRST, planned, likely)
    for rounds in taken:
        status = _status(seconds, blocks, (q, limit, rounds), stats.early(rounds / planned))
        if status is not Status.INCONCLUSIVE:
            return Outcome(status, rounds * block)
    status = _status(seconds, blocks, (q, limit, planned), stats.last(len(taken)))
    return Outcome(status, seconds.size)


def _status(
    seconds: np.ndarray, blocks: np.ndarray, asked: tuple[float, float, int], look: stats.Look
) -> Status:
    q, limit, rounds = asked
    n = int(np.searchsorted(blocks, rounds))
    found = stats.quantile_bounds(seconds[:n], blocks[:n], q, look.level)
    return at_most(limit, evidence(stats.allowing(found, look.allowance)))


def simulate(cell: Cell, experiments: int, seed: int) -> list[Outcome]:
    """That many runs of one cell."""
    random = np.random.default_rng([seed, zlib.crc32(cell.name.encode())])
    limit = cell.generator.true_quantile(cell.q, cell.calls) / (1 - cell.margin)
    runs = (cell.generator.calls(cell.calls, random) for _ in range(experiments))
    return [decide(run, cell.q, limit, cell.generator.block) for run in runs]


def rows(experiments: int, seed: int) -> list[Row]:
    """Every cell of the false approvals, of the power and of the calls used."""
    cells = list(_cells())
    with ProcessPoolExecutor(PROCESSES) as pool:
        outcomes = pool.map(
            simulate, [c for _, c, _ in cells], [experiments] * len(cells), [seed] * len(cells)
        )
        pairs = zip(cells, outcomes, strict=True)
        found = [row for cell, out in pairs for row in _rows(cell, out)]
    more = (needs.rows, early.rows, betting.rows)
    return [*found, *(row for part in more for row in part(experiments, seed))]


NO_GAP = "; calls of neighbouring blocks follow each other without a gap"
SHORT = {30: "10 rounds", 90: "30 rounds"}


def _cells() -> Iterable[tuple[str, Cell, str]]:
    """(group, cell, target)."""
    for q, calls in CALLS.items():
        for generator in ASKED:
            for margin in (0.0, -0.02):
                yield "false approvals", Cell(generator, q, margin, calls), "<= 0.05"
            yield "power", Cell(generator, q, 0.10, calls), ">= 0.8"
            yield "clear cases", Cell(generator, q, 0.25, calls), ">= 0.8"
    yield "power", Cell(RARE_SPIKES, 0.99, 0.10, 3000), ""
    yield from _short()
    for q, calls in ((0.9, 600), (0.999, 9000)):
        for generator in (IID, AR):
            yield "false approvals, other quantiles", Cell(generator, q, 0.0, calls), "<= 0.05"


def _short() -> Iterable[tuple[str, Cell, str]]:
    for calls in SHORT:
        for generator in (IID, AR, AMONG_OTHERS, DRIFT, SINGLY, SINGLY_AMONG_OTHERS):
            n = calls * generator.block // CALLS_PER_BLOCK
            yield "false approvals, short runs", Cell(generator, 0.5, 0.0, n), "<= 0.05"


def _rows(asked: tuple[str, Cell, str], outcomes: list[Outcome]) -> Iterable[Row]:
    group, cell, target = asked
    n = len(outcomes)
    value, error = share(sum(o.status is Status.PASS for o in outcomes), n)
    yield Row(group, cell.name, value, error, n, target, _note(group, cell))
    if group in ("power", "clear cases"):
        used = np.asarray([o.calls for o in outcomes]) / cell.calls
        aim = "<= 0.35" if group == "clear cases" else ""
        spread = float(used.std(ddof=1)) / math.sqrt(n)
        what = "share of the planned calls that were measured"
        yield Row("calls used", cell.name, float(used.mean()), spread, n, aim, what)


def _note(group: str, cell: Cell) -> str:
    if math.isclose(cell.generator.spikes, 1 - cell.q) and group in ("power", "clear cases"):
        return (
            "cannot be met by any test: the spikes are exactly the slowest 1 %, so a call exceeds"
            " a limit 10 % or 25 % higher with the same 1 % to nine digits"
        )
    if cell.generator in (AR, SINGLY) and cell.calls <= max(SHORT):
        return SHORT[cell.calls * CALLS_PER_BLOCK // cell.generator.block] + NO_GAP
    return ""
