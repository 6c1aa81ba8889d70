"""Quality, by utterance: each clip once per variant, the variants taking turns in random order."""

from __future__ import annotations

import base64
import math
import time
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

from harness.contracts import Dataset, Utterance
from harness.errors import AudioError, HarnessError, SpecError
from harness.runner.pool import UNKNOWN_CALL_LIMIT_SECONDS, Entry, Pool, Tell
from harness.store import Unit


def measure_quality(
    units: Mapping[Entry, Unit], dataset: Dataset, pool: Pool, tell: Tell, seed: int
) -> None:
    """Each utterance once per entry; the entries take turns in random order on each utterance.

    An utterance that cannot be read, or that crashes the process, is a row with its error.
    """
    done = {entry: _items(unit) for entry, unit in units.items()}
    utterances = list(dataset.utterances)
    random = Random(f"{seed}/quality/{dataset.name}")
    started = time.monotonic()
    for place, utterance in enumerate(utterances):
        pending = [entry for entry in units if utterance.id not in done[entry]]
        random.shuffle(pending)
        part = place / max(len(utterances), 1)
        left = (
            (time.monotonic() - started) / place * (len(utterances) - place) if place else math.nan
        )
        for entry in pending:
            text = f"utterance {place + 1} of {len(utterances)}, {entry.label}"
            tell.step(f"quality {dataset.name}", part, text, left)
            units[entry].append(_utterance(entry, utterance, dataset.name, place, pool))
    for unit in units.values():
        unit.finish()


def _items(unit: Unit) -> set[str]:
    return {row["item"] for block in unit.blocks() for row in block if row["warm"]}


def _utterance(
    entry: Entry, utterance: Utterance, dataset: str, place: int, pool: Pool
) -> list[dict[str, Any]]:
    row = {
        "stage": "quality",
        "variant": entry.variant,
        "session": entry.session.name,
        "replica": entry.replica,
        "operation": "pipeline",
        "warm": True,
        "dataset": dataset,
        "item": utterance.id,
        "speaker": utterance.speaker,
        "sentence": utterance.sentence,
        "reference": utterance.text,
        "round": place,
        "block": place,
        "audio_seconds": None if math.isnan(utterance.seconds) else utterance.seconds,
    }
    if utterance.error:
        return [{**row, "error": utterance.error}]
    cold: list[dict[str, Any]] = []
    try:
        request = {"utterance": _audio(utterance)}
        opened = pool.open(entry)
        if opened is not None:  # a new process: its first call is no measure of the others
            cold.append({**row, **opened, "operation": "load", "warm": False})
            first = pool.ask(entry, request, UNKNOWN_CALL_LIMIT_SECONDS)
            cold.append({**row, **first, "operation": "first_call", "warm": False})
        return [*cold, {**row, **pool.ask(entry, request, UNKNOWN_CALL_LIMIT_SECONDS)}]
    except SpecError:
        raise
    except HarnessError as error:
        return [*cold, {**row, "error": str(error).removeprefix(f"{entry.label}: ")}]


def _audio(utterance: Utterance) -> dict[str, str]:
    if utterance.audio is None:
        raise AudioError(f"{utterance.id}: has no audio; a recogniser needs some")
    if isinstance(utterance.audio, Path):
        return {"path": str(utterance.audio)}
    return {"bytes": base64.b64encode(utterance.audio).decode()}
