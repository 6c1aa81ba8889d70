"""What utterances share beside the speaker, estimands by their names, coarse clocks, shares."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from trust import corpora

from harness import plugins
from harness.decide import interim, scoring, stats
from harness.decide.scoring import likeness
from harness.decide.stats import Resampling, Sums

BY_NAME = {corpus.name: corpus for corpus in corpora.CORPORA}
EXPERIMENTS = 60
ALLOWED = 0.05 + 3 * (0.05 * 0.95 / EXPERIMENTS) ** 0.5


def test_copies_of_a_recording_are_one_in_the_labels_and_a_label_of_their_own():
    """Forty utterances, each five times under other names and other speakers."""
    random = np.random.default_rng(4)
    errors = np.repeat(random.poisson(1.0, 40).astype(float), 5)
    words, each = np.full(200, 10.0), np.arange(200)
    rows = pd.DataFrame({"speaker": [f"s{k % 20}" for k in each], "sentence": [""] * 200})
    copied = rows.assign(speaker="", recording=[f"r{k // 5}" for k in each])
    own = rows.assign(recording=[f"r{k}" for k in each])
    system, parts = Sums(errors, words), likeness.of_rate(Sums(errors, words))
    found = stats.ratio_of_sums(system, each, Resampling(0.95, draws=1000))
    wide = likeness.widened(found, parts, copied, 0.95)
    assert wide.high - wide.estimate > 1.8 * (found.high - found.estimate)  # sqrt 5 = 2.2
    assert likeness.widened(found, parts, own, 0.95) == likeness.widened(found, parts, rows, 0.95)
    merged = likeness.with_copies(np.repeat(np.arange(100), 2), copied["recording"])
    assert len(set(merged)) == 20  # pairs that share a recording: 5 x 2 is two recordings each


@pytest.mark.parametrize(
    "name",
    [
        "20 speakers x the same 5 sentences",
        "5 speakers x the same 20 sentences",
        "lengths from 2 to 60 words",
        "a loop in 1 of 50, n = 400",
    ],
)
def test_an_increase_at_its_limit_is_seldom_approved_whatever_the_corpus(name):
    counted = corpora.count(BY_NAME[name], EXPERIMENTS, seed=3)
    assert counted["at"] / EXPERIMENTS <= ALLOWED


def test_the_same_sentences_from_other_speakers_widen_the_bound():
    sample = corpora.draw(BY_NAME["20 speakers x the same 5 sentences"], np.random.default_rng(1))
    one_way = [corpora.bound(sample, two_way=False), corpora.bound(sample)]
    assert one_way[1].high > one_way[0].high
    assert one_way[1].estimate == one_way[0].estimate


def test_without_a_second_label_the_bound_is_about_what_it_was():
    sample = corpora.draw(BY_NAME["20 speakers x 5"], np.random.default_rng(1))
    wide, plain = corpora.bound(sample), corpora.bound(sample, two_way=False)
    assert plain.high <= wide.high <= plain.estimate + 1.1 * (plain.high - plain.estimate)


def test_neighbours_of_one_speaker_share_a_topic():
    """Two hundred utterances whose errors come in stretches of ten, in the order of their names."""
    random = np.random.default_rng(2)
    hard = np.repeat(np.exp(0.8 * random.standard_normal(20)), 10)
    errors, words = random.poisson(hard).astype(float), np.full(200, 10.0)
    rows = pd.DataFrame({"speaker": [""] * 200, "sentence": [""] * 200})
    system = Sums(errors, words)
    found = stats.ratio_of_sums(system, np.arange(200), Resampling(0.95, draws=1000))
    named = rows.assign(item=[f"talk-{k}.wav" for k in range(200)])
    wide = likeness.widened(found, likeness.of_rate(system), named, 0.95)
    assert wide.high - wide.estimate > 1.5 * (found.high - found.estimate)
    assert likeness.widened(found, likeness.of_rate(system), rows, 0.95) == found


@pytest.mark.parametrize(
    ("metric", "n", "words", "hidden"),
    [
        # -ln(0.05) / 1000 of 448 words over 10 words a reply
        ("wer", 1000, 10.0, 0.1342),
        ("wer", 100_000, 10.0, 0.001342),
        ("cer", 1000, 10.0, np.inf),  # nobody says how long a reply can be in characters
        ("wer", 0, 10.0, np.inf),
        ("wer", 1000, np.nan, np.inf),
    ],
)
def test_what_a_word_error_rate_may_hide(metric, n, words, hidden):
    assert interim.unseen(metric, n, words) == pytest.approx(hidden, rel=1e-3)


def test_the_geometric_mean_of_paired_ratios_has_a_name_of_its_own():
    """A baseline of which a third of the calls take 1.5: 1.5^(-1/3) = 0.874."""
    rounds = np.arange(30)
    cells = []
    for seconds in (np.ones(30), np.where(rounds % 3 == 0, 1.5, 1.0)):
        named = {"stage": "latency", "speaker": "", "sentence": "", "weight": 1.0}
        made = pd.DataFrame({"value": 300 * seconds + 1e-3 * rounds}).assign(**named)
        places = {"round": rounds, "block": rounds, "generation": rounds // 5}
        cells.append(made.assign(item=[f"c{k}" for k in rounds], **places))
    ratios = {
        name: scoring.compare(*cells, plugins.find_metric(name), Resampling(0.95))[1].estimate
        for name in ("latency_p50_ms", "latency_gmean_ms")
    }
    assert ratios["latency_p50_ms"] == pytest.approx(1, abs=1e-3)
    assert ratios["latency_gmean_ms"] == pytest.approx(0.874, abs=1e-3)
    alone = scoring.estimate(cells[1], plugins.find_metric("latency_gmean_ms"), Resampling(0.95))
    assert alone.estimate == pytest.approx(300 * 1.5 ** (1 / 3), rel=1e-3)
    assert alone.low < alone.estimate < alone.high


@pytest.mark.parametrize(("step", "widened"), [(15.6, True), (0.001, False)])
def test_a_coarse_clock_is_allowed_a_tick(step, widened):
    random = np.random.default_rng(4)
    times = np.round(300 * random.lognormal(0, 0.05, 200) / step) * step
    where = stats.Units.of(np.arange(200))
    found = stats.widest_quantile(times, where, 0.5)
    plain = stats.quantile_bounds(times, np.arange(200), 0.5)
    assert found.high - plain.high == pytest.approx(step if widened else 0, rel=0.01, abs=0.01)


@pytest.mark.parametrize(("speakers", "rho"), [(40, 0.3), (20, 0.1), (100, 0.3)])
def test_a_share_that_clusters_by_speaker_is_bounded_over_speakers(speakers, rho):
    """Beta-binomial: 5 % of calls, alike within a speaker by rho; 20 calls each."""
    random, wrong, runs = np.random.default_rng(5), 0, 400
    a, b = 0.05 * (1 - rho) / rho, 0.95 * (1 - rho) / rho
    label = np.repeat(np.arange(speakers), 20)
    for _ in range(runs):
        hits = random.random(label.size) < random.beta(a, b, speakers)[label]
        wrong += bool(hits.any()) and stats.share(hits.astype(float), label, 0.95).high < 0.05
    assert wrong / runs <= 0.05 + 3 * (0.05 * 0.95 / runs) ** 0.5


@pytest.mark.parametrize(("clips", "why"), [(1, "few"), (2, "few"), (6, ""), (60, "")])
def test_a_limit_on_one_clip_or_two_says_nothing_of_others(clips, why):
    random, rounds = np.random.default_rng(6), np.arange(60)
    named = {"stage": "latency", "speaker": "", "sentence": "", "weight": 1.0}
    places = {"round": rounds, "block": rounds, "generation": rounds // 10}
    cell = pd.DataFrame({"value": 300 * random.lognormal(0, 0.05, 60)}).assign(**named, **places)
    cell = cell.assign(item=[f"c{k % clips}" for k in rounds])
    found = scoring.estimate(cell, plugins.find_metric("latency_p50_ms"), Resampling(0.95))
    assert found.why == why
    assert np.isfinite(found.high) == (not why)
