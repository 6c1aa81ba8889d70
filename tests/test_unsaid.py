"""A gate on what does not hear words approves nothing where nothing was said: opinions of noise,
nearness of empty texts. Its sound neighbours are approved."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import filed
import numpy as np
import pytest

from harness.contracts import Output, Result
from harness.decide import decision
from harness.report import findings
from harness.run.worker import keeping, sounding
from harness.store import tables
from harness.store.made import Made

COUNT, RATE = 40, 16_000
AT = {"at": {"dataset": "q"}, "operation": "pipeline"}
NEAR = """from harness.contracts import Metric
metric = Metric({unit!r}, "higher", lambda call: (call.figures["near"], 1.0))
"""


def run(folder: Path, gate: Mapping[str, Any], **facts: Mapping[str, Any]) -> Result:
    """Variants a and b on 40 items. Of each: `change` of its audio's spectrum in dB (None: it gives
    texts), the `text` that it or the round trip wrote, its `mos` and its `near`ness."""
    calls, judged = [], []
    for i in range(COUNT):
        reference = f"una frase de prueba con el número {i}"
        for variant, fact in facts.items():
            said = str(fact.get("text", reference))
            figures: dict[str, float] = {"near": fact.get("near", 0.9) + i % 5 * 1e-3}
            row = {
                "variant": variant, "session": "default", "dataset": "q", "item": f"c{i:03}",
                "speaker": f"s{i}", "sentence": f"t{i}", "recording": f"r{i}", "round": i,
                "reference": reference,
            }  # fmt: skip
            call = row | {
                "stage": "quality", "operation": "pipeline", "warm": True, "audio_seconds": 3.0,
                "seconds": 0.3 + i * 1e-3,
            }  # fmt: skip
            if fact.get("change") is None:
                call |= {"text": said}
            else:
                steady = i < COUNT * fact.get("steady_share", 1.0)
                figures["spectral_change_db"] = fact["change"] if steady else 9.0
                call |= {"audio_sha256": f"{i:064x}", "audio": f"{i}.flac"}
                mos = json.dumps({"plcmos": fact.get("mos", 4.0) + i % 5 * 1e-3})
                for judge in ("plcmos", "round_trip"):
                    own = {"judge": judge, "figures": mos, "text": said}
                    judged.append(row | own | {"audio_sha256": call["audio_sha256"]})
            calls.append(call | {"figures": json.dumps(figures)})
    metrics = [gate["metric"], *(["round_trip_wer"] if judged else ["wer"])]
    experiment = {
        "seed": 1, "baseline": "a", "candidate": "b", "gates": [{**AT, **gate}],
        "variants": [{"name": "a"}, {"name": "b"}],
        "quality": [{"name": "q", "metrics": metrics, "normaliser": "spanish"}],
    }  # fmt: skip
    blank = {name: tables.frame(name, []) for name in ("sessions", "stops", "datasets", "judges")}
    measured = {"calls": tables.frame("calls", calls), "judged": tables.frame("judged", judged)}
    made = {name: Made(folder, "", {"files": {"model.onnx": 1}}) for name in facts}
    given = decision.Given("default", datetime.date(2026, 11, 22), folder / "x.yaml")
    return decision.decide(filed.result(folder, experiment, {}, {}, blank | measured), made, given)


VOICE, NOISE = {"change": 9.0}, {"change": 1.6, "text": "sí"}
MUTTER = {"change": 9.0, "text": "otra cosa"}
BETTER = {"metric": "plcmos", "over": "a", "max_decrease": 0.1}
GOOD = {"metric": "plcmos", "min": 3.5}
CLOSE = {"metric": "near.py", "over": "a", "max_decrease": 0.1}
NOT: list[tuple[str, Mapping[str, Any], Mapping[str, Any], Mapping[str, Any], str]] = [
    ("noise no worse than noise", BETTER, NOISE, NOISE, "steady"),
    ("noise that a predictor likes", GOOD, VOICE, NOISE, "steady"),
    ("noise in every fifth piece", GOOD, VOICE, {"change": 2.0, "steady_share": 0.2}, "steady"),
    ("a voice no worse than noise", BETTER, NOISE, VOICE, "steady"),
    ("nearness of noise to noise", CLOSE, NOISE, NOISE, "steady"),
    ("gibberish no worse than gibberish", BETTER, MUTTER, MUTTER, "misunderstood"),
    ("gibberish that a predictor likes", GOOD, VOICE, MUTTER, "misunderstood"),
    ("a voice no worse than gibberish", BETTER, MUTTER, VOICE, "misunderstood"),
    ("nearness of nothing to nothing", CLOSE, {"text": ""}, {"text": ""}, "mute"),
    ("nearness of nothing", {"metric": "near.py", "min": 0.5}, {}, {"text": " "}, "mute"),
    ("nearness of other texts", CLOSE, {"text": "otra"}, {"text": "otra"}, "misunderstood"),
    ("a baseline near to nothing", CLOSE, {"near": 0.1}, {"near": 0.1}, "baseline"),
    ("a MOS that is bad in both", BETTER, VOICE | {"mos": 1.5}, VOICE | {"mos": 1.5}, "baseline"),
]  # fmt: skip


@pytest.mark.parametrize(("gate", "a", "b", "code"), [c[1:] for c in NOT], ids=[c[0] for c in NOT])
def test_what_was_not_said_is_not_approved_and_a_line_says_why(
    tmp_path: Path, gate: Mapping[str, Any], a: Any, b: Any, code: str
) -> None:
    (tmp_path / "near.py").write_text(NEAR.format(unit="cosine"), encoding="utf-8")
    result = run(tmp_path, gate, a=a, b=b)
    assert result.verdict["verdict"] == "INSUFFICIENT EVIDENCE"
    assert set(result.checks["status"]) == {"PASS"}  # the gate itself saw nothing
    found = [one for one in result.verdict["shown"]["findings"] if one["code"] == code]
    assert found
    assert any(gate["metric"] in reason for reason in result.verdict["reasons"])
    row = result.checks.to_dict("records")[0]
    for language in ("en", "es", "pt"):
        said = findings.finding(found[0], row, language)
        assert said.startswith("**")
        assert "{" not in said


APPROVED: list[tuple[str, Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]] = [
    ("a voice no worse than a voice", BETTER, VOICE, VOICE),
    ("a voice that a predictor likes", GOOD, NOISE, VOICE),
    ("noise in one piece of twenty", GOOD, VOICE, {"change": 2.0, "steady_share": 0.05}),
    ("audio whose change is not known", GOOD, {"change": float("nan")}, {"change": float("nan")}),
    ("nearness of texts", CLOSE, {}, {}),
    ("errors in texts, of which a few are empty", {"metric": "wer", "max": 0.6}, {}, {}),
]


@pytest.mark.parametrize(
    ("gate", "a", "b"), [c[1:] for c in APPROVED], ids=[c[0] for c in APPROVED]
)
def test_what_was_said_is_approved(tmp_path: Path, gate: Mapping[str, Any], a: Any, b: Any) -> None:
    (tmp_path / "near.py").write_text(NEAR.format(unit=""), encoding="utf-8")
    result = run(tmp_path, gate, a=a, b=b)
    assert result.verdict["verdict"] == "APPROVED", result.verdict["reasons"]


def test_a_candidate_is_not_compared_with_itself(tmp_path: Path) -> None:
    result = run(tmp_path, BETTER | {"over": "b"}, a=VOICE, b=VOICE)
    assert list(result.checks["status"]) == ["NOT MEASURED"]


def sounds() -> dict[str, np.ndarray]:
    draw, time = np.random.default_rng(0), np.arange(4 * RATE) / RATE
    white = draw.normal(0, 0.05, time.size)
    hum = sum(np.sin(2 * np.pi * 50 * k * time) / k for k in range(1, 6))
    return {
        "white noise": white,
        "noise that comes and goes": white * (1 + np.sin(2 * np.pi * 4 * time)),
        "noise in bursts": white * (draw.random(40) > 0.5).repeat(time.size // 40),
        "a hum": 0.1 * hum,
        "a tone": 0.3 * np.sin(2 * np.pi * 220 * time),
        "a buzz": 0.2 * ((time * 120) % 1 - 0.5),
        "clicks": 0.8 * (np.arange(time.size) % 4000 == 0),
    }  # fmt: skip


@pytest.mark.parametrize("name", sounds())
def test_noise_and_tones_hardly_change_their_spectrum(name: str) -> None:
    assert sounding.spectral_change_db(sounds()[name].astype(np.float32), RATE) < 3.4


def test_what_is_kept_of_audio_says_how_its_spectrum_changes() -> None:
    noise = sounds()["white noise"].astype(np.float32)
    figures = keeping.keep(Output(audio=noise, sample_rate=RATE), None).figures
    assert figures["spectral_change_db"] == sounding.spectral_change_db(noise, RATE)


def test_too_little_sound_tells_nothing() -> None:
    for samples in (np.zeros(RATE, np.float32), np.ones(3, np.float32), np.eye(1, RATE, 500)[0]):
        assert np.isnan(sounding.spectral_change_db(samples.astype(np.float32), RATE))
