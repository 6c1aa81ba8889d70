"""Latency as it is laid out: the runner, the forecast and the simulation measure one plan."""

from __future__ import annotations

import collections
import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from test_runner import Scripted, Silent, entry
from trust import gallery

from harness import spec, store
from harness.decide import layout, plan, staging, stats
from harness.decide.schedule import Task
from harness.preflight import feasibility
from harness.preflight.feasibility import budget, costs
from harness.run import laid
from harness.run.pool import Pool

CLIPS = {5.0: [(f"c{k}", f"{k}.npy") for k in range(50)]}
HOW = staging.StageLimits("latency", CLIPS, warmup=2, seconds=math.inf, seed=1)
SHIPPED = Path(__file__).resolve().parents[1] / "experiments" / "whisper_base_es.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / store.WORK).mkdir()
    return tmp_path


def tasks(*variants: str, rounds: int = 24, **more: Any) -> list[Task]:
    return [Task(entry(v), "pipeline", 5.0, calls=1, rounds=rounds, **more) for v in variants]


def measured(
    folder: Path,
    todo: list[Task],
    script: Mapping[str, Any],
    how: staging.StageLimits = HOW,
    tell: Any = None,
) -> tuple[pd.DataFrame, laid.Series]:
    unit = store.Unit(folder, "latency", "k")
    with Pool(lambda label: Scripted(label, script)) as pool:
        series = laid.Series(unit, todo, how, pool, tell or Silent())
        while series.goes_on():
            series.step()
        series.finish()
    return unit.table(), series


def warm(calls: pd.DataFrame) -> pd.DataFrame:
    return calls[calls["warm"] & (calls["round"] >= 0)]


def test_the_runner_measures_the_blocks_of_the_layout_in_their_order(folder: Path) -> None:
    todo = [*tasks("fp32", "int8"), *tasks("twin", rounds=6)]
    calls, series = measured(folder, todo, {})
    names = [task.entry.variant for task in todo]
    planned = [
        (names[b.cell], b.round, b.generation, f"c{b.clip}")
        for b in series.plan.schedule()
        for _ in range(b.calls)
    ]
    rows = warm(calls)[["variant", "round", "generation", "item"]]
    assert list(rows.itertuples(index=False, name=None)) == planned


def test_each_generation_is_of_fresh_processes_that_are_warmed_up(folder: Path) -> None:
    calls, series = measured(folder, tasks("fp32", "int8"), {})
    assert series.plan.generations == 6
    loads = calls[calls["operation"] == "load"]
    assert loads.groupby("variant").size().to_dict() == {"fp32": 6, "int8": 6}
    assert sorted(loads["generation"].unique()) == [0, 1, 2, 3, 4, 5]
    assert (calls["operation"] == "first_call").sum() == 12


def test_what_cannot_be_opened_again_is_one_process(folder: Path) -> None:
    how = dataclasses.replace(HOW, once=frozenset({"fp32"}))
    calls, series = measured(folder, tasks("fp32", "int8"), {}, how)
    assert series.plan.generations == 6
    loads = calls[calls["operation"] == "load"]
    assert loads.groupby("variant").size().to_dict() == {"fp32": 1, "int8": 6}
    found = calls.groupby("variant")["generation"].nunique()
    assert found.to_dict() == {"fp32": 1, "int8": 6}


def test_a_cell_whose_gates_are_rejected_ends_with_its_generation_and_no_other_does(
    folder: Path,
) -> None:
    looked: list[int] = []

    def still_open(rows: Any, stops: Any) -> Any:
        looked.append(max(row["generation"] for row in rows) + 1)
        return lambda task: task.entry.variant != "int8" or looked[-1] < 4

    how = dataclasses.replace(HOW, still_open=still_open)
    calls, _ = measured(folder, tasks("fp32", "int8", must=True), {}, how)
    assert looked == [3, 4, 5]  # two generations do not show how processes vary
    counted = collections.Counter(warm(calls)["variant"])
    assert counted == {"fp32": 24, "int8": 16}
    stops = store.Unit(folder, "latency", "k").stops().set_index("variant")
    assert stops["why"].to_dict() == {"fp32": "planned", "int8": "decided"}
    assert stops["level"].to_dict() == pytest.approx({"fp32": 0.9575, "int8": 0.9975})
    assert (stops["allowance"] == 0).all()


class KilledAt(Silent):
    """Ctrl-C in the round that is named."""

    def __init__(self, text: str) -> None:
        self.text = text

    def step(self, stage: str, done: float, text: str, left: float) -> None:
        if self.text in text:
            raise KeyboardInterrupt


@pytest.mark.parametrize("number", [2, 9, 13, 23])  # within and between generations
def test_a_run_that_was_killed_goes_on_under_the_same_plan_in_processes_of_its_own(
    folder: Path, number: int
) -> None:
    with pytest.raises(KeyboardInterrupt):
        measured(folder, tasks("fp32", "int8"), {}, tell=KilledAt(f"round {number} of"))
    before = store.Unit(folder, "latency", "k").noted()
    calls, series = measured(folder, tasks("fp32", "int8"), {})
    assert [vars(cell) for cell in series.plan.cells] == before["cells"]
    whole = warm(calls).groupby(["round", "variant"]).size().unstack().dropna()
    assert len(whole) == 24  # and perhaps a round that was cut off, which pairs with nothing
    later = set(warm(calls)["generation"]) - set(range(6))
    assert later
    assert min(later) >= laid.OLDER


