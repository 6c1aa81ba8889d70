"""Rounds and utterances: order, resume, budget, and a row for everything that was planned."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness import store
from harness.contracts import Dataset, Utterance
from harness.decide.entry import Entry
from harness.decide.schedule import MINIMUM_ROUNDS, Rounds, Task
from harness.errors import AssetError, ExtraError, HarnessError, ModelError, WorkerError
from harness.run.pool import FAILURES_BEFORE_GIVING_UP, Pool
from harness.run.quality import Stream, _Turn, measure_quality
from harness.run.rounds import measure_rounds
from harness.runtime.session import SessionConfig


class Silent:
    def line(self, text: str) -> None:
        pass

    def step(self, stage: str, done: float, text: str, left: float) -> None:
        assert 0 <= done <= 1
        assert left >= 0 or math.isnan(left)


class Scripted:
    """A connection that answers from a script: label -> seconds per call, or an error to raise."""

    asked: list[str] = []  # noqa: RUF012  one log for all connections of a test

    def __init__(self, label: str, script: Mapping[str, Any]) -> None:
        self.label, self.script = label, script

    def ask(self, request: Mapping[str, Any], limit_seconds: float) -> dict[str, Any]:
        kind, body = next(iter(request.items()))
        behaviour = self.script.get(self.label, 0.01)
        if isinstance(behaviour, list):
            behaviour = behaviour.pop(0) if kind != "open" and len(behaviour) > 1 else behaviour[0]
        if isinstance(behaviour, HarnessError) and kind != "open":
            raise behaviour
        if isinstance(behaviour, ModelError | ExtraError | AssetError):
            raise behaviour
        shared = {"steal": 0.0, "load": 0.1, "rss_bytes": 5e6}
        if kind == "open":
            return {"seconds": 0.5, "rss_bytes": 4e6}
        if kind == "utterances":
            row = {"seconds": behaviour, "cpu_seconds": 0.0, "text": "hola", **shared}
            broken = {"seconds": None, "error": "broken.mp3: cannot be decoded"}
            rows = [broken if "broken" in item["path"] else row for item in body["items"]]
            return {"calls": rows}
        Scripted.asked.append(f"{self.label} {body['operation']}")
        call = {"seconds": behaviour, "cpu_seconds": 0.0, "tokens": 3, "text": "hola"}
        return {"calls": [call] * body["calls"], **shared}

    def close(self) -> None:
        pass


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / store.WORK).mkdir()
    Scripted.asked = []
    return tmp_path


def entry(variant: str, replica: int = 0) -> Entry:
    return Entry(variant, SessionConfig("default"), Path(variant), "whisper", {}, replica)


def plan(**changes: Any) -> Rounds:
    clips = {5.0: [("a", "a.npy"), ("b", "b.npy")]}
    made = Rounds("latency", clips, rounds=4, warmup=2, seconds=1e6, seed=1)
    return dataclasses.replace(made, **changes)


def tasks(*variants: str, calls: int = 3) -> list[Task]:
    return [Task(entry(name), "pipeline", 5.0, calls) for name in variants]


def measured(
    folder: Path, todo: list[Task], script: Mapping[str, Any], how: Rounds, key: str = "k"
) -> pd.DataFrame:
    unit = store.Unit(folder, "latency", key)
    with Pool(lambda label: Scripted(label, script)) as pool:
        measure_rounds(unit, todo, how, pool, Silent())
    return unit.table()


def test_every_round_holds_one_block_of_each_cell(folder: Path) -> None:
    calls = measured(folder, tasks("fp32", "int8"), {}, plan())
    warm = calls[calls["warm"]]
    assert (warm.groupby(["round", "variant"]).size() == 3).all()
    assert sorted(warm["round"].unique()) == [0, 1, 2, 3]
    assert (warm.groupby("round")["item"].nunique() == 1).all()
    assert warm.groupby("round")["item"].first().tolist() == ["a", "b", "a", "b"]  # in turn


def test_cold_figures_are_rows_of_their_own_and_never_warm(folder: Path) -> None:
    calls = measured(folder, tasks("fp32"), {}, plan())
    cold = calls[~calls["warm"]]
    assert cold["operation"].tolist() == ["load", "first_call", "pipeline"]
    assert cold["round"].tolist() == [-1, -1, -1]


def test_the_order_within_rounds_changes_and_follows_the_seed(folder: Path) -> None:
    names = ("a", "b", "c", "d", "e")
    orders = []
    for key in ("one", "two"):
        Scripted.asked = []
        measured(folder, tasks(*names), {}, plan(rounds=8), key)
        orders.append(Scripted.asked[len(names) :])
    rounds = [tuple(orders[0][i : i + 5]) for i in range(0, 40, 5)]
    assert len(set(rounds)) > 1
    assert orders[0] == orders[1]


@pytest.mark.parametrize(
    "failure",
    [WorkerError("int8/default: killed (signal 9)"), WorkerError("int8/default: no answer")],
)
def test_a_cell_that_fails_is_tried_again_then_given_up_and_the_others_go_on(
    folder: Path, failure: HarnessError
) -> None:
    calls = measured(folder, tasks("fp32", "int8"), {"int8/default": failure}, plan(rounds=6))
    warm = calls[calls["warm"]]
    bad, good = (warm[warm["variant"] == name] for name in ("int8", "fp32"))
    assert len(bad) == len(good) == 18  # six rounds of three calls: each that was lost is a row
    assert (bad["error"] != "").all()
    assert bad["error"].iloc[-1].endswith("given up after 3 failures in a row")
    assert FAILURES_BEFORE_GIVING_UP == 3
    assert good["error"].unique().tolist() == [""]


def test_a_process_that_had_to_be_opened_anew_is_warmed_up_before_it_counts(folder: Path) -> None:
    script = {"int8/default": [0.01, 0.01, WorkerError("int8/default: crashed"), 0.01]}
    calls = measured(folder, tasks("int8"), script, plan())
    rounds = calls[calls["round"] >= 0]
    assert rounds["error"].ne("").sum() == 3  # the block that was lost
    assert calls["operation"].eq("load").sum() == 2
    assert calls["operation"].eq("first_call").sum() == 2
    assert not calls.loc[calls["operation"] == "first_call", "warm"].any()


def test_a_model_that_cannot_be_opened_is_that_cells_row(folder: Path) -> None:
    script = {"int8/default": ModelError("encoder.onnx: not an ONNX file")}
    calls = measured(folder, tasks("fp32", "int8"), script, plan())
    assert "not an ONNX file" in calls[calls["variant"] == "int8"]["error"].iloc[0]


@pytest.mark.parametrize("lacks", [ExtraError("needs a package"), AssetError("server is away")])
def test_what_the_user_can_bring_ends_the_run(folder: Path, lacks: HarnessError) -> None:
    script = {"int8/default": lacks}
    with pytest.raises(type(lacks), match=str(lacks)):
        measured(folder, tasks("fp32", "int8"), script, plan())
    with pytest.raises(type(lacks), match=str(lacks)):
        evaluated(folder, script, dataset("a"))


def test_when_every_cell_fails_the_stage_ends(folder: Path) -> None:
    calls = measured(folder, tasks("int8"), {"int8/default": WorkerError("dead")}, plan())
    assert (calls[calls["operation"] != "load"]["error"] != "").all()


def test_a_killed_run_goes_on_and_keeps_the_rows_of_the_round_that_was_cut_off(
    folder: Path,
) -> None:
    unit = store.Unit(folder, "latency", "k")
    with Pool(lambda label: Scripted(label, {})) as pool, pytest.raises(KeyboardInterrupt):
        measure_rounds(unit, tasks("fp32", "int8"), plan(), pool, Interrupting(after=7))
    before = [row for block in unit.blocks() for row in block]
    calls = measured(folder, tasks("fp32", "int8"), {}, plan())
    warm = calls[calls["warm"]]
    whole = warm.groupby(["round", "variant"]).size().unstack()
    assert not unit._journal.exists()
    assert len(calls) >= len(before)
    assert (whole.notna().all(axis=1)).sum() == 4  # four whole rounds, as planned
    assert warm["round"].nunique() == 5  # and the one that was cut off


class Interrupting(Silent):
    def __init__(self, after: int) -> None:
        self.left = after

    def step(self, stage: str, done: float, text: str, left: float) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


def test_a_stage_whose_seconds_are_spent_ends_after_six_rounds_at_least(folder: Path) -> None:
    calls = measured(folder, tasks("fp32", "int8"), {}, plan(rounds=100, seconds=0.0))
    assert calls[calls["warm"]]["round"].nunique() == MINIMUM_ROUNDS
    assert set(store.Unit(folder, "latency", "k").stops()["why"]) == {"budget"}


# ---------------------------------------------------------------- quality
def dataset(*ids: str) -> Dataset:
    made = [Utterance(i, Path(f"{i}.mp3"), "hola", seconds=1.0, speaker="s") for i in ids]
    missing = Utterance("missing", None, "hola", error="missing.mp3: no such clip")
    return Dataset("prompts", [*made, missing], "f")


def evaluated(folder: Path, script: Mapping[str, Any], data: Dataset) -> dict[str, pd.DataFrame]:
    units = {entry(name): store.Unit(folder, f"quality-{name}", "k") for name in ("fp32", "int8")}
    with Pool(lambda label: Scripted(label, script)) as pool:
        measure_quality(units, Stream(data, seed=1), pool, Silent())
    return {one.variant: unit.table() for one, unit in units.items()}


def test_each_utterance_ends_as_one_row_per_variant_with_a_value_or_an_error(folder: Path) -> None:
    found = evaluated(folder, {}, dataset("a", "broken", "c"))
    for calls in found.values():
        cold, warm = calls[~calls["warm"]], calls[calls["warm"]]
        assert cold["operation"].tolist() == ["load", "first_call"]
        assert warm["item"].tolist() == ["a", "broken", "c", "missing"]
        assert warm["text"].tolist() == ["hola", "", "hola", ""]
        assert warm["error"].tolist() == [
            "",
            "broken.mp3: cannot be decoded",
            "",
            "missing.mp3: no such clip",
        ]


def test_a_variant_whose_process_keeps_dying_has_an_error_in_every_row(folder: Path) -> None:
    script = {"int8/default": WorkerError("int8/default: crashed")}
    found = evaluated(folder, script, dataset("a", "b", "c", "d", "e"))
    bad, good = (found[name][found[name]["warm"]] for name in ("int8", "fp32"))
    assert (bad["error"] != "").all()
    assert len(bad) == len(good) == 6
    assert (good["error"] == "").sum() == 5


def test_utterances_done_before_a_kill_are_not_done_again(folder: Path) -> None:
    unit = store.Unit(folder, "quality-fp32", "k")
    row = {"stage": "quality", "variant": "fp32", "session": "default", "operation": "pipeline"}
    row |= {"replica": 0, "round": 0, "block": 0, "warm": True}
    unit.append([{**row, "item": "a", "text": "before"}])
    found = evaluated(folder, {}, dataset("a", "b"))
    said = {name: calls.loc[calls["warm"], "text"].tolist() for name, calls in found.items()}
    assert said == {"fp32": ["before", "hola", ""], "int8": ["hola", "hola", ""]}


def test_a_variant_that_could_not_be_made_is_never_started_and_every_row_says_why(
    folder: Path,
) -> None:
    unit = store.Unit(folder, "latency", "k")
    with Pool(lambda label: Scripted(label, {}), {"int8": "nothing was quantized"}) as pool:
        measure_rounds(unit, tasks("fp32", "int8"), plan(), pool, Silent())
    calls = unit.table()
    bad = calls[calls["variant"] == "int8"]
    assert len(bad)
    assert bad["error"].str.contains("nothing was quantized").all()


def test_rows_are_json_that_any_reader_takes(folder: Path) -> None:
    unit = store.Unit(folder, "quality-fp32", "k")
    unit.append([{"stage": "quality", "seconds": np.float64(0.5).item()}])
    assert json.loads(unit._journal.read_text(encoding="utf-8"))[0]["seconds"] == 0.5


# ---------------------------------------------------------------- what synthesisers said
def test_no_two_items_keep_their_audio_in_one_file(folder: Path) -> None:
    ids = ["a/b", "a_b", "ñ", "é", "Hola", "hola", "x" * 300 + "1", "x" * 300 + "2", "", "\ud800"]
    turn = _Turn(entry("fp32"), Stream(dataset(), 1, audio=folder), Pool())
    names = [Path(turn._item(Utterance(i, None, "hola"))["keep"]).name for i in ids]
    assert len({name.lower() for name in names}) == len(ids)  # some file systems fold case
    assert all(re.fullmatch(r"[A-Za-z0-9._-]{0,80}-[0-9a-f]{8}\.flac", name) for name in names)
    # printf hola | sha256sum
    assert names[5] == "hola-b221d9db.flac"


@pytest.mark.parametrize(
    ("params", "parts", "limit"),
    [
        ({}, {}, 120.0),  # limits.CALL_SECONDS
        ({"timeout_seconds": 300.0}, {}, 600.0),
        ({}, {"fast": {}, "slow": {"timeout_seconds": 90.0}}, 180.0),
        ({"timeout_seconds": 70}, {"slow": {"timeout_seconds": None}}, 140.0),
    ],
)
def test_the_longest_call_that_any_part_allows_itself_is_waited_for(
    folder: Path, params: dict[str, Any], parts: dict[str, dict[str, Any]], limit: float
) -> None:
    inner = {role: {"params": given, "parts": {}} for role, given in parts.items()}
    outer = {"system": {"params": {}, "parts": inner}} if parts else {}
    one = dataclasses.replace(entry("fp32"), params=params, parts=outer)
    limits: list[float] = []

    class Noting(Scripted):
        def ask(self, request: Mapping[str, Any], limit_seconds: float) -> dict[str, Any]:
            if "utterances" in request:
                limits.append(limit_seconds)
            return super().ask(request, limit_seconds)

    with Pool(lambda label: Noting(label, {})) as pool:
        unit = store.Unit(folder, "quality-fp32", "k")
        measure_quality({one: unit}, Stream(dataset("a"), seed=1), pool, Silent())
    assert limits[0] == limit
    assert all(later >= limit for later in limits)  # a few times what a call took is added


# ---------------------------------------------------------------- looks
def _of(ids: int) -> Dataset:
    """So many utterances, each with audio."""
    found = dataset(*map(str, range(ids))).utterances
    return Dataset("prompts", [one for one in found if one.audio], "f")


def streamed(folder: Path, ids: int, still_open: Any, **more: Any) -> tuple[Any, list[str]]:
    unit = store.Unit(folder, "quality-fp32", "k")
    many = _of(ids)
    with Pool(lambda label: Scripted(label, {})) as pool:
        stream = Stream(many, 1, still_open=still_open, **more)
        measure_quality({entry("fp32"): unit}, stream, pool, Silent())
    calls = unit.table()
    return unit.stops().iloc[0], calls.loc[calls["warm"], "item"].tolist()


@pytest.mark.parametrize(("ids", "turns"), [(90, [15] * 6), (12, [2] * 6), (4, [1] * 4)])
def test_utterances_with_a_gate_on_a_time_are_heard_in_six_generations_of_processes(
    folder: Path, ids: int, turns: list[int]
) -> None:
    for name, more in (("timed", {}), ("server", {"once": frozenset({"fp32"})})):
        unit = store.Unit(folder, f"quality-{name}", "k")
        stream = Stream(_of(ids), 1, timed=True, **more)
        with Pool(lambda label: Scripted(label, {})) as pool:
            measure_quality({entry("fp32"): unit}, stream, pool, Silent())
        calls = unit.table()
        of = calls[calls["warm"] & (calls["error"] == "")]["generation"]
        opened = (calls["operation"] == "load").sum()
        if more:  # what cannot be opened again
            assert (opened, of.nunique()) == (1, 1)
        else:
            assert of.value_counts(sort=False).tolist() == turns
            assert opened == len(turns)
            assert of.is_monotonic_increasing


def test_a_data_set_that_may_end_early_has_its_processes_by_then() -> None:
    many = Stream(_of(1000), 1, timed=True)
    by_then = {many.generation(number) for number in range(100)}
    assert by_then == set(range(6))
    assert many.generation(999) == 11
    assert {len({many.generation(n) for n in range(*turn)}) for turn in many.turns()} == {1}


def test_a_large_data_set_ends_at_the_first_look_that_finds_nothing_open(folder: Path) -> None:
    seen: list[int] = []

    def still_open(rows: Any, stops: Any) -> bool:
        seen.append(sum(row["warm"] for row in rows))
        return len(seen) < 2

    stop, items = streamed(folder, 500, still_open)
    # 100 (500 / 100)^(1/7) = 125.9: the second of the looks between 100 and 500 utterances
    assert seen == [100, 126]
    assert (stop["why"], stop["done"], stop["level"]) == ("decided", 126, 0.9975)
    assert len(items) == 126
    assert items != sorted(items, key=int)  # a random sample, not the head of the file


def test_a_data_set_of_a_hundred_is_evaluated_whole_in_its_own_order(folder: Path) -> None:
    stop, items = streamed(folder, 100, lambda rows, stops: False)
    assert items == [str(i) for i in range(100)]
    assert (stop["why"], stop["level"]) == ("all", 0.95)


def test_a_data_set_that_is_too_large_for_the_budget_gets_a_hundred_at_least(folder: Path) -> None:
    stop, items = streamed(folder, 300, lambda rows, stops: True, seconds=lambda: 0.0)
    assert len(items) == 100
    assert stop["why"] == "budget"
    assert stop["level"] == pytest.approx(0.9525)  # one early look: 5 % - 0.25 %


def test_a_new_variant_takes_the_other_with_it_on_a_data_set(folder: Path) -> None:
    old, new = (store.Unit(folder, f"quality-{name}", "k") for name in ("fp32", "int8"))
    many = Dataset(
        "prompts", [u for u in dataset(*map(str, range(300))).utterances if u.audio], "f"
    )
    with Pool(lambda label: Scripted(label, {})) as pool:
        stop = Stream(many, 1, still_open=lambda rows, stops: False)
        measure_quality({entry("fp32"): old}, stop, pool, Silent())
        old.reopen()
        measure_quality({entry("fp32"): old, entry("int8"): new}, Stream(many, 1), pool, Silent())
    said = [set(unit.table().query("warm")["item"]) for unit in (old, new)]
    assert said[0] == said[1]
    assert len(said[0]) == 300
