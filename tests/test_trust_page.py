"""docs/trust.md: what was promised and not met is in plain sight, and the page is of its files."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from trust import comparisons, page, rows, sweeps
from trust.rows import Row

from harness.decide import scoring
from harness.runtime.session import meaning
from harness.store import tables

GOLDEN = Path(__file__).parent / "golden" / "trust.md"
SLOW = Row("A/B", "a slow-down of 5 % in the measured call: found", 0.55, 0.0787, 40, ">= 0.6")
PARTS = {
    "gallery": [
        Row("false approvals", "P50, iid lognormal", 0.048, 0.0048, 2000, "<= 0.05"),
        Row("false approvals", "P99, iid lognormal", 0.0, 0.0, 2000, "<= 0.05"),
        Row("power", "P50, iid lognormal", 0.99, 0.0022, 2000, ">= 0.8"),
        Row("power", "P50, slow drift", 0.7, 0.0102, 2000, ">= 0.8", "it drifts | away"),
        Row("power", "P50, spikes", 0.8, 0.0089, 2000, ">= 0.8"),
        Row("calls used", "P50, iid lognormal", 0.25, 0.01, 2000, "", "a mean"),
        Row("calls used", "P50, slow drift", 0.35, 0.01, 2000, "<= 0.35", "a mean"),
    ],
    "machine": [
        Row("A/A", "against itself: called different", 0.025, 0.0247, 40, "<= 0.05"),
        Row("A/A", "reach", 3.21, math.nan, 40, unit="%"),
        SLOW,
        replace(SLOW, case=SLOW.case.replace("5 %", "10 %"), value=1.0, error=0.0),
    ],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for part, found in PARTS.items():
        rows.write(part, found, seed=1, seconds=90.0, folder=tmp_path / "trust")
    return tmp_path / "trust"


@pytest.mark.parametrize(
    ("value", "target", "met"),
    [
        (0.05, "<= 0.05", True),
        (0.0501, "<= 0.05", False),
        (0.8, ">= 0.8", True),
        (0.79, ">= 0.8", False),
        (0.93, "0.93 to 0.97", True),
        (0.97, "0.93 to 0.97", True),
        (0.98, "0.93 to 0.97", False),
        (0.92, "0.93 to 0.97", False),
        (math.nan, "<= 0.05", False),
        (math.nan, "0.93 to 0.97", False),
        (0.5, "", None),
    ],
)
def test_a_figure_is_met_by_its_value_alone(value: float, target: str, met: bool | None) -> None:
    assert Row("g", "c", value, 0.1, 10, target).met is met


def test_the_page_is_the_golden_one(folder: Path, request: pytest.FixtureRequest) -> None:
    written = page.write(folder).read_bytes()
    if request.config.getoption("--golden"):
        GOLDEN.write_bytes(written)
    assert written.decode() == GOLDEN.read_bytes().decode(), "wanted? `make golden`, then review"


def test_equal_files_give_equal_bytes(folder: Path) -> None:
    one = page.write(folder).read_bytes(), (folder.parent / page.FIGURE).read_bytes()
    two = page.write(folder).read_bytes(), (folder.parent / page.FIGURE).read_bytes()
    assert one == two
    assert one[1].startswith(b"\x89PNG")


def test_what_is_not_met_and_what_is_missing_is_above_the_tables(folder: Path) -> None:
    head, _, tables_ = page.text(page.load(folder)).partition("## Every figure")
    assert "**7 of 9 promised figures are met.**" in head
    assert head.count("**NOT MET**") == tables_.count("**NOT MET**") == 2
    assert "70.0 ± 2.0 %, promised ≥ 80 %. It drifts \\| away." in head
    assert "55.0 ± 15.7 %, promised ≥ 60 % (within two Monte-Carlo errors)" in head
    assert "**Not measured yet: corpora**" in head


def test_the_first_paragraph_answers_from_the_worst_cases(folder: Path) -> None:
    answer = page.text(page.load(folder)).split("\n\n")[1]
    assert "approved in at most 4.8 % of 2000 runs (2 cases)" in answer
    assert "in 80 % of runs or more in 2 of 3 cases (the worst: 70.0 %, P50, slow drift)" in answer
    assert "called different from itself in 2.5 % of 40 comparisons" in answer
    assert "found in 55.0 % (5 %) and in 100.0 % (10 %) of 40 comparisons" in answer


def test_none_of_n_is_shown_with_its_exact_bound() -> None:
    """1 - 0.05^(1/2000) = 0.150 %, the rule of three's 3/n."""
    assert page.value(Row("g", "c", 0.0, 0.0, 2000)) == "0.0 % (≤ 0.1 %)"
    assert page.value(Row("g", "c", 1.0, 0.0, 3)) == "100.0 % (≥ 36.8 %)"


