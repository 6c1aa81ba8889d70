"""A decision does each piece of work once, and twice the utterances are twice the work."""

from __future__ import annotations

import cProfile
import datetime
import pstats
from collections import Counter
from pathlib import Path
from typing import Any

import filed
import numpy as np
import pandas as pd
import pytest

from harness.contracts import Result
from harness.decide import decision
from harness.decide.scoring import transcripts
from harness.decide.stats import resampling
from harness.speech import text
from harness.store import tables
from harness.store.made import Made

ON_DATA = {"operation": "pipeline", "at": {"dataset": "cv"}}
EXPERIMENT: dict[str, Any] = {
    "seed": 4,
    "baseline": "fp32",
    "candidate": "int8",
    "variants": [{"name": "fp32"}, {"name": "int8"}],
    "quality": [{"name": "cv", "metrics": ["wer", "cer", "ser"], "normaliser": "spanish"}],
    "gates": [
        {"metric": "wer", "over": "fp32", "max_increase": 0.05, **ON_DATA},
        {"metric": "wer", "over": "fp32", "max_ratio": 1.7, **ON_DATA},
        {"metric": "cer", "max": 0.5, **ON_DATA},
    ],
}


def spoken(count: int) -> pd.DataFrame:
    """Calls of two variants on so many different sentences: every fifth is misheard by both, every
    tenth by the candidate alone."""
    rows = []
    for i in range(count):
        reference = f"Frase número {10_000 + i} de la prueba."  # as many digits, words and work
        heard = reference.replace("prueba", "nada") if i % 5 == 0 else reference
        for variant in ("fp32", "int8"):
            own = variant == "int8" and i % 10 == 1
            rows.append(
                {
                    "stage": "quality", "variant": variant, "session": "default", "round": i,
                    "operation": "pipeline", "warm": True, "dataset": "cv", "item": f"c{i:05}",
                    "speaker": f"s{i * 20 // count:02}", "sentence": f"c{i:05}",
                    "audio_seconds": 3.0, "seconds": 0.3, "reference": reference,
                    "text": heard.replace("Frase", "Fase") if own else heard,
                }
            )  # fmt: skip
    return tables.frame("calls", rows)


def decided(calls: pd.DataFrame, folder: Path) -> Result:
    made = {name: Made(folder, "", {"files": {"model.onnx": 1}}) for name in ("fp32", "int8")}
    blank = {
        name: tables.frame(name, [])
        for name in ("sessions", "stops", "judged", "datasets", "judges")
    }
    measured = filed.result(folder, EXPERIMENT, {}, {}, {"calls": calls, **blank})
    given = decision.Given("default", datetime.date(2026, 11, 22), folder / "x.yaml")
    return decision.decide(measured, made, given)


def counted(counts: Counter[str], name: str, function: Any) -> Any:
    def counting(*values: Any) -> Any:
        counts[name] += 1
        return function(*values)

    return counting


def test_each_text_is_normalised_once_and_aligned_only_where_it_is_wrong(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    counts: Counter[str] = Counter()
    wrapped = {"spanish": counted(counts, "normalised", text.spanish)}
    monkeypatch.setattr(text, "NORMALISERS", wrapped)
    for name in ("word_edits", "character_edits"):
        monkeypatch.setattr(text, name, counted(counts, name, getattr(text, name)))
    aligned = counted(counts, "aligned", transcripts.error_places)
    monkeypatch.setattr(transcripts, "error_places", aligned)
    found = decided(spoken(400), tmp_path)
    # 400 references, 80 misheard by both, 40 more by the candidate: each text once, whoever said it
    assert counts["normalised"] == 400 + 80 + 40
    assert counts["character_edits"] == 800
    # by its own rule each of 800; without accents, by Whisper's rule and by none each different
    # pair of reference and transcript once: 400, and 40 more that the candidate misheard
    assert counts["word_edits"] == 800 + 3 * (400 + 40)
    assert counts["aligned"] == 80 + 40  # equal transcripts once, right ones never
    assert len(found.changed) == 40
    assert found.checks["status"].tolist() == ["PASS"] * 3


def test_resamples_are_drawn_once_for_all_metrics_and_gates(tmp_path: Path) -> None:
    resampling._kept.cache_clear()
    decided(spoken(400), tmp_path)
    used = resampling._kept.cache_info()
    assert used.misses == 1  # 20 speakers
    assert used.hits >= 10


@pytest.mark.slow
def test_twice_the_utterances_are_twice_the_work(tmp_path: Path) -> None:
    """By the number of function calls, which does not depend on the machine."""
    decided(spoken(2000), tmp_path)  # what is done once a process, and for each word once
    work = []
    for count in (500, 1000, 2000):
        calls, profile = spoken(count), cProfile.Profile()
        profile.runcall(decided, calls, tmp_path)
        work.append(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]
    more = np.diff(work)
    assert more[1] / more[0] < 2.1


def test_the_bounds_are_those_of_any_order_of_the_calls(tmp_path: Path) -> None:
    calls = spoken(100)
    mixed = calls.sample(frac=1, random_state=1, ignore_index=True)
    one, two = (decided(each, tmp_path) for each in (calls, mixed))
    for table in ("summary", "changes", "checks"):
        keys = [
            name for name in ("stage", "variant", "metric", "kind") if name in one.tables[table]
        ]
        first, second = (
            each.tables[table].sort_values(keys, ignore_index=True) for each in (one, two)
        )
        pd.testing.assert_frame_equal(first, second)
