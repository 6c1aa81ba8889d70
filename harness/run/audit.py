"""Another's protocol as it says: each configuration in one process, one after the other; then ours.

The replay keeps that protocol's weaknesses on purpose, and its rows are never mixed with others:
stage `audit`, round = repeat of the whole, block = place in the sequence, order = iteration. The
same configurations are then measured in interleaved rounds, with an A/A twin: `audit_rounds`.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.decide.entry import Entry
from harness.decide.schedule import Clips, Rounds, Task
from harness.errors import HarnessError
from harness.run.pool import OF_THE_USER, Pool, Tell
from harness.run.rounds import measure_rounds
from harness.runtime.session import unchecked
from harness.spec import Audit, Experiment
from harness.store import Unit

REPLAY, ROUNDS = "audit", "audit_rounds"
PROBE = "probe"  # the operation of the rows that say what onnxruntime made of a configuration

Row = dict[str, Any]


@dataclass(frozen=True)
class AuditPlan:
    """What is replayed: configurations in sequence, the first being what the others are against."""

    audit: Audit
    entries: tuple[Entry, ...]
    clips: Clips
    seed: int

    @property
    def items(self) -> Mapping[float, tuple[str, str]]:
        """One clip per length, as a benchmark script has: (id, .npy file)."""
        return {seconds: self.clips[seconds][0] for seconds in self.audit.audio_seconds}


def entries(experiment: Experiment, entry: Callable[[str, str], Entry]) -> tuple[Entry, ...]:
    """The candidate in each configuration, in the order of the sequence; `entry` makes one."""
    audit = experiment.audit
    assert audit is not None
    found = [entry(experiment.candidate, name) for name in audit.sessions]
    if audit.unchecked:
        base = entry(experiment.candidate, audit.unchecked.session)
        given = audit.unchecked.provider_options
        name = "+".join([base.session.name, *given])
        found.append(replace(base, session=unchecked(base.session, name, given)))
    return tuple(found)


def shapes(audit: Audit) -> dict[str, list[Any]]:
    """Stage -> what of the section its rows depend on, beside their entries."""
    calls = [audit.operation, audit.audio_seconds, audit.warmup]
    return {REPLAY: [*calls, audit.iterations, audit.repeats], ROUNDS: [*calls, audit.rounds]}


def measure(units: Mapping[str, Unit], plan: AuditPlan, pool: Pool, tell: Tell) -> None:
    """Measure the units (by stage) that are not complete, going on where a killed run stopped."""
    if not units[REPLAY].complete:
        _replay(units[REPLAY], plan, pool, tell)
    if not units[ROUNDS].complete:
        audit, first = plan.audit, plan.entries[0]
        cells = [*plan.entries, replace(first, replica=1)]
        tasks = [Task(e, audit.operation, s, calls=1) for e in cells for s in audit.audio_seconds]
        how = Rounds(ROUNDS, plan.clips, audit.rounds, max(audit.warmup, 1), math.inf, plan.seed)
        measure_rounds(units[ROUNDS], tasks, how, pool, tell)


def _replay(unit: Unit, plan: AuditPlan, pool: Pool, tell: Tell) -> None:
    """A block of the journal is one configuration of one repeat: cut off, it is all done again."""
    done = {(row["round"], row["block"]) for block in unit.blocks() for row in block}
    steps = list(_steps(plan))
    due = [step for step in steps if step not in done]
    audit, started, pace = plan.audit, time.monotonic(), math.nan
    calls = audit.repeats * len(plan.entries) * len(audit.audio_seconds) * audit.iterations
    tell.line(f"{REPLAY}: {calls} calls of the protocol, beyond the budget; then {ROUNDS}")
    for number, (repeat, place) in enumerate(due):
        entry = plan.entries[place]
        text = f"repeat {repeat + 1} of {audit.repeats}" if repeat >= 0 else "options and graph"
        share = (len(steps) - len(due) + number) / len(steps)
        tell.step(REPLAY, share, f"{text}, {entry.label}", pace * (len(due) - number))
        if repeat < 0:
            unit.append(_probed(entry, place, pool))
        else:
            unit.append(list(_configuration(plan, repeat, place, pool)))
            measured = sum(1 for step in due[: number + 1] if step[0] >= 0)
            pace = (time.monotonic() - started) / measured
        pool.close(entry)
    unit.finish()


def _steps(plan: AuditPlan) -> Iterator[tuple[int, int]]:
    """(repeat, place in the sequence); the probes come first, as repeat -1."""
    for repeat in range(-1, plan.audit.repeats):
        yield from ((repeat, place) for place in range(len(plan.entries)))


def _probed(entry: Entry, place: int, pool: Pool) -> list[Row]:
    """A row per graph: what was asked of the provider, what it read, the optimized graph's hash."""
    row = _row(entry, -1, place, operation=PROBE, warm=False)
    request = {
        "family": entry.family,
        "folder": str(entry.folder),
        "params": dict(entry.params),
        "session": entry.session.to_json(),
    }
    try:
        pool.open(entry)
        reply = pool.ask(entry, {"probe": request}, pool.limit(entry))
    except OF_THE_USER:
        raise
    except HarnessError as error:
        return [{**row, "error": str(error)}]
    asked = dict(entry.session.provider_options)
    return [
        {**row, "item": role, "note": json.dumps({"asked": asked, **seen}, sort_keys=True)}
        for role, seen in reply["graphs"].items()
    ]


def _configuration(plan: AuditPlan, repeat: int, place: int, pool: Pool) -> Iterator[Row]:
    """Every length in turn, in the process that is opened for the first of them."""
    audit, entry = plan.audit, plan.entries[place]
    for seconds, (item, path) in plan.items.items():
        row = _row(entry, repeat, place, operation=audit.operation, item=item)
        row["audio_seconds"] = seconds
        request = {"operation": audit.operation, "clips": [path], "first": 0}
        block = _Block(pool, entry, request)
        try:
            opened = pool.open(entry)
            if opened is not None:
                seen = {"seconds": opened["seconds"], "rss_bytes": opened["rss_bytes"]}
                yield _row(entry, repeat, place, operation="load", warm=False, **seen)
            cold = block.calls(audit.warmup, math.nan)
            yield from ({**row, **call, "warm": False} for call in cold)
            cost = min((call["seconds"] for call in cold if call["seconds"]), default=math.nan)
            yield from ({**row, **call} for call in block.calls(audit.iterations, cost))
        except OF_THE_USER:
            raise
        except HarnessError as error:
            lost = {**row, "error": str(error)}
            yield from ({**lost, "order": order} for order in range(audit.iterations))


@dataclass(frozen=True)
class _Block:
    """Calls in a row of one length."""

    pool: Pool
    entry: Entry
    request: Mapping[str, Any]

    def calls(self, count: int, cost: float) -> list[Row]:
        """What `count` calls gave; `cost` is the seconds of one, NaN where unknown."""
        if not count:
            return []
        told = math.isnan(cost)
        limit = self.pool.limit(self.entry, 1 if told else count, cost)
        request = {**self.request, "calls": count, "told": told}
        reply = self.pool.ask(self.entry, {"block": request}, limit)
        shared = {name: reply[name] for name in ("steal", "load", "rss_bytes")}
        return [{"order": order, **shared, **call} for order, call in enumerate(reply["calls"])]


def _row(entry: Entry, repeat: int, place: int, **values: Any) -> Row:
    return {
        "stage": REPLAY,
        "variant": entry.variant,
        "session": entry.session.name,
        "replica": entry.replica,
        "warm": True,
        "round": repeat,
        "block": place,
        **values,
    }
