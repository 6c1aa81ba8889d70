"""Scores -> summary: one row per cell and metric, with a two-sided 95 % interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from harness.decide import stats
from harness.decide.scoring.cells import cells
from harness.decide.scoring.estimates import estimate
from harness.decide.scoring.scores import SHOWN, workload
from harness.decide.stats import Interval, Resampling
from harness.errors import PluginError
from harness.io.escaping.signs import cut
from harness.plugins import NamedMetric
from harness.store import tables

CELL = ["stage", "variant", "session", "replica", "operation", "workload"]


def summary(
    scores: pd.DataFrame,
    calls: pd.DataFrame,
    variants: pd.DataFrame,
    metrics: Sequence[NamedMetric],
    seed: int = 0,
) -> pd.DataFrame:
    """Every metric folded over every cell; cells of which every call failed have NaN and n = 0.

    Figures of a whole variant (its size) have a row without stage, session, operation and workload.
    """
    failed = errors(calls)
    folded = [*_folded(scores, failed, metrics, seed)]
    done = {tuple(row[name] for name in CELL) for row in folded}
    rows = [*folded, *_never_measured(done, failed), *_of_variants(variants, metrics)]
    return tables.frame("summary", rows)


def errors(calls: pd.DataFrame) -> dict[tuple[Any, ...], int]:
    """How many calls failed, by cell (stage, variant, session, replica, operation, workload)."""
    failed = calls[calls["error"] != ""]
    cells = failed.assign(workload=workload(failed)).groupby(CELL, sort=False)
    return {tuple(cell): len(group) for cell, group in cells}


def of_variant(named: NamedMetric, row: Mapping[str, Any]) -> Interval:
    """A figure of a whole variant: exact, NaN where the variant could not be made.

    Raises: PluginError where the metric gives no number."""
    assert named.metric.of_variant is not None
    found = float("nan") if row["error"] else named.metric.of_variant(row)
    try:
        return stats.exactly(float(found), 1, "exact")
    except (TypeError, ValueError, OverflowError):
        raise PluginError(
            f"{named.name}: `of_variant` gave {cut(repr(found), SHOWN)} for the variant "
            f"{row['variant']!r}; it gives a number."
        ) from None


def _folded(
    scores: pd.DataFrame,
    failed: Mapping[tuple[Any, ...], int],
    metrics: Sequence[NamedMetric],
    seed: int,
) -> Iterator[dict[str, Any]]:
    known = {named.name: named for named in metrics}
    for key, cell in cells(scores, [*CELL, "metric"]):
        named = known[str(key[-1])]
        found = estimate(cell, named, Resampling(seed=seed))
        yield _row(dict(zip(CELL, key, strict=False)), named, found, failed.get(key[:-1], 0))


def _row(
    cell: Mapping[str, Any], named: NamedMetric, found: Interval, failed: int
) -> dict[str, Any]:
    return {
        **cell,
        "metric": named.name,
        "value": found.estimate,
        "low": found.low,
        "high": found.high,
        "n": found.n,
        "errors": failed,
        "unit": named.metric.unit,
        "method": found.method,
    }


def _never_measured(
    done: set[tuple[Any, ...]], failed: Mapping[tuple[Any, ...], int]
) -> Iterator[dict[str, Any]]:
    for cell, count in failed.items():
        if cell not in done:
            yield {**dict(zip(CELL, cell, strict=True)), "n": 0, "errors": count}


def _of_variants(
    variants: pd.DataFrame, metrics: Sequence[NamedMetric]
) -> Iterator[dict[str, Any]]:
    for named in metrics:
        if named.metric.of_variant is not None:
            for row in variants.to_dict("records"):
                found = of_variant(named, {str(k): v for k, v in row.items()})
                yield _row({"variant": row["variant"]}, named, found, int(bool(row["error"])))
