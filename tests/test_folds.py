"""Folds "share" and "crossed", and judged metrics: which statistic, over which clusters."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.contracts import Call, Metric
from harness.decide import scoring, stats
from harness.decide.stats import RatingPlaces, Resampling
from harness.plugins import NamedMetric
from harness.store import tables

ONCE = Resampling(level=0.95, draws=2000)


def unused(call: Call) -> tuple[float, float]:
    raise AssertionError("scores are given")


def named(**metric: Any) -> NamedMetric:
    found = Metric(unit="", better="lower", measure=unused, **metric)
    return NamedMetric("m", found, math.nan)


LOOPS = named(fold="share", needs_reference=True)
MOS = named(fold="crossed", judge="mos_ratings")
DNSMOS = named(judge="dnsmos")
WER = named(needs_reference=True)


def cell(values: Any, **columns: Any) -> pd.DataFrame:
    n = len(values)
    place = np.arange(n)
    rows: dict[str, Any] = {
        "stage": "quality", "variant": "v", "session": "default", "operation": "pipeline",
        "workload": "cv", "metric": "m", "item": [f"c{i}" for i in place], "round": place,
        "block": place, "value": values, "weight": 1.0,
    }  # fmt: skip
    data = pd.DataFrame({**rows, **columns})
    return tables.check("scores", data.reindex(columns=list(tables.TABLES["scores"])))


# -------------------------------------------------------------------------------------------- share
def test_a_share_has_exact_bounds_over_utterances():
    found = scoring.estimate(cell([0.0] * 100), LOOPS, ONCE)
    assert (found.estimate, found.low, found.n, found.units) == (0, 0, 100, 100)
    assert found.high == pytest.approx(1 - 0.05**0.01)
    assert (found.method, found.why) == ("Clopper-Pearson by utterance", "")


def test_a_share_is_clustered_by_speaker_where_there_are_enough():
    speakers = [f"s{i % 10}" for i in range(100)]
    found = scoring.estimate(cell([0.0] * 100, speaker=speakers), LOOPS, ONCE)
    assert (found.units, found.method) == (10, "Clopper-Pearson by speaker")
    assert found.high > 0.06


def test_calls_of_weight_0_are_left_out_of_a_share_and_broken_ones_are_not():
    values, weights = [1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0]
    found = scoring.estimate(cell(values, weight=weights), LOOPS, ONCE)
    assert (found.estimate, found.n) == (0.5, 2)
    for column in ("value", "weight"):
        broken = scoring.estimate(
            cell(values, weight=weights).assign(**{column: [math.nan, 0.0, 0.0, 0.0]}), LOOPS, ONCE
        )
        assert broken.why == "broken"
    assert scoring.estimate(cell(values, weight=0.0), LOOPS, ONCE).n == 0


def test_two_shares_are_compared_on_the_utterances_that_both_have():
    ours, theirs = np.zeros(60), np.zeros(60)
    ours[:9], theirs[8:10] = 1, 1
    base = cell(theirs)[::-1]
    difference, ratio = scoring.compare(cell(ours), base[base["item"] != "c59"], LOOPS, ONCE)
    expected = stats.difference_of_shares(ours[:59], theirs[:59], np.arange(59), 0.95)
    assert (difference.low, difference.high) == pytest.approx((expected.low, expected.high))
    assert (difference.n, difference.p) == (59, pytest.approx(expected.p))
    assert difference.method == "Tango score interval by utterance"
    assert ratio.estimate == pytest.approx(4.5)
    assert ratio.low < 4.5 < ratio.high


def test_what_one_side_left_out_is_left_out_of_the_difference():
    weights = [1.0] * 10 + [0.0] * 10
    difference, _ = scoring.compare(cell([0.0] * 20, weight=weights), cell([0.0] * 20), LOOPS, ONCE)
    assert difference.n == 10


def test_two_shares_of_nothing_have_a_difference_and_no_ratio():
    difference, ratio = scoring.compare(cell([0.0] * 50), cell([0.0] * 50), LOOPS, ONCE)
    assert difference.high == pytest.approx(1 - 0.05 ** (1 / 50))
    assert ratio.why == "broken"


# ------------------------------------------------------------------------------------------ crossed
def ratings(raters: int = 8, items: int = 12, better: float = 0.0) -> pd.DataFrame:
    random = np.random.default_rng(0)
    rater, item = (axis.ravel() for axis in np.indices((raters, items)))
    scores = 3 + 0.3 * (rater % 3) + 0.2 * (item % 4) + random.normal(0, 0.5, rater.size) + better
    names = {"speaker": [f"r{r}" for r in rater], "item": [f"i{i}" for i in item]}
    return cell(scores, **names)


def test_ratings_are_folded_over_raters_and_items():
    data = ratings()
    found = scoring.estimate(data, MOS, ONCE)
    expected = stats.crossed_mean(data["value"], data["speaker"], data["item"], 0.95)
    assert (found.low, found.high, found.units) == (expected.low, expected.high, 8)
    assert found.method == "t over raters and items"


def test_ratings_are_paired_by_rater_and_item_in_any_order():
    ours, theirs = ratings(better=0.4), ratings()
    mixed = theirs.sample(frac=1, random_state=1)
    difference, ratio = scoring.compare(ours, mixed[mixed["speaker"] != "r3"], MOS, ONCE)
    # what is left of the noise, which both share, is nothing
    assert difference.estimate == pytest.approx(0.4)
    assert difference.n == 7 * 12
    kept = theirs.loc[theirs["speaker"] != "r3", "value"]
    assert ratio.estimate == pytest.approx((kept.mean() + 0.4) / kept.mean())


def test_a_rater_who_scored_an_item_twice_counts_once():
    ours, theirs = ratings(), ratings()
    again = pd.concat([ours, ours.iloc[:1].assign(value=ours["value"].iloc[0] + 2)])
    difference, _ = scoring.compare(again, theirs, MOS, ONCE)
    assert difference.n == 96
    assert difference.estimate == pytest.approx(1 / 96)
    broken = again.assign(value=[*ours["value"], math.nan])
    assert scoring.compare(broken, theirs, MOS, ONCE)[0].why == "broken"


def test_one_rater_stands_for_no_others():
    assert scoring.estimate(ratings(raters=1), MOS, ONCE).why == "few"
    assert (
        scoring.compare(ratings(raters=1, better=1), ratings(raters=1), MOS, ONCE)[0].why == "few"
    )


def test_raters_who_have_nothing_in_common_are_not_compared():
    others = ratings().replace({"speaker": {f"r{i}": f"q{i}" for i in range(8)}})
    difference, ratio = scoring.compare(ratings(), others, MOS, ONCE)
    assert (difference.n, difference.why, ratio.why) == (0, "broken", "broken")


# ----------------------------------------------------------------------------------- judged metrics
def test_a_judged_metric_is_clustered_as_texts_are_and_has_no_quantum():
    random = np.random.default_rng(2)
    scores = random.normal(3.3, 0.2, 40)
    sentences = [f"s{i // 2}" for i in range(40)]
    found = scoring.estimate(cell(scores, sentence=sentences), DNSMOS, ONCE)
    assert (found.method, found.units) == ("bootstrap by sentence", 20)
    ours, theirs = cell(scores, sentence=sentences), cell(scores + 0.1, sentence=sentences)
    difference, _ = scoring.compare(ours, theirs, DNSMOS, ONCE)
    assert difference.method == "paired bootstrap by sentence"
    # every clip moved alike: nothing hides on the other side, as one edit would for a text
    assert (difference.low, difference.high) == pytest.approx((-0.1, -0.1), abs=1e-6)
    counted, _ = scoring.compare(ours, theirs, WER, ONCE)
    assert counted.high > -0.1 + 1e-3


def test_places_are_those_of_the_ratings():
    places = RatingPlaces.of(["b", "a", "b"], [2, 1, 1])
    assert (places.raters, places.items, places.fewer) == (2, 2, 2)
    assert places.rater.tolist() == [1, 0, 1]
