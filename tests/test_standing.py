"""The first screen says what a verdict is about, and marks what an earlier version measured."""

from __future__ import annotations

import math
from dataclasses import replace

import filed
import numpy as np
import pytest
from invented_run import build as invented

from harness.contracts import Result
from harness.decide import stats, twins
from harness.report import standing
from harness.store import tables


def with_generations(made: Result, count: int) -> Result:
    calls = made.calls.assign(generation=made.calls["round"].clip(lower=0) % count)
    return Result(
        made.folder,
        made.experiment,
        made.environment,
        made.verdict,
        {**made.tables, "calls": calls},
        made.facts,
    )


@pytest.mark.parametrize(
    ("language", "processes", "older", "unseen"),
    [
        ("en", "generations of fresh processes", "as an earlier version did", "cannot exclude"),
        ("es", "generaciones de procesos nuevos", "como hacía una versión anterior", "no puede"),
    ],
)
def test_what_the_times_and_the_texts_are_of(
    language: str, processes: str, older: str, unseen: str
) -> None:
    made = invented()
    before = " ".join(standing.told(made, language))
    now = " ".join(standing.told(with_generations(made, 4), language))
    assert older in before
    assert older not in now
    assert f"4 {processes}" in now
    assert unseen in before
    assert unseen in now


def test_a_run_of_today_with_one_process_a_cell_is_no_older_one() -> None:
    """A server, or a budget for one generation."""
    made = invented()
    made = filed.changed(made, measuring=standing.IN_GENERATIONS)
    line = " ".join(standing.told(made, "en"))
    assert "Their bounds hold for no other process." in line
    assert "earlier version" not in line


def test_a_table_without_generations_is_read_as_one_process_a_cell() -> None:
    made = invented()
    old = made.calls.drop(columns="generation")
    assert (tables.check("calls", old)["generation"] == 0).all()
    with pytest.raises(Exception, match="missing columns"):
        tables.check("calls", old.drop(columns="round"))


@pytest.mark.parametrize("sd", [0.0, 0.02, 0.04])
def test_the_spread_between_processes_is_had_from_equal_cells(sd: float) -> None:
    """Ten calls that vary by 5 % in each of six processes that vary by `sd`: what was put in."""
    random = np.random.default_rng(1)
    found = []
    for _ in range(200):
        cells = []
        for _side in range(2):
            logs = sd * random.standard_normal((6, 1)) + 0.05 * random.standard_normal((6, 10))
            places = np.arange(60)
            cells.append(stats.Timed.of(np.exp(logs.ravel()), places, None, places // 10))
        found.append(stats.equal_cells(*cells))
    variance = float(np.mean([one.variance for one in found]))
    assert variance == pytest.approx(sd**2, abs=3e-4)
    expected = math.sqrt(2 * (sd**2 + math.pi / 2 * 0.05**2 / 10) / 6)
    assert np.sqrt(np.mean([one.equal**2 for one in found])) == pytest.approx(expected, rel=0.12)
    assert all(one.between >= 0 for one in found)


def test_one_generation_tells_nothing_of_how_processes_differ() -> None:
    one = stats.Timed.of([1.0, 1.1, 0.9], [0, 1, 2])
    assert math.isnan(stats.equal_cells(one, one).equal)
    assert math.isnan(twins.table(invented().calls)["equal"].max())


def test_the_first_screen_says_how_far_apart_equal_cells_lie() -> None:
    made = with_generations(invented(), 6)
    made = replace(made, tables={**made.tables, "twins": twins.table(made.calls)})
    row = made.twins.iloc[0]
    assert row["equal"] > 0
    assert row["generations"] == 6
    line = " ".join(standing.told(made, "en"))
    assert "Two equal cells differ by" in line
    assert "of it between processes" in line
