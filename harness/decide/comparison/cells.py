"""The cells of a run, and which cell of one run is the same as which of another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from harness.contracts import Result
from harness.decide import scoring
from harness.decide.comparison.changes import CellScores, Side
from harness.decide.scoring import failures
from harness.decide.scoring.changes import DEFAULT
from harness.decide.scoring.summary import errors
from harness.plugins import NamedMetric
from harness.store.queries import baseline

STAGES = ("latency", "quality")  # the sweep chooses, the latency stage measures what it chose


@dataclass(frozen=True)
class FigurePlace:
    """Where a figure was measured; a figure of a whole variant has a variant and a metric only."""

    metric: str
    variant: str
    session: str = ""
    operation: str = ""
    workload: str = ""
    stage: str = ""


@dataclass(frozen=True)
class RunCells:
    """The scores of one run by place and replica, and how many calls failed there."""

    result: Result
    cells: Mapping[tuple[FigurePlace, int], pd.DataFrame]
    failed: Mapping[FigurePlace, int]  # places without a metric
    fingerprints: Mapping[str, str]  # of the variants that could be made

    @classmethod
    def of(cls, result: Result) -> RunCells:
        scores = result.tables["scores"]
        kept = scores[scores["stage"].isin(STAGES)]
        keys = ["metric", "variant", "session", "operation", "workload", "stage", "replica"]
        cells = {
            (FigurePlace(*(str(part) for part in key[:-1])), int(str(key[-1]))): cell
            for key, cell in kept.groupby(keys, sort=False)
        }
        failed = {
            FigurePlace("", str(v), str(s), str(o), str(w), str(stage)): count
            for (stage, v, s, replica, o, w), count in errors(result.tables["calls"]).items()
            if replica == 0 and stage in STAGES
        }
        variants = result.tables["variants"]
        made = zip(variants["variant"], variants["fingerprint"], variants["error"], strict=True)
        return cls(result, cells, failed, {str(v): str(f) for v, f, error in made if not error})

    @property
    def baseline(self) -> str:
        return baseline(self.result)

    def frame(self, place: FigurePlace) -> pd.DataFrame:
        """The scores of a cell that the run has."""
        return self.cells[place, 0]

    def side(self, place: FigurePlace) -> Side:
        """The cell, and the baseline's at the same place, in the default session, if there is."""
        base = self._base(place, 0)
        return Side(CellScores.of(self.frame(place)), None if base is None else CellScores.of(base))

    def twin(self, place: FigurePlace) -> Side | None:
        """The baseline's A/A twin at the same place over the baseline; None without one."""
        twin, base = self._base(place, 1), self._base(place, 0)
        return (
            None if twin is None or base is None else Side(CellScores.of(twin), CellScores.of(base))
        )

    def _base(self, place: FigurePlace, replica: int) -> pd.DataFrame | None:
        own = replace(place, variant=self.baseline, session=DEFAULT)
        return self.cells.get((own, replica))

    def is_base(self, place: FigurePlace) -> bool:
        return (place.variant, place.session) == (self.baseline, DEFAULT)

    def failed_share(self, place: FigurePlace) -> float:
        """Calls of the cell that gave no result, among all of them."""
        lost = self.failed.get(replace(place, metric=""), 0)
        got = len(self.cells.get((place, 0), ()))
        return lost / (lost + got) if lost else 0.0

    def error(self, place: FigurePlace) -> str:
        """Why the variant could not be made or opened, else what most calls of the cell failed
        with."""
        cell = {"stage": place.stage, "variant": place.variant, "session": place.session}
        calls = self.result.tables["calls"]
        lost = failures.of_cell(calls, place.operation, place.workload, **cell)
        return failures.why(self.result.tables["variants"], place.variant, lost.failed)


def pairs(
    before: RunCells, after: RunCells, metrics: Mapping[str, NamedMetric]
) -> Iterator[tuple[FigurePlace | None, FigurePlace | None]]:
    """(place in the first run, place in the second) of each cell, None for the one without it.

    What a model says does not depend on its session: the same data set's texts are the same cell
    also where the sweeps of the two runs have chosen different sessions.
    """
    mine = [place for place, replica in before.cells if not replica]
    other = {place: None for place, replica in after.cells if not replica}
    for place in mine:
        found = place if place in other else _elsewhere(place, mine, list(other), metrics)
        if found is not None:
            other.pop(found)
        yield place, found
    for place in other:
        yield None, place


def _elsewhere(
    place: FigurePlace,
    mine: list[FigurePlace],
    other: list[FigurePlace],
    metrics: Mapping[str, NamedMetric],
) -> FigurePlace | None:
    if not scoring.of_texts(metrics[place.metric]):
        return None
    alike = replace(place, session="")
    there = [p for p in other if replace(p, session="") == alike]
    here = [p for p in mine if replace(p, session="") == alike]
    return there[0] if len(there) == len(here) == 1 else None
