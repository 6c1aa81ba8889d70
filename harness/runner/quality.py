"""Quality, by utterance: each clip once per variant, the variants taking turns in random order.

A large data set is walked in random order and looked at now and then: it ends as soon as every
gate on it is decided, or its share of the budget is spent.
"""

from __future__ import annotations

import base64
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from harness import stats, tables
from harness.contracts import Dataset, Utterance
from harness.errors import AudioError, HarnessError, SpecError
from harness.runner.pool import UNKNOWN_CALL_LIMIT_SECONDS, Entry, Pool, Tell
from harness.runner.schedule import FEWEST_UTTERANCES, Rows
from harness.store import Unit


@dataclass(frozen=True)
class Stream:
    """A data set as it is evaluated; `still_open` tells from rows and stops whether to go on."""

    data: Dataset
    seed: int
    seconds: float = math.inf
    still_open: Callable[[Rows, Rows], bool] = lambda _rows, _stops: True

    def order(self, utterances: Sequence[Utterance]) -> list[Utterance]:
        """As they come, unless there may be a stop on the way: then each prefix is a sample."""
        if len(utterances) <= FEWEST_UTTERANCES:
            return list(utterances)
        return Random(f"{self.seed}/order/{self.data.name}").sample(utterances, len(utterances))

    def stop(self, entry: Entry, done: int, look: stats.Look, why: str) -> dict[str, Any]:
        """A row of the `stops` table."""
        return {
            "stage": "quality",
            "variant": entry.variant,
            "session": entry.session.name,
            "replica": entry.replica,
            "operation": "pipeline",
            "workload": self.data.name,
            "done": done,
            "level": look.level,
            "allowance": look.allowance,  # for times; utterances in random order do not drift
            "why": why,
        }

    def open_again(self, units: Mapping[Entry, Unit]) -> bool:
        """Whether complete units stopped early at what was decided then, and is not now."""
        stops = [row for unit in units.values() for row in tables.records(unit.stops())]
        if not all(row["why"] == "decided" for row in stops):
            return False
        return self.still_open([row for unit in units.values() for row in unit.rows()], stops)


def measure_quality(units: Mapping[Entry, Unit], stream: Stream, pool: Pool, tell: Tell) -> None:
    """Each utterance once per entry; the entries take turns in random order on each utterance.

    An utterance that cannot be read, or that crashes the process, is a row with its error. Units
    that are complete are only read: for the looks, and to be left as they are.
    """
    dataset = stream.data
    open_units = {entry: unit for entry, unit in units.items() if not unit.complete}
    spent = (row.get("seconds") or 0.0 for unit in open_units.values() for row in unit.rows())
    started = time.monotonic() - sum(spent)
    done = {entry: _items(unit) for entry, unit in units.items()}
    furthest = max((len(items) for items in done.values()), default=0)
    utterances = stream.order(list(dataset.utterances))
    looks = stats.looks(FEWEST_UTTERANCES, len(utterances))
    random = Random(f"{stream.seed}/quality/{dataset.name}")
    why, place = "all", len(utterances)
    for number, utterance in enumerate(utterances):
        part = number / max(len(utterances), 1)
        abreast = number >= furthest  # all the variants are: nothing new is known before
        if abreast and number in looks and not _open_at(units, stream, number, part):
            why, place = "decided", number
            break
        late = time.monotonic() - started > stream.seconds
        if abreast and number >= FEWEST_UTTERANCES and late:
            why, place = "budget", number
            break
        pending = [entry for entry in open_units if utterance.id not in done[entry]]
        random.shuffle(pending)
        left = _left(started, number, len(utterances), stream.seconds)
        for entry in pending:
            text = f"utterance {number + 1} of {len(utterances)}, {entry.label}"
            tell.step(f"quality {dataset.name}", part, text, left)
            units[entry].append(_utterance(entry, utterance, dataset.name, number, pool))
    if why != "all":
        tell.line(f"quality {dataset.name}: {why} after {place} of {len(utterances)} utterances")
    taken = sum(look <= place for look in looks)
    early = stats.early(place / max(len(utterances), 1))
    look = early if why == "decided" else stats.last(taken)
    for entry, unit in units.items():
        if not unit.complete:
            unit.finish([stream.stop(entry, place, look, why)])


def _open_at(units: Mapping[Entry, Unit], stream: Stream, done: int, seen: float) -> bool:
    stops = [stream.stop(entry, done, stats.early(seen), "look") for entry in units]
    return stream.still_open([row for unit in units.values() for row in unit.rows()], stops)


def _left(started: float, done: int, planned: int, seconds: float) -> float:
    """Seconds to the end, at the pace so far and within the budget; NaN before the first."""
    elapsed = time.monotonic() - started
    if not done:
        return math.nan
    return max(min(elapsed / done * (planned - done), seconds - elapsed), 0.0)


def _items(unit: Unit) -> set[str]:
    return {row["item"] for row in unit.rows() if row["warm"]}


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
