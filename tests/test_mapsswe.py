"""MAPSSWE against SCTK of NIST: its own test case, and what it prints for other transcripts."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from harness.decide import scoring, stats
from harness.decide.scoring.transcripts import error_places
from harness.decide.stats import Errors
from harness.speech.text import normaliser, word_edits
from harness.store import tables


def compared(rows: list[tuple[str, str, str]]) -> tuple[stats.MatchedPairs, float, list[float]]:
    """(the test, standard deviation, errors of both) of (reference, ours, theirs)."""
    sides = []
    for side in (1, 2):
        found = [
            (utterance, place)
            for utterance, row in enumerate(rows)
            for place in error_places(row[0].split(), row[side].split())
        ]
        sides.append(Errors.of(*zip(*found, strict=True)) if found else Errors.of([], []))
    ours, theirs = stats.segment_errors(*sides)
    spread = float((ours - theirs).std(ddof=1))
    return stats.matched_pairs(ours, theirs), spread, [ours.sum(), theirs.sum()]


def test_the_alignments_of_sctks_own_test_give_its_published_result():
    # github.com/usnistgov/SCTK, src/sclite/testdata/file1.sgml and file2.sgml; expected in
    # base_sc_stats/test1a.stats.mapsswe: 3 segments, errors 9 and 7, mean 0.667, std dev 0.577,
    # Z 2.000. The first sentence has no reference; in the second, C D S C S S S C C | D C I I
    # and C D S C S S S C C | S S are split where both have two words right.
    first = ["I", "CDSCSSSCCDCII"]
    second = ["", "CDSCSSSCCSS"]
    ours, theirs = stats.segment_errors(_marked(first), _marked(second))
    assert ours.tolist() == [1, 5, 3]
    assert theirs.tolist() == [0, 5, 2]
    found = stats.matched_pairs(ours, theirs)
    assert (found.segments, round(found.mean, 3), round(found.z, 3)) == (3, 0.667, 2.0)
    assert round(float((ours - theirs).std(ddof=1)), 3) == 0.577
    # SCTK takes 3 segments for many and calls 2.0 significant; t with 2 degrees of freedom does not
    assert found.p == pytest.approx(0.1835, abs=1e-4)


def _marked(sentences: list[str]) -> Errors:
    """Errors from the letters of an alignment: C(orrect), S(ubstituted), D(eleted), I(nserted)."""
    found = []
    for utterance, marks in enumerate(sentences):
        word = 0
        for mark in marks:
            if mark == "I":
                found.append((utterance, 2 * word))
            else:
                found += [(utterance, 2 * word + 1)] if mark != "C" else []
                word += 1
    return Errors.of(*zip(*found, strict=True))


def spoiled(words: list[str], rolls: random.Random, share: float) -> list[str]:
    out = []
    for word in words:
        roll = rolls.random()
        if roll >= 1.5 * share:
            out.append(word)
        elif roll < share:
            out.append("mal")
        if roll < share or roll >= 1.5 * share:
            out += ["eh"] if rolls.random() < share / 2 else []
    return out


# sclite and sc_stats of SCTK (github.com/usnistgov/SCTK at 9688a26), built with gcc:
# sclite -r ref.trn trn -h x.trn trn -i spu_id -o sgml stdout; sc_stats -p -t mapsswe -v
@pytest.mark.parametrize(
    ("seed", "errors", "segments", "mean", "spread", "z"),
    [(0, [206, 266], 286, -0.210, 1.219, -2.911), (1, [230, 264], 314, -0.108, 1.236, -1.552)],
)
def test_transcripts_give_what_sctk_prints(seed, errors, segments, mean, spread, z):
    rolls = random.Random(seed)
    rows = []
    for i in range(200):
        words = [f"p{i}_{k}" for k in range(4 + int(rolls.random() * 12))]
        said = [" ".join(spoiled(words, rolls, share)) for share in (0.06, 0.07)]
        rows.append((" ".join(words), *said))
    found, deviation, counted = compared(rows)
    assert (counted, found.segments) == (errors, segments)
    assert [round(x, 3) for x in (found.mean, deviation, found.z)] == [mean, spread, z]


def test_two_right_words_split_and_one_does_not():
    #            0 1 2 3 4 5 6         by hand: x at 0 and 2 (one right word between), x at 5
    rows = [("a b c d e f g", "x b x d e x g", "a b c d e f g")]
    ours, theirs = stats.segment_errors(
        Errors.of([0, 0, 0], error_places(rows[0][0].split(), rows[0][1].split())),
        Errors.of([], []),
    )
    assert ours.tolist() == [2, 1]
    assert theirs.tolist() == [0, 0]
    found = stats.matched_pairs(ours, theirs)  # mean 1.5, deviation sqrt(0.5), z 1.5 / 0.5
    assert (found.mean, found.z) == pytest.approx((1.5, 3.0))


@pytest.mark.parametrize(
    ("ours", "theirs", "p"),
    [([], [], 1.0), ([1, 2], [1, 2], 1.0), ([1], [0], math.nan), ([1, 1, 1], [0, 0, 0], math.nan)],
)
def test_segments_that_tell_no_spread_give_no_p(ours, theirs, p):
    assert stats.matched_pairs(ours, theirs).p == pytest.approx(p, nan_ok=True)


WORDS = st.lists(st.sampled_from("abcde"), max_size=12)


@given(WORDS, WORDS, WORDS)
@settings(max_examples=examples(60), deadline=None)
def test_no_error_is_lost_and_swapping_the_systems_swaps_the_sign(reference, ours, theirs):
    sides = [error_places(reference, said) for said in (ours, theirs)]
    assert len(sides[0]) == word_edits(" ".join(reference), " ".join(ours))[0]
    assert len(sides[1]) == Levenshtein.distance(reference, theirs)
    one, two = (Errors.of([7] * len(side), side) for side in sides)
    found = stats.segment_errors(one, two)
    assert [side.sum() for side in found] == [len(side) for side in sides]
    assert ((found[0] + found[1]) > 0).all()
    here, there = stats.matched_pairs(*found), stats.matched_pairs(*stats.segment_errors(two, one))
    assert (here.mean, here.p) == pytest.approx((-there.mean, there.p), nan_ok=True)


def _call(item: str, variant: str, text: str, **more: Any) -> dict[str, Any]:
    cell = {"stage": "quality", "variant": variant, "session": "default", "operation": "pipeline"}
    row = {"item": item, "text": text, "reference": "A b c d.", "warm": True, "dataset": "cv"}
    return {**cell, **row, **more}


def test_the_changes_have_it_for_wer_on_a_data_set_only():
    said = {"u1": "a b x d", "u2": "a b c d", "u3": "x b c d", "u4": "a b c x"}
    rows = [_call(item, "int8", text) for item, text in said.items()]
    rows += [_call(item, "fp32", "a b c x") for item in said]
    rows.append(_call("u1", "int8", "no no no no", replica=1))  # the twin is no candidate
    heard = scoring.heard(tables.frame("calls", rows), normaliser("generic"))
    where = {"variant": "int8", "session": "default", "workload": "cv", "baseline": "fp32"}
    table = tables.frame(
        "changes",
        [
            {"stage": "quality", "metric": "wer", **where},
            {"stage": "quality", "metric": "cer", **where},
            {"stage": "latency", "metric": "rtf", **where},
        ],
    )
    found = scoring.matched_segments(table, heard)
    # errors of int8 - fp32 by segment: u1 wrong at 2 | both at 3: 1 - 1; u2: -1;
    # u3: 1 at word 0, two words right, -1 at word 3; u4: 1 - 1
    expected = stats.matched_pairs([1, 0, 1, 0, 1], [1, 1, 0, 1, 1])
    assert found["p_mapsswe"].iloc[0] == pytest.approx(expected.p)
    assert found["p_mapsswe"].iloc[1:].isna().all()
