"""What MOS predictors were compared on: 20 clips of real speech, and signals that are none."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from harness.speech import audio

FOLDER = Path(__file__).resolve().parents[1] / "data" / "cv-es-prompts" / "es"
RATE = 16_000


def spoken() -> dict[str, np.ndarray]:
    """The 16 clips of dev by name, then the four longest of test, longest first."""
    names = [*sorted(_listed("dev")), *sorted(_listed("test"), key=_length, reverse=True)[:4]]
    return {name: audio.decode(FOLDER / "clips" / name, RATE) for name in names}


def made(clips: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Signals made of the spoken clips and of numpy's old generator, seed 7."""
    noise = np.random.RandomState(7).normal(size=20 * RATE)
    first, longest = clips["common_voice_es_conf-invalid.mp3"], list(clips.values())[16]
    speech = np.concatenate(list(clips.values())[:6])
    signals = {
        "noisy": speech[: 12 * RATE] + 0.02 * noise[: 12 * RATE],
        "clipped": speech[: 10 * RATE] * 20,
        "silence": np.zeros(5 * RATE),
        "half silent": np.concatenate([first, np.zeros(7 * RATE)]),
        "noise": 0.1 * noise[: 11 * RATE],
        "square": np.sign(np.sin(np.arange(9 * RATE) * 2 * np.pi * 200 / RATE)),
        "exactly 9.01 s": speech[:144_160],
        "one sample less": speech[:144_159],
        "long": np.concatenate([longest, speech])[: 34 * RATE + 77],
        "a click": np.eye(1, 4000, 2000)[0],
    }
    return {name: np.clip(s, -1, 1).astype(np.float32) for name, s in signals.items()}


def _listed(split: str) -> list[str]:
    return [row["path"] for row in _table(f"{split}.tsv")]


def _length(name: str) -> int:
    return next(int(r["duration[ms]"]) for r in _table("clip_durations.tsv") if r["clip"] == name)


def _table(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