def test_a_stage_that_costs_more_than_it_may_ends_and_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter(range(0, 100_000, 10))
    monkeypatch.setattr(laid.time, "monotonic", lambda: float(next(now)))
    how = dataclasses.replace(HOW, seconds=60.0)
    calls, _ = measured(folder, tasks("fp32", "int8"), {}, how)
    assert 6 <= warm(calls)["round"].nunique() < 24
    stops = store.Unit(folder, "latency", "k").stops()
    assert set(stops["why"]) == {"budget"}


def test_every_planned_call_of_what_fails_is_a_row_with_its_reason(folder: Path) -> None:
    from harness.errors import WorkerError

    calls, _ = measured(folder, tasks("fp32", "int8"), {"int8/default": WorkerError("killed")})
    bad = warm(calls).query("variant == 'int8'")
    assert len(bad) == 24
    assert (bad["error"] != "").all()


# ------------------------------------------------------------- one function lays out all three
def test_runner_forecast_and_simulation_have_their_plan_from_one_function(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = layout.lay_out

    def noting(who: str) -> Any:
        def lay_out(*given: Any, **more: Any) -> layout.Layout:
            asked.append(who)
            return real(*given, **more)

        return lay_out

    monkeypatch.setattr(staging, "lay_out", noting("runner and forecast"))
    monkeypatch.setattr(gallery, "lay_out", noting("simulation"))
    measured(folder, tasks("fp32"), {})
    experiment = spec.load(SHIPPED)
    known = costs.Costs(experiment, costs.NOTHING, 0.5, cores=2)
    feasibility.assess(
        experiment, known, {"cv-es-prompts": 100.0, "no-speech": 10.0}, spec.locator(SHIPPED)
    )
    gallery.PLANS[0].laid(1)
    assert set(asked) == {"runner and forecast", "simulation"}
    assert asked.count("runner and forecast") >= 2


@pytest.mark.parametrize("seconds", [40.0, 120.0, 600.0, 5000.0])
def test_the_forecast_of_equal_costs_is_the_plan_of_the_runner(seconds: float) -> None:
    experiment = spec.load(SHIPPED)
    made = budget._entry(experiment)
    todo = plan.latency_tasks(experiment, "default", made, ("pipeline", "encoder"))
    known = costs.Costs(experiment, costs.NOTHING, 0.5, cores=2)
    _, fit = budget._latency(experiment, todo, budget._Prices(known), seconds)
    seen = {task.cell: 0.5 for task in todo}
    assert experiment.latency is not None
    how = staging.StageLimits("latency", {}, experiment.latency.warmup, seconds, experiment.seed)
    mine = staging.plan_of(todo, seen, how)
    assert [one.rounds for one in fit.values()] == [cell.rounds for cell in mine.cells]
    assert {one.generations for one in fit.values()} == {mine.generations}


# ------------------------------------------------------------ whole stages on a clock of their own
class Machine:
    """Processes of one machine: calls of 80 ms that vary by 8 %, slower by `step` from the time
    `after` on; each process is a factor of its own faster or slower."""

    def __init__(self, seed: int, step: float, after: float, process: float) -> None:
        self.random = np.random.default_rng(seed)
        self.step, self.after, self.process, self.now = step, after, process, 0.0

    def __call__(self, label: str) -> Process:
        return Process(self)


class Process:
    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.own = math.exp(machine.process * machine.random.standard_normal())

    def ask(self, request: Mapping[str, Any], limit_seconds: float) -> dict[str, Any]:
        kind, body = next(iter(request.items()))
        if kind == "open":
            return {"seconds": 0.5, "rss_bytes": 4e6}
        return {
            "calls": [self.call() for _ in range(body["calls"])],
            "steal": 0.0,
            "load": 0.1,
            "rss_bytes": 5e6,
        }

    def call(self) -> dict[str, Any]:
        machine = self.machine
        seconds = 0.08 * self.own * math.exp(0.08 * machine.random.standard_normal())
        seconds *= 1 + machine.step * (machine.now >= machine.after)
        machine.now += seconds
        return {"seconds": seconds, "cpu_seconds": 0.0, "tokens": 3, "text": "hola"}

    def close(self) -> None:
        pass


RUNS = 8


@pytest.mark.parametrize(
    ("step", "process", "true"),
    [
        # of calls that are 20 % slower in 70 % of the time, about 0.66 are (they take longer): the
        # median is their (0.5 - 0.34) / 0.66 = 0.24 quantile, exp(-0.706 x 0.08) of 1.2
        (0.20, 0.0, 0.08 * 1.134),
        (0.0, 0.04, 0.08),
    ],
    ids=["throttled after 30 %", "processes 4 % apart"],
)
def test_a_whole_stage_at_its_limit_is_seldom_approved(
    folder: Path, step: float, process: float, true: float
) -> None:
    """The ways of before approved 100 % of the first and 18 to 51 % of the second."""
    approved = 0
    todo = [Task(entry("int8"), "pipeline", 5.0, calls=3, rounds=85, must=True)]
    for run in range(RUNS):
        unit = store.Unit(folder, "latency", f"k{run}")
        machine = Machine(run, step, 0.3 * 255 * 0.08 * (1 + 0.7 * step), process)
        with Pool(machine) as pool:
            series = laid.Series(unit, todo, HOW, pool, Silent())
            while series.goes_on():
                series.step()
            series.finish()
        calls = warm(unit.table())
        assert len(calls) == 255
        where = stats.Units.of(calls["round"], calls["item"], calls["generation"])
        level = float(unit.stops()["level"].iloc[0])
        found = stats.widest_quantile(calls["seconds"], where, 0.5, level)
        approved += found.high <= true
    assert approved <= 2  # three or more of eight at 5 % each have a chance of 0.6 %
