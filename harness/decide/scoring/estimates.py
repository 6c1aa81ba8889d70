"""Scores of one cell -> estimate and bounds; of two cells -> their paired difference and ratio.

The one place that knows which statistic a fold means and what is independent of what.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.decide import stats
from harness.decide.scoring import likeness, scales
from harness.decide.scoring.scores import workload
from harness.decide.stats import Interval, Resampling, Sums, Timed, Units
from harness.plugins import NamedMetric
from harness.store import tables

QUALITY = "quality"
SPEAKERS = stats.FEWEST  # fewer speakers than this cannot stand for others
NEIGHBOURS = 10  # utterances measured one after the other, within which latencies are alike
# what clusters are made of
NAMED = ["stage", "round", "item", "speaker", "sentence", "recording", "generation"]
RATED = ["speaker", "item"]  # of a listening test: rater and item
Labels = NDArray[np.generic]
Values = NDArray[np.float64]


def estimate(cell: pd.DataFrame, named: NamedMetric, how: Resampling) -> Interval:
    """The folded value of one cell (rows of the scores table with one metric), with its bounds.

    For a quantile, rows that `lost` made may be among them.
    """
    values, weights = _columns(cell)
    if not math.isnan(named.quantile):
        with np.errstate(divide="ignore", invalid="ignore"):
            each = values / weights
        found = stats.widest_quantile(each, units_of(cell), named.quantile, how.level)
        if _of_one_clip(cell) and found.n > 1 and not found.why:
            return stats.unbounded(found.estimate, found.n, found.units, found.method)
        return found
    if named.metric.fold == "max":
        return _largest(values)
    if named.metric.fold == "geometric":
        return stats.geometric_mean(values, units_of(cell), how.level)
    if named.metric.fold == "crossed":
        return _crossed(cell, how)
    labels, unit = _clusters(cell, of_texts(named))
    if named.metric.fold == "share":
        counted = weights != 0  # also those that are no numbers: they must not vanish
        hits = _hits(values, weights)[counted]
        return _by(stats.share(hits, labels[counted], how.level), unit)
    system = Sums(values, weights)
    found = _by(stats.ratio_of_sums(system, labels, _counted(named, how)), unit)
    if system.sound:
        found = _widened(found, system, cell, (labels, of_texts(named)), how.level)
    return scales.scaled(found, named.metric.scale)


def _widened(
    found: Interval, system: Sums, cell: pd.DataFrame, by: tuple[Labels, bool], level: float
) -> Interval:
    """A rate's interval that holds over speakers and sentences, of texts; over processes, of
    times. `by`: the labels that it was resampled by, and whether it is of texts."""
    parts, (labels, texts) = likeness.of_rate(system), by
    if not texts:
        return likeness.over_processes(found, parts, cell, labels, level)
    return likeness.widened(found, parts, cell, level) if _is_quality(cell) else found


def compare(
    ours: pd.DataFrame, theirs: pd.DataFrame, named: NamedMetric, how: Resampling
) -> tuple[Interval, Interval]:
    """(difference ours - theirs, ratio ours / theirs): utterances paired by item, calls by round
    and item.

    What is in one of the cells only is left out (see `unpaired`).
    """
    if named.metric.fold == "max":
        return _compare_largest(_largest(_columns(ours)[0]), _largest(_columns(theirs)[0]))
    if named.metric.fold == "crossed":
        return _compare_crossed(ours, theirs, how)
    quality = _is_quality(ours) or _is_quality(theirs)
    if named.metric.fold == "geometric":
        return stats.paired_medians(_timed(ours, quality), _timed(theirs, quality), how.level)
    if math.isnan(named.quantile):
        pairs = _paired(ours, theirs, quality, of_texts(named))
        shares = named.metric.fold == "share" and quality
        difference, ratio = (_compare_shares if shares else _compare_sums)(
            pairs, _counted(named, how)
        )
        found = _by(difference, pairs.unit), _by(ratio, pairs.unit)
        if pairs.ours.sound and pairs.theirs.sound and not shares:
            found = _both_widened(found, pairs, of_texts(named), how.level)
        figures = (pairs.ours.ratio, pairs.theirs.ratio)
        return scales.compared(*found, named.metric.scale, figures)
    mine, other = _timed(ours, quality), _timed(theirs, quality)
    return stats.paired_quantiles(mine, other, named.quantile, how)


def lost(failed: pd.DataFrame, named: NamedMetric) -> pd.DataFrame:
    """Calls that gave no result as scores that are worse than every other one: a call that hangs is
    a slow one, and up to 1 % of them can be the whole tail behind a P99."""
    worst = math.inf if named.metric.better == "lower" else -math.inf
    known = {name: failed[name] for name in tables.TABLES["scores"] if name in failed}
    rows = pd.DataFrame(known).assign(metric=named.name, workload=workload(failed))
    return rows.assign(value=worst, weight=1.0)[list(tables.TABLES["scores"])]


def unpaired(ours: pd.DataFrame, theirs: pd.DataFrame) -> list[str]:
    """Utterances (of data sets) that only one of the two cells has, sorted."""
    if not (_is_quality(ours) or _is_quality(theirs)):
        return []
    code, items = pd.factorize(pd.concat([ours["item"], theirs["item"]], ignore_index=True))
    sides = (np.bincount(some, minlength=len(items)) for some in np.split(code, [len(ours)]))
    here, there = (side > 0 for side in sides)
    return sorted(str(item) for item in items[here != there])


@dataclass(frozen=True)
class Needed:
    """Calls in all that would probably settle a limit on a quantile: as many as an even chance
    takes, and as many as four chances in five do (inf: the truth may be the limit itself). `clips`:
    how many of those it takes where there are too few of them; NaN where there are enough."""

    even: float
    likely: float
    clips: float = math.nan


def calls_needed(cell: pd.DataFrame, named: NamedMetric, limit: float, level: float) -> Needed:
    """NaN for what is no quantile, or where nothing is known."""
    if math.isnan(named.quantile):
        return Needed(math.nan, math.nan)
    values, weights = _columns(cell)
    with np.errstate(divide="ignore", invalid="ignore"):
        each = values / weights
    units = units_of(cell)
    even, likely = stats.needed_for_widest(each, units, named.quantile, limit, level)
    if stats.rarest_kind(each, units, named.quantile, level) != "clips" or math.isnan(even):
        return Needed(even, likely)
    return Needed(even, likely, math.ceil(even / each.size * units.counts[1]))


def of_texts(named: NamedMetric) -> bool:
    """Whether a score depends on what was said (by whom, which sentence) and not on the clock."""
    metric = named.metric
    return metric.needs_reference or bool(metric.judge) or bool(metric.compares)


def units_of(cell: pd.DataFrame) -> Units:
    """Which block, clip and process each score of one cell was measured in."""
    clips, _ = pd.factorize(cell["item"])
    return Units.of(_blocks(cell), clips, cell["generation"].to_numpy())


def told(units: Units) -> str:
    """How many of each there are, as a check says it."""
    names = ("block", "blocks"), ("clip", "clips"), ("process", "processes")
    pairs = zip(units.counts, names, strict=True)
    parts = [f"{count} {name[count != 1]}" for count, name in pairs]
    return f"{parts[0]}, {parts[1]} and {parts[2]}"


def _of_one_clip(cell: pd.DataFrame) -> bool:
    """Whether calls of the latency stage are all on one clip: of others they say nothing."""
    timed = cell[(cell["round"] >= 0) & (cell["item"] != "")]
    return bool(len(timed) and not _is_quality(cell) and timed["item"].nunique() == 1)


def _is_quality(cell: pd.DataFrame) -> bool:
    return bool(len(cell)) and cell["stage"].iloc[0] == QUALITY


def _columns(cell: pd.DataFrame) -> tuple[Values, Values]:
    return cell["value"].to_numpy(dtype=np.float64), cell["weight"].to_numpy(dtype=np.float64)


def _counted(named: NamedMetric, how: Resampling) -> Resampling:
    """Texts err by whole edits, so that one is the least that may hide, and outputs that agree by
    whole positions; times, and errors of outputs, by any amount."""
    whole = named.metric.needs_reference or named.metric.scale == "complement"
    return how if whole else replace(how, quantum=0.0)


def _by(interval: Interval, unit: str) -> Interval:
    return replace(interval, method=f"{interval.method} by {unit}")


def _blocks(cell: pd.DataFrame) -> Labels:
    """What is independent of each other in time: a round's block, or ten utterances in a row."""
    rounds = _rounds(cell)
    if _is_quality(cell):
        return rounds // NEIGHBOURS
    return rounds * 1_000_000 + np.asarray(cell["block"].to_numpy(), dtype=np.int64)


