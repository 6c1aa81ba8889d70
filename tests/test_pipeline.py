"""From YAML to report with a fake at the slowest seam: a family whose clock is its own.

A call of the fake takes (10 ms + a tenth of the audio) times its folder's factor and up to 1 %
more, so 2 s of audio take 210 ms at factor 1 and 105 ms at factor 0.5. Figures are drawn in one
test only, for they take longer than all the rest.
"""

from __future__ import annotations

import itertools
import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from tiny_graphs import save, two_layers

from harness import plugins, spec, store
from harness.app import api, cli
from harness.contracts import Dataset, Utterance
from harness.decide import plan
from harness.errors import HarnessError, SpecError, StoreError
from harness.report import drawing
from harness.run.worker.server import Server
from harness.runtime import environment

YAML = """\
name: fake
model: {family: ./fake_family.py, source: {path: model}}
variants:
  - {name: slow}
  - {name: fast, source: {path: fast}}
baseline: slow
sessions:
  - {name: default}
  - {name: one-thread, intra_op_num_threads: 1}
latency: {audio_seconds: [1, 2], warmup: 1, calls_per_block: 2, rounds: 6, sweep_rounds: 6}
quality:
  - {dataset: {use: common_voice, path: data, split: test}, metrics: [wer], normaliser: spanish}
gates:
  - {metric: latency_p50_ms, at: {audio_seconds: 2}, max: 150}
  - {metric: wer, max_increase: 0.5}
budget: {minutes: 5}
report: {language: en}
"""


OWN_METRIC = '''"""Share of words of more than {letters} letters."""
from harness.contracts import Metric


def measure(call):
    words = call.text.split()
    return float(sum(len(word) > {letters} for word in words)), float(len(words))


metric = Metric(unit="", better="lower", measure=measure, needs_reference=True)
'''


class Local:
    """A worker in this process, on the fake's clock."""

    started: list[str] = []  # noqa: RUF012  one log for all workers of a test
    clock: Any = None

    def __init__(self, label: str) -> None:
        Local.started.append(label)
        self.server = Server(clock=Local.clock, cpu_clock=Local.clock)

    def ask(self, request: Mapping[str, Any], limit_seconds: float) -> dict[str, Any]:
        reply: dict[str, Any] = json.loads(
            json.dumps(self.server.answer(json.loads(json.dumps(request))))
        )
        return reply

    def close(self) -> None:
        pass


def put_model(folder: Path, **facts: Any) -> None:
    folder.mkdir(parents=True)
    said = {"factor": 1.0, "text": "hola mundo", **facts}
    (folder / "facts.json").write_text(json.dumps(said), encoding="utf-8")
    save(two_layers(), folder / "model.onnx")


