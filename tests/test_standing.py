"""The first screen says what a verdict is about, and marks what an earlier version measured."""

from __future__ import annotations

import filed
import numpy as np
import pandas as pd
import pytest
from invented_run import build as invented
from trust import comparisons

from harness.contracts import Result
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


@pytest.mark.parametrize("sd", [0.0, 0.04])
def test_the_spread_between_processes_is_had_from_equal_cells(sd: float) -> None:
    random = np.random.default_rng(1)
    found = []
    for _ in range(40):
        rows = []
        for generation in range(6):
            for variant in (comparisons.BASE, comparisons.SAME):
                level = sd * random.standard_normal()
                logs = level + 0.05 * random.standard_normal(10)
                rows += [
                    {"variant": variant, "replica": 0, "warm": True, "round": 10 * generation + k,
                     "generation": generation, "seconds": float(np.exp(x))}
                    for k, x in enumerate(logs)
                ]  # fmt: skip
        found.append(comparisons.between_processes(pd.DataFrame(rows)))
    square = np.mean(np.sign(found) * np.square(found))
    assert np.sign(square) * abs(square) ** 0.5 == pytest.approx(sd, abs=0.012)
