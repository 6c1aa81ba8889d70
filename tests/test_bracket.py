"""The sweep's plan: halving that claims nothing, pairs of fresh processes that do."""

from __future__ import annotations

import collections
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats as reference
from test_runner import Scripted, Silent
from trust import halving

from harness import store
from harness.decide import bracket, scoring
from harness.decide.schedule import Task
from harness.decide.stats import Timed, ratio_over_pairs
from harness.errors import WorkerError
from harness.run import sweeping
from harness.run.pool import Entry, Pool
from harness.runtime.session import SessionConfig
from harness.store import tables


@pytest.mark.parametrize(
    ("rivals", "stages", "sizes"),
    [(0, 0, []), (1, 0, []), (2, 1, [2]), (3, 2, [3, 2]), (15, 3, [15, 8, 4])],
)
def test_configurations_are_halved_at_most_three_times(
    rivals: int, stages: int, sizes: list[int]
) -> None:
    made = bracket.bracket(rivals, 0.1, 1.0, 100.0)
    assert len(made.rounds) == stages
    assert bracket.sizes(rivals, stages) == sizes


@pytest.mark.parametrize("seconds", [1.0, 60.0, 120.0, 600.0])
@pytest.mark.parametrize("call", [0.01, 0.3, 1.2])
def test_the_number_of_calls_follows_the_budget_and_has_a_least(
    seconds: float, call: float
) -> None:
    made = bracket.bracket(15, call, 1.0, seconds)
    assert all(bracket.FEWEST <= n <= bracket.MOST for n in made.rounds)
    assert bracket.FEWEST_CALLS <= made.calls <= bracket.MOST_CALLS
    assert made.calls % 2 == 0  # whole A B B A
    timed = sum(
        n * (k + bracket.DEFAULTS) for n, k in zip(made.rounds, bracket.sizes(15, 3), strict=True)
    )
    taken = call * (timed + 12 * made.calls) + 12 * (1 + call)
    least = call * (3 * (17 + 10 + 6) + 12 * bracket.FEWEST_CALLS) + 12 * (1 + call)
    assert taken <= 1.1 * max(seconds, least)  # whole A B B A, at least four calls a side


def test_the_faster_half_is_kept_and_what_failed_is_dropped_first() -> None:
    ratios = {"a": 1.1, "b": 0.9, "c": math.nan, "d": 1.0, "e": 0.8}
    assert bracket.kept(ratios, last=False) == ["b", "d", "e"]
    assert bracket.kept(ratios, last=True) == ["e"]
    assert bracket.kept({"a": math.nan}, last=True) == []


def test_the_calls_of_a_pair_lie_even_in_time() -> None:
    order = bracket.abba(6, turned=False)
    assert order == [0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0]
    assert bracket.abba(2, turned=True) == [1, 0, 0, 1]
    assert sum(place for place, side in enumerate(order) if side) == sum(
        place for place, side in enumerate(order) if not side
    )


def test_a_larger_budget_finds_a_smaller_gain() -> None:
    gains = [bracket.bracket(15, 0.1, 1.0, s).gain() for s in (30, 100, 300)]
    assert gains == sorted(gains, reverse=True)
    assert 0.01 < gains[-1] < gains[0] < 0.2


