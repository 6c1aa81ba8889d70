"""Scores -> changes: every cell against the baseline's, paired; what this machine can resolve."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from harness.decide import resolution, stats
from harness.decide.resolution import PLACE, Place, Resolution
from harness.decide.scoring.cells import cells
from harness.decide.scoring.estimates import compare, of_texts
from harness.decide.scoring.summary import of_variant
from harness.decide.stats import Interval, Resampling
from harness.plugins import NamedMetric
from harness.store import tables

DEFAULT = "default"


def changes(
    scores: pd.DataFrame,
    variants: pd.DataFrame,
    metrics: Sequence[NamedMetric],
    baseline: str,
    seed: int = 0,
) -> pd.DataFrame:
    """Every cell of the latency and quality stages against the baseline in the default session.

    Calls are paired by round and item, utterances by item, with two-sided 95 % intervals. A row
    whose variant and session are the baseline's own is the A/A twin. `resolved`: the ratio's
    interval excludes 1 and the ratio is further from 1 than the twin's interval reaches; for a
    metric of texts, where nothing is noise of the machine, the difference's interval excludes 0.
    """
    known = {named.name: named for named in metrics}
    rows = [*_paired(scores, known, baseline, seed), *_of_variants(variants, metrics, baseline)]
    found = tables.frame("changes", rows)
    several = bool(len(scores)) and int(scores["generation"].max()) > 0
    # what a process draws once is in the intervals of several generations: no band on top
    reaches = None if several else resolution.reaches(found)
    found["resolved"] = [
        _resolved(row, known[row["metric"]], reaches) for row in found.to_dict("records")
    ]
    return tables.check("changes", found)


def _paired(
    scores: pd.DataFrame, known: Mapping[str, NamedMetric], baseline: str, seed: int
) -> Iterator[dict[str, Any]]:
    usual = (baseline, DEFAULT, 0)
    found = dict(cells(scores, [*PLACE, "variant", "session", "replica"]))
    for key, cell in found.items():
        base = found.get((*key[: len(PLACE)], *usual))
        if base is not None and base is not cell and key[0] != "sweep":
            named = known[str(key[3])]
            difference, ratio = compare(cell, base, named, Resampling(seed=seed))
            where = dict(zip([*PLACE, "variant", "session"], key, strict=False))
            yield _row({**where, "baseline_session": DEFAULT}, baseline, difference, ratio)


def _of_variants(
    variants: pd.DataFrame, metrics: Sequence[NamedMetric], baseline: str
) -> Iterator[dict[str, Any]]:
    rows = {str(row["variant"]): row for row in variants.to_dict("records")}
    for named in metrics:
        if named.metric.of_variant is None or baseline not in rows:
            continue
        base = of_variant(named, {str(k): v for k, v in rows[baseline].items()})
        for name, row in rows.items():
            if name != baseline:
                ours = of_variant(named, {str(k): v for k, v in row.items()})
                yield _row(
                    {"variant": name, "metric": named.name}, baseline, *exact_change(ours, base)
                )


def exact_change(ours: Interval, theirs: Interval) -> tuple[Interval, Interval]:
    """(difference, ratio) of two figures without sampling error."""
    one, two = ours.estimate, theirs.estimate
    ratio = one / two if two else math.nan
    return stats.exactly(one - two, 1, "exact"), stats.exactly(ratio, 1, "exact")


def _row(
    where: Mapping[str, Any], baseline: str, difference: Interval, ratio: Interval
) -> dict[str, Any]:
    return {
        **where,
        "baseline": baseline,
        "delta": difference.estimate,
        "delta_low": difference.low,
        "delta_high": difference.high,
        "ratio": ratio.estimate,
        "ratio_low": ratio.low,
        "ratio_high": ratio.high,
        "p": difference.p if math.isnan(ratio.p) else ratio.p,
        "n": difference.n,
        "method": difference.method,
    }


def _resolved(
    row: Mapping[Any, Any], named: NamedMetric, reaches: Mapping[Place, float] | None
) -> bool:
    if row["variant"] == row["baseline"]:
        return False
    if named.metric.of_variant is not None:
        return bool(row["delta"] != 0 and np.isfinite(row["delta"]))
    if of_texts(named):
        delta = (row["delta"], row["delta_low"], row["delta_high"])
        return Resolution(nothing=0.0).apart(delta)
    ratio = (row["ratio"], row["ratio_low"], row["ratio_high"])
    place = resolution.place_of(row)
    reach = 0.0 if reaches is None else resolution.reach_at(place, reaches)
    return Resolution(reach).apart(ratio)
