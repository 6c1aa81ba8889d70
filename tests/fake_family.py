"""A model family without a model: exact times on a clock of its own, so that a whole run takes a
second. `file: text` lines in words.txt say what it recognises; folders say how fast they are."""

from __future__ import annotations

import itertools
import json
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from harness.contracts import Comparable, Family, Feeds, OpenSession, Output
from harness.errors import ModelError, OutputError


class Clock:
    """Seconds that pass only when a fake model works."""

    now = 0.0

    def __call__(self) -> float:
        return Clock.now


@dataclass(frozen=True)
class Params:
    language: str = "es"


@dataclass(frozen=True)
class FakeModel:
    facts: dict[str, Any]
    calls: Iterator[int] = field(default_factory=itertools.count)

    def prepare(self, operation: str, samples: np.ndarray) -> Callable[[], Output]:
        """Takes 10 ms and a tenth of the audio, times the folder's factor, and up to 1 % more."""
        seconds = (0.01 + len(samples) / 16_000 / 10) * self.facts["factor"]
        if operation != "pipeline":
            seconds /= 3

        def call() -> Output:
            Clock.now += seconds * (1 + next(self.calls) * 7 % 11 / 1000)
            if self.facts.get("nan"):
                raise OutputError("decoder output logits: NaN")
            if self.facts.get("crash"):
                os._exit(self.facts["crash"])
            if self.facts.get("killed"):
                os.kill(os.getpid(), signal.SIGKILL)
            if self.facts.get("hang"):
                time.sleep(self.facts["hang"])
            return Output(text=self.facts["text"], tokens=7.0)

        return call

    def guide(self, samples: np.ndarray, names: Sequence[str]) -> dict[str, Any]:
        return {"gain": self.facts.get("gain", 1.0)}

    def outputs(
        self, samples: np.ndarray, names: Sequence[str], guide: Mapping[str, Any]
    ) -> Iterator[tuple[str, np.ndarray]]:
        """`hidden`: (4, 40) samples times the folder's `gain`; `scores`: (5, 3) of those behind
        them, and what the baseline's gain was."""
        Clock.now += 0.01
        gain = self.facts.get("gain", 1.0)
        if "hidden" in names:
            hidden = samples[:160].reshape(4, -1) * gain
            yield "hidden", hidden[:, : self.facts.get("features", 40)]
        if "scores" in names:
            yield "scores", samples[160:175].reshape(5, 3) * 10 * gain / guide["gain"]


def build(source: Path, target: Path) -> None:
    (target / "model.onnx").write_bytes((source / "model.onnx").read_bytes())
    (target / "facts.json").write_bytes((source / "facts.json").read_bytes())


def graphs(folder: Path) -> dict[str, Path]:
    if not (folder / "facts.json").is_file():
        raise ModelError(f"{folder}: no facts.json")
    return {"model": folder / "model.onnx"}


def open_model(folder: Path, open_session: OpenSession, params: Params) -> FakeModel:
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    Clock.now += 0.5
    return FakeModel(facts)


def feeds(
    folder: Path, open_session: OpenSession, params: Params, clips: Iterable[np.ndarray]
) -> Iterator[tuple[str, Feeds]]:
    for clip in clips:
        yield "model", {"x": clip}


family = Family(
    Params=Params,
    sample_rate=16_000,
    operations=("pipeline", "encoder"),
    build=build,
    graphs=graphs,
    open=open_model,
    feeds=feeds,
    outputs=lambda folder, params: (Comparable("hidden", False), Comparable("scores", True)),
)
