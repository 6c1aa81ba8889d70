"""The experiment file: what is refused, in which words, and what is filled in."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import contracts, plugins, spec
from harness.contracts import Evidence, Status
from harness.errors import SpecError, UnknownNameError
from harness.errors.nearest import nearest
from harness.io import strict_yaml
from harness.spec.descriptions import descriptions

# ---------------------------------------------------------------- stand-ins for the plugin folders


@dataclass(frozen=True)
class Context:
    min_seconds: float = 10.0
    extra_seconds: float = 1.0

    def __post_init__(self) -> None:
        if self.extra_seconds < 0:
            raise ValueError("extra_seconds must be at least 0")


@dataclass(frozen=True)
class FamilyParams:
    language: Literal["es", "en"] = "en"  # spoken language
    context: Context | None = None


@dataclass(frozen=True)
class FolderParams:
    path: str
    split: str = "test"
    limit: int | None = None


@dataclass(frozen=True)
class MethodParams:
    op_types: tuple[str, ...] = ("MatMul",)
    per_channel: bool = False

    def __post_init__(self) -> None:
        if not self.op_types:
            raise ValueError("op_types names no operator")


def at_most(limit: float, evidence: Evidence) -> Status:
    return Status.PASS if evidence.high <= limit else Status.FAIL


def at_least(limit: float, evidence: Evidence) -> Status:
    return Status.PASS if evidence.low >= limit else Status.FAIL


def nothing(*_: Any) -> Any:
    raise AssertionError("reading an experiment runs no plugin")


def timed(unit: str, **more: Any) -> contracts.Metric:
    return contracts.Metric(unit, "lower", measure=nothing, **more)


FAMILY = contracts.Family(
    FamilyParams, 16000, ("pipeline", "encoder"), nothing, nothing, nothing, nothing
)
PLUGINS: dict[str, dict[str, Any]] = {
    "families": {"whisper": FAMILY},
    "datasets": {"common_voice": contracts.Source(FolderParams, nothing)},
    "quantize": {
        "dynamic_int8": contracts.Method(MethodParams, nothing),
        "static_qdq": contracts.Method(MethodParams, nothing, needs_calibration=True),
    },
    "metrics": {
        "wer": timed("ratio", needs_reference=True),
        "rtf": timed("s/s"),
        "latency_ms": timed("ms", fold="quantile", operations=("*",)),
        "size_mb": contracts.Metric("MB", "lower", of_variant=nothing),
        "load_ms": timed("ms", fold="quantile", operations=("load",)),
        "speedup": contracts.Metric("x", "higher", ratio_of="latency_p50_ms"),
    },
    "gates": {
        "max": contracts.Gate("value", at_most, "≤"),
        "max_increase": contracts.Gate("difference", at_most, "≤ +"),
        "min": contracts.Gate("value", at_least, "≥"),
    },
    "sections": {"result": contracts.Section(1, {"en": "Result"}, nothing)},
}


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    real = plugins.load

    def load(kind: str, name: str, beside: Path | None = None) -> Any:
        if name.endswith(".py"):
            return real(kind, name, beside)
        if name not in PLUGINS[kind]:
            known = nearest(name, sorted(PLUGINS[kind]))
            raise UnknownNameError(f"no {name!r} in {plugins.home(kind)}.{known}")
        return PLUGINS[kind][name]

    monkeypatch.setattr(plugins, "names", lambda kind: sorted(PLUGINS[kind]))
    monkeypatch.setattr(plugins, "load", load)


GOOD = """\
name: x
model: {family: whisper, source: {asset: whisper-base}, language: es}
variants:
  - {name: fp32}
  - {name: int8, quantize: {use: dynamic_int8, op_types: [MatMul, Gather]}}
recorded:
  - {name: big, latency_p50_ms: 10660, source: elsewhere}
baseline: fp32
sessions:
  - {name: parallel, execution_mode: parallel}
latency: {audio_seconds: [1, 5, 10]}
quality:
  - {dataset: {use: common_voice, path: clips}, metrics: [wer, rtf], normaliser: spanish}
gates:
  - {metric: latency_p50_ms, at: {audio_seconds: 5}, max: 240}
  - {metric: wer, max_increase: 1e-2}
  - {metric: size_mb, max: 200}
  - {metric: speedup, at: {audio_seconds: 5}, over: big, min: 10}
waivers:
  - {gate: latency_p50_ms, up_to: 265, until: 2027-06-30, because: not heard}
claims:
  - {metric: wer, value: 0.02, tolerance: 0.005, source: a summary}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "clips").mkdir()
    (tmp_path / "experiments").mkdir()
    return tmp_path / "experiments"


def read(folder: Path, text: str) -> spec.Experiment:
    path = folder / "x.yaml"
    path.write_text(text, encoding="utf-8")
    return spec.load(path)


def refusal(folder: Path, text: str) -> list[str]:
    """The lines of the error, without the folder."""
    with pytest.raises(SpecError) as caught:
        read(folder, text)
    return str(caught.value).replace(folder.as_posix() + "/", "").splitlines()


