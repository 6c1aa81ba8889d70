"""From an experiment to measured calls: makes the variants, then sweep, latency and quality.

Each stage is a unit with a key over all that it depends on, so that what is unchanged is not
measured again: another report language measures nothing, another data set only itself, another
limit only what the rows that are there leave undecided.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import itertools
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from harness import store
from harness.contracts import Dataset
from harness.decide import plan, scoring, selection, staging
from harness.decide.entry import Entry
from harness.decide.schedule import SWEEP_SHARE, Clips, Task
from harness.errors.limits import LEAST_STAGE_SECONDS
from harness.run import audit as auditing
from harness.run import budgeting, fidelity, judging, laid, spending
from harness.run.clips import cut_clips
from harness.run.labels import labelled
from harness.run.patience import Patience
from harness.run.pool import Pool, Tell
from harness.run.prepare import MEASURING, Setting, noise
from harness.run.quality import Stream, quality_turns, turns_of
from harness.run.sweeping import Sweep, measure_sweep
from harness.run.variants import Watch
from harness.run.worker import Connection, Worker, heard
from harness.spec import Experiment, GateSpec, find_metric
from harness.store import tables

Heard = Mapping[str, Mapping[Entry, store.Unit]]  # by data set, what each variant heard of it
AUDIO = "audio"  # folder of a run, in which what synthesisers said is kept


@dataclass(frozen=True)
class Measured:
    setting: Setting  # with the candidate that was chosen, if the experiment asks for that
    tables: Mapping[str, pd.DataFrame]  # calls, judged, fidelity, stops, sessions
    chosen: str  # the candidate's session
    key: str  # of everything that was measured
    environment: Mapping[str, Any]  # of the unit that was measured last
    spent: Mapping[str, float]  # seconds by stage


@dataclass(frozen=True)
class Run:
    """The stages of one run. `start` opens a worker; tests give one without a process."""

    setting: Setting
    tell: Tell
    start: Callable[[str], Connection] = Worker

    @functools.cached_property
    def patience(self) -> Patience:
        return Patience(self.setting.experiment.budget.minutes * 60)

    def measure(self) -> Measured:
        """All calls of the experiment; units that an earlier run completed are read instead."""
        began = time.monotonic()
        watch = Watch.of(self.setting.models())
        start = watch.starting(heard(self.start, self.tell.line))
        run, selected = replace(self, start=start)._with_candidate()
        measured = run.rest(began, selected)
        watch.require_whole()
        return measured

    def rest(self, began: float, selected: Heard) -> Measured:
        """All that is measured once the candidate is known; `selected`, by data set, is there."""
        experiment = self.setting.experiment
        units = _units(selected)
        sessions, chosen = tables.frame("sessions", []), "default"
        swept, timed = None, 0.0
        began = spending.since(began, units)
        if experiment.latency is not None:
            budget = experiment.budget.minutes * 60
            spent = time.monotonic() - began + budgeting.quality_seconds(self.setting)
            sweep = self.sweep(max(budget - spent, LEAST_STAGE_SECONDS) * SWEEP_SHARE)
            swept = sweep.table()
            sessions = scoring.sweep(swept, _options(experiment))
            chosen = scoring.chosen(sessions, experiment.candidate)
            began = spending.since(began, [*units, sweep])
            spent = time.monotonic() - began + budgeting.quality_seconds(self.setting, swept)
            units.append(sweep)
            timed = max(budget - spent, LEAST_STAGE_SECONDS)
        left = experiment.budget.minutes * 60 - (time.monotonic() - began)
        latency, spoken = self.together(chosen, timed, left)
        units += [*latency, *_units(spoken)]
        units += self.audit()
        near = self.compare({**selected, **spoken})
        judged = self.judge({**selected, **spoken})
        return self._measured(units, (near, judged), sessions, chosen)

    def _measured(
        self,
        units: list[store.Unit],
        said: tuple[list[store.Unit], list[store.Unit]],
        sessions: pd.DataFrame,
        chosen: str,
    ) -> Measured:
        """`said`: what comparing outputs gave, and what judges said."""
        near, judged = said
        store.remove_units(self.setting.folder, [*units, *near, *judged])
        stops = [unit.stops() for unit in units] or [tables.frame("stops", [])]
        facts = max((unit.facts() for unit in units), key=_day, default=self.setting.environment)
        of_data = self.setting.experiment, self.setting.datasets
        found = {
            "calls": labelled(_joined("calls", units), *of_data),
            "judged": _joined("judged", judged),
            "fidelity": _joined("fidelity", near),
            "stops": pd.concat(stops, ignore_index=True),
            "sessions": sessions,
        }
        calls = found["calls"][found["calls"]["audio"] != ""]
        spoken = dict(zip(calls["audio"], calls["audio_sha256"], strict=True))
        store.remove_audio(self.setting.folder, spoken, AUDIO)
        key = store.digest([unit.content() for unit in [*units, *near, *judged]])
        spent = spending.by_stage([*units, *near])
        return Measured(self.setting, found, chosen, key, spending.machine(facts), spent)

    # ------------------------------------------------------------------------------- the stages
    def _with_candidate(self) -> tuple[Run, Heard]:
        """The run about the candidate that the selection finds, and what was measured for it."""
        how = self.setting.experiment.selection
        if how is None:
            return self, {}
        names = [variant.name for variant in self.setting.experiment.variants]
        spoken = {how.dataset: self._evaluated(how.dataset, names, "default", math.inf)}
        units = _units(spoken)
        measured = {
            "calls": _joined("calls", units),
            "fidelity": _joined("fidelity", self.compare(spoken)),
            "judged": _joined("judged", self.judge(spoken)),
            "stops": pd.concat([unit.stops() for unit in units], ignore_index=True),
        }
        seen = selection.SelectionData(measured, self.setting.made, self.setting.file)
        found = selection.select(self.setting.experiment, seen)
        flaw = f" ({found.flaw})" if found.flaw else ""
        self.tell.line(f"selection on {how.dataset}: {found.experiment.candidate}{flaw}")
        return replace(self, setting=replace(self.setting, experiment=found.experiment)), spoken

    def sweep(self, seconds: float) -> store.Unit:
        """Every session configuration of the candidate, at one length: halved, then confirmed."""
        experiment = self.setting.experiment
        remote = plan.elsewhere(experiment, self.setting.locate)
        tasks = plan.sweep_tasks(experiment, self.setting.entry, remote)
        latency, entries = self._latency(), [task.entry for task in tasks]
        shape = [(task.operation, task.audio_seconds) for task in tasks]
        limits = [latency.sweep_rounds, latency.warmup, experiment.budget.minutes]
        unit = self._unit("sweep", entries, shape, limits, self._speech().fingerprint)
        if not unit.complete:
            candidate = [t for t in tasks if t.entry.variant == experiment.candidate]
            default, twin, *rivals = candidate
            what = Sweep(
                default,
                twin,
                tuple(rivals),
                tuple(t for t in tasks if t not in candidate),
                self._clips(),
                latency.warmup,
                seconds,
                latency.sweep_rounds,
                experiment.seed,
                scoring.ratios_of(experiment.candidate),
            )
            with self._pool() as pool:
                measure_sweep(unit, what, pool, self.tell)
        return unit

    def together(self, chosen: str, seconds: float, left: float) -> tuple[list[store.Unit], Heard]:
        """Latency and quality, rounds of the one between turns of the other, so that both are of
        the whole run: their units, those of quality by data set.

        `left`: seconds of the budget for both. The data sets share what latency leaves of it by
        their size. The candidate is heard in its chosen session; what a selection left out is not
        measured on fresh data.
        """
        with contextlib.ExitStack() as open_until_the_end:
            units, todo = self._series(chosen, seconds, open_until_the_end)
            parts = self._parts(chosen, left, todo)
            due = [stream for heard, stream in parts.values() if self._due(heard, stream)]
            turns = sum(map(turns_of, due))
            walked = itertools.chain.from_iterable(self._walked(*both) for both in parts.values())
            for turn, _ in enumerate(walked, start=1):
                while todo and todo.goes_on() and todo.done < todo.plan.rounds_after(turn, turns):
                    todo.step()
            while todo and todo.goes_on():
                todo.step()
            if todo:
                todo.finish()
        return units, {part: heard for part, (heard, _) in parts.items()}

    def _series(
        self, chosen: str, seconds: float, until: contextlib.ExitStack
    ) -> tuple[list[store.Unit], laid.Series | None]:
        """The unit of the latency stage, and what is still to be measured of it."""
        if self.setting.experiment.latency is None:
            return [], None
        unit, tasks, how = self._timed(chosen, seconds)
        if unit.complete:
            return [unit], None
        pool = until.enter_context(self._pool())
        return [unit], laid.Series(unit, tasks, how, pool, self.tell)

    def _parts(
        self, chosen: str, left: float, timed: laid.Series | None
    ) -> dict[str, tuple[dict[Entry, store.Unit], Stream]]:
        """The data sets, each with its share of what latency leaves, as of any later moment."""
        names, found = budgeting.measured_names(self.setting), {}
        for part, share in budgeting.shares(self.setting).items():
            units, stream = self._streamed(part, names, chosen, math.inf)
            seconds = functools.partial(_left, left, timed, share)
            found[part] = units, replace(stream, seconds=seconds)
        return found

    def _timed(
        self, chosen: str, seconds: float
    ) -> tuple[store.Unit, list[Task], staging.StageLimits]:
        """Baseline, twin and variants at every length, in fresh processes: the unit of the latency
        stage, to be measured anew where an earlier look rejected what now is open."""
        experiment, operations = self.setting.experiment, self.setting.family.operations
        known = {v.name: self.setting.family_of(v.name).operations for v in experiment.variants}
        entry, quantile = self.setting.entry, self._quantile
        tasks = [
            task
            for task in plan.latency_tasks(experiment, chosen, entry, operations, quantile)
            if task.operation in known[task.entry.variant]
        ]
        warmup, seed = self._latency().warmup, experiment.seed
        shape = [(t.operation, t.audio_seconds, t.calls, t.rounds, t.calls_wanted) for t in tasks]
        limits = [warmup, experiment.budget.minutes]
        entries = [task.entry for task in tasks]
        unit = self._unit("latency", entries, shape, limits, self._speech().fingerprint)
        remote = plan.elsewhere(experiment, self.setting.locate)
        still_open = self.setting.gates(chosen).of_tasks
        how = staging.StageLimits("latency", {}, warmup, seconds, seed, still_open, remote)
        if unit.complete and laid.rejected_then(unit, tasks, how):
            unit.discard()  # it was seen for a part of the time only
        return unit, tasks, how if unit.complete else replace(how, clips=self._clips())

    def _evaluated(
        self, part: str, names: Sequence[str], chosen: str, seconds: float
    ) -> Mapping[Entry, store.Unit]:
        """The variants of these names on one data set."""
        units, stream = self._streamed(part, names, chosen, seconds)
        collections.deque(self._walked(units, stream), maxlen=0)
        return units

    def _streamed(
        self, part: str, names: Sequence[str], chosen: str, seconds: float
    ) -> tuple[dict[Entry, store.Unit], Stream]:
        """The units of the variants of these names on one data set, and how it is walked."""
        data = replace(self.setting.datasets[part], name=part)
        timed = self.setting.gates(chosen).times_on(part)
        units = {}
        for name in names:
            session = chosen if name == self.setting.experiment.candidate else "default"
            entry = self.setting.entry(name, session)
            stem = f"quality-{part}-{name}"
            shape = [data.fingerprint, "timed"] if timed else [data.fingerprint]
            units[entry] = self._unit(stem, [entry], part, *shape)
        still_open = self.setting.gates(chosen).of_dataset(part)
        gives = self.setting.family.gives
        for name in names:  # no folder of them may be a link to elsewhere
            store.inside(self.setting.folder, f"{AUDIO}/{part}/{name}/x")
        audio_folder = self.setting.folder / AUDIO / part if "audio" in gives else None
        seed = self.setting.experiment.seed
        home = self.setting.file.parent
        remote = plan.elsewhere(self.setting.experiment, self.setting.locate)
        stream = Stream(data, seed, lambda: seconds, still_open, timed, remote, audio_folder, home)
        return units, stream

    def compare(self, spoken: Heard) -> list[store.Unit]:
        """Outputs of the variants beside the baseline's, where the metrics of a data set ask it."""
        found: list[store.Unit] = []
        for part, mine in spoken.items():
            compares, data = self.setting.compares.get(part), self.setting.datasets[part]
            base = next(e for e in mine if e.variant == self.setting.experiment.baseline)
            if not compares:
                continue
            units = {
                entry: store.Unit(
                    self.setting.folder,
                    f"fidelity-{part}-{entry.variant}",
                    self.setting.key([base, entry], part, data.fingerprint, compares),
                    self.setting.environment,
                    table="fidelity",
                )
                for entry in mine
                if entry != base
            }
            stream = Stream(replace(data, name=part), self.setting.experiment.seed)
            pairing = fidelity.Pairing(stream, compares, base, mine, units)
            with self._pool() as pool:
                fidelity.compare(pairing, self.setting.folder, pool, self.tell)
            found += units.values()
        return found

    def judge(self, spoken: Heard) -> list[store.Unit]:
        """What each judge of a data set says of the audio that its calls gave."""
        found: list[store.Unit] = []
        how = judging.Session(self.setting.folder / AUDIO, self.start, self.tell, self.patience)
        for part, units in spoken.items():
            for seat in self.setting.judges.get(part, ()):
                todo = [(self._judged(seat, unit), unit) for unit in units.values()]
                pairs = [(mine, _with_audio(unit)) for mine, unit in todo]
                judging.judge_audio(seat, pairs, how)
                found += [mine for mine, _ in todo]
        return found

    def _judged(self, seat: judging.Seat, spoken: store.Unit) -> store.Unit:
        pieces = [[row[name] for name in judging.COPIED] for row in _with_audio(spoken)]
        key = store.digest([seat.fingerprint, MEASURING, pieces])
        name = f"judged-{seat.name}-{spoken.name}"
        return store.Unit(self.setting.folder, name, key, self.setting.environment, table="judged")

    def audit(self) -> list[store.Unit]:
        """Another's protocol and the same configurations in rounds, if the experiment asks."""
        experiment = self.setting.experiment
        if experiment.audit is None:
            return []
        entries = auditing.entries(experiment, self.setting.entry)
        speech, shapes = self._speech().fingerprint, auditing.shapes(experiment.audit)
        units = {name: self._unit(name, entries, shape, speech) for name, shape in shapes.items()}
        if not all(unit.complete for unit in units.values()):
            clips = self._clips(experiment.audit.audio_seconds)
            todo = auditing.AuditPlan(experiment.audit, entries, clips, experiment.seed)
            with self._pool() as pool:
                auditing.measure(units, todo, pool, self.tell)
        return list(units.values())

    def _quantile(self, gate: GateSpec) -> float:
        """The latency quantile that a gate reads, NaN where it reads something else."""
        named = find_metric(gate.metric, self.setting.locate)
        if named.metric.ratio_of:
            named = find_metric(named.metric.ratio_of, self.setting.locate)
        return named.quantile

    def _due(self, units: Mapping[Entry, store.Unit], stream: Stream) -> bool:
        """Whether something of a data set is still to be measured."""
        whole = all(unit.complete for unit in units.values())
        return not whole or stream.open_again(units)

    def _walked(self, units: Mapping[Entry, store.Unit], stream: Stream) -> Iterator[None]:
        """The variants' units on one data set, all measured equally far, turn by turn."""
        if not self._due(units, stream):
            return
        for unit in units.values():  # one that stopped early goes on with the others
            if unit.complete and set(unit.stops()["why"]) != {"all"}:
                unit.reopen()
        if not all(unit.complete for unit in units.values()):
            with self._pool() as pool:
                yield from quality_turns(units, stream, pool, self.tell)

    def _unit(self, name: str, entries: Sequence[Entry], *more: Any) -> store.Unit:
        key = self.setting.key(entries, *more)
        return store.Unit(self.setting.folder, name, key, self.setting.environment)

    def _pool(self) -> Pool:
        return Pool(self.start, self._broken(), self.patience)

    def _broken(self) -> dict[str, str]:
        return {name: made.error for name, made in self.setting.made.items() if made.error}

    def _latency(self) -> Any:
        assert self.setting.experiment.latency is not None
        return self.setting.experiment.latency

    def _speech(self) -> Dataset:
        """Where nothing is evaluated, noise made by its seed is what lengths are cut from."""
        found = self.setting.datasets
        return plan.speech(found.values()) if found else noise()

    def _clips(self, lengths: Sequence[float] = ()) -> Clips:
        """Real speech of each length (the latency section's unless said), as workers read it."""
        rate, folder = self.setting.family.sample_rate, self.setting.folder / store.WORK / "clips"
        return cut_clips(self._speech(), rate, folder, lengths or self._latency().audio_seconds)


def _left(seconds: float, timed: laid.Series | None, share: float) -> float:
    """A data set's share of the seconds that a latency stage leaves, as slow as it is so far."""
    return share * max(seconds - (timed.expected if timed else 0.0), 0.0)


def _joined(table: str, units: Sequence[store.Unit]) -> pd.DataFrame:
    found = [unit.table() for unit in units]
    return pd.concat(found, ignore_index=True) if found else tables.frame(table, [])


def _units(heard: Heard) -> list[store.Unit]:
    return [unit for part in heard.values() for unit in part.values()]


def _with_audio(unit: store.Unit) -> list[dict[str, Any]]:
    """The calls that gave audio."""
    calls = unit.table()
    return tables.records(calls[calls["warm"] & (calls["audio"] != "")])


def _day(facts: Mapping[str, Any]) -> str:
    return str(facts["measured_on"])


def _options(experiment: Experiment) -> dict[str, Mapping[str, Any]]:
    """Session name -> what differs from onnxruntime's defaults."""
    return {config.name: config.to_json() for config in experiment.sessions}
