"""Blocks measured under stolen time or load: marked in tables and figures, and never dropped."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import filed
import invented_run
import pytest

from harness import plugins
from harness.contracts import Result
from harness.report import noise
from harness.store import queries, tables

NAN = math.nan
TWO_CORES = {"cores": 2, "physical_cores": 2, "affinity_cpus": 2, "logical_cpus": 2}


def run(rows: list[dict[str, Any]], **environment: Any) -> Result:
    """Blocks of one latency cell, a call each."""
    cell = {"stage": "latency", "variant": "fp32", "session": "default", "operation": "pipeline"}
    cell |= {"warm": True, "audio_seconds": 5.0, "seconds": 0.3, "steal": 0.0, "load": 1.0}
    made = [cell | {"round": n, "block": n} | row for n, row in enumerate(rows)]
    nothing = {name: tables.frame(name, []) for name in tables.TABLES}
    experiment = {"baseline": "fp32", "variants": [{"name": "fp32"}]}
    facts = environment or TWO_CORES
    return filed.result(
        Path(), experiment, facts, {}, nothing | {"calls": tables.frame("calls", made)}
    )


@pytest.mark.parametrize(
    ("environment", "limit"),
    [
        (TWO_CORES, 3),
        ({"cores": 4}, 5),  # a record of an earlier version may lack the rest
        # hyperthreads: 8 processors are 4 cores
        ({"cores": 4, "physical_cores": 4, "affinity_cpus": 8, "logical_cpus": 8}, 5),
        # pinned to 2 of 32 cores, or a quota of 2: load is counted over all of them
        ({"cores": 2, "physical_cores": 2, "affinity_cpus": 2, "logical_cpus": 32}, 33),
        ({"cores": 2, "physical_cores": 32, "affinity_cpus": 32, "logical_cpus": 32}, 33),
        ({}, NAN),
    ],
)
def test_the_load_that_is_noise_is_that_of_the_whole_machine(
    environment: dict[str, Any], limit: float
) -> None:
    assert noise.most_load(environment) == pytest.approx(limit, nan_ok=True)


@pytest.mark.parametrize(
    ("row", "marked"),
    [
        ({}, False),
        ({"steal": 0.05}, False),
        ({"steal": 0.051}, True),
        ({"load": 3.0}, False),
        ({"load": 3.01}, True),
        ({"steal": NAN, "load": NAN}, False),  # Windows and macOS know no steal, Windows no load
        ({"steal": NAN, "load": 9.0}, True),
    ],
)
def test_a_block_is_marked_by_stolen_time_or_load(row: dict[str, float], marked: bool) -> None:
    result = run([row])
    assert noise.blocks(result)["noisy"].tolist() == [marked]
    assert noise.marked(result, result.calls).tolist() == [marked]


def test_without_a_record_of_the_cores_load_marks_nothing() -> None:
    assert not noise.blocks(run([{"load": 90.0}], cpu="x"))["noisy"].any()


def test_stretches_are_runs_of_rounds_of_which_half_the_blocks_are_marked() -> None:
    noisy = {1, 2, 5, 7, 8, 9}
    blocks = noise.blocks(run([{"load": 4.0 if n in noisy else 1.0} for n in range(10)]))
    assert noise.stretches(blocks) == [(1, 2), (5, 5), (7, 9)]


def test_marked_calls_count_like_all_others() -> None:
    result = run([{"load": 9.0 if n % 2 else 1.0} for n in range(8)])
    counted = noise.counted(noise.blocks(result), variant="fp32", audio_seconds=5.0)
    assert (counted.noisy, counted.blocks, counted.much) == (4, 8, True)
    ((_, cells),) = queries.timed(result)
    assert [len(calls) for _, calls in cells] == [8]


@pytest.fixture(scope="module")
def invented() -> Result:
    return invented_run.build()


@pytest.mark.parametrize("name", ["latency", "sessions", "noise"])
def test_tables_bear_the_sign_with_what_it_means(invented: Result, name: str) -> None:
    text = plugins.load("sections", name).render(invented, "en")
    assert noise.SIGN in text
    assert "more than 5% of the CPU stolen by the hypervisor, or load above 3" in text


@pytest.mark.parametrize("name", ["latency", "sessions", "noise"])
def test_a_quiet_run_bears_no_sign(invented: Result, name: str) -> None:
    calls = invented.calls.assign(steal=0.0, load=1.0)
    quiet = replace(invented, tables={**invented.tables, "calls": calls})
    assert noise.SIGN not in plugins.load("sections", name).render(quiet, "es")


@pytest.mark.parametrize("name", ["latency_cells", "noise"])
def test_figures_mark_as_many_points_as_the_tables(invented: Result, name: str) -> None:
    figure = plugins.load("figures", name).draw(invented, "en")
    assert figure is not None
    drawn = sum(
        len(marks.get_offsets())
        for axes in figure.axes
        for marks in axes.collections
        if len(marks.get_facecolor()) == 0 or marks.get_linewidth()[0] == 1.1
    )
    if name == "noise":
        assert drawn == int(noise.blocks(invented)["noisy"].sum())
    else:
        calls = [calls for _, cells in queries.timed(invented) for _, calls in cells]
        assert drawn == sum(int(noise.marked(invented, each).sum()) for each in calls)
