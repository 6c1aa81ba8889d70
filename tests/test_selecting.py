"""The candidate that a selection finds: the best of those that no gate rules out, on fresh data.

The fake recogniser takes its folder's factor of a time that its clips' length tells; the clips say
"Hola, mundo.".
"""

from __future__ import annotations

from pathlib import Path

import pytest
import test_pipeline
from test_pipeline import Local, put_model, run

from harness import plots, plugins
from harness.errors import SpecError

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
  - {name: tuning, dataset: {use: common_voice, path: data, split: test, limit: 2}, metrics: [wer, rtf], normaliser: spanish}
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
    for name, factor in FACTORS.items():
        said = "otra cosa dicha" if name == "deaf" else "hola mundo"
        put_model(tmp_path / name, factor=factor, text=said)
    (tmp_path / "x.yaml").write_text(YAML, encoding="utf-8")
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(plots, "draw", lambda *_: [])
    family = plugins.load("families", str(tmp_path / "fake_family.py"))
    monkeypatch.setattr(Local, "clock", family.open.__globals__["Clock"]())
    monkeypatch.setattr(Local, "started", [])
    return tmp_path


def test_the_fastest_that_no_gate_rules_out_is_the_candidate(project: Path) -> None:
    result = run(project)
    assert result.experiment["candidate"] == "quick"  # deaf is faster, and hears another thing
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


def test_where_every_one_is_ruled_out_the_best_of_them_is_rejected(project: Path) -> None:
    text = YAML.replace("{dataset: tuning}, max: 0.5", "{dataset: tuning}, max: -0.5")
    for name in ("middle", "quick"):
        facts = project / name / "facts.json"
        facts.write_text(facts.read_text(encoding="utf-8").replace("hola", "tres"), "utf-8")
    (project / "x.yaml").write_text(text, encoding="utf-8")
    result = run(project)
    assert result.experiment["candidate"] == "deaf"
    assert set(result.checks.query("workload == 'tuning'")["severity"]) == {"fail"}
    assert result.verdict["verdict"] not in ("APPROVED", "APPROVED WITH WAIVERS")


def test_another_limit_chooses_anew_and_measures_only_what_is_new(project: Path) -> None:
    run(project)
    Local.started.clear()
    text = YAML.replace("{dataset: tuning}, max: 0.5", "{dataset: tuning}, max: 2.5")
    (project / "x.yaml").write_text(text, encoding="utf-8")
    result = run(project)
    assert result.experiment["candidate"] == "deaf"
    assert Local.started == ["deaf/default"]  # on the fresh data; full was heard there before


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("metric: rtf, dataset", "metric: cer, dataset", "selection.metric: no metric of tuning"),
        ("dataset: tuning, among", "dataset: tunning, among", "selection.dataset: no quality"),
        ("deaf]}", "dead]}", "selection.among[2]: no variant 'dead'"),
        ("selection:", "candidate: quick\nselection:", "selection: finds the candidate; leave out"),
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
