"""Synthesised speech from YAML to report, with a voice, a judge and a clock that are fakes.

The voice speaks a twentieth of a second per letter, as loud as its `gain`, and takes its folder's
factor of that time.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from test_pipeline import Local, put_model

from harness import plugins
from harness.app import api, cli
from harness.errors import SpecError
from harness.report import drawing

HERE = Path(__file__).parent
YAML = """\
name: speech
model: {family: ./fake_voice.py, source: {path: voice}}
variants:
  - {name: plain}
  - {name: loud, params: {gain: 2.0}}
  - {name: fast, source: {path: fast}}
baseline: plain
candidate: loud
quality:
  - name: sentences
    dataset: {use: sentences, path: sentences.txt}
    metrics: [rtf, ./loudness.py, ./heard.py]
    normaliser: spanish
    judges: [{use: ./fake_judge.py, scale: 2.0}]
gates:
  - {metric: ./loudness.py, max: 1.5}
budget: {minutes: 5}
report: {language: en}
"""
LOUDNESS = '''"""How loud the judge finds it."""
from harness.contracts import Metric


def measure(call):
    return call.figures["loudness"], 1.0


metric = Metric(unit="", better="lower", measure=measure, judge="./fake_judge.py",
                needs_reference=True)
'''
HEARD = '''"""Words that the judge did not hear."""
from harness.speech import text
from harness.contracts import Metric


def measure(call):
    return tuple(map(float, text.word_edits(call.reference, call.text)))


metric = Metric(unit="", better="lower", measure=measure, judge="./fake_judge.py",
                needs_reference=True)
'''
SENTENCES = ["Hola, mundo.", "Buenos días.", "¡!", "Sí.", "Tres tristes tigres."]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("fake_voice.py", "fake_judge.py"):
        (tmp_path / name).write_text((HERE / name).read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "loudness.py").write_text(LOUDNESS, encoding="utf-8")
    (tmp_path / "heard.py").write_text(HEARD, encoding="utf-8")
    (tmp_path / "sentences.txt").write_text("\n".join(SENTENCES), encoding="utf-8")
    put_model(tmp_path / "voice", factor=0.5)
    put_model(tmp_path / "fast", factor=0.25)
    (tmp_path / "x.yaml").write_text(YAML, encoding="utf-8")
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(drawing, "draw", lambda *_: [])
    family = plugins.load("families", str(tmp_path / "fake_voice.py"))
    monkeypatch.setattr(Local, "clock", family.open.__globals__["Clock"]())
    monkeypatch.setattr(Local, "started", [])
    return tmp_path


def run(project: Path, **changes: Any) -> Any:
    return api.run(project / "x.yaml", project / "out", start=Local, **changes)


def test_each_sentence_is_said_kept_and_judged_once_per_variant(project: Path) -> None:
    result = run(project)
    calls = result.calls.query("warm and error == ''")
    assert calls.groupby("variant").size().to_dict() == {"plain": 4, "loud": 4, "fast": 4}
    for row in calls.to_dict("records"):
        path = project / "out" / "audio" / row["audio"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["audio_sha256"]
        samples, rate = soundfile.read(path)
        assert rate == 8_000
        assert row["audio_seconds"] == len(samples) / rate
        assert json.loads(row["figures"])["spoken_seconds"] == len(samples) / rate
    judged = result.judged
    assert len(judged) == 12
    assert set(judged["version"]) == {"fake 1.0"}
    assert set(judged["judge"]) == {"./fake_judge.py"}


def test_what_cannot_be_said_or_judged_is_a_row_with_its_error(project: Path) -> None:
    result = run(project)
    silent = result.calls.query("reference == '¡!'")
    assert set(silent["error"]) == {"there is nothing to say."}
    assert len(silent) == 3
    short = result.judged.query("reference == 'Sí.'")
    assert set(short["error"]) == {"too short to judge."}


def test_a_judges_figure_is_scored_and_a_gate_acts_on_it(project: Path) -> None:
    result = run(project)
    seen = result.summary.query("metric == './loudness.py'").set_index("variant")["value"]
    # the judge doubles a peak of 0.5, and one that clips at 1
    assert seen["plain"] == pytest.approx(1.0, abs=0.01)
    assert seen["loud"] == pytest.approx(2.0, abs=0.01)
    heard = result.summary.query("metric == './heard.py' and variant == 'plain'")["value"].iloc[0]
    # "adiós mundo" for "hola mundo": 1 of 2 wrong; "buenos días": 2 of 2; "tres tristes tigres": 3
    assert heard == pytest.approx(6 / 7)
    check = result.checks.iloc[0]
    assert (check["variant"], check["status"]) == ("loud", "NOT MEASURED")  # 2 of 5 without result
    assert "2 of 5" in check["reason"]


def test_real_time_factor_is_over_what_was_said(project: Path) -> None:
    result = run(project)
    rtf = result.summary.query("metric == 'rtf'").set_index("variant")["value"]
    assert rtf["plain"] == pytest.approx(0.5)
    assert rtf["fast"] == pytest.approx(0.25)


def test_clipping_is_seen_before_the_file_is_written(project: Path) -> None:
    result = run(project)
    calls = result.calls.query("warm and error == ''")
    share = {
        variant: np.mean([json.loads(text)["clipped_share"] for text in group["figures"]])
        for variant, group in calls.groupby("variant")
    }
    assert share["plain"] == 0
    # |2 sin x| >= 1 for two thirds of each period
    assert share["loud"] == pytest.approx(2 / 3, abs=0.05)


@pytest.mark.slow
def test_another_judge_parameter_judges_again_and_says_nothing_again(project: Path) -> None:
    run(project)
    Local.started.clear()
    text = (project / "x.yaml").read_text(encoding="utf-8").replace("scale: 2.0", "scale: 1.0")
    (project / "x.yaml").write_text(text, encoding="utf-8")
    result = run(project)
    assert Local.started == ["judge ./fake_judge.py"]
    assert result.summary.query("metric == './loudness.py'")["value"].max() <= 1.0


@pytest.mark.slow
def test_audio_of_a_variant_that_is_gone_goes_with_it_and_what_others_put_there_stays(
    project: Path,
) -> None:
    run(project)
    audio = project / "out" / "audio" / "sentences"
    (audio / "loud" / "mine.txt").write_text("a note", encoding="utf-8")
    assert (audio / "fast").is_dir()
    without = "  - {name: fast, source: {path: fast}}\n"
    assert without in YAML
    (project / "x.yaml").write_text(YAML.replace(without, ""), encoding="utf-8")
    result = run(project)
    assert {path.name for path in audio.iterdir()} == {"plain", "loud"}
    kept = {path.relative_to(audio.parent).as_posix() for path in audio.rglob("*.flac")}
    assert kept == set(result.calls["audio"]) - {""}
    assert (audio / "loud" / "mine.txt").read_text(encoding="utf-8") == "a note"


def test_a_second_run_judges_nothing(project: Path) -> None:
    run(project)
    Local.started.clear()
    run(project)
    assert Local.started == []


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "budget:",
            "latency: {audio_seconds: [1]}\nbudget:",
            "latency: times audio of given lengths",
        ),
        ("params: {gain: 2.0}", "params: {gian: 2.0}", "variants[1].params.gian: is not a known"),
        ("scale: 2.0", "scael: 2.0", "quality[0].judges[0].scael: is not a known key"),
        (
            "params: {gain: 2.0}",
            "params: {source: {path: fast}}",
            "variants[1].params.source: is no parameter of the family",
        ),
        (
            "judges: [{use: ./fake_judge.py, scale: 2.0}]",
            "judges: [{use: ./fake_judge.py, parts: {}}, {use: nobody}]",
            "quality[0].judges[1].use: no 'nobody' in harness/plugins/judges/",
        ),
        (
            "{name: loud, params: {gain: 2.0}}",
            "{name: loud, model: {family: whisper, source: {asset: whisper-base}}}",
            "variants[1].model: should be a model that takes text",
        ),
    ],
)
def test_bad_input_is_one_line_with_its_place(
    project: Path, old: str, new: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = YAML.replace(old, new)
    assert text != YAML
    (project / "x.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as raised:
        run(project)
    assert line in str(raised.value)
    assert cli.main(["check", str(project / "x.yaml")]) == 2
    assert "Traceback" not in capsys.readouterr().err
