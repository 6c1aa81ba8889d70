"""A listening test's CSV: what counts, what does not and why, and who is screened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import plugins
from harness.contracts import SCREENED, Ratings
from harness.errors import AssetError

JUDGE = plugins.load("judges", "mos_ratings")
HEADER = "rater,item,system,score\n"


def read(tmp_path: Path, text: str | bytes, **params: Any) -> Ratings:
    path = tmp_path / "ratings.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    found = JUDGE.ratings(JUDGE.Params(path="ratings.csv", **params), lambda name: tmp_path / name)
    assert isinstance(found, Ratings)
    return found


def test_each_line_is_one_listeners_score(tmp_path: Path) -> None:
    found = read(tmp_path, HEADER + "ana,a1,fp32,4\nana,a1,int8,3.5\nbea,a1,fp32,5\n")
    rows = [(r.rater, r.item, r.system, r.score, r.error) for r in found.rows]
    assert rows == [
        ("ana", "a1", "fp32", 4.0, ""),
        ("ana", "a1", "int8", 3.5, ""),
        ("bea", "a1", "fp32", 5.0, ""),
    ]
    assert found.notes["ratings"] == "of_all_count some=3 all=3"
    assert found.notes["systems"] == "fp32, int8"
    assert found.notes["screening"] == "none"


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("ana,a1,fp32,nan", "line 3: the score 'nan' is not a number."),
        ("ana,a1,fp32,good", "line 3: the score 'good' is not a number."),
        ("ana,a1,fp32,", "line 3: has no score."),
        ("ana,a1", "line 3: names no system."),
        (",a1,fp32,3", "line 3: names no rater."),
        ("ana,,fp32,3", "line 3: names no item."),
        ("bea,a1,fp32,2", "line 3: bea scored this item of fp32 before."),
        ("ana,a1,fp32,3,5", "line 3: has 5 cells; the header has 4."),  # 3,5 unquoted is no 3
    ],
)
def test_a_line_that_does_not_count_says_where_and_why_and_the_others_do(
    tmp_path: Path, line: str, error: str
) -> None:
    found = read(tmp_path, f"{HEADER}bea,a1,fp32,4\n{line}\n")
    assert [row.error for row in found.rows] == ["", error]
    assert found.notes["ratings"] == "of_all_count some=1 all=2"


@pytest.mark.parametrize("score", ["0", "6", "10", "-1", "99", "inf", "5.5", "0,5"])
def test_one_score_beyond_the_scale_puts_all_in_question_until_the_scale_is_named(
    tmp_path: Path, score: str
) -> None:
    text = HEADER + f'bea,a1,fp32,4\nana,a1,fp32,"{score}"\neva,a1,fp32,3\n'
    errors = [row.error for row in read(tmp_path, text).rows]
    asked = f"on which scale? line 3: the score {score} is not from 1 to 5; name it"
    assert [error.startswith(asked) for error in errors] == [True, False, True]
    assert errors[1] == f"line 3: the score {score} is not from 1 to 5."
    named = read(tmp_path, text, scale=(1.0, 5.0)).rows
    assert [row.error for row in named] == ["", errors[1], ""]


def test_scores_of_another_scale_are_put_on_one_to_five_and_the_notes_say_so(
    tmp_path: Path,
) -> None:
    text = HEADER + "ana,a1,fp32,0\nana,a2,fp32,5\nana,a3,fp32,10\nana,a4,fp32,11\n"
    found = read(tmp_path, text, scale=(0.0, 10.0))
    assert [row.score for row in found.rows][:3] == [1.0, 3.0, 5.0]
    assert found.rows[3].error == "line 5: the score 11 is not from 0 to 10."
    assert found.notes["scale"] == "rescaled low=0 high=10"


def test_what_stands_for_no_score_is_left_out_and_no_fault(tmp_path: Path) -> None:
    found = read(tmp_path, HEADER + "ana,a1,fp32,0\nana,a2,fp32,4\n", not_rated=("0", "NA"))
    assert [(row.error, row.screened) for row in found.rows] == [
        ("screened: not rated.", True),
        ("", False),
    ]


def test_a_system_that_the_experiment_does_not_know_says_so(tmp_path: Path) -> None:
    text = HEADER + "ana,a1,A,4\nana,a1,B,3\nana,a1,C,3\n"
    found = read(tmp_path, text, systems={"A": "fp32", "B": "int8"})
    assert [row.system for row in found.rows] == ["fp32", "int8", "C"]
    assert [row.error for row in found.rows][2] == "line 4: the system 'C' is not in `systems`."


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "ratings.csv: no column rater, item, system, score; it has nothing."),
        ("rater,item,score\nana,a1,3\n", "no column system; it has rater, item, score."),
        (HEADER, "ratings.csv: no rating counts; it holds no ratings."),
        (HEADER + "ana,a1,fp32,0\n", "no rating counts; line 2: the score 0 is not from 1 to 5."),
        (HEADER + '"ana,a1,fp32,3\n', "ratings.csv is no well-formed CSV"),
        (b"rater,item,system,score\n\xf1,a,b,3\n", "ratings.csv is not UTF-8"),
    ],
)
def test_a_file_without_ratings_is_one_clear_line(
    tmp_path: Path, text: str | bytes, says: str
) -> None:
    with pytest.raises(AssetError) as caught:
        read(tmp_path, text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match=r"^x\.csv: there is no such file"):
        JUDGE.ratings(JUDGE.Params(path="x.csv"), lambda name: tmp_path / name)


def test_spreadsheets_bom_semicolons_and_decimal_commas_are_read(tmp_path: Path) -> None:
    text = "\ufeffsystem;score;item;rater;notes\nfp32;3,5;a1;ana;\n\n;;;;\n"
    found = read(tmp_path, text)
    assert [(r.rater, r.score, r.error) for r in found.rows] == [("ana", 3.5, "")]


def test_other_names_of_columns_are_parameters(tmp_path: Path) -> None:
    found = read(
        tmp_path, "worker\tfile\tcondition\tACR\nw1\ta1\tfp32\t2\n",
        rater="worker", item="file", system="condition", score="ACR",
    )  # fmt: skip
    assert [(r.rater, r.item, r.system, r.score) for r in found.rows] == [("w1", "a1", "fp32", 2.0)]


def test_one_rater_alone_is_said_to_stand_for_nobody_else(tmp_path: Path) -> None:
    found = read(tmp_path, HEADER + "ana,a1,fp32,4\nana,a2,fp32,5\n")
    assert found.notes["warning"] == "one_rater"


# -------------------------------------------------------------------------------- screening
# ana, bea and eva agree on which items are good; max says the opposite; leo always says 3
OPINIONS = {"ana": "12345", "bea": "12345", "eva": "11345", "max": "54321", "leo": "33333"}
PANEL = HEADER + "".join(
    f"{rater},a{place},fp32,{score}\n"
    for rater, scores in OPINIONS.items()
    for place, score in enumerate(scores)
)


def left_out(found: Ratings) -> dict[str, str]:
    return {row.rater: row.error for row in found.rows if row.error}


def test_nobody_is_screened_unless_asked(tmp_path: Path) -> None:
    assert left_out(read(tmp_path, PANEL)) == {}


def test_only_a_rule_that_is_stated_screens_a_score(tmp_path: Path) -> None:
    found = read(tmp_path, PANEL + "zoe,a0,fp32,9\n", constant=True, scale=(1.0, 5.0))
    assert {row.rater: row.screened for row in found.rows if row.error} == {
        "leo": True,
        "zoe": False,
    }
    assert all(row.error.startswith(SCREENED) == row.screened for row in found.rows)


def test_raters_of_too_few_are_screened(tmp_path: Path) -> None:
    found = read(tmp_path, PANEL + "zoe,a0,fp32,1\n", min_ratings=5)
    assert left_out(found) == {"zoe": "screened: 1 ratings, fewer than 5."}
    assert found.notes["raters"] == "of_all_count some=5 all=6"
    assert found.notes["screened raters"] == "zoe"
    assert found.notes["screening"] == "at_least ratings=5"


def test_raters_whose_scores_never_vary_are_screened(tmp_path: Path) -> None:
    found = read(tmp_path, PANEL + "zoe,a0,fp32,1\n", constant=True)
    assert left_out(found) == {"leo": "screened: all 5 ratings are 3."}  # zoe's one says nothing


def test_raters_unlike_the_others_are_screened(tmp_path: Path) -> None:
    found = read(tmp_path, PANEL, min_correlation=0.5)
    # the others' means of a0..a4 without max: (1+1+1+3)/4 = 1.5, 2, 3, 3.75, 4.5, and his are
    # 5, 4, 3, 2, 1: deviations (-1.45, -0.95, 0.05, 0.8, 1.55) and (2, 1, 0, -1, -2), of which
    # r = -(2.9 + 0.95 + 0.8 + 3.1) / sqrt(6.05 * 10) = -7.75 / 7.778 = -1.00 (numpy.corrcoef too)
    others = np.array([1.5, 2.0, 3.0, 3.75, 4.5])
    assert np.corrcoef([5, 4, 3, 2, 1], others)[0, 1] == pytest.approx(-0.996, abs=5e-4)
    assert left_out(found) == {
        "max": "screened: correlates -1.00 with the others, below 0.5.",
        "leo": "screened: correlates 0.00 with the others, below 0.5.",
    }
    assert {row.rater for row in found.rows if not row.error} == {"ana", "bea", "eva"}


def test_a_screened_rating_keeps_its_score(tmp_path: Path) -> None:
    found = read(tmp_path, PANEL, constant=True)
    assert [row.score for row in found.rows if row.rater == "leo"] == [3.0] * 5


@given(st.permutations(PANEL.splitlines()[1:]))
def test_the_order_of_the_lines_does_not_decide_who_is_screened(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    found = read(
        tmp_path_factory.mktemp("ratings"), HEADER + "\n".join(lines),
        min_correlation=0.5, constant=True,
    )  # fmt: skip
    assert set(left_out(found)) == {"max", "leo"}


def test_the_fingerprint_is_that_of_the_bytes(tmp_path: Path) -> None:
    one = read(tmp_path, PANEL)
    assert one.fingerprint == read(tmp_path, PANEL).fingerprint
    assert one.fingerprint != read(tmp_path, PANEL + "zoe,a0,fp32,1\n").fingerprint
