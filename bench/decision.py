"""The whole decision on many utterances: invented calls, and a process of its own that decides.

    python bench/decision.py 100000     (utterances; two variants of each, 10,000 bootstrap draws)

prints the seconds from the calls to the verdict, and the peak of the process's resident memory in
MB before the decision and after it.
"""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import material
import numpy as np
import pandas as pd
import psutil

from harness.contracts import Result
from harness.decide import decision
from harness.store import tables
from harness.store.made import Made

sys.path.append(str(material.TESTS))
import filed
import invented_run

SEED = 20261122
CALLS = tables.TABLES["calls"]
VARIANTS = {"fp32": 0.05, "int8": 0.06}  # share of utterances with an error of its own
ON_DATA = {"operation": "pipeline", "at": {"dataset": "cv"}}
DECISION: dict[str, Any] = {
    "seed": SEED,
    "baseline": "fp32",
    "candidate": "int8",
    "variants": [{"name": name} for name in VARIANTS],
    "quality": [{"name": "cv", "metrics": ["wer", "cer", "rtf"], "normaliser": "spanish"}],
    "gates": [
        {"metric": "wer", "over": "fp32", "max_increase": 0.02, **ON_DATA},
        {"metric": "cer", "max": 0.15, **ON_DATA},
    ],
}


def decide(calls: pd.DataFrame, folder: Path) -> Result:
    """The tables and the verdict of invented calls."""
    given = decision.Given("default", datetime.date(2026, 11, 22), folder / "x.yaml")
    made = {name: Made(folder, "", {"files": {"model.onnx": 1}}) for name in VARIANTS}
    blank = {
        name: tables.frame(name, [])
        for name in ("sessions", "stops", "judged", "datasets", "judges")
    }
    measured = filed.result(folder, DECISION, {}, {}, {"calls": calls, **blank})
    return decision.decide(measured, made, given)


def alone(calls: pd.DataFrame) -> dict[str, Any]:
    """What a fresh process, to which the calls are but a file, says of deciding on them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "calls.parquet"
        calls.to_parquet(path)
        command = [sys.executable, str(Path(__file__)), str(path)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def utterances(count: int) -> pd.DataFrame:
    """An invented calls frame: every variant on `count` different sentences of 200 speakers.

    All of them err alike in about 9 % of the words, and each in one more word in its own share of
    the utterances.
    """
    random = np.random.default_rng(SEED)
    known = sorted({word for text in invented_run.SENTENCES for word in text.split()})
    lengths = np.maximum(np.rint(random.normal(10, 3, count)), 2).astype(int)
    references = _sentences(random, known, lengths)
    heard = _sentences(random, known, lengths, references, 0.09)
    numbers = np.arange(count)
    items = np.char.add("clip_", numbers.astype(str)).astype(object)
    parts = []
    for name, share in VARIANTS.items():
        wrong = random.random(count) < share
        said = [f"{h} nada" if w else h for h, w in zip(heard, wrong, strict=True)]
        columns = {
            "stage": "quality",
            "variant": name,
            "session": "default",
            "operation": "pipeline",
            "warm": True,
            "dataset": "cv",
            "audio_seconds": random.uniform(2, 8, count),
            "item": items,
            "speaker": np.char.add("speaker_", (numbers % 200).astype(str)).astype(object),
            "sentence": items,
            "round": numbers,
            "block": numbers,
            "seconds": random.lognormal(-1, 0.1, count),
            "tokens": 20.0,
            "text": said,
            "reference": references,
            "rss_bytes": 3e8,
        }
        blank = {name: "" if kind == tables.TEXT else 0 for name, kind in CALLS.items()}
        parts.append(pd.DataFrame({**blank, **columns}))
    return tables.check("calls", pd.concat(parts, ignore_index=True))


def _sentences(
    random: np.random.Generator,
    known: list[str],
    lengths: np.ndarray,
    instead: list[str] | None = None,
    wrong: float = 1.0,
) -> list[str]:
    """Sentences of random words; or others, with a share of their words replaced by such."""
    words = np.array(known, dtype=object)[random.integers(len(known), size=lengths.sum())]
    if instead is not None:
        kept = [word for text in instead for word in text[:-1].split()]
        words = np.where(random.random(words.size) < wrong, words, np.array(kept, dtype=object))
    starts = np.cumsum(lengths) - lengths
    pairs = zip(starts.tolist(), lengths.tolist(), strict=True)
    return [" ".join(words[start : start + n]).capitalize() + "." for start, n in pairs]


def _peak_mb() -> float:
    """The most resident memory that this process had so far."""
    if sys.platform == "win32":
        return float(psutil.Process().memory_info().peak_wset) / 1e6
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _decide_file(path: Path) -> dict[str, Any]:
    calls = tables.check("calls", pd.read_parquet(path))
    before, started, worked = _peak_mb(), time.perf_counter(), time.process_time()
    decided = decide(calls, path.parent)
    return {
        "utterances": len(calls) // len(VARIANTS),
        "seconds": round(time.perf_counter() - started, 2),
        "cpu_seconds": round(time.process_time() - worked, 2),
        "peak_mb_before": round(before),
        "peak_mb": round(_peak_mb()),
        "verdict": decided.verdict["verdict"],
    }


if __name__ == "__main__":
    many = sys.argv[1]
    print(json.dumps(alone(utterances(int(many))) if many.isdigit() else _decide_file(Path(many))))