def test_a_page_of_nothing_says_so_and_a_stray_file_is_refused(tmp_path: Path) -> None:
    assert "Nothing has been measured yet." in page.text([])
    (tmp_path / "notes.json").write_text("{}")
    with pytest.raises(ValueError, match="notes is no part"):
        page.load(tmp_path)


def test_a_page_is_current_as_long_as_it_is_of_its_figures(tmp_path: Path) -> None:
    """`make check` asks this of docs/trust.md."""
    folder = tmp_path / "trust"
    assert page.stale(folder) == ""  # nothing has run
    for part in page.PARTS:
        rows.write(part, PARTS["machine"], seed=1, seconds=90.0, folder=folder)
    assert "figures without their page" in page.stale(folder)
    written = page.write(folder)
    assert page.stale(folder) == ""
    rows.write("quality", [replace(SLOW, value=0.9)], seed=1, seconds=90.0, folder=folder)
    assert "is not of the figures" in page.stale(folder)
    (folder / "quality.json").unlink()
    assert "quality has not run" in page.stale(folder)
    assert written.is_file()


# ------------------------------------------------------- what the machine's measurements become
def calls(stage: str, times: dict[tuple[str, str, int], float], rounds: int = 12) -> pd.DataFrame:
    """One call of the encoder a round; rounds differ by 5 %, calls by 1 % in a fixed pattern."""
    found = []
    for turn in range(rounds):
        for place, ((variant, session, replica), seconds) in enumerate(times.items()):
            wobble = (1 + 0.05 * (turn % 3)) * (1 + 0.01 * ((turn * 7 + place * 5) % 11 - 5) / 5)
            found.append(
                {"stage": stage, "variant": variant, "session": session, "replica": replica,
                 "operation": "encoder", "warm": True, "audio_seconds": 5.0, "item": "c",
                 "round": turn, "block": turn, "seconds": seconds * wobble}
            )  # fmt: skip
    return tables.frame("calls", found)


def test_comparisons_are_decided_as_changes_are() -> None:
    base, slower = comparisons.BASE, comparisons.SLOWER
    times = {(base, "default", 0): 0.1, (base, "default", 1): 0.1}
    times |= {(comparisons.SAME, "default", 0): 0.1}
    times |= {(name, "default", 0): 0.1 * (1 + by) for by, name in slower.items()}
    found = [comparisons.decide(calls("latency", times)) for _ in range(2)]
    assert math.isnan(found[0].spread.equal)  # one generation
    made = {row.case: row for row in comparisons.summed_up(found, 12)}
    same = next(row for case, row in made.items() if case.endswith("called different"))
    assert (same.value, same.n, same.met) == (0.0, 2, True)
    hits = [row for case, row in made.items() if case.endswith("found")]
    assert [(row.value, row.target) for row in hits] == [(1.0, ">= 0.6"), (1.0, ">= 0.95")]


def test_sixteen_configurations_are_swept_beside_the_default() -> None:
    configs = sweeps.configurations()
    assert configs[0].name == "default"
    assert len({meaning(c) for c in configs}) == 17


@pytest.mark.parametrize(
    ("swept", "fresh", "named", "rival", "stated"),
    [
        (0.8, 0.82, "a", "a", 0.82),  # the gain that is stated is the one measured again
        (0.8, 1.0, "default", "a", 1.0),  # a gain that is gone names no winner
        (0.999, 0.5, "default", "a", 0.999),  # nothing told apart: the runner-up's interval stands
    ],
)
def test_a_repeat_names_what_held(
    swept: float, fresh: float, named: str, rival: str, stated: float
) -> None:
    def timed(stage: str, ratio: float) -> pd.DataFrame:
        cells = {(sweeps.NAME, "default", 0): 0.1, (sweeps.NAME, "default", 1): 0.1}
        return calls(stage, {**cells, (sweeps.NAME, "a", 0): 0.1 * ratio})

    sessions = scoring.sweep(timed("sweep", swept), {"default": {}, "a": {}}, "encoder")
    both = pd.concat([timed("sweep", swept), timed("latency", fresh)])
    found = sweeps.settle(scoring.confirm(sessions, both, "encoder"))
    assert (found.named, found.rival) == (named, rival)
    assert found.stated[0] == pytest.approx(stated, rel=0.01)


def test_repeats_that_name_two_winners_do_not_repeat() -> None:
    one = sweeps.Repeat("grid/x=1", "grid/x=1", "grid/x=1", (0.8, 0.75, 0.85), (0.84, 0.8, 0.88))
    two = replace(one, named="grid/x=2", rival="grid/x=2", later=(0.9, 0.8, 1.0))
    none = replace(one, named="default")
    agree, cover, winners = sweeps.summed_up([one, two, none])
    assert (agree.value, agree.met) == (pytest.approx(2 / 3), False)
    assert (cover.value, cover.met) == (pytest.approx(2 / 3), True)
    assert winners.value == pytest.approx(2 / 3)
    assert sweeps.summed_up([one, none, none])[0].met
