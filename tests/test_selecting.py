"""The candidate that a selection finds: the best of those that no gate rules out, on fresh data.

The fake recogniser takes its folder's factor of a time that its clips' length tells; the clips say
"Hola, mundo.".
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import test_pipeline
from test_pipeline import Local, put_model, run

from harness import plugins, spec
from harness.decide import measures, selection
from harness.errors import SpecError
from harness.report import drawing
from harness.run import pipeline

YAML = """\
name: fake
model: {family: ./fake_family.py, source: {path: model}}
variants:
  - {name: full}
  - {name: middle, source: {path: middle}}
  - {name: quick, source: {path: quick}}
  - {name: deaf, source: {path: deaf}}
baseline: full
selection: {metric: rtf, dataset: tuning, among: [middle, quick, deaf]}
quality:
  - {name: tuning, dataset: {use: common_voice, path: data, split: dev, limit: 2}, metrics: [wer, rtf], normaliser: spanish}
  - {name: fresh, dataset: {use: common_voice, path: data, split: test}, metrics: [wer, rtf], normaliser: spanish}
gates:
  - {metric: wer, at: {dataset: tuning}, max: 0.5}
  - {metric: rtf, at: {dataset: fresh}, max: 5}
budget: {minutes: 5}
report: {language: en}
"""  # noqa: E501
FACTORS = {"middle": 0.7, "quick": 0.5, "deaf": 0.1}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    test_pipeline.lay_out(tmp_path)
    tables = tmp_path / "data" / "es"
    shutil.copy(tables / "test.tsv", tables / "dev.tsv")  # the clips may be the same: a fake hears
    for name, factor in FACTORS.items():
        said = "otra cosa dicha" if name == "deaf" else "hola mundo"
        put_model(tmp_path / name, factor=factor, text=said)
    (tmp_path / "x.yaml").write_text(YAML, encoding="utf-8")
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(drawing, "draw", lambda *_: [])
    family = plugins.load("families", str(tmp_path / "fake_family.py"))
    monkeypatch.setattr(Local, "clock", family.open.__globals__["Clock"]())
    monkeypatch.setattr(Local, "started", [])
    return tmp_path


def test_the_fastest_that_no_gate_rules_out_is_the_candidate(project: Path) -> None:
    result = run(project)
    assert result.experiment.candidate == "quick"  # deaf is faster, and hears another thing
    assert result.verdict["candidate"] == "quick"
    tuned = result.calls.query("dataset == 'tuning' and warm")
    assert set(tuned["variant"]) == {"full", "middle", "quick", "deaf"}


def test_the_winner_is_measured_on_fresh_data_with_the_baseline_alone(project: Path) -> None:
    result = run(project)
    fresh = result.calls.query("dataset == 'fresh' and warm")
    assert set(fresh["variant"]) == {"full", "quick"}
    checks = result.checks.set_index(["workload", "variant"])
    assert list(checks.loc["fresh"].index) == ["quick"]
    assert checks.loc[("fresh", "quick"), "severity"] == "fail"


def test_the_selections_own_gates_only_warn_in_the_verdict(project: Path) -> None:
    checks = run(project).checks.query("workload == 'tuning'").set_index("variant")
    assert set(checks["severity"]) == {"warn"}
    assert checks.loc["deaf", "observed"] > 0.5
    assert set(checks.index) == {"middle", "quick", "deaf"}


SOFT = "  - {metric: rtf, at: {dataset: tuning}, max: 0, severity: warn, name: soft}\n"


def test_a_report_knows_which_gates_ruled_variants_out(project: Path) -> None:
    text = YAML.replace("budget:", f"{SOFT}budget:")
    (project / "x.yaml").write_text(text, encoding="utf-8")
    result = run(project)
    assert set(result.checks.query("workload == 'tuning'")["severity"]) == {"warn"}
    assert measures.selected_by(result) == {"wer@tuning"}
    older = replace(result, facts=replace(result.facts, selected_by=None))
    assert measures.selected_by(older) == {"wer@tuning"}


def test_where_every_one_is_ruled_out_the_best_of_them_is_rejected(project: Path) -> None:
    text = YAML.replace("{dataset: tuning}, max: 0.5", "{dataset: tuning}, max: -0.5")
    for name in ("middle", "quick"):
        facts = project / name / "facts.json"
        facts.write_text(facts.read_text(encoding="utf-8").replace("hola", "tres"), "utf-8")
    (project / "x.yaml").write_text(text, encoding="utf-8")
    result = run(project)
    assert result.experiment.candidate == "deaf"
    assert set(result.checks.query("workload == 'tuning'")["severity"]) == {"fail"}
    assert result.verdict["verdict"] not in ("APPROVED", "APPROVED WITH WAIVERS")


HEARS_OTHER = '''"""Seconds of the calls in which another thing was heard."""
from harness.contracts import Metric


def measure(call):
    return (call.seconds, 1.0) if "otra" in call.text else (0.0, 0.0)


metric = Metric(unit="s", better="lower", measure=measure)
'''


def test_a_winner_that_misses_a_gate_is_held_to_it_even_if_others_miss_none(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "other.py").write_text(HEARS_OTHER, encoding="utf-8")
    text = YAML.replace("metric: rtf, dataset", "metric: ./other.py, dataset")
    text = text.replace("metrics: [wer, rtf]", "metrics: [wer, rtf, ./other.py]", 1)
    (project / "x.yaml").write_text(text, encoding="utf-8")
    flaws, select = [], selection.select

    def kept(*given: Any) -> selection.Choice:
        flaws.append(select(*given))
        return flaws[-1]

    monkeypatch.setattr(selection, "select", kept)
    result = run(project)
    assert result.experiment.candidate == "deaf"  # the only one with a figure
    assert set(result.checks.query("workload == 'tuning'")["severity"]) == {"fail"}
    assert result.verdict["verdict"] not in ("APPROVED", "APPROVED WITH WAIVERS")
    [choice] = flaws
    assert (
        choice.flaw == "middle, quick: no figure for ./other.py, and the others miss a gate there"
    )


def test_a_gate_on_the_selections_data_is_about_the_variants_that_it_names(project: Path) -> None:
    text = YAML.replace("max: 0.5}", "max: 0.5, variants: [quick, full]}", 1)
    (project / "x.yaml").write_text(text, encoding="utf-8")
    assert run(project).experiment.candidate == "deaf"


CLAIMED = (
    YAML
    + """\
