"""What utterances share beside the label that they are resampled by: two-way clusters of a rate.

The bootstrap resamples speakers (or sentences). Where the same sentences come again from other
speakers, what they share is in no resample of speakers. So its bounds are stretched to the widest t
interval over each label and over two of them together, where that is wider than the one over the
label that was resampled.
"""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from harness.decide import stats
from harness.decide.stats import Interval, Sums, Units

LABELS = ("speaker", "sentence")  # columns of what may be alike
COPIES = "recording"  # rows with the same one are one: a label beside them, and part of each
NEIGHBOURS = 10
Numbers = NDArray[np.float64]


def of_rate(system: Sums) -> Numbers:
    """What each utterance adds to a pooled rate beyond its share of it; they add up to 0."""
    parts: Numbers = (system.values - system.ratio * system.weights) / system.weights.sum()
    return parts


def widened(interval: Interval, parts: Numbers, rows: pd.DataFrame, level: float) -> Interval:
    """The interval of a rate (or of a difference of two) that holds over every label of its rows.

    `parts`: see `of_rate`; shape (n,), as are the rows. Where nothing varies, or there are no
    bounds, the interval is what it was.
    """
    finite = math.isfinite(interval.low) and math.isfinite(interval.high)
    if not finite or not parts.size or not np.isfinite(parts).all():
        return interval
    by = _stretch(parts, rows, level, interval.units)
    return interval if by <= 1 else stretched(interval, by)


def over_processes(
    interval: Interval,
    parts: Numbers,
    rows: pd.DataFrame,
    labels: NDArray[np.generic],
    level: float,
) -> Interval:
    """The interval of a rate of times, resampled by `labels` (neighbours in time), that holds for
    other clips and other processes too."""
    finite = math.isfinite(interval.low) and math.isfinite(interval.high)
    if not finite or not parts.size or not np.isfinite(parts).all():
        return interval
    clips, processes = (_numbered(rows[name].to_numpy()) for name in ("item", "generation"))
    units = Units.of(labels, clips, processes)
    widest, half = (stats.widest_half(parts, some, level)[0] for some in (units, Units.of(labels)))
    return stretched(interval, widest / half) if widest > half > 0 else interval


def stretched(interval: Interval, by: float) -> Interval:
    """Its bounds, so many times as far from the estimate."""
    low = interval.estimate - by * (interval.estimate - interval.low)
    high = interval.estimate + by * (interval.high - interval.estimate)
    return Interval(
        interval.estimate,
        max(low, 0.0) if interval.low >= 0 else low,
        high,
        interval.n,
        interval.units,
        interval.method,
        interval.p,
        interval.why,
    )


def with_copies(labels: NDArray[np.generic], recordings: pd.Series) -> NDArray[np.generic]:
    """Labels that hold a copy of the same recording become one: forty names of a clip are one."""
    code, names = pd.factorize(recordings)
    known = np.asarray(names != "")[code] if len(names) else np.zeros(len(labels), dtype=bool)
    if len(pd.unique(code[known])) == np.count_nonzero(known):
        return labels
    places, _ = pd.factorize(labels)
    size = places.max() + 1
    links = coo_array(
        (np.ones(np.count_nonzero(known)), (places[known], size + code[known])),
        shape=(size + len(names), size + len(names)),
    )
    group = connected_components(links, directed=False)[1][:size]
    if len(np.unique(group)) == size:
        return labels
    return np.asarray(group[places])


def _stretch(parts: Numbers, rows: pd.DataFrame, level: float, clusters: int) -> float:
    """The widest half interval over the labels, over the one that the bootstrap is built on."""
    labels = [_codes(rows[name], len(parts)) for name in LABELS if name in rows]
    if labels and labels[0].max(initial=0) + 1 in (1, len(parts)) and "item" in rows:
        labels.append(_stretches(rows["item"]))  # one speaker: neighbours share a topic
    if COPIES in rows:
        labels = [_numbered(with_copies(code, rows[COPIES])) for code in labels]
        labels.append(_codes(rows[COPIES], len(parts)))
    each = np.arange(len(parts))
    named = [code for code in labels if 1 < code.max(initial=0) + 1 < len(parts)]
    if not named:
        return 1.0
    first, second = (named + named)[:2]
    widest = stats.widest_half(parts, Units.of(each, first, second), level)[0]
    own = [each, *named]
    base = next((code for code in own if code.max() + 1 == clusters), each)
    half = stats.widest_half(parts, Units.of(base), level)[0]
    return widest / half if half > 0 else 1.0


def _stretches(items: pd.Series) -> NDArray[np.intp]:
    """Ten neighbours each, by the numbers in their names: a file holds a talk in its order."""
    names = [re.sub(r"\d+", lambda found: found[0].zfill(12), str(item)) for item in items]
    places = np.argsort(np.argsort(np.array(names, dtype=object), kind="stable"), kind="stable")
    stretch: NDArray[np.intp] = places // NEIGHBOURS
    return stretch


def _codes(column: pd.Series, n: int) -> NDArray[np.intp]:
    """Codes from 0; where the name is blank, each row stands alone."""
    code, names = pd.factorize(column)
    blank = np.asarray(names == "")[code] if len(names) else np.zeros(n, dtype=bool)
    code = np.where(blank, len(names) + np.arange(n), code)
    return _numbered(code)


def _numbered(code: NDArray[np.generic]) -> NDArray[np.intp]:
    numbered: NDArray[np.intp] = np.unique(code, return_inverse=True)[1].reshape(-1)
    return numbered.astype(np.intp)
