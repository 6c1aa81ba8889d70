"""A model family that does in each call what the code in its folder says: `do` in facts.json."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.contracts import Family, Feeds, OpenSession, Output


@dataclass(frozen=True)
class Params:
    pass


@dataclass(frozen=True)
class Rogue:
    code: str
    folder: Path

    def prepare(self, operation: str, samples: np.ndarray) -> Callable[[], Any]:
        def call() -> Any:
            known = {"os": os, "sys": sys, "time": time, "signal": signal, "np": np, "say": say}
            known |= {"Output": Output, "folder": self.folder, "said": Output(text="hola")}
            exec(self.code, known)
            return known["said"]

        return call


def say(data: bytes) -> None:
    """Write to whatever pipe of this process it can be written to, but those of its prints."""
    for number in range(3, 30):
        try:
            pipe = str(Path(f"/proc/self/fd/{number}").readlink()).startswith("pipe")
            if pipe:
                os.write(number, data)
        except OSError:
            continue


def build(source: Path, target: Path) -> None:
    (target / "facts.json").write_bytes((source / "facts.json").read_bytes())


def graphs(folder: Path) -> dict[str, Path]:
    return {"model": folder / "model.onnx"}


def open_model(folder: Path, open_session: OpenSession, params: Params) -> Rogue:
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    if facts.get("open"):
        exec(facts["open"], {"os": os, "sys": sys, "time": time})
    return Rogue(facts["do"], folder)


def feeds(
    folder: Path, open_session: OpenSession, params: Params, clips: Iterable[np.ndarray]
) -> Iterator[tuple[str, Feeds]]:
    yield from ()


family = Family(
    Params=Params,
    sample_rate=16_000,
    operations=("pipeline",),
    build=build,
    graphs=graphs,
    open=open_model,
    feeds=feeds,
)
