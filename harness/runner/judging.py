"""Judges look at what synthesisers said, after it was made and outside of every clock."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.contracts import Judge, Ratings
from harness.errors import AudioError, HarnessError
from harness.runner.pool import OPEN_LIMIT_SECONDS, UNKNOWN_CALL_LIMIT_SECONDS, Tell
from harness.store import Unit
from harness.worker import Connection

COPIED = (
    "variant", "session", "replica", "dataset", "item", "speaker", "sentence", "round",
    "reference", "audio_sha256",
)  # fmt: skip


@dataclass(frozen=True)
class Seat:
    """A judge of one data set with all that it needs; `body` is what a child process opens."""

    name: str
    judge: Judge
    body: Mapping[str, Any] = field(hash=False)
    fingerprint: str
    ratings: Ratings | None = None


@dataclass(frozen=True)
class Session:
    """Where the audio lies, and how a child process is started."""

    folder: Path
    start: Callable[[str], Connection]
    tell: Tell


def judge_audio(seat: Seat, todo: Sequence[tuple[Unit, Sequence[Mapping[str, Any]]]],
                how: Session) -> None:  # fmt: skip
    """Fill the units: each with a row per call that gave audio, or per rating of one.

    A piece that the judge cannot take is a row with its error; a judge that cannot be opened gives
    that error to every row.
    """
    open_units = [(unit, calls) for unit, calls in todo if not unit.complete]
    if not open_units:
        return
    if seat.ratings is not None:
        for unit, calls in open_units:
            unit.append(list(_rated(seat, calls)))
            unit.finish()
        return
    ask, close = _opened(seat, how.start)
    total = sum(len(calls) for _, calls in open_units)
    started, number = time.monotonic(), 0
    try:
        for unit, calls in open_units:
            done = {row["item"] for row in unit.rows()}
            for call in calls:
                left = _left(started, number, total)
                text = f"{call['variant']}, {number + 1} of {total}"
                how.tell.step(f"judge {seat.name}", number / total, text, left)
                number += 1
                if call["item"] not in done:
                    unit.append([_row(seat, call, ask(how.folder / call["audio"]))])
            unit.finish()
    finally:
        close()


Ask = Callable[[Path], Mapping[str, Any]]


def _opened(seat: Seat, start: Callable[[str], Connection]) -> tuple[Ask, Callable[[], None]]:
    """(a question about a file, how to end). The child is opened again after it has failed."""
    open_now: list[Connection] = []

    def close() -> None:
        while open_now:
            open_now.pop().close()

    def ask(path: Path) -> Mapping[str, Any]:
        try:
            if not open_now:
                open_now.append(start(f"judge {seat.name}"))
                open_now[0].ask({"open_judge": dict(seat.body)}, OPEN_LIMIT_SECONDS)
            return open_now[0].ask({"judge": {"path": str(path)}}, UNKNOWN_CALL_LIMIT_SECONDS)
        except HarnessError as error:
            if not isinstance(error, AudioError):  # that one is the clip's fault
                close()
            return {"error": str(error).removeprefix(f"judge {seat.name}: ")}

    return ask, close


def _row(seat: Seat, call: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    own = {"judge": seat.name, "version": seat.judge.version}
    return {**{name: call[name] for name in COPIED}, **own, **said}


def _rated(seat: Seat, calls: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The listeners' scores of what these calls said; a score of another item says so."""
    assert seat.ratings is not None
    by_item = {call["item"]: call for call in calls}
    systems = {call["variant"] for call in calls}
    for rating in seat.ratings.rows:
        if rating.system not in systems:
            continue
        call = by_item.get(rating.item)
        error = rating.error or ("" if call else f"no item {rating.item!r} in this data set.")
        figures = "" if error or math.isnan(rating.score) else f'{{"score": {rating.score}}}'
        some: Mapping[str, Any] = call or {**next(iter(by_item.values())), "item": rating.item}
        yield {**_row(seat, some, {"figures": figures, "error": error}), "rater": rating.rater}


def _left(started: float, done: int, planned: int) -> float:
    return (time.monotonic() - started) / done * (planned - done) if done else math.nan
