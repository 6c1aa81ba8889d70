"""How fast are the paths that every run walks most? Without benchmarks each test runs once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import decision
import fake_family
import invented_run
import numpy as np
import pandas as pd
import pytest
from material import start
from pytest_benchmark.fixture import BenchmarkFixture

import harness
from harness import plugins, store
from harness.decide import scoring
from harness.plugins.families.whisper.features import log_mel
from harness.plugins.families.whisper.model import STEP_PAST
from harness.run.worker.server import Server
from harness.runtime.session import SessionConfig
from harness.speech.text import normaliser
from harness.store import tables

UTTERANCES = 100_000
BLOCK = 20  # calls in a block of the real decoder step
EMPTY_BLOCK = 1000


# ------------------------------------------------------------------------------------- the model
def test_log_mel_features_of_10_seconds(
    benchmark: BenchmarkFixture, ten_seconds: np.ndarray
) -> None:
    features = benchmark(log_mel, ten_seconds, 80, 3000)
    assert features.shape == (1, 80, 3000)


@pytest.mark.model
@pytest.mark.benchmark(group="decoder step")
def test_a_decoder_step_through_our_loop(
    benchmark: BenchmarkFixture, whisper: Any, ten_seconds: np.ndarray
) -> None:
    output = benchmark(whisper.prepare("decoder_step", ten_seconds))
    assert output.tokens == 1


@pytest.mark.model
@pytest.mark.benchmark(group="decoder step")
def test_the_same_decoder_step_as_a_bare_session_run(
    benchmark: BenchmarkFixture, whisper_int8: Path, ten_seconds: np.ndarray
) -> None:
    feeds = _step_feeds(whisper_int8, ten_seconds)
    session = start(whisper_int8 / "decoder.onnx")
    logits, *_ = benchmark(session.run, None, feeds)
    assert np.isfinite(logits).all()


def _step_feeds(folder: Path, samples: np.ndarray) -> dict[str, np.ndarray]:
    """What the decoder gets for one token after STEP_PAST others."""
    family = plugins.load("families", "whisper")
    for role, feeds in family.feeds(folder, start, family.Params(), [samples]):
        if role == "decoder" and feeds["self_key_0"].shape[2] == STEP_PAST:
            return dict(feeds)
    raise AssertionError(f"the speech is decoded in fewer than {STEP_PAST} tokens")


# ---------------------------------------------------------------------------- the measuring loop
@dataclass(frozen=True)
class Loop:
    """A block as the worker is asked for it, and the very call that it repeats."""

    server: Server
    request: dict[str, Any]
    call: Callable[[], Any]

    @property
    def count(self) -> int:
        return int(self.request["block"]["calls"])

    def measured(self) -> list[dict[str, Any]]:
        return list(self.server.answer(self.request)["calls"])

    def bare(self) -> None:
        for _ in range(self.count):
            self.call()


def _loop(opening: dict[str, Any], operation: str, clip: Path, count: int) -> Loop:
    server = Server()
    server.answer({"open": {**opening, "session": SessionConfig("default").to_json()}})
    body = {"operation": operation, "clips": [str(clip)], "calls": count, "first": 0}
    return Loop(server, {"block": body}, server._prepare(operation, str(clip)))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, ten_seconds: np.ndarray) -> Path:
    path = tmp_path_factory.mktemp("clips") / "10s.npy"
    np.save(path, ten_seconds)
    return path


@pytest.fixture(scope="module")
def steps(whisper_int8: Path, clip: Path) -> Loop:
    opening = {"family": "whisper", "folder": str(whisper_int8), "params": {}}
    return _loop(opening, "decoder_step", clip, BLOCK)


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Loop:
    """Calls that take no time, so that what is left is the loop."""
    folder = tmp_path_factory.mktemp("model")
    (folder / "facts.json").write_text(json.dumps({"factor": 1.0, "text": ""}), encoding="utf-8")
    opening = {"family": fake_family.__file__, "folder": str(folder), "params": {}}
    return _loop(opening, "pipeline", clip, EMPTY_BLOCK)


@pytest.mark.model
@pytest.mark.benchmark(group=f"measuring loop, {BLOCK} decoder steps")
def test_a_block_of_decoder_steps_in_the_measuring_loop(
    benchmark: BenchmarkFixture, steps: Loop
) -> None:
    assert len(benchmark(steps.measured)) == BLOCK


@pytest.mark.model
@pytest.mark.benchmark(group=f"measuring loop, {BLOCK} decoder steps")
def test_the_same_decoder_steps_in_a_bare_loop(benchmark: BenchmarkFixture, steps: Loop) -> None:
    benchmark(steps.bare)


@pytest.mark.benchmark(group=f"measuring loop, {EMPTY_BLOCK} empty calls")
def test_a_block_of_empty_calls_in_the_measuring_loop(
    benchmark: BenchmarkFixture, nothing: Loop
) -> None:
    assert len(benchmark(nothing.measured)) == EMPTY_BLOCK


@pytest.mark.benchmark(group=f"measuring loop, {EMPTY_BLOCK} empty calls")
def test_the_same_empty_calls_in_a_bare_loop(benchmark: BenchmarkFixture, nothing: Loop) -> None:
    benchmark(nothing.bare)


# ---------------------------------------------------------------------------- tables and decisions
METRICS = [plugins.find_metric(name) for name in ("wer", "cer", "rtf")]


@pytest.fixture(scope="module")
def spoken() -> pd.DataFrame:
    return decision.utterances(UTTERANCES)


def test_scoring_100_000_utterances(benchmark: BenchmarkFixture, spoken: pd.DataFrame) -> None:
    calls = spoken[spoken["variant"] == "int8"].reset_index(drop=True)
    variants = tables.frame("variants", [{"variant": "int8"}])
    clean = normaliser("spanish")

    def score() -> pd.DataFrame:
        return scoring.summary(scoring.scores(calls, METRICS, clean), calls, variants, METRICS)

    found = benchmark.pedantic(score, rounds=5, warmup_rounds=1)
    assert found["n"].tolist() == [UTTERANCES] * len(METRICS)


def test_deciding_on_100_000_utterances_of_two_variants_with_10_000_draws(
    benchmark: BenchmarkFixture, spoken: pd.DataFrame, tmp_path: Path
) -> None:
    decided = benchmark.pedantic(decision.decide, (spoken, tmp_path), rounds=3)
    assert decided.verdict["verdict"] == "APPROVED"


def test_deciding_on_them_in_a_process_of_its_own_takes_less_than_1_gb(
    benchmark: BenchmarkFixture, spoken: pd.DataFrame
) -> None:
    found = benchmark.pedantic(decision.alone, (spoken,), rounds=1)
    benchmark.extra_info.update(found)
    assert found["peak_mb"] < 1000


def test_loading_a_result(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    run = tmp_path / "run"
    made = replace(invented_run.build(), folder=run)
    store.publish(made, "name: invented\n")
    loaded = benchmark(harness.load, run)
    assert len(loaded.calls) == len(made.calls)
