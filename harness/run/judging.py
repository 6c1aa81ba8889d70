"""Judges look at what synthesisers said, after it was made and outside of every clock."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.contracts import SCREENED, Judge, Rating, Ratings
from harness.errors import HangError, HarnessError
from harness.run.patience import Patience, own_limit
from harness.run.pool import FAILURES_BEFORE_GIVING_UP, OF_THE_USER, Tell
from harness.run.worker import OF_THE_ITEM, Connection, sounding
from harness.store import Unit, tables
from harness.store.made import Made

PLACE = ("variant", "session", "replica", "dataset")
COPIED = (*PLACE, "item", "speaker", "sentence", "round", "reference", "audio_sha256")
UNOPENED = "the judge could not be opened: "
GIVEN_UP = "the judge was given up"
CHANGED = "the kept audio was changed."

Call = Mapping[str, Any]  # a row of the table `calls`
Todo = Sequence[tuple[Unit, Sequence[Call]]]  # a unit per variant, with its calls that gave audio


@dataclass(frozen=True)
class Seat:
    """A judge of one data set with all that it needs; `body` is what a child process opens."""

    name: str
    judge: Judge
    body: Mapping[str, Any] = field(hash=False)
    fingerprint: str
    ratings: Ratings | None = None
    parts: Mapping[str, Made] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Session:
    """Where the audio lies, and how a child process is started."""

    folder: Path
    start: Callable[[str], Connection]
    tell: Tell
    patience: Patience = field(default_factory=Patience)


def judge_audio(seat: Seat, todo: Todo, how: Session) -> None:
    """Fill the units: each with a row per call that gave audio, or per rating of one.

    A piece that the judge cannot take is a row with its error. A judge that fails to open, or that
    dies of several pieces in a row, gives that error to every row that is left, without being
    started again; those rows, and those of audio that is not what was made, are in the tables of
    this run, and the next run tries again, also where this one is killed before its end.

    Raises: AssetError, ExtraError, SpecError where the judge cannot be opened for want of something
    that the user can bring.
    """
    if seat.ratings is not None:
        _write_down(seat, seat.ratings, todo)
        return
    for unit, _ in todo:
        if not all(map(_judged, unit.rows())):
            unit.reopen(_judged)
    open_units = [(unit, calls) for unit, calls in todo if not unit.complete]
    total = sum(len(calls) for _, calls in open_units)
    started, number = time.monotonic(), 0
    bench = _Bench(seat, how)
    try:
        for unit, calls in open_units:
            done = {row["item"] for row in unit.rows()}
            for call in calls:
                left = _left(started, number, total)
                text = f"{call['variant']}, {number + 1} of {total}"
                how.tell.step(f"judge {seat.name}", number / total, text, left)
                number += 1
                if call["item"] not in done:
                    said = _too_short(call) or bench.hear(
                        how.folder / call["audio"], call["audio_sha256"]
                    )
                    unit.append([_row(seat, {name: call[name] for name in COPIED}, said)])
            unit.finish()
    finally:
        bench.close()


def _too_short(call: Call) -> dict[str, Any]:
    """The judge's part of a row for audio that cannot hold what was to be said (of a model that
    says a given text): no judge is asked, for an opinion of it would be of something else."""
    figures = json.loads(call["figures"]) if call.get("figures") else {}
    seconds = figures.get("sounding_seconds")
    given = figures.get("spoken_seconds") == call.get("audio_seconds")
    if seconds is None or not given or not sounding.too_short(seconds, call["reference"]):
        return {}
    letters = len(call["reference"])
    return {"error": f"{seconds:.3g} s of sound cannot hold {letters} characters of text."}


def _judged(row: Mapping[str, Any]) -> bool:
    """Whether the row says something of the audio, or of what the judge makes of it."""
    return not row.get("error", "").startswith((UNOPENED, GIVEN_UP, CHANGED))


class _Bench:
    """The judge's child process: opened for the first piece, and again after it has failed, but
    not after several failures in a row."""

    def __init__(self, seat: Seat, how: Session) -> None:
        self._seat, self._how = seat, how
        self._label = f"judge {seat.name}"
        self._open: Connection | None = None
        self._over = ""  # why it is not opened, or not again
        self._failures = 0  # in a row
        self._own_seconds = own_limit({}, seat.body.get("parts", {}))
        self._slowest = 0.0  # seconds that an answer took

    def hear(self, path: Path, sha256: str) -> Mapping[str, Any]:
        """The judge's part of a row. Raises: AssetError, ExtraError, SpecError from opening it."""
        if not _is_the_same(path, sha256):
            return {"error": CHANGED}
        connection = self._connection()
        if connection is None:
            return {"error": self._over}
        try:
            limit = self._how.patience.calls(1, self._slowest, self._own_seconds)
            began = time.monotonic()
            said = connection.ask({"judge": {"path": str(path)}}, limit)
            self._slowest = max(self._slowest, time.monotonic() - began)
        except OF_THE_ITEM as error:
            said = {"error": self._said(error)}
        except HarnessError as error:
            self._fail(error, time.monotonic() - began)
            return {"error": self._said(error)}
        self._failures = 0
        return said

    def _connection(self) -> Connection | None:
        if self._open is None and not self._over:
            self._open = self._how.start(self._label)
            try:
                limit = self._how.patience.opening()
                self._open.ask({"open_judge": dict(self._seat.body)}, limit)
            except OF_THE_USER:
                raise
            except HarnessError as error:
                self.close()
                self._over = UNOPENED + self._said(error)
        return self._open

    def _fail(self, error: HarnessError, seconds: float) -> None:
        self.close()
        self._failures += 1
        if isinstance(error, HangError):
            self._how.patience.hung(self._label, self._label, seconds)
        hung = self._how.patience.over(self._label, self._label)
        if hung:
            self._over = f"the judge was {hung}."
        elif self._failures >= FAILURES_BEFORE_GIVING_UP:
            self._over = f"{GIVEN_UP} after {FAILURES_BEFORE_GIVING_UP} failures in a row."

    def _said(self, error: HarnessError) -> str:
        return str(error).removeprefix(f"{self._label}: ")

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
        self._open = None