claims:
  - {metric: rtf, at: {dataset: fresh}, value: 1, tolerance: 1, source: s}
  - {metric: rtf, at: {dataset: fresh}, value: 1, tolerance: 1, source: s, variant: middle}
waivers:
  - {gate: losers, up_to: 9, until: 2099-01-01, because: x}
"""
)
LOSERS = "  - {metric: rtf, at: {dataset: fresh}, max: 4, variants: [middle, deaf], name: losers}\n"


def test_what_is_said_of_a_loser_is_not_held_against_the_winner(project: Path) -> None:
    text = CLAIMED.replace("budget:", LOSERS + "budget:")
    (project / "x.yaml").write_text(text, encoding="utf-8")
    experiment = spec.load(project / "x.yaml")
    assert [claim.variant for claim in experiment.claims] == ["", "middle"]
    about = selection.chosen(experiment, "quick")
    assert [claim.variant for claim in about.claims] == ["quick", "middle"]
    assert [(gate.name, gate.variants) for gate in about.gates] == [
        ("wer@tuning", ("middle", "quick", "deaf")),
        ("rtf@fresh", ("quick",)),
    ]
    assert about.waivers == ()
    assert spec.from_json(spec.to_json(about), spec.locator(project / "x.yaml")) == about


@pytest.mark.slow
def test_the_budget_is_of_what_the_selection_leaves_and_after_what_it_took(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    latency = "latency: {audio_seconds: [1], warmup: 1, calls_per_block: 1, rounds: 2}\n"
    (project / "x.yaml").write_text(YAML.replace("quality:", latency + "quality:"), "utf-8")
    given = {}
    monkeypatch.setattr(pipeline.time, "monotonic", lambda: 1000.0)  # only what was measured counts
    sweep, parts = pipeline.Run.sweep, pipeline.Run._parts

    def swept(self: Any, seconds: float) -> Any:
        given["sweep"] = seconds
        return sweep(self, seconds)

    def shared(self: Any, chosen: str, left: float, timed: Any) -> Any:
        found = parts(self, chosen, left, timed)
        given["fresh"] = found["fresh"][1].seconds()
        return found

    monkeypatch.setattr(pipeline.Run, "sweep", swept)
    monkeypatch.setattr(pipeline.Run, "_parts", shared)
    calls = run(project).calls
    tuned = calls[(calls["dataset"] == "tuning") | (calls["operation"] == "load")]
    tuned = tuned[tuned["stage"] == "quality"]
    took = float(tuned.loc[tuned["dataset"] == "tuning", "seconds"].sum())
    assert took > 1
    # 4 clips of the fresh data, guessed at a second, with full and the winner: 8 s
    most = (300 - took - 8) * pipeline.SWEEP_SHARE
    assert most - 2 < given["sweep"] <= most  # opening the models took time as well
    swept_for = float(calls.loc[calls["stage"] == "sweep", "seconds"].sum())
    # and latency is laid out before: about 3 s of opening and 12 calls in each generation
    assert 300 - took - swept_for - 40 < given["fresh"] <= 300 - took - swept_for


@pytest.mark.slow
def test_another_limit_chooses_anew_and_measures_only_what_is_new(project: Path) -> None:
    run(project)
    Local.started.clear()
    text = YAML.replace("{dataset: tuning}, max: 0.5", "{dataset: tuning}, max: 2.5")
    (project / "x.yaml").write_text(text, encoding="utf-8")
    result = run(project)
    assert result.experiment.candidate == "deaf"
    # on the fresh data, in a process for each generation; full was heard there before
    assert Local.started == ["deaf/default"] * 4


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("metric: rtf, dataset", "metric: cer, dataset", "selection.metric: no metric of tuning"),
        ("dataset: tuning, among", "dataset: tunning, among", "selection.dataset: no quality"),
        ("deaf]}", "dead]}", "selection.among[2]: no variant 'dead'"),
        ("selection:", "candidate: quick\nselection:", "selection: finds the candidate; leave out"),
        ("[middle, quick, deaf]", "[full, quick]", "selection.among[0]: 'full' is the baseline"),
        ("[middle, quick, deaf]", "[quick, quick]", "selection.among[1]: names 'quick' twice"),
        ("[middle, quick, deaf]", "5", "selection.among: should be a list, not 5"),
        ("[middle, quick, deaf]", "true", "selection.among: should be a list, not true"),
        (
            "{metric: rtf, dataset",
            "{metric: speedup, dataset",
            "selection.metric: speedup does not",
        ),
        (
            "{metric: rtf, dataset",
            "{metric: size_mb, dataset",
            "selection.metric: size_mb does not",
        ),
        ("split: dev", "split: test", "selection.dataset: fresh is the same data as tuning"),
        ("data, split: dev", "data/es, split: test", "selection.dataset: fresh is the same data"),
        (
            "common_voice, path: data, split: dev, limit: 2",
            "cut_speech, path: data, split: test, audio_seconds: [1]",
            "selection.dataset: fresh is the same data as tuning: the winner is confirmed on fresh",
        ),
        (
            "max: 5}",
            "max: 5, severity: warn}",
            "selection: no gate with severity fail looks at middle, quick, deaf on fresh data",
        ),
        (
            "max: 5}",
            "max: 5, variants: [quick, deaf]}",
            "selection: no gate with severity fail looks at middle on",
        ),
        ("max: 5}", "max_ratio: 5, over: quick}", "gates[1].over: 'quick' is one to choose from"),
    ],
)
def test_a_selection_must_refer_to_what_there_is(
    project: Path, old: str, new: str, line: str
) -> None:
    text = YAML.replace(old, new, 1)
    assert text != YAML
    (project / "x.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as raised:
        run(project)
    assert line in str(raised.value)
    assert all("x.yaml" in one for one in str(raised.value).splitlines())
