"""Makes the table `distances`, where a run is decided: how far each utterance is from the baseline
by each fidelity metric, worst first, and the standard error of what is pooled over them. What is
asked of it afterwards is in nearness.py."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.decide.scoring.cells import cells
from harness.decide.scoring.scales import SCALES
from harness.plugins import NamedMetric, kinds
from harness.store import tables

CELL = ("workload", "variant", "metric")


def table(scores: pd.DataFrame, metrics: Sequence[NamedMetric]) -> pd.DataFrame:
    """A row for each utterance, and one with an empty `item` for all of them."""
    return tables.frame("distances", _rows(scores, metrics))


def _rows(scores: pd.DataFrame, metrics: Sequence[NamedMetric]) -> Iterator[dict[str, Any]]:
    known = {one.name: one for one in metrics if one.metric.compares in kinds.OF_OUTPUTS}
    mine = scores[(scores["stage"] == "quality") & scores["metric"].isin(list(known))]
    for (dataset, variant, name), cell in cells(mine[mine["replica"] == 0], CELL):
        where = {"dataset": str(dataset), "variant": str(variant), "metric": str(name)}
        value, weight = (cell[key].to_numpy(dtype=np.float64) for key in ("value", "weight"))
        yield {**where, "item": "", "error": _standard_error(value, weight)}
        for item, own in _ordered(cell["item"].tolist(), value, weight, known[str(name)]):
            yield {**where, "item": item, "value": own}


def _ordered(
    items: Sequence[str], value: NDArray[np.float64], weight: NDArray[np.float64], of: NamedMetric
) -> list[tuple[str, float]]:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = (value / weight).tolist()
    scale = SCALES[of.metric.scale]
    found = [
        (x, scale(r) if math.isfinite(r) else math.nan) for x, r in zip(items, ratios, strict=True)
    ]
    sign = 1 if of.metric.better == "higher" else -1
    return sorted(found, key=lambda one: (math.isnan(one[1]), sign * one[1], one[0]))


def _standard_error(x: NDArray[np.float64], n: NDArray[np.float64]) -> float:
    """Of a pooled mean over positions, utterances being what was sampled: the ratio estimator's
    (Cochran, Sampling Techniques, 3rd ed., 2.11); NaN under two utterances."""
    if x.size < 2 or not n.sum() > 0:
        return math.nan
    parts = x - x.sum() / n.sum() * n
    return float(math.sqrt(x.size / (x.size - 1) * float(parts @ parts)) / n.sum())