def _is_the_same(path: Path, sha256: str) -> bool:
    """Whether the file is what the synthesiser said, byte by byte."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except OSError:
        return False


def _row(seat: Seat, place: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    return {**place, "judge": seat.name, "version": seat.judge.version, **said}


# --------------------------------------------------------------------------------------- listeners
def _write_down(seat: Seat, ratings: Ratings, todo: Todo) -> None:
    """Fill the units with the scores; those of no variant here stand once, in the first unit.

    Which those are depends on all the variants, so that complete units are compared, not trusted.
    """
    strangers = list(_of_strangers(seat, ratings, todo))
    for unit, calls in todo:
        rows, strangers = [*_of_variant(seat, ratings, calls), *strangers], []
        if unit.complete:
            if unit.table().equals(tables.frame("judged", rows)):
                continue
            unit.reopen(lambda _: False)
        if not unit.rows():  # else it was killed before its end: they are all there
            unit.append(rows)
        unit.finish()


def _of_variant(seat: Seat, ratings: Ratings, calls: Sequence[Call]) -> Iterator[dict[str, Any]]:
    """The listeners' scores of what these calls said; a score of another item says so."""
    by_item = {call["item"]: call for call in calls}
    first = next(iter(calls), {})
    for rating in ratings.rows:
        if not first or rating.system != first["variant"]:
            continue
        call = by_item.get(rating.item)
        if call is not None:
            yield _rated(seat, rating, {name: call[name] for name in COPIED}, "")
        else:
            place = {name: first[name] for name in PLACE}
            yield _rated(seat, rating, place, f"no item {rating.item!r} in this data set.")


def _of_strangers(seat: Seat, ratings: Ratings, todo: Todo) -> Iterator[dict[str, Any]]:
    """Scores of what is no variant with audio here; none where nothing gave audio at all."""
    calls = [one[0] for _, one in todo if one]
    known = {call["variant"] for call in calls}
    for rating in ratings.rows if calls else ():
        if rating.system not in known:
            place = {**{name: calls[0][name] for name in PLACE}, "variant": rating.system}
            name = repr(rating.system)
            why = f"no variant of this experiment is called {name}, or none of its audio is here."
            yield _rated(seat, rating, place, why)


def _rated(seat: Seat, rating: Rating, place: Mapping[str, Any], why: str) -> dict[str, Any]:
    """The row of a score; `why`: what is wrong with it, if nothing worse is."""
    error = rating.error or why
    if rating.screened:
        error = SCREENED + error.removeprefix(SCREENED)
    figures = "" if error or math.isnan(rating.score) else json.dumps({"score": rating.score})
    said = {"item": rating.item, "rater": rating.rater, "figures": figures, "error": error}
    return _row(seat, place, said)


def _left(started: float, done: int, planned: int) -> float:
    return (time.monotonic() - started) / done * (planned - done) if done else math.nan
