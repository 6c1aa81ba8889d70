"""A synthesiser that answers each text with what its folder's facts say: wave, level, seconds."""

import json
import shutil
from dataclasses import dataclass

import numpy as np

from harness.contracts import Family, Output

RATE = 16_000


@dataclass(frozen=True)
class Params:
    language: str = "es"


class Voice:
    def __init__(self, facts):
        self.facts = facts

    def prepare(self, operation, item):
        seconds = self.facts.get("seconds", len(item) / 15)
        time = np.arange(max(1, int(seconds * RATE))) / RATE
        tone = np.sin(2 * np.pi * 220 * time) * (1 + 0.5 * np.sin(2 * np.pi * 3 * time))
        waves = {
            "speech": tone / 2,
            "zeros": 0 * tone,
            "whisper of a bit": tone * 1e-4,
            "constant": 0 * tone + 0.3,
            "square": np.where(tone >= 0, 1.0, -1.0),
            "nan": tone * np.nan,
            "infinite": np.where(tone > 0.4, np.inf, tone),
            "click": np.where(np.arange(time.size) == 100, 1.0, 0.0),
            "none": tone[:0],
        }
        wave = waves[self.facts["wave"]].astype(np.float32)
        return lambda: Output(audio=wave, sample_rate=RATE)


def build(source, target):
    for path in source.iterdir():
        shutil.copyfile(path, target / path.name)


def open_model(folder, open_session, params):
    open_session(folder / "model.onnx")
    return Voice(json.loads((folder / "facts.json").read_text("utf-8")))


def feeds(folder, open_session, params, clips):
    for clip in clips:
        yield "model", {"x": clip}


family = Family(
    Params=Params,
    sample_rate=RATE,
    operations=("pipeline",),
    build=build,
    graphs=lambda folder: {"model": folder / "model.onnx"},
    open=open_model,
    feeds=feeds,
    takes="text",
    gives=("audio",),
)
