"""Are our DNSMOS and PLCMOS as right as speechmos, and how much faster on the same clips?

    python bench/judges.py            # 20 clips of real speech, three rounds

Both take the same samples, one clip after the other, in the same process, theirs with onnxruntime's
default threads, ours with as many; the two alternate clip by clip, so that a machine that slows
down slows both. Processor time is of all threads: it is what counts where others use the cores too.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import material
import numpy as np

from harness import assets, plugins
from harness.plugins.judges.dnsmos import windows

sys.path.append(str(material.TESTS))
import mos_clips

NAMES = {"ovrl_mos": "ovrl", "sig_mos": "sig", "bak_mos": "bak", "p808_mos": "p808"}
Ask = Callable[[np.ndarray], Mapping[str, float]]


@dataclass(frozen=True)
class Pair:
    """One predictor as speechmos has it and as we do."""

    name: str
    theirs: Ask
    ours: Ask


@dataclass(frozen=True)
class Timed:
    """Seconds of both on one clip, and the largest difference between their figures."""

    theirs: float
    ours: float
    their_processor: float
    our_processor: float
    differs: float
    windows: int


def pairs() -> list[Pair]:
    warnings.simplefilter("ignore")  # speechmos reads arrays as numpy 1 let it
    from speechmos import dnsmos, plcmos

    def their_dnsmos(samples: np.ndarray) -> Mapping[str, float]:
        found = dnsmos.run(samples, mos_clips.RATE)
        return {ours: float(found[theirs]) for theirs, ours in NAMES.items()}

    def their_plcmos(samples: np.ndarray) -> Mapping[str, float]:
        np.random.seed(0)  # its raters are drawn from numpy's global generator
        return {"plcmos": float(plcmos.run(samples, mos_clips.RATE)["plcmos"])}

    return [
        Pair("DNSMOS", their_dnsmos, _ours("dnsmos")),
        Pair("PLCMOS", their_plcmos, _ours("plcmos")),
    ]


def _ours(name: str) -> Ask:
    judge: Any = plugins.load("judges", name)
    files = {asset: assets.fetch(asset) for asset in judge.assets}
    ask = judge.open(judge.Params(), files, {})
    return lambda samples: dict(ask(samples).figures)


def timed(pair: Pair, samples: np.ndarray, ours_first: bool) -> Timed:
    seconds: dict[str, float] = {}
    processor: dict[str, float] = {}
    said: dict[str, Mapping[str, float]] = {}
    for name in ("ours", "theirs") if ours_first else ("theirs", "ours"):
        started, used = time.perf_counter(), time.process_time()
        said[name] = getattr(pair, name)(samples)
        seconds[name] = time.perf_counter() - started
        processor[name] = time.process_time() - used
    differs = max(abs(said["ours"][key] - value) for key, value in said["theirs"].items())
    count = len(windows.starts(len(windows.looped(samples))))
    both = (seconds["theirs"], seconds["ours"], processor["theirs"], processor["ours"])
    return Timed(*both, differs, count)


def report(pair: Pair, rounds: list[list[Timed]]) -> str:
    ratios = [sum(t.theirs for t in one) / sum(t.ours for t in one) for one in rounds]
    every = [t for one in rounds for t in one]
    processor = sum(t.their_processor for t in every) / sum(t.our_processor for t in every)
    lines = [
        f"{pair.name}: {statistics.median(ratios):.2f} times as fast"
        f" (rounds: {', '.join(f'{ratio:.2f}' for ratio in ratios)};"
        f" {processor:.2f} in processor time);"
        f" figures differ by {max(t.differs for t in every):.1g} at most"
    ]
    for count in sorted({t.windows for t in every}) if pair.name == "DNSMOS" else ():
        some = [t for t in every if t.windows == count]
        ratio = sum(t.theirs for t in some) / sum(t.ours for t in some)
        lines.append(f"  clips of {count} windows ({len(some) // len(rounds)}): {ratio:.2f}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    clips = mos_clips.spoken()
    print(f"{len(clips)} clips, {sum(map(len, clips.values())) / mos_clips.RATE:.0f} s of speech")
    for pair in pairs():
        timed(pair, next(iter(clips.values())), ours_first=True)  # first calls are slower
        found = [
            [timed(pair, s, (number + place) % 2 == 0) for place, s in enumerate(clips.values())]
            for number in range(rounds)
        ]
        print(report(pair, found), flush=True)


if __name__ == "__main__":
    main()
