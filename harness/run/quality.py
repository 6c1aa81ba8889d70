"""Quality, by utterance: each clip once per variant, the variants taking turns in random order.

A large data set is walked in random order and looked at now and then: it ends as soon as every
gate on it is decided, or its share of the budget is spent.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import math
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from pathlib import Path
from random import Random
from typing import Any

from harness.contracts import Dataset, Utterance
from harness.decide import layout, stats
from harness.decide.entry import Entry
from harness.decide.schedule import FEWEST_UTTERANCES, Rows
from harness.errors import HangError, HarnessError, WorkerError
from harness.run import spending
from harness.run.pool import OF_THE_USER, Pool, Tell
from harness.store import Unit, tables

TURN = 8  # utterances that one variant hears before the next one has its turn


@dataclass(frozen=True)
class Stream:
    """A data set as it is evaluated; `still_open` tells from rows and stops whether to go on."""

    data: Dataset
    seed: int
    seconds: Callable[[], float] = lambda: math.inf  # that it may take, by what is known so far
    still_open: Callable[[Rows, Rows], bool] = lambda _rows, _stops: True
    timed: bool = False  # a gate looks at its times: they are of several generations of processes
    once: frozenset[str] = frozenset()  # variants whose process cannot be opened anew
    audio: Path | None = None  # folder in which to keep what synthesisers say
    home: Path | None = None  # the experiment's folder: clips below it are named from there

    def order(self) -> Sequence[int]:
        """As they come, unless there may be a stop on the way: then each prefix is a sample."""
        total = len(self.data.utterances)
        if total <= FEWEST_UTTERANCES:
            return range(total)
        return Random(f"{self.seed}/order/{self.data.name}").sample(range(total), total)

    def turns(self) -> list[tuple[int, int]]:
        """(first, beyond the last) utterance of each turn; looks and new processes come between
        two of them."""
        total = len(self.data.utterances)
        size = layout.turn_of(total, TURN) if self.timed else TURN
        cuts = {*range(0, total, size), *(look for look in self.looks() if look < total), total}
        if self.timed:
            cuts |= {n for n in range(1, total) if self.generation(n) > self.generation(n - 1)}
        return list(pairwise(sorted(cuts)))

    def looks(self) -> Sequence[int]:
        """Utterances after which there is a look."""
        return stats.looks(FEWEST_UTTERANCES, len(self.data.utterances))

    def generation(self, number: int) -> int:
        """Of processes, in which the utterance of this place is heard."""
        return layout.generation_of(number, len(self.data.utterances)) if self.timed else 0

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
            "allowance": look.allowance,
            "why": why,
        }

    def open_again(self, units: Mapping[Entry, Unit]) -> bool:
        """Whether complete units stopped early at what was decided then, and is not now."""
        stops = [row for unit in units.values() for row in tables.records(unit.stops())]
        if not all(row["why"] == "decided" for row in stops):
            return False
        return self.still_open([row for unit in units.values() for row in unit.rows()], stops)


def measure_quality(units: Mapping[Entry, Unit], stream: Stream, pool: Pool, tell: Tell) -> None:
    """All turns of `quality_turns` in a row."""
    for _ in quality_turns(units, stream, pool, tell):
        pass


def turns_of(stream: Stream) -> int:
    """How many turns a data set has, if nothing ends it sooner."""
    return len(stream.turns())


def quality_turns(
    units: Mapping[Entry, Unit], stream: Stream, pool: Pool, tell: Tell
) -> Iterator[None]:
    """Each utterance once per entry; the entries take turns in random order, some utterances each.
    Pauses after each turn, in which something else may be measured; its time is not this one's.

    An utterance that cannot be read, or that crashes the process, is a row with its error. Units
    that are complete are only read: for the looks, and to be left as they are.
    """
    total = len(stream.data.utterances)
    open_units = {entry: unit for entry, unit in units.items() if not unit.complete}
    spent = (row.get("seconds") or 0.0 for unit in open_units.values() for row in unit.rows())
    own = _Own(sum(spent))
    done = {entry: _items(unit) for entry, unit in units.items()}
    furthest = max((len(items) for items in done.values()), default=0)
    order, looks, generation = stream.order(), stream.looks(), 0
    random = Random(f"{stream.seed}/quality/{stream.data.name}")
    why, place = "all", total
    for first, last in stream.turns():
        if first >= furthest:  # all the variants are abreast: nothing new is known before
            look = first in looks and not _open_at(units, stream, first)
            late = first >= FEWEST_UTTERANCES and own.seconds > stream.seconds()
            if look or late:
                why, place = "decided" if look else "budget", first
                break
        generation = _fresh(open_units, stream, (generation, first), pool)
        turn = [(number, stream.data.utterances[order[number]]) for number in range(first, last)]
        entries = list(open_units)
        random.shuffle(entries)
        for entry in entries:
            over = own.seconds > stream.seconds()
            text = f"utterance {first + 1} of {total}, {entry.label}"
            text = f"over its part of the budget; {text}" if over else text
            left = _left(own.seconds, first, total, stream.seconds())
            tell.step(f"quality {stream.data.name}", first / total, text, left)
            pending = [one for one in turn if one[1].id not in done[entry]]
            for rows in _Turn(entry, stream, pool).rows(pending):
                units[entry].append(rows)
        with own.paused():
            yield
    if why != "all":
        tell.line(f"quality {stream.data.name}: {why} after {place} of {total} utterances")
    taken = sum(look <= place for look in looks)
    seen = stats.early() if why == "decided" else stats.last(taken)
    for entry, unit in open_units.items():
        spending.note(unit, own.seconds / len(open_units))
        unit.finish([stream.stop(entry, place, seen, why)])


def _fresh(entries: Iterable[Entry], stream: Stream, at: tuple[int, int], pool: Pool) -> int:
    """The generation of processes of the utterance that comes next, from (the one so far, its
    place): the old ones are closed, and each is opened when it has its next turn."""
    so_far, place = at
    due = stream.generation(place)
    for entry in entries if due > so_far else ():
        if entry.variant not in stream.once:
            pool.close(entry)
    return due


def _open_at(units: Mapping[Entry, Unit], stream: Stream, done: int) -> bool:
    stops = [stream.stop(entry, done, stats.early(), "look") for entry in units]
    return stream.still_open([row for unit in units.values() for row in unit.rows()], stops)


class _Own:
    """Seconds that a stage has taken itself, and what it pays for besides."""

    def __init__(self, spent: float) -> None:
        self._started = time.monotonic() - spent

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        since = time.monotonic()
        yield
        self._started += time.monotonic() - since


def _left(elapsed: float, done: int, planned: int, seconds: float) -> float:
    """Seconds to the end, at the pace so far: within the budget, or at least so far as is measured
    whatever the budget; NaN before the first."""
    if not done:
        return math.nan
    pace = elapsed / done
    least = pace * max(min(planned, FEWEST_UTTERANCES) - done, TURN)
    return min(pace * (planned - done), max(seconds - elapsed, least))


def _items(unit: Unit) -> set[str]:
    return {row["item"] for row in unit.rows() if row["warm"]}


@dataclass(frozen=True)
class _Turn:
    """One entry's turn: some utterances in one request, so that no pause comes between them."""

    entry: Entry
    stream: Stream
    pool: Pool

    def rows(self, turn: Sequence[tuple[int, Utterance]]) -> Iterator[list[dict[str, Any]]]:
        """The rows of each utterance in order, those of opening the process among them."""
        left = list(turn)
        while left:
            usable = list(takewhile(lambda pair: not pair[1].error, left))
            if not usable:
                number, one = left.pop(0)
                yield [{**self._row(number, one), "error": one.error}]
            elif not self.pool.process(self.entry):
                yield self._opening(*left.pop(0))
            else:
                found = self._asked(usable)
                yield from found
                left = left[len(found) :]

    def _opening(self, number: int, one: Utterance) -> list[dict[str, Any]]:
        """The first utterance of a new process: its first call is no measure of the others."""
        row, cold = self._row(number, one), []
        try:
            opened = self.pool.open(self.entry)
            if opened is not None:
                cold.append({**row, **opened, "operation": "load", "warm": False})
                first = self._ask([(number, one)])[0]
                cold.append({**row, **first, "operation": "first_call", "warm": False})
            return [*cold, {**row, **self._ask([(number, one)])[0]}]
        except OF_THE_USER:
            raise
        except HarnessError as error:
            return [*cold, self._failed(row, error)]

    def _asked(self, turn: Sequence[tuple[int, Utterance]]) -> list[list[dict[str, Any]]]:
        """The rows of the first utterances: of all, in one request, or up to the one that the
        process failed at. That one is asked again alone, unless it gave no answer: whoever hangs
        once costs enough."""
        try:
            replies = self._ask(turn)
        except OF_THE_USER:
            raise
        except HarnessError as error:
            done = error.done if isinstance(error, WorkerError) else ()
            known = self._rows(turn, self._known(done))
            number, one = turn[len(known)]
            if isinstance(error, HangError) or len(turn) == 1:
                return [*known, [self._failed(self._row(number, one), error)]]
            return [*known, self._opening(number, one)]
        return self._rows(turn, replies)

    def _rows(
        self, turn: Sequence[tuple[int, Utterance]], replies: Sequence[Mapping[str, Any]]
    ) -> list[list[dict[str, Any]]]:
        answered = zip(turn, replies, strict=False)
        return [[{**self._row(number, one), **reply}] for (number, one), reply in answered]

    def _ask(self, turn: Sequence[tuple[int, Utterance]]) -> list[dict[str, Any]]:
        items = [self._item(one) for _, one in turn]
        request = {"items": items, "failing_seconds": self.pool.failing_seconds()}
        limit = self.pool.limit(self.entry)  # of each: they are told of one by one
        reply = self.pool.ask(self.entry, {"utterances": request}, limit)
        return self._known(reply["calls"])

    def _known(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Rows of the worker's as the table has them."""
        found = [dict(row) for row in rows]
        kept = self.stream.audio / self.entry.variant if self.stream.audio else None
        for row in found:
            if row.get("audio") and kept is not None:
                row["audio"] = f"{kept.parent.name}/{kept.name}/{row['audio']}"
            if row.get("error"):
                row["error"] = self._plain(row["error"])
        return found

    def _item(self, one: Utterance) -> dict[str, Any]:
        item = item_of(one)
        if self.stream.audio is not None:
            item["keep"] = str(self.stream.audio / self.entry.variant / f"{_stem(one.id)}.flac")
        return item

    def _failed(self, row: Mapping[str, Any], error: HarnessError) -> dict[str, Any]:
        return {**row, "error": self._plain(str(error))}

    def _plain(self, error: str) -> str:
        return error.removeprefix(f"{self.entry.label}: ")

    def _row(self, number: int, one: Utterance) -> dict[str, Any]:
        once = self.entry.variant in self.stream.once
        return {
            "stage": "quality",
            "variant": self.entry.variant,
            "session": self.entry.session.name,
            "replica": self.entry.replica,
            "operation": "pipeline",
            "warm": True,
            "dataset": self.stream.data.name,
            "item": one.id,
            "path": shown_path(one.audio, self.stream.home),
            "speaker": one.speaker,
            "sentence": one.sentence,
            "reference": one.text,
            "round": number,
            "block": number,
            "generation": 0 if once else self.stream.generation(number),
            "audio_seconds": None if math.isnan(one.seconds) else one.seconds,
        }


def item_of(one: Utterance) -> dict[str, Any]:
    """What the worker reads of an utterance: its audio or, where it has none, its text."""
    item: dict[str, Any] = {}
    if isinstance(one.audio, Path):
        item["path"] = str(one.audio)
    elif one.audio is not None:
        item["bytes"] = base64.b64encode(one.audio).decode()
    if one.part is not None:
        item["part"] = [at if math.isfinite(at) else None for at in one.part]
    elif math.isfinite(one.seconds):
        item["seconds"] = one.seconds
    return {**item, "text": one.text}


def shown_path(audio: Path | bytes | None, home: Path | None) -> str:
    """Where a clip lies, as other machines may read it: below the experiment's folder from there,
    elsewhere its own name below its folder's; "" for what is no file of its own."""
    if not isinstance(audio, Path):
        return ""
    if home is not None and audio.is_relative_to(home):
        return audio.relative_to(home).as_posix()
    return Path(*audio.parts[-2:]).as_posix() if len(audio.parts) > 2 else audio.name


def _stem(item: str) -> str:
    """A file's name without its ending that no other item has, on any file system."""
    digest = hashlib.sha256(item.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{re.sub(r'[^A-Za-z0-9._-]', '_', item)[:80]}-{digest[:8]}"
