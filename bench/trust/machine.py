"""Real repeats on this machine: A/A, A/B and sweeps of the INT8 encoder of Whisper base.

Takes the machine for about 25 minutes; run it with nothing else on. Every block goes to a journal
in build/trust: started again, it goes on where it was killed, and what is finished is read. Another
seed, or an empty folder, measures anew.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.app.progress import Progress
from harness.run.worker import SETTLE_SECONDS
from harness.runtime import environment
from trust import comparisons, sweeps
from trust.measuring import machine
from trust.rows import Row

WORK = Path(__file__).resolve().parents[2] / "build" / "trust"
COMPARISON_SECONDS = 5.0  # of audio: a call of about 0.1 s
ROUNDS = 60  # single calls; 10 in each of six generations of processes
SWEEP_SECONDS = 10.0
SWEEP_ROUNDS = 24  # at most, of what may yet win
SWEEPS = 3
PAIRS = 100


def rows(experiments: int, seed: int, work: Path = WORK) -> list[Row]:
    """`experiments` comparisons, and three sweeps (fewer experiments: fewer sweeps)."""
    tell = Progress(sys.stderr)
    facts = environment.describe()
    found = comparisons.rows(machine(work, COMPARISON_SECONDS, tell), experiments, ROUNDS, seed)
    each = (SWEEP_ROUNDS, PAIRS)
    repeats = min(SWEEPS, experiments)
    found += sweeps.rows(machine(work, SWEEP_SECONDS, tell), repeats, each, seed)
    tell.close()
    return [*found, _load(facts)]


def _load(facts: Mapping[str, Any]) -> Row:
    told = (
        f"{facts['cpu']} ({facts['isa']}), {facts['cores']} cores, {facts['system']},"
        f" onnxruntime {facts['onnxruntime']}, Python {facts['python']}; the encoder gets"
        f" {COMPARISON_SECONDS:g} s of audio in A/A and A/B, {SWEEP_SECONDS:g} s in sweeps;"
        f" {SETTLE_SECONDS:g} s of pause between processes"
    )
    load = float(facts["load"])
    return Row("A/A", "load average at the start", load, math.nan, 1, "", told, unit="")
