"""Outputs of the variants beside the baseline's, utterance by utterance, outside of every clock.

A few utterances at a time: the baseline's outputs are written to the run's folder, each variant is
compared with them in its own process, and they are removed. So the baseline's are always there
first, the disk holds those of a few utterances whatever the data set, and what a kill left is
written anew. Done when everything was heard, in the sessions in which it was.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import store
from harness.contracts import Comparable, Family, Locate, Utterance
from harness.decide.entry import Entry
from harness.errors import HarnessError, SpecError, WorkerError
from harness.errors.limits import OUTPUTS_AT_ONCE
from harness.plugins.kinds import OF_OUTPUTS, beside
from harness.run import spending
from harness.run.pool import OF_THE_USER, Pool, Tell
from harness.run.quality import Stream, item_of
from harness.spec import Quality, find_metric
from harness.store import Unit

Row = dict[str, Any]
Compares = Mapping[str, str]  # kind of comparison (outputs, logits) -> name of the output
NOT_KEPT = "the baseline gave no output to compare with: "


@dataclass(frozen=True)
class Pairing:
    """One data set: the baseline and the others as they heard it, and a unit for each other."""

    stream: Stream
    compares: Compares
    baseline: Entry
    heard: Mapping[Entry, Unit]  # the baseline's too
    units: Mapping[Entry, Unit]


def wants_outputs(entry: Quality, locate: Locate) -> bool:
    """Whether a metric of a data set compares outputs."""
    return any(find_metric(name, locate).metric.compares in OF_OUTPUTS for name in entry.metrics)


def compares_of(entry: Quality, offered: Sequence[Comparable], locate: Locate) -> Compares:
    """Which outputs the metrics of a data set compare, of those that a family offers; {} where none
    of them compares any. Raises: SpecError."""
    asked = {name: find_metric(name, locate).metric for name in entry.metrics}
    asked |= {n: find_metric(n, locate).metric for one in asked.values() for n in beside(one)}
    found: dict[str, str] = {}
    for name, metric in asked.items():
        if metric.compares in OF_OUTPUTS:
            found[metric.compares] = _chosen(entry, name, metric.compares, offered)
    return found


def _chosen(entry: Quality, metric: str, kind: str, offered: Sequence[Comparable]) -> str:
    known = ", ".join(one.name for one in offered) or "none"
    scoring = [one.name for one in offered if one.logits is not False]
    fit = [one.name for one in offered] if kind == "outputs" else scoring
    if entry.output and entry.output not in known.split(", "):
        raise SpecError(
            f"quality {entry.name}: output: the model has no output {entry.output!r} to compare; "
            f"it has: {known}."
        )
    if not offered:
        raise SpecError(
            f"quality {entry.name}: {metric} compares outputs, and this model gives none of its "
            "own; changed, newly_wrong and newly_right compare what both wrote."
        )
    if not fit or (entry.output and entry.output not in fit):
        what = entry.output or "none of its outputs"
        raise SpecError(
            f"quality {entry.name}: {metric} compares scores of classes, and {what} holds "
            f"{'none' if entry.output else 'any'} (outputs: {known}); take output_error, sqnr_db "
            "or cosine."
        )
    return entry.output or fit[0]


def offered_by(family: Any, folder: Path, params: Any) -> Sequence[Comparable]:
    """The outputs of a model's folder. Raises: ModelError."""
    if not isinstance(family, Family) or family.outputs is None:
        return ()
    return tuple(family.outputs(folder, params))


def compare(pairing: Pairing, folder: Path, pool: Pool, tell: Tell) -> None:
    """Fill the units: a row for each utterance that the variant heard and kind of comparison, with
    figures or the error. `folder` is the run's."""
    began = time.monotonic()
    due = _due(pairing)
    total = sum(len(items) for items in due.values())
    for entry, unit in pairing.units.items():
        if unit.complete and due[entry]:  # more was heard since
            unit.reopen()
    number = 0
    for batch in _batches(pairing.stream, due):
        left = (time.monotonic() - began) / number * (total - number) if number else math.nan
        text = f"comparison {number + 1} of {total}"
        tell.step(f"fidelity {pairing.stream.data.name}", number / max(total, 1), text, left)
        number += _compare_batch(pairing, batch, due, (folder, pool))
    store.remove_outputs(folder)
    open_units = [unit for unit in pairing.units.values() if not unit.complete]
    for unit in open_units:
        spending.note(unit, (time.monotonic() - began) / len(open_units))
        unit.finish()