# ------------------------------------------------------------------------------ what is filled in
def test_what_was_left_out_is_filled_in(folder: Path) -> None:
    x = read(folder, GOOD)
    assert (x.baseline, x.candidate, x.seed, x.report.language) == ("fp32", "int8", 0, "en")
    assert [s.name for s in x.sessions] == ["default", "parallel"]
    assert x.latency is not None
    assert x.latency.operations == ("pipeline", "encoder")
    assert x.latency.sweep_seconds == 5.0  # the length of the first latency gate
    assert x.quality[0].name == "clips"
    assert [g.name for g in x.gates] == [
        "latency_p50_ms@5s",
        "wer@clips",
        "size_mb",
        "speedup@5s",
    ]
    assert [g.variants for g in x.gates] == [("int8",)] * 4
    assert [g.over for g in x.gates] == ["", "fp32", "", "big"]
    assert [str(g.at) for g in x.gates] == ["5 s", "clips", "", "5 s"]
    assert [g.operation for g in x.gates] == ["pipeline", "pipeline", "", "pipeline"]
    assert x.waivers[0].gate == "latency_p50_ms@5s"
    assert x.waivers[0].until == datetime.date(2027, 6, 30)
    assert (x.claims[0].variant, x.claims[0].at.dataset) == ("int8", "clips")


def test_plugin_parameters_become_instances_of_the_plugins_own_class(folder: Path) -> None:
    text = GOOD.replace("language: es}", "language: es, context: {min_seconds: 8}}")
    x = read(folder, text)
    assert x.model.params == FamilyParams("es", Context(min_seconds=8.0))
    assert x.variants[1].quantize == spec.Use("dynamic_int8", MethodParams(("MatMul", "Gather")))
    assert x.quality[0].dataset.params == FolderParams("clips")


def test_the_middle_length_is_swept_where_no_gate_is_on_latency(folder: Path) -> None:
    text = GOOD[: GOOD.index("gates:")].replace("[1, 5, 10]", "[1, 20, 5, 2, 10]")
    latency = read(folder, text).latency
    assert latency is not None
    assert latency.sweep_seconds == 5.0


def test_one_variant_is_its_own_baseline_and_candidate(folder: Path) -> None:
    x = read(
        folder,
        "name: x\nmodel: {family: whisper, source: {asset: whisper-base}}\n"
        "variants: [{name: fp32}]\ngates: [{metric: size_mb, max: 1}]\n",
    )
    assert (x.baseline, x.candidate, x.gates[0].variants) == ("fp32", "fp32", ("fp32",))


def test_a_path_is_found_beside_the_file_or_in_a_folder_above(folder: Path) -> None:
    (folder / "inner").mkdir()
    (folder / "inner" / "beside").touch()
    (folder.parent / "above").touch()
    (folder.parent / "pyproject.toml").touch()  # the project: no search goes beyond it
    locate = spec.locator(folder / "inner" / "x.yaml")
    assert locate("beside") == (folder / "inner" / "beside").resolve()
    assert locate("above") == (folder.parent / "above").resolve()
    with pytest.raises(SpecError, match=r"no 'nowhere-at-all' beside"):
        locate("nowhere-at-all")


def test_a_metric_of_the_users_own_is_named_by_its_path(folder: Path) -> None:
    (folder.parent / "mine.py").write_text(
        '"""Own."""\nfrom harness.contracts import Metric\n'
        'metric = Metric("x", "lower", measure=lambda call: (1.0, 1.0))\n',
        encoding="utf-8",
    )
    text = GOOD.replace("[wer, rtf]", "[wer, ./mine.py]")
    text = text.replace(
        "{metric: size_mb, max: 200}", "{metric: ./mine.py, at: {dataset: clips}, max: 2}"
    )
    gate = read(folder, text).gates[2]
    assert (gate.metric, gate.name, gate.at.dataset) == ("./mine.py", "./mine.py@clips", "clips")


def test_loading_is_measured_at_no_length(folder: Path) -> None:
    gate = read(folder, GOOD.replace("{metric: size_mb, max", "{metric: load_ms, max")).gates[2]
    assert (gate.name, gate.operation, gate.at) == ("load_ms", "load", spec.At())
    text = GOOD.replace("{metric: size_mb, max", "{metric: load_ms, at: {audio_seconds: 5}, max")
    assert refusal(folder, text) == [
        "x.yaml:17: gates[2].at: load_ms is one figure for all lengths and data; leave out at."
    ]


