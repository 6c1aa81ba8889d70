"""A synthesiser without a model: a tone whose length and pitch tell what was to be said.

The letter count is the length in twentieths of a second; a folder's `factor` says how fast it is,
and `gain` how loud, so that a variant can clip.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.contracts import Family, Feeds, OpenSession, Output
from harness.errors import ModelError, TextError

RATE = 8_000


class Clock:
    """Seconds that pass only when a fake model works."""

    now = 0.0

    def __call__(self) -> float:
        return Clock.now


@dataclass(frozen=True)
class Params:
    gain: float = 0.5


@dataclass(frozen=True)
class Voice:
    facts: dict[str, Any]
    gain: float

    def prepare(self, operation: str, item: str) -> Callable[[], Output]:
        if not item.strip("¿?¡!., "):
            raise TextError("there is nothing to say.")
        count = len(item) * RATE // 20

        def call() -> Output:
            Clock.now += count / RATE * self.facts["factor"]
            tone = self.gain * np.sin(2 * np.pi * 440 * np.arange(count) / RATE)
            first = {"first_audio_seconds": 0.01 * self.facts["factor"]}
            return Output(audio=tone.astype(np.float32), sample_rate=RATE, figures=first)

        return call


def build(source: Path, target: Path) -> None:
    for name in ("model.onnx", "facts.json"):
        (target / name).write_bytes((source / name).read_bytes())


def graphs(folder: Path) -> dict[str, Path]:
    if not (folder / "facts.json").is_file():
        raise ModelError(f"{folder}: no facts.json")
    return {"voice": folder / "model.onnx"}


def open_model(folder: Path, open_session: OpenSession, params: Params) -> Voice:
    return Voice(json.loads((folder / "facts.json").read_text(encoding="utf-8")), params.gain)


def feeds(
    folder: Path, open_session: OpenSession, params: Params, items: Iterable[str]
) -> Iterator[tuple[str, Feeds]]:
    for item in items:
        yield "voice", {"x": np.zeros(len(item), np.float32)}


family = Family(
    Params=Params,
    sample_rate=RATE,
    operations=("pipeline",),
    build=build,
    graphs=graphs,
    open=open_model,
    feeds=feeds,
    takes="text",
    gives=("audio",),
)