def lay_out(folder: Path) -> None:
    """An experiment, two models and four clips."""
    folder.mkdir(exist_ok=True)
    shutil.copy(Path(__file__).parent / "fake_family.py", folder)
    put_model(folder / "model")
    put_model(folder / "fast", factor=0.5)
    clips = folder / "data" / "es" / "clips"
    clips.mkdir(parents=True)
    rows = ["client_id\tpath\tsentence"]
    for place in range(4):
        noise = np.random.default_rng(place).normal(0, 0.1, 40_000)  # 2.5 s
        soundfile.write(clips / f"{place}.wav", noise, 16_000)
        rows.append(f"speaker{place}\t{place}.wav\tHola, mundo.")
    (clips.parent / "test.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "x.yaml").write_text(YAML, encoding="utf-8")


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Path:
    """A project of the test's own, in which nothing has run."""
    folder = tmp_path / "project"
    lay_out(folder)
    prepare(folder, monkeypatch, request.node.name)
    return folder


@pytest.fixture
def finished(
    ran_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Path:
    """A copy of a project in which the experiment has run."""
    folder = tmp_path / "project"
    shutil.copytree(ran_once, folder)
    prepare(folder, monkeypatch, request.node.name)
    return folder


@pytest.fixture(scope="module")
def ran_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ran") / "project"
    lay_out(folder)
    with pytest.MonkeyPatch.context() as monkeypatch:
        prepare(folder, monkeypatch, "")
        run(folder)
    return folder


def prepare(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(folder / "cache"))
    family = plugins.load("families", str(folder / "fake_family.py"))
    Local.clock = family.open.__globals__["Clock"]()
    Local.started = []
    if "figures" not in name:
        monkeypatch.setattr(drawing, "draw", lambda *_: [])


def run(project: Path, **changes: Any) -> Any:
    return api.run(project / "x.yaml", project / "out", start=Local, **changes)


def test_from_yaml_to_verdict_report_and_figures(project: Path) -> None:
    result = run(project)
    found = result.summary.query("operation == 'pipeline' and replica == 0")
    found = found.set_index(["stage", "variant", "session", "workload", "metric"])["value"]
    chosen = result.verdict["session"]
    slow = found["latency", "slow", "default", "2 s", "latency_p50_ms"]
    assert slow == pytest.approx(210, rel=0.01)
    fast = found["latency", "fast", chosen, "2 s", "latency_p50_ms"]
    assert fast == pytest.approx(105, rel=0.01)
    assert found["quality", "fast", chosen, "data", "wer"] == 0.0
    assert (project / "out" / "report.md").read_text(encoding="utf-8").startswith("# ")
    assert len(list((project / "out" / "figures").glob("*.png"))) >= 4


@pytest.mark.slow
def test_a_second_run_measures_nothing_and_leaves_the_same_bytes(finished: Path) -> None:
    project = finished
    before = {p: p.read_bytes() for p in (project / "out").rglob("*") if p.is_file()}
    run(project)
    assert Local.started == []
    assert {p: p.read_bytes() for p in (project / "out").rglob("*") if p.is_file()} == before


def measured_again(project: Path, changed: str) -> set[str]:
    """The stages that a run of the changed experiment writes anew."""

    def stages() -> dict[str, float]:
        work = (project / "out" / store.WORK).glob("*.parquet")
        return {path.name: path.stat().st_mtime_ns for path in work}

    before = stages()
    (project / "x.yaml").write_text(changed, encoding="utf-8")
    run(project)
    return {name.split("-")[0] for name, time in stages().items() if before.get(name) != time}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        ("max: 150", "max: 90", set()),  # another limit: decided anew, nothing measured
        ("language: en", "language: es", set()),
        ("metrics: [wer]", "metrics: [wer, cer]", set()),
        ("split: test", "split: test, limit: 3", {"quality", "sweep", "latency"}),
        ("calls_per_block: 2", "calls_per_block: 3", {"latency"}),
        ("sweep_rounds: 6", "sweep_rounds: 5", {"sweep"}),
    ],
)
def test_only_what_depends_on_a_changed_field_is_measured_again(
    finished: Path, old: str, new: str, again: set[str]
) -> None:
    assert measured_again(finished, YAML.replace(old, new)) == again


@pytest.mark.slow
def test_rendering_report_and_figures_again_gives_the_same_bytes_and_another_language_does_not(
    project: Path,
) -> None:
    run(project)
    before = (project / "out" / "report.md").read_bytes()
    figures = {p: p.read_bytes() for p in (project / "out" / "figures").iterdir()}
    api.render(project / "out")
    assert (project / "out" / "report.md").read_bytes() == before
    assert {p: p.read_bytes() for p in (project / "out" / "figures").iterdir()} == figures
    api.render(project / "out", "es")
    assert (project / "out" / "report.md").read_bytes() != before


def test_load_gives_the_tables_that_run_gave(finished: Path) -> None:
    ran, loaded = run(finished), api.load(finished / "out")
    for name, table in ran.tables.items():
        assert table.equals(loaded.tables[name]), name
    assert loaded.calls is loaded.tables["calls"]
    with pytest.raises(AttributeError, match="no table 'nothing'"):
        _ = loaded.nothing


def test_a_variant_that_gives_nan_has_an_error_in_each_row_and_is_never_approved(
    project: Path,
) -> None:
    shutil.rmtree(project / "fast")
    put_model(project / "fast", nan=True)
    result = run(project)
    calls = result.calls[
        (result.calls["variant"] == "fast") & (result.calls["operation"] != "load")
    ]
    assert calls["error"].str.contains("NaN").all()
    assert result.verdict["verdict"] == "INSUFFICIENT EVIDENCE"
    assert result.verdict["exit_code"] == 3
    assert "NaN" in (project / "out" / "report.md").read_text(encoding="utf-8")


def test_a_variant_that_is_no_model_is_rows_with_the_reason(project: Path) -> None:
    (project / "fast" / "model.onnx").write_bytes(b"not a model")
    result = run(project)
    mine = result.calls[result.calls["variant"] == "fast"]
    assert len(mine)
    assert (mine["error"] != "").all()
    assert result.verdict["exit_code"] == 3