# ------------------------------------------------------------------------------ what is refused
@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("seed", "seed", ""),
        (
            "baseline: fp32",
            "baseline: fp23",
            "8: baseline: no variant 'fp23'. Did you mean 'fp32'? There is: fp32, int8.",
        ),
        (
            "name: x\n",
            "name: x\nsede: 3\n",
            "2: sede: is not a known key. Did you mean 'seed'? Known here: name, model, "
            "variants, baseline, candidate, title, description, purpose, stands_for, seed, "
            "recorded, sessions, latency, quality, selection, calibration, audit, gates, waivers, "
            "claims, budget, report.",
        ),
        ("name: x\n", "name: x\nname: y\n", "2: name: is given twice (first on line 1); keep one."),
        ("name: x\n", "name: x\nseed: '3'\n", '2: seed: should be a whole number, not "3".'),
        ("name: x\n", "name: x\nseed: 1.0\n", "2: seed: should be a whole number, not 1.0."),
        ("name: x\n", "name: x\nseed: yes\n", '2: seed: should be a whole number, not "yes".'),
        ("name: x\n", "name: 7\n", "1: name: should be a text, not 7."),
        (
            "name: x\n",
            "name: a b\n",
            "1: name: 'a b' is not a name: letters, digits, dot, hyphen, underscore.",
        ),
        ("name: x\n", "name:\n", "1: name: should be a text, not nothing."),
        (
            "{name: fp32}",
            "{nam: fp32}",
            "4: variants[0].nam: is not a known key. Did you mean 'name'? Known here: "
            "name, quantize, source, model, params.",
        ),
        (
            "op_types: [MatMul, Gather]",
            "op_type: [MatMul]",
            "5: variants[1].quantize.op_type: is not a known key. Did you mean "
            "'op_types'? Known here: use, op_types, per_channel.",
        ),
        (
            "op_types: [MatMul, Gather]",
            "op_types: []",
            "5: variants[1].quantize: op_types names no operator.",
        ),
        (
            "op_types: [MatMul, Gather]",
            "per_channel: yes",
            '5: variants[1].quantize.per_channel: should be true or false, not "yes".',
        ),
        (
            "use: dynamic_int8",
            "use: dynamic_int",
            "5: variants[1].quantize.use: no 'dynamic_int' in harness/plugins/quantize/. Did you "
            "mean 'dynamic_int8'? There is: dynamic_int8, static_qdq.",
        ),
        (
            "use: dynamic_int8",
            "use: static_qdq",
            "5: variants[1].quantize: static_qdq calibrates: add `calibration: "
            "{dataset: ...}` with data that is not evaluated.",
        ),
        (
            "name: int8",
            "name: FP32",
            "5: variants[1].name: two variants are called 'FP32'; give each its own name.",
        ),
        (
            "language: es",
            "language: se",
            "2: model.language: should be one of 'es' or 'en', not \"se\".",
        ),
        (
            "language: es",
            "context: {min: 3}",
            "2: model.context.min: is not a known key.",
        ),
        (
            "language: es",
            "context: {extra_seconds: -1}",
            "2: model.context: extra_seconds must be at least 0.",
        ),
        (
            "asset: whisper-base",
            "asset: whisper-bas",
            "2: model.source.asset: no asset 'whisper-bas' is known.",
        ),
        (
            "asset: whisper-base",
            "hub: o/n",
            "2: model.source: hub and revision (a commit) belong together.",
        ),
        (
            "asset: whisper-base",
            "path: gone",
            "2: model.source.path: no 'gone' beside the experiment file or in a folder above it",
        ),
        (
            "path: clips}",
            "path: clip}",
            "13: quality[0].dataset.path: no 'clip' beside the experiment file or in a "
            "folder above it",
        ),
        (
            "[wer, rtf]",
            "[werr, rtf]",
            "13: quality[0].metrics[0]: no 'werr' in harness/plugins/metrics/. Did you mean "
            "'wer'? There is: latency_ms, load_ms, rtf, size_mb, speedup, wer.",
        ),
        (
            "normaliser: spanish",
            "normaliser: spanis",
            "13: quality[0].normaliser: no normaliser 'spanis'. Did you mean 'spanish'?",
        ),
        (
            "execution_mode: parallel",
            "execution_mod: parallel",
            "10: sessions[0]: ",
        ),
        (
            "name: parallel, execution_mode",
            "name: default, execution_mode",
            "10: sessions[0]: `default` means no options at all; give this one another name.",
        ),
        ("[1, 5, 10]", "[1, 5, 0]", "11: latency.audio_seconds[2]: should be over 0, not 0."),
        (
            "[1, 5, 10]",
            "[1, 5, 601]",
            "11: latency.audio_seconds[2]: should be at most 600, not 601.",
        ),
        ("[1, 5, 10]", "[1, 5, 5.0]", "11: latency.audio_seconds: names a length twice."),
        ("[1, 5, 10]", "5", "11: latency.audio_seconds: should be a list, not 5."),
        (
            "[1, 5, 10]",
            "[1, 5], operations: [encode]",
            "11: latency.operations[0]: no operation 'encode'. Did you mean 'encoder'? "
            "There is: pipeline, encoder.",
        ),
        (
            "[1, 5, 10]",
            "[1, 5], operations: [encoder]",
            "11: latency.operations: lacks pipeline, the operation that users wait for.",
        ),
        (
            "{metric: size_mb, max: 200}",
            "{metric: size_mb, max: 200, operation: encoder}",
            "17: gates[2].operation: a figure of the variant times nothing.",
        ),
        (
            "at: {audio_seconds: 5}, max",
            "at: {audio_seconds: 6}, max",
            "15: gates[0].at: latency_p50_ms is not measured at 6 s; it is measured at: "
            "1 s, 5 s, 10 s.",
        ),
        (
            "at: {audio_seconds: 5}, max",
            "max",
            "15: gates[0]: latency_p50_ms is measured at 1 s, 5 s, 10 s; say which, `at: {...}`.",
        ),
        (
            "metric: latency_p50_ms, at",
            "metric: latncy_p50_ms, at",
            "15: gates[0].metric: no 'latncy_ms' in harness/plugins/metrics/. Did you mean "
            "'latency_ms'?",
        ),
        (
            "max: 240",
            "maximum: 240",
            "15: gates[0].maximum: is not a known key. Did you mean 'max'?",
        ),
        (
            "max: 240",
            "max: 240, min: 2",
            "15: gates[0]: has 2 limits (max, min); give exactly one of: max, max_increase, min.",
        ),
        ("max: 240", "max: .nan", "15: gates[0].max: should be a finite number, not .nan."),
        ("max: 240", "max: 1:30", '15: gates[0].max: should be a number, not "1:30".'),
        (
            "max: 240",
            "min: 240",
            "15: gates[0].min: lower is better for latency_p50_ms, but 'min' refuses that side.",
        ),
        (
            "max: 240",
            "max: 240, over: fp32",
            "15: gates[0].over: nothing is compared here; use one of max_increase, or leave it",
        ),
        (
            "max: 240",
            "max: 240, operation: decoder",
            "15: gates[0].operation: no operation 'decoder'. Did you mean 'encoder'? "
            "There is: pipeline, encoder.",
        ),
        (
            "max: 240",
            "max: 240, session: paralel",
            "15: gates[0].session: no session 'paralel'. Did you mean 'parallel'?",
        ),
        (
            "max_increase: 1e-2",
            "max_increase: 1e-2, session: parallel",
            "16: gates[1].session: a data set is heard in the chosen session by the candidate and "
            "in `default` by the others; leave out session.",
        ),
        (
            "max: 240",
            "max: 240, severity: soft",
            "15: gates[0].severity: should be one of 'fail' or 'warn', not \"soft\".",
        ),
        (
            "over: big",
            "over: fp23",
            "18: gates[3].over: no variant or recorded row 'fp23'. Did you mean 'fp32'? "
            "There is: fp32, int8, big.",
        ),
        (
            "max_increase: 1e-2",
            "max_increase: 1e-2, over: big",
            "16: gates[1].over: 'big' has no wer; it has: latency_p50_ms.",
        ),
        (
            "max_increase: 1e-2",
            "max_increase: 1e-2, variants: [fp32]",
            "16: gates[1].variants[0]: compares 'fp32' with itself.",
        ),
        (
            "max_increase: 1e-2",
            "max_increase: 1e-2, over: int8",
            "16: gates[1].over: compares 'int8' with itself; say which `variants`.",
        ),
        (
            "{metric: size_mb, max: 200}",
            "{metric: size_mb, at: {dataset: clips}, max: 200}",
            "17: gates[2].at: size_mb is one figure for all lengths and data; leave out at.",
        ),
        (
            "{metric: size_mb, max: 200}",
            "{metric: wer, max_increase: 0.02}",
            "17: gates[2].name: two gates are called 'wer@clips'; name this one.",
        ),
        (
            "gate: latency_p50_ms",
            "gate: latency_p90_ms",
            "20: waivers[0].gate: no gate 'latency_p90_ms'. Did you mean 'latency_p50_ms@5s'?",
        ),
        (  # of no gate nobody knows the unit
            "gate: latency_p50_ms, up_to: 265",
            "gate: latency_p90_ms, up_to: 265 ms",
            "20: waivers[0].gate: no gate 'latency_p90_ms'. Did you mean 'latency_p50_ms@5s'?",
        ),
        (
            "up_to: 265",
            "up_to: 230",
            "20: waivers[0].up_to: 230 meets the gate (max: 240); a waiver reaches beyond",
        ),
        (
            "until: 2027-06-30",
            "until: 2027-06-31",
            '20: waivers[0].until: should be a date, YYYY-MM-DD, not "2027-06-31".',
        ),
        ("because: not heard", "because: ''", "20: waivers[0].because: is empty"),
        (
            "tolerance: 0.005, ",
            "",
            "22: claims[0].tolerance: is missing. How far the measured value may be",
        ),
        (
            "metric: wer, value",
            "metric: mos, value",
            "22: claims[0].metric: no 'mos' in harness/plugins/metrics/.",
        ),
        (
            "latency_p50_ms: 10660, ",
            "",
            "7: recorded[0]: holds no metric; add one, such as `latency_p50_ms: 240`.",
        ),
        ("name: big", "name: int8", "7: recorded[0].name: 'int8' is already a variant's name."),
    ],
)
def test_what_is_wrong_gets_one_line_with_its_place(
    folder: Path, old: str, new: str, line: str
) -> None:
    if not line:
        assert read(folder, GOOD)
        return
    assert GOOD.count(old) >= 1
    found = [text.removeprefix("x.yaml:") for text in refusal(folder, GOOD.replace(old, new, 1))]
    assert line in [text[: len(line)] for text in found], "\n".join(found)