def _due(pairing: Pairing) -> dict[Entry, set[str]]:
    """Utterances that a variant heard and was not compared on."""
    found = {}
    for entry, unit in pairing.units.items():
        rows = (row for row in pairing.heard[entry].rows() if row["warm"] and not row.get("error"))
        done = {row["item"] for row in unit.rows()}
        found[entry] = {row["item"] for row in rows} - done
    return found


def _batches(stream: Stream, due: Mapping[Entry, set[str]]) -> Iterator[list[Utterance]]:
    """The utterances that are due for any variant, in the order in which they were heard."""
    wanted, batch = set().union(*due.values()), []
    for number in stream.order() if wanted else ():
        one = stream.data.utterances[number]
        if one.id in wanted:
            batch.append(one)
            wanted.discard(one.id)
        if batch and (len(batch) == OUTPUTS_AT_ONCE or not wanted):
            yield batch
            batch = []
        if not wanted:
            return


def _compare_batch(
    pairing: Pairing,
    batch: Sequence[Utterance],
    due: Mapping[Entry, set[str]],
    means: tuple[Path, Pool],
) -> int:
    """How many comparisons were made."""
    folder, pool = means
    places = {
        one.id: store.inside(folder, f"{store.OUTPUTS}/{number}.outputs")
        for number, one in enumerate(batch)
    }
    items = {one.id: {**item_of(one), "outputs": str(places[one.id])} for one in batch}
    names = list(dict.fromkeys(pairing.compares.values()))
    asker = _Asker(pool, pairing.baseline)
    kept = asker.rows("reference", list(items.values()), {"names": names})
    lacking = {name: row["error"] for name, row in zip(items, kept, strict=True) if row["error"]}
    count = 0
    for entry, unit in pairing.units.items():
        mine = [name for name in items if name in due[entry]]
        there = [items[name] for name in mine if name not in lacking]
        found = iter(_Asker(pool, entry).rows("nearness", there, {"compares": pairing.compares}))
        said = {
            name: {"error": NOT_KEPT + lacking[name]} if name in lacking else next(found)
            for name in mine
        }
        for name, row in said.items():
            unit.append(_rows(pairing, entry, name, row))
        count += len(mine)
    store.remove_outputs(folder)
    return count


def _rows(pairing: Pairing, entry: Entry, item: str, said: Row) -> list[Row]:
    """A row for each kind of comparison."""
    figures = json.loads(said.get("figures") or "{}")
    rows = []
    for kind, output in pairing.compares.items():
        own = {k.partition(".")[2]: x for k, x in figures.items() if k.startswith(f"{kind}.")}
        rows.append(
            {
                "variant": entry.variant,
                "session": entry.session.name,
                "replica": entry.replica,
                "dataset": pairing.stream.data.name,
                "item": item,
                "compares": kind,
                "output": output,
                "figures": json.dumps(own, sort_keys=True) if own else "",
                "seconds": said.get("seconds"),
                "error": said.get("error", ""),
            }
        )
    return rows


@dataclass(frozen=True)
class _Asker:
    """Asks an entry's process about items, and goes on behind one that it fails at."""

    pool: Pool
    entry: Entry

    def rows(self, kind: str, items: Sequence[Mapping[str, Any]], more: Row) -> list[Row]:
        found: list[Row] = []
        while len(found) < len(items):
            rest = items[len(found) :]
            try:
                self.pool.open(self.entry)
                request = {kind: {"items": rest, **more}}
                reply = self.pool.ask(self.entry, request, self.pool.limit(self.entry))
                found += reply["calls"]
            except OF_THE_USER:
                raise
            except HarnessError as error:
                found += error.done if isinstance(error, WorkerError) else ()
                found.append({"seconds": None, "error": str(error)})
        return [{**row, "error": self._plain(row.get("error") or "")} for row in found]

    def _plain(self, error: str) -> str:
        return error.removeprefix(f"{self.entry.label}: ")
