"""What a hang may cost, what is said while something is waited for, and what a budget overran."""

from __future__ import annotations

import io
import math
import re
from pathlib import Path
from typing import Any

import filed
import pytest
from invented_run import build
from test_runner import Scripted, Silent, dataset, entry, plan, tasks

from harness import store
from harness.app.progress import Progress
from harness.contracts import Result
from harness.errors import HangError, WorkerError, limits
from harness.report import shortfall
from harness.run.patience import Patience
from harness.run.pool import Pool
from harness.run.quality import Stream, _left, measure_quality
from harness.run.rounds import measure_rounds


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / store.WORK).mkdir()
    Scripted.asked = []
    return tmp_path


# ------------------------------------------------------------------- how long is waited
@pytest.mark.parametrize(
    ("minutes", "call", "opening"),
    [
        (0.5, 20, 40),  # LEAST_SECONDS: a tenth of half a minute is too little on a busy machine
        (5, 30, 60),
        (10, 60, 120),
        (20, 120, 180),
        (600, 120, 180),
        (math.inf, 120, 180),
    ],
)
def test_what_an_answer_may_take_is_a_share_of_the_budget(
    minutes: float, call: float, opening: float
) -> None:
    patience = Patience(minutes * 60)
    assert patience.calls(1, 0.0) == call
    assert patience.opening() == opening
    assert patience.calls(5, 2.0) == call + limits.USUAL_TIMES * 5 * 2.0
    assert patience.calls(1, 0.0, own=300.0) == 600.0  # what the user allows a server


def test_a_second_hang_ends_the_cell_and_half_of_the_budget_ends_whatever_has_hung() -> None:
    patience = Patience(600)
    patience.hung("int8", "int8/a", 60)
    assert patience.over("int8", "int8/a") == ""
    patience.hung("int8", "int8/a", 60)
    assert "2 calls without an answer" in patience.over("int8", "int8/a")
    assert patience.over("int8", "int8/b") == ""
    for session in "bcd":
        patience.hung("int8", f"int8/{session}", 60)
    assert "300 s of the budget" in patience.over("int8", "int8/e")
    assert patience.over("fp32", "fp32/a") == ""


def test_calls_that_fail_on_end_are_given_up_when_that_took_too_long() -> None:
    patience = Patience(300)
    patience.failed("int8/a", 50)
    patience.answered("int8/a")
    patience.failed("int8/a", 50)
    assert patience.over("int8", "int8/a") == ""
    patience.failed("int8/a", 11)
    assert "failed for 61 s on end" in patience.over("int8", "int8/a")


class Hanging(Scripted):
    """Each of its calls is given up."""

    def ask(self, request: Any, limit_seconds: float) -> dict[str, Any]:
        if "open" not in request and self.label.startswith("int8"):
            Scripted.asked.append(self.label)
            raise HangError(f"{self.label}: {limits.NO_ANSWER} {limit_seconds:.0f} s")
        return super().ask(request, limit_seconds)


def test_a_variant_that_hangs_in_every_round_is_asked_twice_and_all_its_calls_are_rows(
    folder: Path,
) -> None:
    unit = store.Unit(folder, "latency", "k")
    with Pool(lambda label: Hanging(label, {})) as pool:
        measure_rounds(unit, tasks("fp32", "int8"), plan(rounds=6), pool, Silent())
    calls = unit.table()
    warm = calls[calls["warm"]]
    assert Scripted.asked.count("int8/default") == limits.HANGS_OF_A_CELL
    assert (warm.groupby("variant").size() == 18).all()
    lost = warm[warm["variant"] == "int8"]["error"]
    assert lost.iloc[-1].endswith("given up after 2 calls without an answer")
    assert (warm[warm["variant"] == "fp32"]["error"] == "").all()


def test_a_variant_that_hangs_on_every_utterance_is_asked_twice(folder: Path) -> None:
    units = {entry(v): store.Unit(folder, f"quality-{v}", "k") for v in ("fp32", "int8")}
    with Pool(lambda label: Hanging(label, {})) as pool:
        measure_quality(units, Stream(dataset(*"abcdefghij"), seed=1), pool, Silent())
    assert Scripted.asked.count("int8/default") == limits.HANGS_OF_A_CELL
    for unit in units.values():
        warm = unit.table()
        assert set(warm[warm["warm"]]["item"]) == {*"abcdefghij", "missing"}