@dataclass(frozen=True)
class NoParams:
    pass


SERVER = replace(FAMILY, Params=NoParams, has_files=False)
VOICE = replace(FAMILY, Params=NoParams, operations=("pipeline",), takes="text", gives=("audio",))
PAIR = contracts.Composite(NoParams, 16000, ("pipeline",), {"fast": "audio"}, nothing)
LISTENER = contracts.Judge(NoParams, "1", {}, open=nothing)
MUTE = replace(FAMILY, gives=("audio",))  # a converter of voices: audio to audio
PANEL = contracts.Judge(FolderParams, "1", {}, ratings=nothing)


@pytest.fixture
def more(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server, a voice, a system of one part, a judge, and a gate that limits a fall."""
    families = {"server": SERVER, "voice": VOICE, "pair": PAIR, "mute": MUTE}
    monkeypatch.setitem(PLUGINS, "families", PLUGINS["families"] | families)
    monkeypatch.setitem(PLUGINS, "judges", {"listener": LISTENER, "panel": PANEL})
    fall = contracts.Gate(
        "difference", lambda limit, e: at_least(-limit, e), "≥ −", limit_on=lambda limit: -limit
    )
    monkeypatch.setitem(PLUGINS, "gates", PLUGINS["gates"] | {"max_decrease": fall})
    score = contracts.Metric("", "higher", measure=nothing, needs_reference=True)
    heard = replace(score, judge="listener")
    scores = {"score": score, "heard": heard}
    monkeypatch.setitem(PLUGINS, "metrics", PLUGINS["metrics"] | scores)


WHISPER = "{family: whisper, source: {asset: whisper-base}"


@pytest.mark.usefixtures("more")
@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "{name: fp32}",
            "{name: fp32, source: {path: clips}, model: " + WHISPER + "}}",
            "4: variants[0].source: belongs into this variant's model.",
        ),
        (
            "{name: fp32}",
            "{name: fp32, model: {family: pair, parts: {fast: {family: server, quantize: {use: "
            "dynamic_int8}}}}}",
            "4: variants[0].model.parts.fast.quantize: this family has no files of its own; leave",
        ),
        (
            "metrics: [wer, rtf]",
            "judges: [{use: listener}], metrics: [wer, rtf]",
            "13: quality[0].judges: look at synthesised speech; this family gives text; leave it",
        ),
        (
            "metrics: [wer, rtf]",
            "judges: [{use: listener}, {use: listener}], metrics: [wer, rtf]",
            "13: quality[0].judges[1].use: two judges are 'listener'; keep one.",
        ),
        (
            "metrics: [wer, rtf]",
            "metrics: [wer, rtf, speedup]",
            "13: quality[0].metrics[2]: speedup compares two variants; list latency_p50_ms, and",
        ),
        (
            "{name: fp32}",
            "{name: fp32, model: {family: mute, source: {asset: whisper-base}}}",
            "13: quality[0].metrics[0]: wer is of transcripts, and mute gives none; what a",
        ),
        (
            "metrics: [wer, rtf]",
            "judges: [{use: panel, path: none.csv}], metrics: [wer, rtf]",
            "13: quality[0].judges[0].path: no 'none.csv' beside the experiment file or in a",
        ),
        (
            "{metric: latency_p50_ms, at: {audio_seconds: 5}, max: 240}",
            "{metric: latency_p50_ms, at: {audio_seconds: 5}, max_decrease: 240}",
            "15: gates[0].max_decrease: lower is better for latency_p50_ms, but 'max_decrease'",
        ),
        (
            "up_to: 265, until: 2027-06-30, because: not heard}",
            "up_to: 265, until: 2027-06-30, because: x}\n"
            "  - {gate: score@clips, up_to: 0.05, until: 2027-06-30, because: x}",
            "22: waivers[1].up_to: 0.05 meets the gate (max_decrease: 0.1); a waiver reaches",
        ),
    ],
)
def test_what_is_wrong_with_a_speech_experiment_gets_one_line(
    folder: Path, old: str, new: str, line: str
) -> None:
    text = GOOD.replace("wer, rtf]", "wer, rtf, score]") if "score" in new else GOOD
    if "score" in new:
        text = text.replace("waivers:", "  - {metric: score, max_decrease: 0.1}\nwaivers:")
    assert text.count(old) >= 1
    found = [one.removeprefix("x.yaml:") for one in refusal(folder, text.replace(old, new, 1))]
    assert line in [one[: len(line)] for one in found], "\n".join(found)


@pytest.mark.usefixtures("more")
def test_a_waiver_of_a_fall_reaches_further_down(folder: Path) -> None:
    text = GOOD.replace("wer, rtf]", "wer, rtf, score]").replace(
        "waivers:",
        "  - {metric: score, max_decrease: 0.1}\nwaivers:\n"
        "  - {gate: score@clips, up_to: 0.2, until: 2027-06-30, because: x}",
    )
    assert read(folder, text).waivers[0].up_to == 0.2


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "[1, 5, 10]",
            "[-1]",
            "11: latency.audio_seconds[0]: should be over 0, not -1",
        ),
        ("[1, 5, 10]", "[]", "11: latency.audio_seconds: is empty; it needs at least one"),
        (
            "language: es}",
            "language: es, context: {min_second: 8}}",
            "2: model.context.min_second: is not a known key. Did you mean 'min_seconds'? "
            "Known here: min_seconds, extra_seconds",
        ),
        (
            "baseline: fp32",
            "selection: {metric: rtf, dataset: clips, among: [int8]}",
            "8: selection.among: has 1; it needs at least 2",
        ),
    ],
)
def test_a_list_that_is_too_short_and_a_key_inside_say_what_would_be_right(
    folder: Path, old: str, new: str, line: str
) -> None:
    lines = refusal(folder, GOOD.replace(old, new, 1))
    assert f"x.yaml:{line}." in lines
    assert sum(f" {line.split()[1][:-1]}" in one for one in lines) == 1


def test_what_is_wrong_with_the_model_is_not_told_of_each_variant_too(folder: Path) -> None:
    text = GOOD.replace("{name: fp32}", "{name: fp32, params: {language: en}}")
    for old, new in (
        ("whisper,", "wisper,"),
        ("whisper-base", "x"),
        ("language: es", "langage: x"),
    ):
        lines = [one for one in refusal(folder, text.replace(old, new, 1)) if "variants" not in one]
        assert len(lines) == len(refusal(folder, text.replace(old, new, 1)))


def test_parameters_of_a_model_that_is_no_mapping_add_no_line(folder: Path) -> None:
    text = GOOD.replace("{family: whisper, source: {asset: whisper-base}, language: es}", "whisper")
    text = text.replace("{name: fp32}", "{name: fp32, params: {language: en}}")
    line = 'x.yaml:2: model: should be a mapping (key: value), not "whisper".'
    assert refusal(folder, text)[0] == line


@pytest.mark.usefixtures("more")
def test_what_is_heard_of_a_voice_is_made_comparable_unless_said(folder: Path) -> None:
    text = (
        "name: x\nmodel: {family: voice, source: {asset: whisper-base}}\nvariants: [{name: one}]\n"
        "quality: [{dataset: {use: common_voice, path: clips}, metrics: [rtf]}]\n"
    )
    assert read(folder, text).quality[0].normaliser == "generic"


@pytest.mark.usefixtures("more")
@pytest.mark.parametrize(("metrics", "wrong"), [("[rtf, wer, score]", (1, 2)), ("[heard]", ())])
def test_a_metric_of_transcripts_is_refused_where_none_are_written(
    folder: Path, metrics: str, wrong: tuple[int, ...]
) -> None:
    text = (
        "name: x\nmodel: {family: voice, source: {asset: whisper-base}}\nvariants: [{name: one}]\n"
        f"quality: [{{dataset: {{use: common_voice, path: clips}}, metrics: {metrics}}}]\n"
    )
    if not wrong:
        assert read(folder, text)
        return
    found = [line.partition(" ")[2] for line in refusal(folder, text)]
    assert [line.partition(":")[0] for line in found] == [f"quality[0].metrics[{i}]" for i in wrong]
    assert all("is of transcripts, and voice gives none" in line for line in found)


AUDITED = "audit: {source: s, sessions: [default, parallel], audio_seconds: [1, 2]}\n"


def test_an_audit_is_of_the_users_own_operation_unless_it_says(folder: Path) -> None:
    audit = read(folder, GOOD.replace("gates:", f"{AUDITED}gates:")).audit
    assert audit is not None
    assert (audit.operation, audit.iterations, audit.repeats) == ("pipeline", 20, 2)
    assert audit.unchecked is None


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("source: s, ", "", "audit.source: is missing."),
        (
            "parallel]",
            "paralel]",
            "audit.sessions[1]: no session 'paralel'. Did you mean 'parallel'? There is: default,",
        ),
        ("[default, parallel]", "[default, default]", "audit.sessions: names a session twice."),
        ("[default, parallel]", "[]", "audit.sessions: is empty; it needs at least one."),
        ("[1, 2]", "[1, 1]", "audit.audio_seconds: names a length twice."),
        ("[1, 2]", "[1, 0]", "audit.audio_seconds[1]: should be over 0, not 0."),
        ("[1, 2]", "[1], operation: encode", "audit.operation: no operation 'encode'."),
        ("[1, 2]", "[1], iterations: 0", "audit.iterations: should be at least 1, not 0."),
        ("[1, 2]", "[1], claimed_gain: 65", "audit.claimed_gain: should be under 1, not 65."),
        ("[1, 2]", "[1], repeat: 2", "audit.repeat: is not a known key. Did you mean 'repeats'?"),
        (
            "[1, 2]",
            "[1], unchecked: {session: x, provider_options: {a: 1}}",
            "audit.unchecked.session: no session 'x'. There is: default, parallel.",
        ),
        (
            "[1, 2]",
            "[1], unchecked: {session: default, provider_options: {}}",
            "audit.unchecked.provider_options: is empty; it needs at least one.",
        ),
        (
            "[1, 2]",
            "[1], unchecked: {session: default, provider_options: {a: 1}, sessions: 2}",
            "audit.unchecked.sessions: is not a known key. Did you mean 'session'?",
        ),
    ],
)
def test_what_is_wrong_with_an_audit_gets_one_line(
    folder: Path, old: str, new: str, line: str
) -> None:
    text = GOOD.replace("gates:", AUDITED.replace(old, new) + "gates:")
    assert refusal(folder, text)[0].startswith(f"x.yaml:14: {line}")


def test_an_audit_needs_speech(folder: Path) -> None:
    text = GOOD[: GOOD.index("quality:")] + AUDITED
    line = "x.yaml:12: audit: needs a quality section, whose speech is cut to the lengths."
    assert refusal(folder, text) == [line]


def test_every_problem_of_a_file_is_reported_at_once_in_its_order(folder: Path) -> None:
    text = GOOD.replace("name: x\n", "name: x\nsede: 3\n").replace("[wer, rtf]", "[werr]")
    text = text.replace("max: 200", "mx: 200").replace("up_to: 265", "up_to: near")
    places = [line.split(": ")[1] for line in refusal(folder, text)]
    assert places == ["sede", "quality[0].metrics[0]", "gates[2].mx", "waivers[0].up_to"]


def test_one_mistake_gives_no_lines_about_what_depends_on_it(folder: Path) -> None:
    assert len(refusal(folder, GOOD.replace("[wer, rtf]", "[werr]"))) == 1
    assert len(refusal(folder, GOOD.replace("[1, 5, 10]", "[0, 5, 10]"))) == 1
    assert len(refusal(folder, GOOD.replace("family: whisper", "family: wisper"))) == 1


def test_a_metric_that_nothing_measures_is_refused(folder: Path) -> None:
    text = GOOD.replace("metrics: [wer, rtf]", "metrics: [rtf]")
    assert refusal(folder, text) == [
        "x.yaml:16: gates[1].metric: nothing measures wer; add the metrics of a quality entry."
    ]


def test_a_claim_about_what_is_not_measured_is_kept(folder: Path) -> None:
    text = GOOD.replace("metrics: [wer, rtf]", "metrics: [rtf]").replace(
        "  - {metric: wer, max_increase: 1e-2}\n", ""
    )
    assert read(folder, text).claims[0].at == spec.At()


def test_a_verdict_needs_to_know_its_variant(folder: Path) -> None:
    text = GOOD.replace("  - {name: fp32}\n", "  - {name: fp32}\n  - {name: other}\n")
    assert refusal(folder, text)[0].startswith("x.yaml:1: candidate: is missing.")
    assert read(folder, text + "candidate: other\n").gates[0].variants == ("other", "int8")
    assert "is the baseline" in refusal(folder, text + "candidate: fp32\n")[0]


def test_calibrating_on_what_is_evaluated_is_refused(folder: Path) -> None:
    text = GOOD.replace("use: dynamic_int8", "use: static_qdq")
    same = "calibration: {dataset: {use: common_voice, path: ../experiments/../clips, limit: 9}}\n"
    assert refusal(folder, text + same) == [
        "x.yaml:23: calibration.dataset: would calibrate on what is evaluated; "
        "use another split, such as dev."
    ]
    assert read(folder, text + same.replace("limit: 9", "split: dev")).calibration


def test_sessions_without_a_latency_section_are_refused(folder: Path) -> None:
    text = (
        "name: x\nmodel: {family: whisper, source: {asset: whisper-base}}\n"
        "variants: [{name: fp32}]\nsessions: [{name: a, intra_op_num_threads: 1}]\n"
    )
    assert refusal(folder, text) == [
        "x.yaml:4: sessions: nothing compares them: add a latency section, or keep only `default`."
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "x.yaml: holds nothing"),
        ("# only a comment\n", "x.yaml: holds nothing"),
        ("- a\n", "x.yaml:1: should be a mapping (key: value), not [\"a\"]."),
        ("name: [\n", "x.yaml:2: not valid YAML: "),
        ("name: x\n---\nname: y\n", "x.yaml:2: not valid YAML: "),
        ("a: &a [*a]\n", "x.yaml:1: a[0]: an alias that holds itself."),
        ("name: !!python/name:os.system x\n", "x.yaml:1: name: the tag "),
        ("name: \x00\n", "x.yaml:1: not valid YAML: holds the character \\x00."),
    ],
)  # fmt: skip
def test_what_is_not_an_experiment_at_all_gets_one_line(folder: Path, text: str, line: str) -> None:
    assert refusal(folder, text)[0].startswith(line)


def test_a_file_that_cannot_be_read_gets_one_line(folder: Path) -> None:
    with pytest.raises(SpecError, match=r"gone\.yaml: cannot be read: No such file"):
        spec.load(folder / "gone.yaml")
    (folder / "latin.yaml").write_bytes("\n\nname: ñ\n".encode("latin-1"))
    with pytest.raises(SpecError, match=r"latin\.yaml:3: is not UTF-8 text \(byte 8\)"):
        spec.load(folder / "latin.yaml")


# ------------------------------------------------------------------------------ YAML itself
@pytest.mark.parametrize(
    ("text", "value"),
    [
        # YAML 1.2.2, section 10.3.2 (core schema); PyYAML's 1.1 answer in the comment
        ("no", "no"),  # False
        ("on", "on"),  # True
        ("1:30", "1:30"),  # 90
        ("1e-3", 0.001),  # "1e-3"
        ("010", 10),  # 8
        ("0o10", 8),  # "0o10"
        ("0x1F", 31),
        ("1_000", "1_000"),  # 1000
        ("2027-06-30", "2027-06-30"),  # a date
        ("true", True),
        ("~", None),
        ("", None),
        (".5", 0.5),
        ("5.", 5.0),
        ("-3", -3),
        ("'3'", "3"),
        ("<<", "<<"),
    ],
)
def test_scalars_are_read_as_yaml_1_2_and_editors_do(text: str, value: object) -> None:
    found = strict_yaml.read(f"key: {text}\n", "x.yaml").data["key"]
    assert found == value
    assert type(found) is type(value)


# what YAML allows in a text and does not fold: no control signs, no line separators
letters = st.characters(
    exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\ufffe\uffff"
)
scalars = st.none() | st.booleans() | st.integers(-(10**15), 10**15)
scalars |= st.text(letters, max_size=8)
scalars |= st.floats(allow_nan=False, allow_infinity=False)
trees = st.recursive(
    scalars,
    lambda part: (
        st.lists(part, max_size=3) | st.dictionaries(st.text(letters, max_size=5), part, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=examples(50))
@given(st.dictionaries(st.text(letters, min_size=1, max_size=5), trees, min_size=1, max_size=4))
def test_what_json_writes_is_read_back_unchanged(data: dict[str, Any]) -> None:
    # YAML 1.2 is a superset of JSON
    assert strict_yaml.read(json.dumps(data, ensure_ascii=False), "x").data == data


@settings(deadline=None, max_examples=examples(50))
@given(st.dictionaries(st.sampled_from([f"{c}b" for c in "acde"]), trees, min_size=1, max_size=4))
def test_a_tree_that_yaml_wrote_has_a_line_for_every_key(data: dict[str, Any]) -> None:
    document = strict_yaml.read(yaml.safe_dump(data), "x")
    assert set(data) <= set(document.lines)


def places_in(part: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The path of every value in a tree, containers included."""
    pairs: list[tuple[str | int, Any]] = []
    if isinstance(part, (dict, list)):
        pairs = list(part.items() if isinstance(part, dict) else enumerate(part))
    inner = [place for key, value in pairs for place in places_in(value, (*path, key))]
    return [path, *inner] if path else inner


@settings(deadline=None, max_examples=examples(150))
@given(place=st.sampled_from(places_in(yaml.safe_load(GOOD))), value=trees)
def test_whatever_stands_anywhere_the_answer_is_an_experiment_or_clear_lines(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[str | int, ...], value: Any
) -> None:
    base = tmp_path_factory.getbasetemp() / "fuzzed"
    (base / "clips").mkdir(parents=True, exist_ok=True)
    data = yaml.safe_load(GOOD)
    data["waivers"][0]["until"] = "2027-06-30"
    part = data
    for step in place[:-1]:
        part = part[step]
    part[place[-1]] = value
    try:
        spec.parse(json.dumps(data, ensure_ascii=False), base / "x.yaml")
    except SpecError as error:
        unclear = [line for line in str(error).splitlines() if not line.startswith(base.as_posix())]
    else:
        unclear = []
    assert unclear == []


# ----------------------------------------------------------------------- stored and read again
@settings(deadline=None, max_examples=examples(25))
@given(
    seed=st.integers(0, 2**31),
    limit=st.floats(0.001, 1e6),
    lengths=st.lists(st.sampled_from([1.0, 2.5, 5.0, 29.0]), min_size=1, max_size=4, unique=True),
    language=st.sampled_from(["en", "es"]),
    days=st.integers(0, 4000),
)
def test_an_experiment_survives_being_stored(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    limit: float,
    lengths: list[float],
    language: str,
    days: int,
) -> None:
    base = tmp_path_factory.getbasetemp() / "stored"
    (base / "clips").mkdir(parents=True, exist_ok=True)
    until = datetime.date(2026, 1, 1) + datetime.timedelta(days=days)
    data = yaml.safe_load(GOOD) | {"seed": seed, "report": {"language": language}}
    data["latency"]["audio_seconds"] = lengths
    for gate in data["gates"]:
        gate |= {"at": {"audio_seconds": lengths[0]}} if "at" in gate else {}
        gate |= {"max_increase": limit} if "max_increase" in gate else {}
    data["waivers"][0]["until"] = until.isoformat()
    path = base / "x.yaml"
    experiment = spec.parse(json.dumps(data), path)
    stored = spec.to_json(experiment)
    again = spec.from_json(json.loads(json.dumps(stored)), spec.locator(path))
    assert again == experiment
    assert spec.to_json(again) == stored


def test_the_stored_form_is_plain_and_keeps_the_shape_of_the_file(folder: Path) -> None:
    data = spec.to_json(read(folder, GOOD))
    assert data["recorded"] == [{"name": "big", "source": "elsewhere", "latency_p50_ms": 10660.0}]
    assert data["model"] == {
        "family": "whisper",
        "source": {"asset": "whisper-base"},
        "language": "es",
    }
    assert data["gates"][1] == {
        "metric": "wer",
        "at": {"dataset": "clips"},
        "operation": "pipeline",
        "variants": ["int8"],
        "over": "fp32",
        "severity": "fail",
        "name": "wer@clips",
        "max_increase": 0.01,
    }
    assert str(folder) not in json.dumps(data)


def test_experiments_are_values(folder: Path) -> None:
    x = read(folder, GOOD)
    assert x == read(folder, GOOD)
    assert replace(x, seed=1) != x


# ------------------------------------------------------------------------------ editors
def test_each_field_says_what_it_means() -> None:
    names = [n for n in spec.__all__ if isinstance(getattr(spec, n), type)]
    for cls in (getattr(spec, name) for name in names):
        assert set(descriptions(cls)) == set(cls.__dataclass_fields__), cls.__name__


def test_a_comment_beside_a_parameter_describes_it_too() -> None:
    assert descriptions(FamilyParams) == {"language": "spoken language"}


@pytest.mark.slow
def test_yaml_and_pydantic_wait_until_an_experiment_is_read() -> None:
    code = "import sys, harness.spec; print(sorted({'yaml', 'pydantic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
