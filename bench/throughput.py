"""Does the quality stage cost anything beside the pipeline itself? Audio seconds per second.

    python bench/throughput.py [--clips 40] [--rounds 2]

The stage (worker process, journal, decoding, a row on disk for each utterance) and a bare loop over
the same clips (decode, prepare, call) take turns as a whole, the same INT8 model in each, opened
and called once before the clock starts. The ratio of their medians is printed; it exits with 1
under 0.9.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import material

from harness import plugins
from harness.contracts import Dataset
from harness.decide.entry import Entry
from harness.run.pool import Pool
from harness.run.quality import Stream, measure_quality
from harness.runtime.session import SessionConfig
from harness.speech import audio
from harness.store import WORK, Unit

LEAST = 0.9


class Quiet:
    """Tells nobody."""

    def line(self, text: str) -> None:
        """Nothing."""

    def step(self, stage: str, done: float, text: str, left: float) -> None:
        """Nothing."""


def speech(count: int) -> Dataset:
    source = plugins.load("datasets", "common_voice")
    params = source.Params(path=str(material.DATA), split="test", limit=count)
    return source.load(params, Path)


def by_stage(entry: Entry, data: Dataset, pool: Pool) -> float:
    """Seconds of the stage over the data, the process already open and warm."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / WORK).mkdir()
        unit = Unit(Path(folder), "throughput", "0" * 16)
        started = time.perf_counter()
        measure_quality({entry: unit}, Stream(data, seed=0), pool, Quiet())
        return time.perf_counter() - started


def by_loop(model: object, data: Dataset, rate: int) -> float:
    """Seconds of the bare loop over the data."""
    started = time.perf_counter()
    for utterance in data.utterances:
        model.prepare("pipeline", audio.decode(utterance.audio, rate))()  # type: ignore[attr-defined]
    return time.perf_counter() - started


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=2)
    asked = parser.parse_args()
    family, data = plugins.load("families", "whisper"), speech(asked.clips)
    folder = material.int8(material.ours()).folder
    entry = Entry("int8", SessionConfig("default"), folder, "whisper", {"language": "es"})
    model = family.open(folder, material.start, family.Params(language="es"))
    seconds = sum(one.seconds for one in data.utterances)
    few = speech(3)
    found: dict[str, list[float]] = {"stage": [], "loop": []}
    with Pool() as pool:
        by_stage(entry, few, pool)
        by_loop(model, few, family.sample_rate)
        for number in range(asked.rounds):
            for name in ("stage", "loop") if number % 2 == 0 else ("loop", "stage"):
                time.sleep(0.5)  # idle threads of the one would slow the other
                taken = (
                    by_stage(entry, data, pool)
                    if name == "stage"
                    else by_loop(model, data, family.sample_rate)
                )
                found[name].append(seconds / taken)
                print(f"{name:6} {found[name][-1]:.3f} audio seconds per second", flush=True)
    ratio = statistics.median(found["stage"]) / statistics.median(found["loop"])
    print(f"stage / loop: {ratio:.3f}")
    return int(ratio < LEAST)


if __name__ == "__main__":
    sys.exit(main())