def test_the_ratio_over_pairs_is_the_t_interval_of_their_logarithms() -> None:
    random = np.random.default_rng(1)
    pair = np.repeat(np.arange(6), 5)
    ours, theirs = (random.lognormal(level, 0.1, 30) for level in (-0.1, 0.0))
    found = ratio_over_pairs(Timed.of(ours, pair, None, pair), Timed.of(theirs, pair, None, pair))
    logs = [math.log(np.median(ours[pair == k]) / np.median(theirs[pair == k])) for k in range(6)]
    expected = reference.ttest_1samp(logs, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx(
        (math.exp(expected.low), math.exp(expected.high))
    )
    assert found.units == 6


@pytest.mark.parametrize(("gain", "least", "most"), [(0.0, 0.0, 0.06), (0.10, 0.85, 1.0)])
def test_a_gain_is_named_and_none_is_not(gain: float, least: float, most: float) -> None:
    case = halving.Case(gain, 24 * 17, 0.02)
    right, wrong = halving._counts(case, 150, 1)
    assert least <= (right if gain else wrong) / 150 <= most


# ------------------------------------------------------------------------------------ as it runs
def task(session: str, replica: int = 0, variant: str = "int8") -> Task:
    one = Entry(variant, SessionConfig(session), Path(variant), "whisper", {}, replica)
    return Task(one, "pipeline", 5.0, calls=1)


def swept(
    folder: Path,
    script: Mapping[str, Any],
    names: str = "abcd",
    tell: Any = None,
    make: Any = Scripted,
) -> Any:
    (folder / store.WORK).mkdir(exist_ok=True)
    unit = store.Unit(folder, "sweep", "k")

    def ratios(rows: Any, sessions: Any) -> Any:
        return scoring.ratios_so_far(
            tables.frame("calls", rows).query("variant == 'int8'"), sessions
        )

    what = sweeping.Sweep(
        task("default"),
        task("default", 1),
        tuple(map(task, names)),
        (task("default", variant="fp32"),),
        {5.0: [(f"c{k}", f"{k}.npy") for k in range(40)]},
        1,
        100.0,
        12,
        1,
        ratios,
    )
    with Pool(lambda label: make(label, script)) as pool:
        sweeping.measure_sweep(unit, what, pool, tell or Silent())
    return unit


class Clocked(Scripted):
    """Takes `seconds` of the test's own clock for each request."""

    now, seconds = 0.0, 1.0

    def ask(self, request: Any, limit_seconds: float) -> dict[str, Any]:
        Clocked.now += Clocked.seconds
        return super().ask(request, limit_seconds)


@pytest.mark.parametrize("seconds", [0.1, 0.5, 1.0, 8.0])
def test_a_sweep_on_a_slow_machine_keeps_its_seconds_or_measures_the_least(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    Clocked.now, Clocked.seconds = 0.0, seconds
    monkeypatch.setattr(sweeping.time, "monotonic", lambda: Clocked.now)
    unit = swept(tmp_path, SLOW, make=Clocked)
    warm = unit.table().query("warm and generation > 0")
    pairs = warm["generation"].nunique()
    assert Clocked.now <= 1.1 * 100 or pairs == bracket.FEWEST_PAIRS
    assert (pairs == bracket.PAIRS) == (seconds <= 0.5)
    assert seconds <= 0.5 or set(unit.stops()["why"]) == {"budget"}
    assert unit.environment["taken_seconds"] == pytest.approx(Clocked.now)


SLOW = {f"int8/{name}": 0.012 for name in "abd"} | {"int8/c": 0.009}


def test_the_fastest_is_confirmed_in_six_fresh_pairs_of_processes(tmp_path: Path) -> None:
    calls = swept(tmp_path, SLOW).table()
    warm = calls[calls["warm"]]
    pairs = warm[warm["generation"] > 0]
    assert set(pairs["session"]) == {"c", "default"}
    assert sorted(pairs["generation"].unique()) == [1, 2, 3, 4, 5, 6]
    loads = calls[(calls["operation"] == "load") & (calls["generation"] > 0)]
    assert loads.groupby("session").size().to_dict() == {"c": 6, "default": 6}
    stages = warm[(warm["generation"] == 0) & (warm["variant"] == "int8")]
    counted = collections.Counter(stages["session"])
    assert counted["default"] == 2 * max(counted[name] for name in "abcd")
    assert min(counted[name] for name in "abcd") < counted["c"]
    assert set(warm.query("variant == 'fp32'")["session"]) == {"default"}


def test_what_fails_is_dropped_with_its_reason(tmp_path: Path) -> None:
    script = {**SLOW, "int8/b": WorkerError("killed")}
    calls = swept(tmp_path, script).table()
    assert "killed" in calls.query("session == 'b' and error != ''")["error"].iloc[0]
    options = {name: {} for name in ("default", *"abcd")}
    sessions = scoring.sweep(calls, options).set_index("session")
    assert sessions.loc["b", "error"]


def test_where_every_configuration_fails_the_sweep_ends(tmp_path: Path) -> None:
    script = {f"int8/{name}": WorkerError("killed") for name in "abcd"}
    calls = swept(tmp_path, script).table()
    assert (calls["generation"] == 0).all()


@pytest.mark.parametrize("text", ["4 configurations, round 2", "pair 1 of", "pair 4 of"])
def test_a_sweep_that_was_killed_goes_on_and_loses_no_row(tmp_path: Path, text: str) -> None:
    class Killed(Silent):
        def step(self, stage: str, done: float, said: str, left: float) -> None:
            if text in said:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        swept(tmp_path, SLOW, tell=Killed())
    before = len(store.Unit(tmp_path, "sweep", "k").rows())
    calls = swept(tmp_path, SLOW).table()
    assert len(calls) > before
    warm = calls[calls["warm"] & (calls["generation"] > 0)]
    assert sorted(warm["generation"].unique()) == [1, 2, 3, 4, 5, 6]


def test_the_table_names_the_finalist_by_its_pairs_and_claims_nothing_of_the_others() -> None:
    random = np.random.default_rng(3)
    rows = []
    for number in range(12):
        for session, level in (("default", 1.0), ("spin", 0.8), ("other", 0.85)):
            for replica in (0, 1) if session == "default" else (0,):
                rows.append(row(session, number, 0, level * random.lognormal(0, 0.02), replica))
    for pair in range(1, 7):
        for number in range(20 * pair, 20 * pair + 8):
            for session, level in (("default", 1.0), ("spin", 0.9)):
                rows.append(row(session, number, pair, level * random.lognormal(0, 0.02)))
    options: dict[str, dict[str, Any]] = {"default": {}, "spin": {}, "other": {}}
    sessions = scoring.sweep(tables.frame("calls", rows), options).set_index("session")
    assert scoring.chosen(sessions.reset_index(), "int8") == "spin"
    spin = sessions.loc["spin"]
    assert spin["low"] < 0.9 < spin["high"] < 1  # not the 0.8 of the stages, which flatters
    assert sessions.loc["other", "reason"] == "cannot be told apart from the default"
    assert 0 < spin["reach"] < 0.05


def row(
    session: str, number: int, generation: int, seconds: float, replica: int = 0
) -> dict[str, Any]:
    return {
        "stage": "sweep", "variant": "int8", "session": session, "replica": replica,
        "operation": "pipeline", "warm": True, "audio_seconds": 5.0, "item": f"c{number % 7}",
        "round": number, "block": number, "generation": generation, "seconds": seconds,
    }  # fmt: skip