@pytest.mark.slow
def test_a_clip_that_cannot_be_read_is_an_error_row_and_the_rest_is_evaluated(
    project: Path,
) -> None:
    (project / "data" / "es" / "clips" / "3.wav").write_bytes(b"RIFF")
    quality = run(project).calls.query("stage == 'quality' and warm")
    assert sorted(quality.loc[quality["error"] != "", "item"].unique()) == ["3"]
    assert (quality["error"] == "").sum() == 6  # three clips, two variants


def test_an_edited_table_is_noticed_and_made_again(finished: Path) -> None:
    project = finished
    with (project / "out" / "summary.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    with pytest.raises(StoreError, match=r"summary\.csv"):
        api.load(project / "out")
    run(project)
    assert len(api.load(project / "out").summary)


@pytest.mark.slow
def test_a_run_that_is_not_made_again_says_which_calls_have_failed(project: Path) -> None:
    class Told(api.Quiet):
        def line(self, text: str) -> None:
            told.append(text)

    told: list[str] = []
    run(project)
    run(project, tell=Told())
    assert told[-1] == "nothing has changed since the last run"
    with (project / "data" / "es" / "test.tsv").open("a", encoding="utf-8") as table:
        table.write("speaker9\tgone.wav\tAdios.\n")
    run(project)
    run(project, tell=Told())
    assert told[-1].endswith("2 of its calls have an error: `--fresh` measures all again")


@pytest.mark.slow
def test_a_fresh_run_measures_all_of_it_again(finished: Path) -> None:
    published = (finished / "out" / "manifest.json").stat().st_mtime_ns
    run(finished, fresh=True)
    assert len(Local.started) > 5
    assert (finished / "out" / "manifest.json").stat().st_mtime_ns > published


def test_other_model_files_are_another_result_even_where_nothing_is_timed(project: Path) -> None:
    text = "\n".join(YAML.split("latency:")[0].splitlines()[:6])
    gates = "purpose: size\ngates: [{metric: size_mb, max: 0.1}]\n"
    (project / "x.yaml").write_text(f"{text}\n{gates}", encoding="utf-8")
    assert run(project).verdict["verdict"] == "APPROVED FOR SIZE ONLY"
    (project / "fast" / "weights.bin").write_bytes(b"0" * 200_000)
    assert run(project).verdict["verdict"] == "REJECTED"


@pytest.mark.slow
def test_an_own_plugin_that_changes_is_noticed(finished: Path) -> None:
    (finished / "share.py").write_text(OWN_METRIC.format(letters=4), encoding="utf-8")
    text = YAML.replace("metrics: [wer]", "metrics: [wer, ./share.py]")
    (finished / "x.yaml").write_text(text, encoding="utf-8")
    first = run(finished).summary.query("metric == './share.py'")["value"].tolist()
    (finished / "share.py").write_text(OWN_METRIC.format(letters=9), encoding="utf-8")
    for name in [name for name in sys.modules if name.startswith("harness_own_")]:
        del sys.modules[name]  # as in a new process
    again = run(finished).summary.query("metric == './share.py'")["value"].tolist()
    assert (first, again) == ([0.5, 0.5], [0.0, 0.0])  # "hola" has 4 letters, "mundo" 5


def test_the_environment_is_that_of_the_measurement(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = environment.describe()
    monkeypatch.setattr(environment, "describe", lambda: {**known, "commit": "another"})
    (finished / "x.yaml").write_text(YAML.replace("max: 150", "max: 90"), encoding="utf-8")
    assert run(finished).environment["commit"] == known["commit"]


def test_a_run_beside_another_in_the_same_folder_is_refused(project: Path) -> None:
    with store.locked(project / "out"), pytest.raises(StoreError, match="another run"):
        run(project)


def test_nothing_is_written_for_an_experiment_that_is_wrong(project: Path) -> None:
    (project / "x.yaml").write_text(YAML.replace("max: 150", "maxx: 150"), encoding="utf-8")
    with pytest.raises(SpecError, match="maxx"):
        run(project)
    assert not (project / "out").exists()


def test_the_command_line_gives_the_verdict_as_exit_code(
    finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = finished
    ran = run(project)
    monkeypatch.setattr(api, "run", lambda *_, **__: ran)
    code = cli.main(["run", str(project / "x.yaml")])
    assert code == ran.verdict["exit_code"]
    assert ran.verdict["verdict"] in capsys.readouterr().out
    assert cli.main(["run", "--exit-zero", str(project / "x.yaml")]) == 0
    assert cli.main(["report", str(project / "out")]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
        (["report", "nowhere"], "holds no finished run"),
        (["check", "nowhere.yaml"], "nowhere.yaml"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert "Traceback" not in printed.err
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_an_interrupt_or_a_full_disk_ends_with_a_line(
    failure: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise failure

    monkeypatch.setattr(api, "run", fail)
    code = cli.main(["run", "x.yaml"])
    assert code == (130 if isinstance(failure, KeyboardInterrupt) else 2)
    assert capsys.readouterr().err.count("harness:") == 1


@pytest.mark.parametrize("kind", cli.KINDS)
def test_listing_prints_each_plugin_with_its_docstring(
    kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["list", kind]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert all(len(line.split(maxsplit=1)) == 2 for line in lines)


@pytest.mark.slow
def test_an_own_metric_from_a_file_is_scored_loaded_and_reported(project: Path) -> None:
    (project / "long_words.py").write_text(OWN_METRIC.format(letters=4), encoding="utf-8")
    text = YAML.replace("metrics: [wer]", "metrics: [wer, ./long_words.py]")
    (project / "x.yaml").write_text(text, encoding="utf-8")
    result = run(project)
    mine = result.summary[result.summary["metric"] == "./long_words.py"]
    assert mine["value"].tolist() == [0.5, 0.5]  # "hola" is short, "mundo" is long
    assert isinstance(api.load(project / "out"), type(result))


def test_every_error_is_a_harness_error() -> None:
    from harness import errors

    found = [e for e in vars(errors).values() if isinstance(e, type)]
    assert all(issubclass(e, HarnessError) for e in found)


def test_lengths_are_cut_from_the_first_data_in_which_somebody_is_known_to_speak() -> None:
    silence = Dataset("silence", [Utterance("a", b"", "")], "1")
    texts = Dataset("texts", [Utterance("b", None, "Hola.")], "2")
    broken = Dataset("broken", [Utterance("c", b"", "Hola.", error="gone")], "3")
    speech = Dataset("speech", [Utterance("d", b"", ""), Utterance("e", b"", "Hola.")], "4")

    assert plan.speech([texts, broken, silence, speech]) is speech
    assert plan.speech([texts, broken, silence]) is silence
    for data in ([texts, broken], []):
        with pytest.raises(SpecError, match="latency: needs a quality section with audio"):
            plan.speech(data)


def test_what_runs_elsewhere_is_known_by_its_family_and_its_parts(tmp_path: Path) -> None:
    server = "{family: http, url: 'http://localhost:1', model: x}"
    pair = "family: two_speed, unsure_below: -1, parts"
    own = "{family: whisper, source: {asset: whisper-base}}"
    text = f"""\
name: x
model: {own}
variants:
  - {{name: here}}
  - {{name: there, model: {server}}}
  - {{name: both, model: {{{pair}: {{fast: {server}, slow: {own}}}}}}}
  - {{name: neither, model: {{{pair}: {{fast: {server}, slow: {server}}}}}}}
baseline: here
candidate: there
"""
    experiment = spec.parse(text, tmp_path / "x.yaml")
    assert plan.elsewhere(experiment, spec.locator(tmp_path / "x.yaml")) == {"there", "neither"}


def test_sessions_are_not_swept_for_what_runs_elsewhere(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "elsewhere", lambda *_: {"fast"})
    swept = run(project).calls.query("stage == 'sweep'")
    assert set(zip(swept["variant"], swept["session"], strict=True)) == {
        ("slow", "default"), ("fast", "default"),
    }  # fmt: skip


ROOM = '''"""Megabytes, the more the better."""
from harness.contracts import Metric

metric = Metric(unit="MB", better="higher", of_variant=lambda row: row["size_bytes"] / 1e6)
'''


@pytest.mark.parametrize(("up_to", "status"), [(1.5, "WAIVED"), (0.8, "FAIL")])
def test_a_waiver_of_a_fall_is_a_fall_that_is_accepted(
    project: Path, up_to: float, status: str
) -> None:
    (project / "room.py").write_text(ROOM, encoding="utf-8")
    (project / "model" / "weights.bin").write_bytes(b"0" * 1_000_000)
    text = "\n".join(YAML.split("latency:")[0].splitlines()[:6])
    text = text.replace("{name: slow}", "{name: slow, source: {path: model}}")  # its files as is
    text += "\ngates: [{metric: ./room.py, max_decrease: 0.5, name: room}]\n"
    text += f"waivers: [{{gate: room, up_to: {up_to}, until: 2099-01-01, because: x}}]\n"
    (project / "x.yaml").write_text(text, encoding="utf-8")
    check = run(project).checks.iloc[0]
    assert check["observed"] == pytest.approx(-1.0, abs=0.01)
    assert check["status"] == status


LOOKED_AT = """\
gates:
  - {{metric: latency_p50_ms, at: {{audio_seconds: 2}}, max: {limit}}}
budget: {{minutes: {minutes}}}
report: {{language: en}}
"""


def stopped(project: Path, limit: float, minutes: float = 5) -> Any:
    """A run whose only gate is on 2 s of the fast variant, which takes 105 to 106 ms."""
    text = YAML.split("gates:")[0] + LOOKED_AT.format(limit=limit, minutes=minutes)
    text = text.replace("rounds: 6, sweep", "rounds: 12, sweep")
    (project / "x.yaml").write_text(text, encoding="utf-8")
    return run(project)


def cell(result: Any, table: str = "stops") -> Any:
    """The rows of the cell that the gate looks at."""
    where = f"stage == 'latency' and variant == 'fast' and session == '{result.verdict['session']}'"
    length = (
        "workload == '2 s'" if table == "stops" else "audio_seconds == 2 and warm and round >= 0"
    )
    return result.tables[table].query(f"{where} and operation == 'pipeline' and {length}")


@pytest.mark.slow
def test_a_latency_is_approved_when_its_plan_is_through_and_not_before(project: Path) -> None:
    result = stopped(project, limit=150)
    stop = cell(result).iloc[0]
    assert stop["why"] == "planned"
    check = result.checks.iloc[0]
    assert check["status"] == "PASS"
    assert (check["level"], check["allowance"]) == (pytest.approx(0.9575), 0.0)  # three looks
    assert check["high"] < 1.03 * check["observed"]
    calls = cell(result, "calls")
    assert calls["generation"].nunique() >= 4
    assert (
        f"over {stop['done']} blocks, 4 clips and {calls['generation'].nunique()} processes"
        in (check["reason"])
    )


@pytest.mark.slow
def test_a_latency_far_beyond_its_limit_is_measured_no_further(project: Path) -> None:
    result = stopped(project, limit=90)
    stop = cell(result).iloc[0]
    assert (stop["why"], stop["level"]) == ("decided", 0.9975)
    assert result.checks.iloc[0]["status"] == "FAIL"
    assert cell(result, "calls")["generation"].nunique() < 6


@pytest.mark.slow
def test_a_limit_in_the_midst_of_the_calls_is_inconclusive_and_says_what_it_takes(
    project: Path,
) -> None:
    check = stopped(project, limit=105.53).checks.iloc[0]
    assert check["status"] == "INCONCLUSIVE"
    assert "Probably settled by" in check["reason"] or check["needs"] != check["needs"]


@pytest.mark.slow
def test_rounds_of_latency_lie_between_turns_of_quality(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    answer = Server.answer

    def noting(self: Server, request: Mapping[str, Any]) -> dict[str, Any]:
        asked.append(next(iter(request)))
        return answer(self, request)

    monkeypatch.setattr(Server, "answer", noting)
    rows = [f"speaker{k}\t{k % 4}.wav\tHola, mundo.{k}" for k in range(40)]
    table = project / "data" / "es" / "test.tsv"
    for k in range(40):
        shutil.copy(table.parent / "clips" / f"{k % 4}.wav", table.parent / "clips" / f"u{k}.wav")
    rows = [f"speaker{k}\tu{k}.wav\tHola, mundo." for k in range(40)]
    table.write_text("\n".join(["client_id\tpath\tsentence", *rows]) + "\n", encoding="utf-8")
    run(project)
    heard = [place for place, kind in enumerate(asked) if kind == "utterances"]
    between = [sum(kind == "block" for kind in asked[a:b]) for a, b in itertools.pairwise(heard)]
    assert sum(count >= 5 for count in between) >= 4  # 40 utterances are five turns


@pytest.mark.slow
def test_what_was_rejected_by_another_limit_is_measured_over_a_whole_run(project: Path) -> None:
    early = cell(stopped(project, limit=90)).iloc[0]
    Local.started = []
    stopped(project, limit=80)  # rejected as well by what is there
    assert Local.started == []
    late = cell(stopped(project, limit=120)).iloc[0]
    assert (early["why"], late["why"]) == ("decided", "planned")
    assert Local.started != []
    Local.started = []
    stopped(project, limit=90)  # the plan is through: whatever the limit, it is decided by it
    assert Local.started == []
