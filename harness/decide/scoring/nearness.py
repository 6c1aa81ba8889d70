"""Variants beside the baseline on the same item: its text, and how near their outputs are to its.

Pure. The baseline itself is what the others are held against, and so has no score of its own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.contracts import Call, Metric
from harness.plugins.kinds import OF_OUTPUTS as OF_OUTPUTS
from harness.store import tables

PLACE = ["variant", "session", "dataset", "item"]
LACKING = "was not compared with the baseline."


@dataclass(frozen=True)
class Nearness:
    """Which variant is the baseline, and the table `fidelity`."""

    baseline: str = ""
    fidelity: pd.DataFrame = field(default_factory=lambda: tables.frame("fidelity", []))


class Found(NamedTuple):
    """Calls with the figures of their comparison, and the rows that they are of."""

    places: NDArray[np.intp]
    calls: list[Call]


def heard(calls: pd.DataFrame) -> pd.Series:
    """Which calls are of an utterance of a data set, as it was heard."""
    mine = (calls["stage"] == "quality") & (calls["operation"] == "pipeline")
    return mine & calls["warm"] & (calls["replica"] == 0)


def baseline_texts(calls: pd.DataFrame, baseline: str) -> list[str | None]:
    """What the baseline wrote of the item of each call, None where it has no such call."""
    mine = heard(calls)
    own = calls[mine & (calls["variant"] == baseline)]
    known = dict(zip(zip(own["dataset"], own["item"], strict=True), own["text"], strict=True))
    places = zip(calls["dataset"], calls["item"], mine, strict=True)
    return [known.get((dataset, item)) if here else None for dataset, item, here in places]


def of_outputs(near: Nearness, metric: Metric, usable: pd.DataFrame, seen: list[Call]) -> Found:
    """The calls that a metric of outputs is scored on: those that were compared as it asks."""
    mine = compared(near.fidelity, metric.compares)
    places = np.flatnonzero(heard(usable) & (usable["variant"] != near.baseline))
    keys = usable.iloc[places][PLACE].itertuples(index=False, name=None)
    place = dict(zip(keys, places.tolist(), strict=True))
    rows = zip(mine[PLACE].itertuples(index=False, name=None), mine["figures"], strict=True)
    found = [(place[key], json.loads(text)) for key, text in rows if key in place]
    calls = [replace(seen[at], figures={**seen[at].figures, **told}) for at, told in found]
    return Found(np.array([at for at, _ in found], dtype=np.intp), calls)


def compared(fidelity: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The comparisons of a kind that gave figures."""
    fine = (fidelity["compares"] == kind) & (fidelity["error"] == "") & (fidelity["figures"] != "")
    return fidelity[fine & (fidelity["replica"] == 0)]


def lost(fidelity: pd.DataFrame, calls: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Those of `calls`, which were heard, that have no figures of that kind, with the reason."""
    known = set(compared(fidelity, kind)[PLACE].itertuples(index=False, name=None))
    failed = fidelity[(fidelity["compares"] == kind) & (fidelity["error"] != "")]
    keys = failed[PLACE].itertuples(index=False, name=None)
    why = dict(zip(keys, failed["error"], strict=True))
    places = list(calls[PLACE].itertuples(index=False, name=None))
    missing = calls[[place not in known for place in places]]
    reasons = [why.get(place, LACKING) for place in places if place not in known]
    return missing.assign(error=pd.Series(reasons, index=missing.index, dtype=str))
