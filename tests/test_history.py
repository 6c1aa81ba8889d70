"""The history of a folder: a line per measurement, kept through fresh runs, drawn over runs."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import filed
import invented_run
import pytest
from test_pipeline import Local, finished, ran_once, run  # noqa: F401  fixtures of a whole run

from harness import store
from harness.app import api, cli
from harness.contracts import Result
from harness.errors import HarnessError, StoreError
from harness.report import runs
from harness.report.drawing import history as figure
from harness.store import history, tables

pytestmark = pytest.mark.disk

ENV = {"cpu": "Zen 3", "onnxruntime": "1.31.1", "commit": "c" * 40, "harness": "0.1.0"}


def result(folder: Path, day: str = "2026-11-22", wer: float = 0.05, **env: Any) -> Result:
    """A run of two variants with a WER, a latency and one gate each."""
    cell = {"stage": "quality", "session": "default", "operation": "pipeline", "workload": "cv"}
    shares = {**cell, "metric": "wer", "unit": "fraction", "n": 100}
    timed = {**cell, "stage": "latency", "workload": "5 s", "metric": "latency_p50_ms"}
    timed |= {"unit": "ms", "n": 60}
    rows = [
        {**shares, "variant": "fp32", "value": 0.05, "low": 0.03, "high": 0.07},
        {**shares, "variant": "int8", "value": wer, "low": wer - 0.02, "high": wer + 0.02},
        {**timed, "variant": "int8", "value": 1 / 3 * 1000, "low": -math.inf, "high": 350.0},
        {**timed, "variant": "int8", "stage": "sweep", "value": 1.0, "low": 1.0, "high": 1.0},
    ]
    gate = {"gate": "wer@cv", "metric": "wer", "variant": "int8", "workload": "cv", "kind": "max"}
    gate |= {"observed": wer, "low": wer - 0.02, "high": wer + 0.02, "limit": 0.08}
    gate |= {"status": "PASS" if wer < 0.06 else "FAIL", "unit": "fraction"}
    data = {name: tables.frame(name, []) for name in tables.TABLES}
    data["summary"] = tables.frame("summary", rows)
    data["checks"] = tables.frame("checks", [gate])
    environment = {**ENV, "measured_on": day, **env}
    experiment = {"name": "x", "data": {"cv": "ab" * 32}}
    return filed.result(folder, experiment, environment, {"verdict": "APPROVED"}, data)


def lines(folder: Path) -> list[dict[str, Any]]:
    text = (folder / store.HISTORY).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


# ---------------------------------------- what a line holds
def test_a_line_tells_day_commit_version_machine_verdict_and_each_figure(tmp_path: Path) -> None:
    assert history.record(result(tmp_path), "k" * 64)
    (entry,) = history.read(tmp_path)
    assert (entry.day, entry.commit, entry.harness) == ("2026-11-22", "c" * 40, "0.1.0")
    assert (entry.verdict, len(entry.machine)) == ("APPROVED", 16)
    gate = entry.gates[0]
    told = tuple(gate[name] for name in ("gate", "status", "observed", "low", "high", "limit"))
    assert told == ("wer@cv", "PASS", 0.05, 0.03, 0.07, 0.08)
    timed = entry.of("latency_p50_ms")
    assert len(timed) == 1  # the sweep's is not a figure of the history
    assert timed[0].value == 333.333  # six digits
    assert math.isnan(timed[0].low)  # there was no bound
    assert [one.variant for one in entry.of("wer")] == ["fp32", "int8"]


def test_every_line_is_json_that_any_reader_takes(tmp_path: Path) -> None:
    history.record(result(tmp_path), "k" * 64)
    text = (tmp_path / store.HISTORY).read_text(encoding="utf-8")
    assert "NaN" not in text
    assert "Infinity" not in text
    assert text.endswith("}\n")


def test_a_whole_invented_run_takes_a_few_kilobytes(tmp_path: Path) -> None:
    history.record(invented_run.build(tmp_path), "k" * 64)
    assert (tmp_path / store.HISTORY).stat().st_size < 40_000
    assert "size_mb" in history.metrics(history.read(tmp_path))


# ---------------------------------------- when a line is written
def test_the_same_run_again_adds_nothing_and_writes_nothing(tmp_path: Path) -> None:
    history.record(result(tmp_path), "k" * 64)
    before = (tmp_path / store.HISTORY).stat().st_mtime_ns
    assert not history.record(result(tmp_path), "k" * 64)
    assert (tmp_path / store.HISTORY).stat().st_mtime_ns == before


def test_the_same_measurement_decided_anew_replaces_its_line_and_another_is_added(
    tmp_path: Path,
) -> None:
    history.record(result(tmp_path, "2026-11-20"), "a" * 64)
    history.record(result(tmp_path, "2026-11-22"), "b" * 64)
    again = replace(result(tmp_path, "2026-11-22"), verdict={"verdict": "REJECTED"})
    history.record(again, "b" * 64)
    told = [(line["day"], line["verdict"]) for line in lines(tmp_path)]
    assert told == [("2026-11-20", "APPROVED"), ("2026-11-22", "REJECTED")]


def test_a_line_that_cannot_be_read_is_kept_and_reading_names_it(tmp_path: Path) -> None:
    path = tmp_path / store.HISTORY
    path.write_text('<<<<<<< ours\n{"measured": 1', encoding="utf-8")
    history.record(result(tmp_path), "k" * 64)
    kept = path.read_text(encoding="utf-8").splitlines()
    assert kept[:2] == ["<<<<<<< ours", '{"measured": 1']
    assert len(kept) == 3
    with pytest.raises(StoreError, match=r"history\.jsonl:1: is no line of a history"):
        history.read(tmp_path)


def test_a_disk_that_is_full_leaves_the_history_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.record(result(tmp_path), "a" * 64)
    before = (tmp_path / store.HISTORY).read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        history.record(result(tmp_path, "2026-11-23"), "b" * 64)
    assert (tmp_path / store.HISTORY).read_bytes() == before


# ---------------------------------------- as a part of a run
@pytest.mark.slow
def test_a_run_begins_its_history_and_the_same_run_again_leaves_it(finished: Path) -> None:  # noqa: F811
    out = finished / "out"
    assert len(lines(out)) == 1
    run(finished)
    assert len(lines(out)) == 1
    assert lines(out)[0]["data"] == api.load(out).facts.data


@pytest.mark.slow
def test_a_fresh_run_keeps_the_history_and_adds_its_line(finished: Path) -> None:  # noqa: F811
    first = lines(finished / "out")
    run(finished, fresh=True)
    assert lines(finished / "out")[:1] == first
    assert len(lines(finished / "out")) == 2


@pytest.mark.slow
def test_the_history_is_no_part_of_what_a_run_published(finished: Path) -> None:  # noqa: F811
    out = finished / "out"
    report = (out / "report.md").read_bytes()
    (out / store.HISTORY).unlink()
    Local.started = []
    run(finished)
    assert Local.started == []  # nothing measured, and nothing decided or drawn anew:
    assert not (out / store.HISTORY).exists()
    assert (out / "report.md").read_bytes() == report


@pytest.mark.slow
def test_another_limit_is_the_same_measurement_with_another_verdict(finished: Path) -> None:  # noqa: F811
    path = finished / "x.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("max: 150", "max: 90"), "utf-8")
    run(finished)
    (line,) = lines(finished / "out")
    assert [gate["limit"] for gate in line["gates"] if gate["kind"] == "max"] == [90.0]


@pytest.mark.slow
def test_a_run_can_be_compared_with_its_fresh_self(finished: Path) -> None:  # noqa: F811
    import shutil

    shutil.copytree(finished / "out", finished / "before")
    run(finished, fresh=True)
    found = api.compare(finished / "before", finished / "out")
    assert not found.forced
    assert {row.place.metric for row in found.rows} >= {"latency_p50_ms", "wer", "size_mb"}
    assert found.count("regression") == 0


# ---------------------------------------- reading it
@pytest.fixture
def past(tmp_path: Path) -> Path:
    """Four runs: the first on another machine, the last with a WER over the limit."""
    history.record(result(tmp_path, "2026-11-01", 0.055, cpu="Skylake"), "a" * 64)
    history.record(result(tmp_path, "2026-11-08", 0.05), "b" * 64)
    history.record(result(tmp_path, "2026-11-15", 0.052), "c" * 64)
    history.record(result(tmp_path, "2026-11-22", 0.09, commit="d" * 40, dirty=True), "d" * 64)
    return tmp_path


def test_the_table_of_runs_marks_those_of_another_machine(past: Path) -> None:
    text = runs.runs(history.read(past))
    days = [line for line in text if line.startswith("2026-")]
    assert [line.endswith("other machine") for line in days] == [True, False, False, False]
    assert "dddddddd+" in days[-1]  # the commit, and that it was dirty
    assert "1 FAIL" in days[-1]
    assert any("cpu Skylake" in line for line in text)


def test_other_data_of_the_same_name_is_no_comparison_either(past: Path) -> None:
    entries = history.read(past)
    other = replace(entries[1], data={"cv": "cd" * 32})
    assert other.unlike(entries[-1]) == "data"
    assert entries[1].unlike(entries[-1]) == ""


def test_the_table_of_a_metric_has_a_line_per_cell_and_run(past: Path) -> None:
    text = runs.over_runs(history.read(past), "wer")
    assert len([line for line in text if line.startswith("int8")]) == 4
    assert any("9.0% [7.0, 11.0]" in line for line in text)


def test_a_metric_that_no_run_has_is_one_line_with_the_nearest(
    past: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(HarnessError, match="Did you mean 'wer'"):
        runs.over_runs(history.read(past), "werr")
    assert cli.main(["history", str(past), "--metric", "werr"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 0, "2026-11-22"),
        (["--metric", "wer"], 0, "other machine"),
        (["--plot", "x.png"], 2, ""),
    ],
)
def test_the_command_prints_it(
    past: Path, arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["history", str(past), *arguments]) == code
    assert said in capsys.readouterr().out


def test_a_folder_without_a_history_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="holds no history"):
        history.read(tmp_path)


def test_the_figure_is_small_and_the_same_bytes_each_time(past: Path, tmp_path: Path) -> None:
    entries = history.read(past)
    paths = [tmp_path / name for name in ("one.png", "two.png")]
    for path in paths:
        figure.draw(entries, "wer", path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert 5_000 < paths[0].stat().st_size < 150_000


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_figure_of_bounds_that_are_not_there_is_drawn(
    past: Path, tmp_path: Path, language: str
) -> None:
    figure.draw(history.read(past), "latency_p50_ms", tmp_path / "x.png", language)
    assert (tmp_path / "x.png").stat().st_size > 5_000
