"""The whole product on a virtual clock, under the noises that were worst for verdicts before: from
YAML to checks, by the runner's own stages, layout and verdict. Only the calls are invented."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import soundfile
from onnx import TensorProto, helper

from harness import plugins
from harness.app import api
from harness.contracts import Evidence, Status
from harness.plugins.gates._rule import at_most
from harness.run.worker.server import Server
from trust import cached, gallery, virtual
from trust.noises import NOISES, Noise
from trust.rows import Row, share

CLIPS = 60
BUDGET_MINUTES = 10
SECONDS = 240.0  # that such a run takes: what a noise says of a share of the run is of these
# what broke verdicts before: time, processes, clips, one side
WORST = (
    "two regimes 15 % apart, of 150 s",
    "throttled by 20 % after 30 %",
    "processes 4 % apart",
    "1/f noise of 6 %",
    "shocks of 1.5 on 15 % of the baseline's calls alone",
    "clips 35 % apart, processes 4 %",
)
YAML = """\
name: virtual
model: {{family: {family}, source: {{path: baseline}}}}
variants:
  - {{name: baseline}}
  - {{name: candidate, source: {{path: candidate}}}}
baseline: baseline
seed: {seed}
latency: {{audio_seconds: [2], warmup: 1, sweep_rounds: 6}}
quality:
  - {{dataset: {{use: common_voice, path: data, split: test}}, metrics: [wer], normaliser: spanish}}
gates:
  - {{metric: latency_p50_ms, at: {{audio_seconds: 2}}, max: 60000, name: P50}}
  - {{metric: latency_p50_ms, at: {{audio_seconds: 2}}, over: baseline, max_ratio: 50, name: ratio}}
  - {{metric: wer, max_increase: 0.1}}
budget: {{minutes: {minutes}}}
report: {{language: en, figures: [gates], sections: [verdict]}}
"""


class Local:
    """A worker in this process, on the machine's clock."""

    def __init__(self, label: str) -> None:
        machine = _virtual().MACHINE[-1]

        def clock() -> float:
            return float(machine.now)

        self.server = Server(clock=clock, cpu_clock=clock)

    def ask(self, request: Mapping[str, Any], limit_seconds: float) -> dict[str, Any]:
        asked = json.loads(json.dumps(request))
        reply: dict[str, Any] = json.loads(json.dumps(self.server.answer(asked)))
        return reply

    def close(self) -> None:
        pass


class _Loaded:
    """The family's file as plugins load it: a module of its own."""

    def __init__(self) -> None:
        known = plugins.load("families", virtual.__file__).open.__globals__
        self.MACHINE: list[virtual.Machine] = known["MACHINE"]


def _virtual() -> _Loaded:
    return _Loaded()


@dataclass(frozen=True)
class Case:
    """What a run's checks say, and what was true of it."""

    approved: Mapping[str, bool]  # gate -> whether it passes with its limit at the truth
    tight: Mapping[str, bool]  # and with its limit a tenth over it


def run(noise: Noise, seed: int) -> Case:
    """One experiment in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        _lay_out(project, seed)
        machine = virtual.Machine(noise, SECONDS, seed)
        _virtual().MACHINE.append(machine)
        os.environ["HARNESS_CACHE"] = str(project / "cache")
        result = api.run(project / "x.yaml", project / "out", start=Local)
        rows = {row["gate"]: row for row in result.checks.to_dict("records")}
        truth = _truths(noise, machine)
    return Case(
        {name: _passes(rows[name], true) for name, true in truth.items()},
        {name: _passes(rows[name], true / 0.9) for name, true in truth.items()},
    )


def _passes(row: Mapping[str, Any], limit: float) -> bool:
    """By the gate's own rule; only what passes at its own wide limit has evidence at all."""
    seen = Evidence(row["observed"], row["low"], row["high"], row["n"], row["method"])
    return row["status"] == Status.PASS.value and at_most(limit, seen) is Status.PASS


def _truths(noise: Noise, machine: virtual.Machine) -> dict[str, float]:
    """Of this run: the median in ms over all of its time, and the ratio of the two medians."""
    level = machine.so_far()[None, :]
    ours, theirs = (gallery._truth(noise, 0.5, level, baseline)[0] for baseline in (False, True))
    milliseconds = 1000 * virtual.CALL_SECONDS * math.exp(ours)
    factor = virtual.FACTOR["candidate"] / virtual.FACTOR["baseline"]
    return {"P50": milliseconds, "ratio": factor * math.exp(ours - theirs)}


def _lay_out(project: Path, seed: int) -> None:
    for role in ("baseline", "candidate"):
        (project / role).mkdir()
        (project / role / "role").write_text(role, encoding="utf-8")
        onnx.save(_graph(), project / role / "model.onnx")
    clips = project / "data" / "es" / "clips"
    clips.mkdir(parents=True)
    lines = ["client_id\tpath\tsentence"]
    random = np.random.default_rng(seed)
    for place in range(CLIPS):
        samples = _sounding(random)
        soundfile.write(clips / f"{place}.wav", samples, 16_000)
        lines.append(f"speaker{place}\t{place}.wav\t{virtual.SAID}")
    (clips.parent / "test.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = YAML.format(family=virtual.__file__, seed=seed, minutes=BUDGET_MINUTES)
    (project / "x.yaml").write_text(text, encoding="utf-8")


def _sounding(random: np.random.Generator) -> np.ndarray:
    """2.5 s of bursts, no two alike."""
    return np.repeat(random.random(25), 1600) * random.normal(0, 0.1, 40_000)


def _graph() -> onnx.ModelProto:
    value = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n"]) for n in ("x", "y")]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])], "g", *([v] for v in value)
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def rows(experiments: int, seed: int) -> list[Row]:
    """Every noise of WORST; those that the same code has counted before are read."""
    seal = cached.code("noises.py", "gallery.py", "virtual.py", "end_to_end.py")
    found: list[Row] = []
    with ProcessPoolExecutor(2) as pool:
        for name in WORST:
            more = ([x] * experiments for x in (name, seal))
            counted = list(pool.map(_kept, range(seed, seed + experiments), *more))
            found += _rows(name, counted)
    return found


def _kept(seed: int, name: str, seal: str) -> dict[str, dict[str, bool]]:
    noise = next(one for one in NOISES if one.name == name)

    def make() -> dict[str, dict[str, bool]]:
        return {key: dict(value) for key, value in vars(run(noise, seed)).items()}

    found: dict[str, dict[str, bool]] = cached.kept(("end to end", name, seed), seal, make)
    return found


def _rows(name: str, counted: list[dict[str, dict[str, bool]]]) -> list[Row]:
    n, found = len(counted), []
    for gate in ("P50", "ratio"):
        wrong = sum(case["approved"][gate] for case in counted)
        case = f"{gate}, exactly at the limit, {name}"
        found.append(Row("end to end", case, *share(wrong, n), n, "<= 0.05"))
        right = sum(case["tight"][gate] for case in counted)
        case = f"{gate}, 10 % under the limit, {name}"
        found.append(Row("end to end, power", case, *share(right, n), n))
    return found