def test_the_utterance_that_hangs_is_asked_once_and_those_beside_it_keep_their_rows(
    folder: Path,
) -> None:
    class HangsAtC(Scripted):
        def ask(self, request: Any, limit_seconds: float) -> dict[str, Any]:
            items = request.get("utterances", {}).get("items", [])
            names = [Path(item["path"]).stem for item in items]
            if "c" in names:
                Scripted.asked.append("c")
                error = HangError(f"{self.label}: {limits.NO_ANSWER} 30 s")
                row = {"seconds": 0.01, "cpu_seconds": 0.0, "text": "before"}
                error.done = tuple(dict(row) for _ in names[: names.index("c")])
                raise error
            return super().ask(request, limit_seconds)

    unit = store.Unit(folder, "quality-fp32", "k")
    with Pool(lambda label: HangsAtC(label, {})) as pool:
        measure_quality({entry("fp32"): unit}, Stream(dataset(*"abcde"), seed=1), pool, Silent())
    rows = unit.table()
    rows = rows[rows["warm"]].set_index("item")
    assert Scripted.asked == ["c"]
    assert rows.loc["c", "error"] == "no answer within 30 s"
    assert rows.loc["b", "text"] == "before"
    assert list(rows.loc[["a", "d", "e"], "error"]) == [""] * 3
    assert issubclass(HangError, WorkerError)


# ------------------------------------------------------------------- what is said meanwhile
@pytest.mark.parametrize("left", [0.0, 0.2, 0.49, 1.0, -3.0])
def test_nothing_is_ever_left_in_no_time(left: float) -> None:
    stream = io.StringIO()
    Progress(stream).step("quality", 0.5, "utterance 51 of 100", left)
    assert "0:01 left" in stream.getvalue()


@pytest.mark.parametrize("left", [math.nan, math.inf])
def test_what_is_not_known_is_not_said(left: float) -> None:
    stream = io.StringIO()
    Progress(stream).step("quality", 0.5, "x", left)
    assert "left" not in stream.getvalue()


@pytest.mark.parametrize(
    ("done", "planned", "elapsed", "seconds", "expected"),
    [
        (50, 200, 50, 1000, 150),  # a second each
        (50, 200, 50, 120, 70),  # within the budget
        (50, 200, 50, 60, 50),  # but at least a hundred
        (50, 200, 500, 60, 500),  # also where the budget is spent
        (120, 200, 120, 60, 8),  # beyond both: the turn that is under way
        (199, 200, 199, 1000, 1),
    ],
)
def test_what_is_left_of_a_data_set_is_an_honest_estimate(
    done: int, planned: int, elapsed: float, seconds: float, expected: float,
) -> None:  # fmt: skip
    assert _left(elapsed, done, planned, seconds) == pytest.approx(expected)


class Broken(io.StringIO):
    tried = 0

    def write(self, text: str) -> int:
        self.tried += 1
        raise BrokenPipeError


def test_progress_that_nobody_reads_ends_no_run() -> None:
    stream = Broken()
    progress = Progress(stream)
    progress.line("x")
    progress.step("quality", 0.5, "x", 1.0)
    progress.close()
    assert stream.tried == 1  # whoever has gone is not written to again


def test_progress_shows_no_control_characters_of_a_name() -> None:
    stream = io.StringIO()
    Progress(stream).line("\x1b[2Jint8")
    assert "\x1b" not in stream.getvalue()


# ------------------------------------------------------------------- what the report says
@pytest.fixture(scope="module")
def invented() -> Result:
    return build()


@pytest.mark.parametrize(
    ("spent", "said"),
    [
        ({}, None),
        ({"sweep": 60, "latency": 240, "quality": 359}, None),  # 10.98 of 10 min
        (
            {"sweep": 300, "latency": 600, "quality": 600},
            "25 min of a budget of 10 min, 150% more (sweep",
        ),
        ({"quality": 720}, "12 min of a budget of 10 min, 20% more (quality 12 min)"),
    ],
)
def test_a_budget_that_was_overrun_is_said_with_how_much(
    invented: Result, spent: dict[str, float], said: str | None
) -> None:
    result = filed.changed(invented, spent_seconds=spent)
    english, spanish = shortfall.told(result, "en"), shortfall.told(result, "es")
    if said is None:
        assert "Measuring took" not in english
        return
    assert said in english.replace("\u202f", " ").replace("\xa0", " ")
    assert "Medir llevó" in spanish
    assert re.search(r"least that says|longer than|no answer", english)