def _clusters(cell: pd.DataFrame, texts: bool) -> tuple[Labels, str]:
    """Labels of what is independent, and its name: speakers, where there are enough of them to
    stand for others; else sentences, whose interval holds for these speakers only. Times resemble
    each other in time, whoever speaks: up to ten utterances in a row, in ten stretches or more."""
    if not _is_quality(cell):
        return _rounds(cell), "round"
    if not texts:
        rounds = _rounds(cell)
        length = min(NEIGHBOURS, max(1, len(pd.unique(rounds)) // 10))
        return rounds // length, "stretch"
    speakers, names = _coded(cell["speaker"])
    if np.count_nonzero(names != "") >= SPEAKERS:
        labels = likeness.with_copies(_or_item(cell, speakers, names), cell["recording"])
        if len(pd.unique(labels)) >= SPEAKERS:
            return labels, "speaker"
    sentences, names = _coded(cell["sentence"])
    unit = "sentence" if (names != "").any() else "utterance"
    labels = likeness.with_copies(_or_item(cell, sentences, names), cell["recording"])
    return labels, unit


def _or_item(cell: pd.DataFrame, code: Labels, names: NDArray[np.object_]) -> Labels:
    """The codes in the order of their names; where the name is blank, each item stands alone."""
    blank = names == ""
    if not blank.any():
        return code
    items, known = _coded(cell["item"])
    if blank.all():
        return items
    alone = np.array([f"item {item}" for item in known.tolist()], dtype=object)
    return np.asarray(np.where(blank[code], alone[items], names[code]), dtype=np.str_)


def _coded(column: pd.Series) -> tuple[Labels, NDArray[np.object_]]:
    """(code of each row, the names), codes in the order of the names: numbers sort faster."""
    code, names = pd.factorize(column, sort=True)
    return code, np.asarray(names, dtype=object)


def _largest(values: Values) -> Interval:
    """A peak is what was seen; how much higher it may get, no number of calls can bound."""
    peak = float(values.max()) if values.size else math.nan
    return stats.exactly(peak, values.size, "largest observed")


def _compare_largest(ours: Interval, theirs: Interval) -> tuple[Interval, Interval]:
    both, n = (ours.estimate, theirs.estimate), ours.n
    ratio = both[0] / both[1] if both[1] > 0 else math.nan
    return (
        stats.exactly(both[0] - both[1], n, ours.method),
        stats.exactly(ratio, n, ours.method),
    )


@dataclass(frozen=True)
class _Pairs:
    """Two cells over the same utterances (or rounds and items), and what of it is independent."""

    ours: Sums
    theirs: Sums
    labels: Labels
    unit: str
    rows: pd.DataFrame  # who said what, of each


def _paired(ours: pd.DataFrame, theirs: pd.DataFrame, quality: bool, texts: bool) -> _Pairs:
    if not quality:  # loading and warming up pair with nothing
        ours, theirs = ours[ours["round"] >= 0], theirs[theirs["round"] >= 0]
    code, keys = pd.factorize(pd.concat([ours["item"], theirs["item"]], ignore_index=True))
    if not quality:
        rounds = pd.concat([ours["round"], theirs["round"]], ignore_index=True)
        code, places = pd.factorize(rounds.to_numpy(dtype=np.int64) * len(keys) + code)
        keys = pd.Index(places)
    mine, other = code[: len(ours)], code[len(ours) :]
    shared = np.flatnonzero(_times(mine, len(keys)) * _times(other, len(keys)))
    first = np.full(len(keys), -1, dtype=np.intp)
    first[mine[::-1]] = np.arange(len(mine))[::-1]  # the first row of each key
    rows = ours[NAMED].iloc[first[shared]]
    beside = np.full(len(keys), -1, dtype=np.intp)
    beside[other[::-1]] = np.arange(len(other))[::-1]
    pair = [
        side["generation"].to_numpy(dtype=np.int64)[at[shared]]
        for side, at in ((ours, first), (theirs, beside))
    ]
    rows = rows.assign(generation=_pairs_of(*pair))
    labels, unit = _clusters(rows, texts)
    sides = []
    for cell, at in ((ours, mine), (theirs, other)):
        calls = 1 if quality else _times(at, len(keys))[shared]  # each clip alike
        sums = [np.bincount(at, weights=x, minlength=len(keys))[shared] for x in _columns(cell)]
        sides.append(Sums.of(*(x / calls for x in sums)))
    # what one of them left out and the other did not is no pair
    out = [(side.values == 0) & (side.weights == 0) for side in sides]
    kept = ~(out[0] & (sides[1].weights != 0) | out[1] & (sides[0].weights != 0))
    if not kept.all():
        sides = [Sums(side.values[kept], side.weights[kept]) for side in sides]
    return _Pairs(sides[0], sides[1], labels[kept], unit, rows[kept])


def _both_widened(
    found: tuple[Interval, Interval], pairs: _Pairs, texts: bool, level: float
) -> tuple[Interval, Interval]:
    """Difference and ratio of two rates as `_widened` has one of them."""
    ours, theirs = likeness.of_rate(pairs.ours), likeness.of_rate(pairs.theirs)
    rows, labels = pairs.rows, pairs.labels
    if texts:
        parts = ours - theirs
        difference, ratio = (likeness.widened(one, parts, rows, level) for one in found)
        return difference, ratio
    relative = _relative(ours, pairs.ours) - _relative(theirs, pairs.theirs)
    both = zip(found, (ours - theirs, relative), strict=True)
    difference, ratio = (
        likeness.over_processes(one, parts, rows, labels, level) for one, parts in both
    )
    return difference, ratio


def _pairs_of(ours: Labels, theirs: Labels) -> Labels:
    """One label for each two processes that were measured side by side."""
    one, other = (np.unique(side, return_inverse=True)[1].reshape(-1) for side in (ours, theirs))
    return np.asarray(one * (int(other.max(initial=0)) + 1) + other)


def _relative(parts: Values, system: Sums) -> Values:
    """Of the rate itself: what moves a ratio of two rates."""
    return parts / system.ratio if system.ratio else parts


def _compare_sums(pairs: _Pairs, how: Resampling) -> tuple[Interval, Interval]:
    return stats.compare_ratios(pairs.ours, pairs.theirs, pairs.labels, how)


def _compare_shares(pairs: _Pairs, how: Resampling) -> tuple[Interval, Interval]:
    """The difference by what both counted; the ratio of two shares is one of sums."""
    ours, theirs = pairs.ours, pairs.theirs
    counted = (ours.weights != 0) & (theirs.weights != 0)
    hits = [_hits(side.values, side.weights)[counted] for side in (ours, theirs)]
    difference = stats.difference_of_shares(hits[0], hits[1], pairs.labels[counted], how.level)
    return difference, _compare_sums(pairs, how)[1]


def _hits(values: Values, weights: Values) -> Values:
    """The 0 or 1 of each call, NaN for what cannot be one in a share of calls."""
    return np.where(weights == 1, values, np.nan)


def _crossed(cell: pd.DataFrame, how: Resampling) -> Interval:
    """The mean score: `speaker` names the rater."""
    rated = cell[cell["weight"] != 0]
    raters, items = (rated[name].to_numpy(dtype=object) for name in RATED)
    return stats.crossed_mean(_hits(*_columns(rated)), raters, items, how.level)


def _compare_crossed(
    ours: pd.DataFrame, theirs: pd.DataFrame, how: Resampling
) -> tuple[Interval, Interval]:
    """By rater and item; what one rater said of one item more than once is averaged."""
    both = pd.concat([_ratings(ours), _ratings(theirs)], axis=1, join="inner")
    raters, items = (both.index.get_level_values(name).to_numpy(dtype=object) for name in RATED)
    mine, other = both.to_numpy(dtype=np.float64).T
    return stats.compare_crossed(mine, other, stats.RatingPlaces.of(raters, items), how.level)


def _ratings(cell: pd.DataFrame) -> pd.Series:
    """Score by rater and item."""
    rated = cell[cell["weight"] != 0]
    scores = pd.Series(_hits(*_columns(rated)), index=rated.index)
    return scores.groupby([rated[name] for name in RATED], sort=True, observed=True).agg(
        lambda some: some.mean(skipna=False)
    )


def _times(code: NDArray[np.intp], keys: int) -> NDArray[np.intp]:
    """How often each key occurs."""
    return np.bincount(code, minlength=keys)


def _rounds(cell: pd.DataFrame) -> NDArray[np.int64]:
    return np.asarray(cell["round"].to_numpy(), dtype=np.int64)


def _timed(cell: pd.DataFrame, quality: bool) -> Timed:
    values, weights = _columns(cell)
    rounds = _rounds(cell)
    units = np.where(rounds < 0, -1, rounds // NEIGHBOURS if quality else rounds)
    with np.errstate(divide="ignore", invalid="ignore"):
        return Timed.of(
            values / weights, units, cell["item"].to_numpy(), cell["generation"].to_numpy()
        )
