"""Nothing approves what was not shown: cases that an approval must not come out of, and their
sound neighbours that are approved."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import filed
import pytest

from harness import plugins
from harness.contracts import Metric, Result
from harness.decide import decision, verdict
from harness.plugins import kinds
from harness.run.worker import sounding
from harness.spec.units import UnfitUnitError, figure
from harness.speech.audio import copies
from harness.store import tables
from harness.store.made import Made

AT = {"at": {"dataset": "cv"}, "operation": "pipeline"}
WORDS = "una frase de prueba con el número"


def wer(**more: Any) -> dict[str, Any]:
    over = {} if "max" in more else {"over": "a"}
    return {"metric": "wer", **AT, **over, **more}


SIZE = {"metric": "size_mb", "max": 110.0}
LOOPS = {"metric": "loops", "max": 0.1, **AT}
SOUND = wer(max_increase=0.05)


def said(how: str, i: int) -> str:
    right = f"{WORDS} {i}"
    if how == "nothing":
        return ""
    if how.startswith("every "):
        return right.replace("prueba", "nada") if i % int(how[6:]) == 0 else right
    return right if how == "right" else how


def run(folder: Path, *gates: dict[str, Any], **more: Any) -> Result:
    """Two variants on 60 utterances of 3 s each, decided as a run decides."""
    voices = {"a": more.pop("a", "every 7"), "b": more.pop("b", "every 7")}
    copies = more.pop("copies", False)
    rows = [
        {
            "stage": "quality", "variant": variant, "session": "default", "round": i,
            "operation": "pipeline", "warm": True, "dataset": "cv", "item": f"c{i:03}",
            "speaker": f"s{i}", "sentence": f"t{i}", "recording": "same" if copies else f"r{i}",
            "audio_seconds": 3.0, "seconds": 0.3 + i * 1e-3, "reference": f"{WORDS} {i}",
            "text": said(how, i),
        }
        for i in range(60)
        for variant, how in voices.items()
    ]  # fmt: skip
    rows += [
        {
            "stage": "latency", "variant": variant, "session": "default", "round": i, "block": i,
            "operation": "pipeline", "warm": True, "audio_seconds": seconds,
            "item": f"x{i % 30}", "generation": i // 10, "seconds": 0.2 + (i * 7 % 11) * 1e-3,
        }
        for seconds in (5.0, 29.0)
        for i in range(60)
        for variant in voices
    ]  # fmt: skip
    experiment = {
        "seed": 1, "baseline": "a", "candidate": "b", "variants": [{"name": "a"}, {"name": "b"}],
        "quality": [{"name": "cv", "metrics": ["wer", "ser"], "normaliser": "spanish"}],
        "gates": list(gates), **more,
    }  # fmt: skip
    blank = {
        name: tables.frame(name, [])
        for name in ("sessions", "stops", "judged", "datasets", "judges")
    }
    made = {name: Made(folder, "", {"files": {"model.onnx": 1}}) for name in voices}
    calls = tables.frame("calls", rows)
    measured = filed.result(folder, experiment, {}, {}, {"calls": calls, **blank})
    given = decision.Given("default", datetime.date(2026, 11, 22), folder / "x.yaml")
    return decision.decide(measured, made, given)


def latency(seconds: float) -> dict[str, Any]:
    at = {"at": {"audio_seconds": seconds}, "operation": "pipeline"}
    return {"metric": "latency_p50_ms", "max": 900.0, **at}


def waived(gate: dict[str, Any], up_to: float) -> dict[str, Any]:
    until = {"until": "2099-01-01", "because": "whatever", "up_to": up_to}
    return {"waivers": [{"gate": gate.get("name", "wer"), **until}]}


FREE, UNLOOKED, BASE = "lets the worst output pass", "nobody looked", "shows nothing"
CASES: list[tuple[str, list[dict[str, Any]], dict[str, Any], str]] = [
    ("size alone", [SIZE], {}, UNLOOKED),
    ("size alone, nothing said", [SIZE], {"b": "nothing"}, UNLOOKED),
    ("latency alone", [latency(5.0)], {}, UNLOOKED),
    ("size and latency", [SIZE, latency(5.0)], {}, UNLOOKED),
    ("loops alone", [LOOPS], {"b": "nothing"}, UNLOOKED),
    ("quality that only warns", [SIZE, SOUND | {"severity": "warn"}], {}, UNLOOKED),
    ("quality of the other variant", [SIZE, SOUND | {"variants": ["c"]}], {}, UNLOOKED),
    ("a rise of 200 points", [wer(max_increase=2.0)], {"b": "nothing"}, FREE),
    ("a rise of 100 points", [wer(max_increase=1.0)], {"b": "nothing"}, FREE),
    ("at most 100 %", [wer(max=1.0)], {"b": "nothing"}, FREE),
    ("at most 10,000 %", [wer(max=100.0)], {"b": "nothing"}, FREE),
    ("every sentence wrong", [{"metric": "ser", "max": 1.0, **AT}], {"b": "nothing"}, FREE),
    ("100 times the errors", [wer(max_ratio=100.0)], {}, FREE),
    ("10 times the errors", [wer(max_ratio=10.0)], {}, FREE),
    ("free beside size", [SIZE, wer(max_increase=5.0)], {"b": "nothing"}, FREE),
    ("a waiver up to 500 %", [wer(max_increase=0.02, name="wer")],
     {"b": f"{WORDS} y nada más de eso", **waived(wer(), 5.0)}, "its waiver up to 5"),
    ("a baseline that says nothing", [SOUND], {"a": "nothing", "b": "nothing"}, BASE),
    ("a baseline that loops", [SOUND], {"a": "sí " * 12, "b": "sí " * 12}, BASE),
    ("a baseline with another text", [SOUND], {"a": "otra cosa", "b": "otra cosa"}, BASE),
    ("a bound of the user's own", [SOUND | {"baseline_up_to": 0.001}], {}, BASE),
    ("a good one beside a broken baseline", [SOUND], {"a": "nothing"}, BASE),
    ("a ratio over a broken baseline", [wer(max_ratio=1.1)], {"a": "no", "b": "no"}, BASE),
    ("all sentences wrong in both", [{"metric": "ser", "over": "a", "max_increase": 0.05, **AT}],
     {"a": "nothing", "b": "nothing"}, BASE),
    ("a time at 29 s, clips of 3 s", [SOUND, latency(29.0)], {}, "nothing is known of it at 29 s"),
    ("copies of one clip", [SOUND], {"copies": True}, "INCONCLUSIVE"),
    ("purpose size without its gate", [SOUND], {"purpose": "size"}, "no gate decides on size"),
    ("purpose latency, only size", [SIZE], {"purpose": "latency"}, "no gate decides on latency"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("gates", "more", "line"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_what_was_not_shown_is_not_approved_and_a_line_says_why(
    gates: list[dict[str, Any]], more: dict[str, Any], line: str, tmp_path: Path
) -> None:
    found = run(tmp_path, *gates, **more)
    assert not found.passed
    assert found.verdict["exit_code"] == 3
    assert any(line in reason for reason in found.verdict["reasons"]), found.verdict["reasons"]


@pytest.mark.parametrize(
    ("gates", "more", "name"),
    [
        ([SOUND], {}, "APPROVED"),
        ([SOUND, SIZE, latency(5.0)], {}, "APPROVED"),
        ([wer(max=0.9)], {}, "APPROVED"),
        ([SIZE], {"purpose": "size", "b": "nothing"}, "APPROVED FOR SIZE ONLY"),
        ([latency(5.0)], {"purpose": "latency"}, "APPROVED FOR LATENCY ONLY"),
        ([SIZE, SOUND], {"purpose": "size"}, "APPROVED"),
        ([SOUND | {"baseline_up_to": 1.5}], {"a": "nothing"}, "APPROVED"),
    ],
)
def test_what_was_shown_is_approved_for_what_it_was_shown(
    gates: list[dict[str, Any]], more: dict[str, Any], name: str, tmp_path: Path
) -> None:
    found = run(tmp_path, *gates, **more)
    shown = found.verdict["shown"]
    assert (found.verdict["verdict"], found.verdict["exit_code"]) == (name, 0)
    assert found.passed
    assert verdict.name_of_verdict(found.experiment, found.checks, shown) == name
    edited = found.checks.assign(status="FAIL")
    assert verdict.name_of_verdict(found.experiment, edited, shown) == "REJECTED"
    assert found.gates["status"].tolist() == ["PASS"] * len(gates)


@pytest.mark.parametrize(
    ("raw", "unit", "on", "value"),
    [
        (0.02, "fraction", "difference", 0.02), ("2 pp", "fraction", "difference", 0.02),
        ("2 %", "fraction", "difference", 0.02), ("5%", "fraction", "value", 0.05),
        ("300 ms", "ms", "value", 300.0), ("0.3 s", "ms", "value", 300.0),
        ("0,3 s", "ms", "value", 300.0), ("110 MB", "MB", "value", 110.0),
        ("1.2x", "ms", "ratio", 1.2), ("120 %", "ms", "ratio", 1.2),
        ("0.1 MOS", "MOS", "value", 0.1),
        ("40x", "x", "value", 40.0), ("0.02", "fraction", "value", 0.02),
    ],
)  # fmt: skip
def test_a_figure_may_carry_its_unit(raw: object, unit: str, on: str, value: float) -> None:
    assert figure(raw, unit, on) == pytest.approx(value)


@pytest.mark.parametrize(
    ("raw", "unit", "on"),
    [
        ("300 ms", "fraction", "value"), ("2 pp", "fraction", "value"), ("2 %", "ms", "difference"),
        ("2 MB", "ms", "value"), ("five", "ms", "value"), ("1:30", "ms", "value"),
        (True, "ms", "value"), (None, "ms", "value"), ([1], "ms", "value"), ("1 2", "ms", "value"),
    ],
)  # fmt: skip
def test_a_unit_that_does_not_fit_is_one_line(raw: object, unit: str, on: str) -> None:
    with pytest.raises(UnfitUnitError) as caught:
        figure(raw, unit, on)
    assert "\n" not in str(caught.value)


def test_every_metric_of_ours_says_what_it_is_about() -> None:
    known = {name: plugins.load("metrics", name).kind for name in plugins.names("metrics")}
    assert None not in known.values()


@pytest.mark.parametrize(
    ("metric", "kind"),
    [
        (Metric("", "higher", lambda call: (call.figures.get("cosine", 0.0), 1.0)), "fidelity"),
        (Metric("dB", "higher", lambda call: (call.figures["sqnr"], 1.0)), "fidelity"),
        (Metric("", "lower", lambda call: (call.seconds, call.audio_seconds)), "time"),
        (Metric("MB", "lower", lambda call: (call.rss_bytes, 1.0)), "peak"),
        (Metric("", "lower", lambda call: (0.0, 1.0), needs_reference=True), "text"),
    ],
)
def test_a_metric_of_ones_own_is_about_what_it_looks_at(metric: Metric, kind: str) -> None:
    assert kinds.kind_of(metric) == kind


@pytest.mark.parametrize(
    ("metric", "table"),
    [
        (Metric("", "lower", lambda call: (len(call.text), 1.0), kind="symptom"), "loops"),
        (Metric("", "lower", lambda call: (call.tokens, 1.0), kind="symptom"), "loops"),
        (plugins.load("metrics", "output_rate"), "loops"),
        (Metric("s", "lower", lambda call: (call.figures["gap"], 1.0), kind="symptom"), "spoken"),
        (plugins.load("metrics", "tokens"), "quality"),
        (plugins.load("metrics", "clipping"), "spoken"),
    ],
)  # fmt: skip
def test_a_symptom_of_a_text_stands_in_no_table_of_speech_that_was_made(metric, table) -> None:
    assert kinds.table_of(metric) == table


def test_copies_are_told_whatever_their_level_and_speech_is_told_from_what_is_none() -> None:
    import numpy as np

    noise = [np.random.default_rng(n).normal(0, 0.1, 40_000).astype(np.float32) for n in range(40)]
    rounded = np.round(noise[0] * 0.3 * 32768).astype(np.int16) / np.float32(32768)
    assert copies.recording(noise[0], 16_000) == copies.recording(rounded, 16_000)
    assert len({copies.recording(one, 16_000) for one in noise}) == 40
    assert copies.wording("Hola,  mundo. ") == copies.wording("hola mundo")
    flaws = [sounding.flaw(x, 16_000) for x in (noise[0], noise[0] * 0, noise[0] * 0 + 0.5)]
    assert flaws == ["", "silent", "constant"]
    assert sounding.too_short(0.1, "una frase entera")
