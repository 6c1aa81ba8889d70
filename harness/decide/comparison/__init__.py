"""Two runs -> what changed between them, or why they cannot be compared.

alike      what must be the same in both, and what else is another
cells      the cells of a run, and which are the same in the other
changes    two cells -> by how much the second differs, with an interval
rows       every cell that both have, and what only one has
outcomes   regression, improvement, unchanged or undecided; the exit code
writing    a comparison as aligned text or markdown
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.contracts import Result
from harness.decide import families, own_metrics
from harness.decide.comparison import outcomes
from harness.decide.comparison.alike import Unlike, conflicts, differences
from harness.decide.comparison.cells import RunCells
from harness.decide.comparison.rows import Alone, Pair, Row, rows
from harness.decide.stats import Resampling
from harness.errors import IncomparableError
from harness.plugins import NamedMetric

__all__ = ["Alone", "CompareOptions", "Comparison", "Row", "Unlike", "compare", "conflicts"]


Stored = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True)
class CompareOptions:
    """`force`: also what cannot be compared, marked; `control`: divide times by the baseline's, so
    that a machine which was slower that day is no regression of the model."""

    force: bool = False
    control: bool = True
    draws: int = 10_000


@dataclass(frozen=True)
class Comparison:
    """`before` and `after` name the runs; `forced` is what should have kept them from comparing."""

    before: str
    after: str
    days: tuple[str, str]
    language: str  # of the second run's report
    baseline: str  # by which times were divided, "" if they were not
    rows: tuple[Row, ...]
    alone: tuple[Alone, ...]
    forced: tuple[Unlike, ...]
    differences: tuple[Unlike, ...]
    own: Mapping[str, Any]  # what the runs stored of metrics and families of the user's own

    @property
    def exit_code(self) -> int:
        """0 no regression, 1 regression, 3 nothing that could have been judged."""
        return outcomes.exit_code(self.rows, self.alone)

    def count(self, outcome: str) -> int:
        """How many rows came out so."""
        return sum(row.outcome == outcome for row in self.rows)


def _both(stored: Stored, before: Result, after: Result) -> dict[str, Any]:
    return {**stored(before.facts.own), **stored(after.facts.own)}


def compare(
    before: Result,
    after: Result,
    metrics: Mapping[str, NamedMetric],
    how: CompareOptions | None = None,
) -> Comparison:
    """What changed from `before` to `after`, cell by cell; `metrics` by name, those of both runs.

    Raises: IncomparableError that names every key with both values, unless `how.force`.
    """
    how = how or CompareOptions()
    unlike = conflicts(before, after)
    if unlike and not how.force:
        told = "; ".join(map(str, unlike))
        raise IncomparableError(
            f"{before.folder} and {after.folder} cannot be compared: {told}."
            " --force compares them nevertheless and marks the result."
        )
    seed = before.experiment.seed
    sampling = Resampling(seed=seed, draws=how.draws)
    pair = Pair(RunCells.of(before), RunCells.of(after), metrics, sampling, how.control)
    drafts, alone = rows(pair)
    days = [str(side.environment.get("measured_on") or "") for side in (before, after)]
    return Comparison(
        before=before.folder.as_posix(),
        after=after.folder.as_posix(),
        days=(days[0], days[1]),
        language=after.experiment.report.language,
        baseline=pair.before.baseline if pair.controlled else "",
        rows=tuple(outcomes.decided(drafts, pair.controlled, how.control)),
        alone=tuple(alone),
        forced=tuple(unlike),
        differences=tuple(differences(before, after)),
        own={
            "metrics": _both(own_metrics.stored, before, after),
            families.FAMILIES: _both(families.stored, before, after),
        },
    )
