"""From an experiment to measured calls: makes the variants, then sweep, latency and quality.

Each stage is a unit with a key over all that it depends on, so that what is unchanged is not
measured again: another report language measures nothing, another data set only itself, another
limit only what the rows that are there leave undecided.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from harness import store
from harness.contracts import Dataset
from harness.decide import plan, scoring, selection
from harness.decide.entry import Entry
from harness.decide.schedule import (
    MINIMUM_ROUNDS,
    MOST_CALLS,
    SWEEP_SHARE,
    Clips,
    Rounds,
    Rows,
    Task,
)
from harness.errors.limits import LEAST_STAGE_SECONDS
from harness.run import audit as auditing
from harness.run import judging, spending
from harness.run.clips import cut_clips
from harness.run.course import opened_again
from harness.run.labels import labelled
from harness.run.patience import Patience
from harness.run.pool import Pool, Tell
from harness.run.prepare import MEASURING, Setting, noise
from harness.run.quality import Stream, measure_quality
from harness.run.rounds import measure_rounds
from harness.run.variants import Watch
from harness.run.worker import Connection, Worker
from harness.spec import Experiment, Gate, find_metric
from harness.store import tables

AUDIO = "audio"  # folder of a run, in which what synthesisers said is kept
QUALITY_SHARE = 0.6  # of the budget, at most, for the utterances beyond the first hundred
GUESSED_CALL_SECONDS = 1.0  # for the forecast of the quality stage, before anything has run


@dataclass(frozen=True)
class Measured:
    setting: Setting  # with the candidate that was chosen, if the experiment asks for that
    tables: Mapping[str, pd.DataFrame]  # calls, judged, stops, sessions
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

    @cached_property
    def patience(self) -> Patience:
        return Patience(self.setting.experiment.budget.minutes * 60)

    def measure(self) -> Measured:
        """All calls of the experiment; units that an earlier run completed are read instead."""
        began = time.monotonic()
        watch = Watch.of(self.setting.models())
        run, selected = replace(self, start=watch.starting(self.start))._with_candidate()
        measured = run.rest(began, selected)
        watch.require_whole()
        return measured

    def rest(self, began: float, selected: Mapping[str, list[store.Unit]]) -> Measured:
        """All that is measured once the candidate is known; `selected`, by data set, is there."""
        experiment = self.setting.experiment
        units = [unit for part in selected.values() for unit in part]
        sessions, chosen = tables.frame("sessions", []), "default"
        began = spending.since(began, units)
        if experiment.latency is not None:
            budget = experiment.budget.minutes * 60
            spent = time.monotonic() - began + self._quality_seconds()
            sweep = self.sweep(max(budget - spent, LEAST_STAGE_SECONDS) * SWEEP_SHARE)
            swept = sweep.table()
            sessions = scoring.sweep(swept, _options(experiment))
            chosen = scoring.chosen(sessions, experiment.candidate)
            began = spending.since(began, [*units, sweep])
            spent = time.monotonic() - began + self._quality_seconds(swept)
            units += [sweep, self.latency(chosen, max(budget - spent, LEAST_STAGE_SECONDS))]
        left = experiment.budget.minutes * 60 - (time.monotonic() - began)
        spoken = self.quality(chosen, max(left, 0.0))
        units += [unit for part in spoken.values() for unit in part]
        units += self.audit()
        judged = self.judge({**selected, **spoken})
        return self._measured(units, judged, sessions, chosen)

    def _measured(
        self,
        units: list[store.Unit],
        judged: list[store.Unit],
        sessions: pd.DataFrame,
        chosen: str,
    ) -> Measured:
        store.sweep_out(self.setting.folder, [*units, *judged])
        stops = [unit.stops() for unit in units] or [tables.frame("stops", [])]
        facts = max((unit.facts() for unit in units), key=_day, default=self.setting.environment)
        of_data = self.setting.experiment, self.setting.datasets
        found = {
            "calls": labelled(_joined("calls", units), *of_data),
            "judged": _joined("judged", judged),
            "stops": pd.concat(stops, ignore_index=True),
            "sessions": sessions,
        }
        calls = found["calls"][found["calls"]["audio"] != ""]
        spoken = dict(zip(calls["audio"], calls["audio_sha256"], strict=True))
        store.sweep_audio(self.setting.folder, spoken, AUDIO)
        key = store.digest([unit.content() for unit in [*units, *judged]])
        spent = spending.by_stage(units)
        return Measured(self.setting, found, chosen, key, spending.machine(facts), spent)

    # ------------------------------------------------------------------------------- the stages
    def _with_candidate(self) -> tuple[Run, dict[str, list[store.Unit]]]:
        """The run about the candidate that the selection finds, and what was measured for it."""
        how = self.setting.experiment.selection
        if how is None:
            return self, {}
        names = [variant.name for variant in self.setting.experiment.variants]
        units = self._evaluated(how.dataset, names, "default", math.inf)
        spoken = {how.dataset: units}
        judged = self.judge(spoken)
        stops = [unit.stops() for unit in units]
        seen = selection.Seen(
            _joined("calls", units),
            _joined("judged", judged),
            pd.concat(stops, ignore_index=True),
            self.setting.made,
            self.setting.file,
        )
        found = selection.select(self.setting.experiment, seen)
        flaw = f" ({found.flaw})" if found.flaw else ""
        self.tell.line(f"selection on {how.dataset}: {found.experiment.candidate}{flaw}")
        return replace(self, setting=replace(self.setting, experiment=found.experiment)), spoken

    def sweep(self, seconds: float) -> store.Unit:
        """Every session configuration, at one length."""
        experiment = self.setting.experiment
        remote = plan.elsewhere(experiment, self.setting.locate)
        tasks = plan.sweep_tasks(experiment, self.setting.entry, remote)
        most = self._latency().sweep_rounds
        how = self._how("sweep", min(most, MINIMUM_ROUNDS), seconds)
        return self._rounds(tasks, replace(how, most=most, still_open=_contenders))

    def latency(self, chosen: str, seconds: float) -> store.Unit:
        """Baseline, twin and variants at every length, in fresh processes."""
        experiment, operations = self.setting.experiment, self.setting.family.operations
        known = {v.name: self.setting.family_of(v.name).operations for v in experiment.variants}
        tasks = [
            task
            for task in plan.latency_tasks(experiment, chosen, self.setting.entry, operations)
            if task.operation in known[task.entry.variant]
        ]
        gates = [gate for gate in experiment.gates if gate.at.audio_seconds is not None]
        how = replace(
            self._how("latency", self._latency().rounds, seconds),
            most=MOST_CALLS,
            likely=plan.likely_calls(map(self._quantile, gates)),
            still_open=self.setting.gates(chosen).of_tasks,
            by_limits=True,
        )
        return self._rounds(tasks, how)

    def quality(self, chosen: str, seconds: float = math.inf) -> dict[str, list[store.Unit]]:
        """Each variant on each data set; the candidate in its chosen session. The data sets share
        the seconds by their size. What a selection left out is not measured on fresh data."""
        names = self._measured_names()
        return {
            part: self._evaluated(part, names, chosen, seconds * self._share(part))
            for part in self._sizes()
        }

    def _evaluated(
        self, part: str, names: Sequence[str], chosen: str, seconds: float
    ) -> list[store.Unit]:
        """The variants of these names on one data set."""
        data = replace(self.setting.datasets[part], name=part)
        units = {}
        for name in names:
            session = chosen if name == self.setting.experiment.candidate else "default"
            entry = self.setting.entry(name, session)
            stem = f"quality-{part}-{name}"
            units[entry] = self._unit(stem, [entry], part, data.fingerprint)
        still_open = self.setting.gates(chosen).of_dataset(part)
        gives = self.setting.family.gives
        for name in names:  # no folder of them may be a link to elsewhere
            store.inside(self.setting.folder, f"{AUDIO}/{part}/{name}/x")
        audio_folder = self.setting.folder / AUDIO / part if "audio" in gives else None
        seed = self.setting.experiment.seed
        home = self.setting.file.parent
        self._stream(units, Stream(data, seed, seconds, still_open, audio_folder, home))
        return list(units.values())

    def judge(self, spoken: Mapping[str, Sequence[store.Unit]]) -> list[store.Unit]:
        """What each judge of a data set says of the audio that its calls gave."""
        found: list[store.Unit] = []
        how = judging.Session(self.setting.folder / AUDIO, self.start, self.tell, self.patience)
        for part, units in spoken.items():
            for seat in self.setting.judges.get(part, ()):
                todo = [(self._judged(seat, unit), unit) for unit in units]
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
            todo = auditing.Plan(experiment.audit, entries, clips, experiment.seed)
            with self._pool() as pool:
                auditing.measure(units, todo, pool, self.tell)
        return list(units.values())

    def _quantile(self, gate: Gate) -> float:
        """The latency quantile that a gate reads, NaN where it reads something else."""
        named = find_metric(gate.metric, self.setting.locate)
        if named.metric.ratio_of:
            named = find_metric(named.metric.ratio_of, self.setting.locate)
        return named.quantile

    def _how(self, stage: str, rounds: int, seconds: float) -> Rounds:
        return Rounds(
            stage, {}, rounds, self._latency().warmup, seconds, self.setting.experiment.seed
        )

    def _rounds(self, tasks: list[Task], how: Rounds) -> store.Unit:
        """The unit of a latency stage, measured as far as it is not; one that stopped early is
        measured further where the gates of now are not decided by it."""
        shape = [(t.operation, t.audio_seconds, t.calls, t.every) for t in tasks]
        limits = [how.rounds, how.most, how.warmup, self.setting.experiment.budget.minutes]
        entries = [task.entry for task in tasks]
        unit = self._unit(how.stage, entries, shape, limits, self._speech().fingerprint)
        if unit.complete:
            stops = dict(enumerate(tables.records(unit.stops())))
            if opened_again(tasks, stops, how, unit):
                unit.reopen()
        if not unit.complete:
            with self._pool() as pool:
                full = replace(how, clips=self._clips())
                measure_rounds(unit, tasks, full, pool, self.tell)
        return unit

    def _stream(self, units: Mapping[Entry, store.Unit], stream: Stream) -> None:
        """The variants' units on one data set, all measured equally far."""
        whole = all(unit.complete for unit in units.values())
        if not whole or stream.open_again(units):  # one that stopped early goes on with the others
            for unit in units.values():
                if unit.complete and set(unit.stops()["why"]) != {"all"}:
                    unit.reopen()
        if not all(unit.complete for unit in units.values()):
            with self._pool() as pool:
                measure_quality(units, stream, pool, self.tell)

    def _unit(self, name: str, entries: Sequence[Entry], *more: Any) -> store.Unit:
        key = self.setting.key(entries, *more)
        return store.Unit(self.setting.folder, name, key, self.setting.environment)

    def _pool(self) -> Pool:
        return Pool(self.start, self._broken(), self.patience, self.tell)

    def _broken(self) -> dict[str, str]:
        return {name: made.error for name, made in self.setting.made.items() if made.error}

    def _latency(self) -> Any:
        assert self.setting.experiment.latency is not None
        return self.setting.experiment.latency

    def _quality_seconds(self, swept: pd.DataFrame | None = None) -> float:
        """What the utterances will take, by what the sweep's calls took, a guess before it."""
        names = [name for name in self._measured_names() if name not in self._broken()]
        clips = sum(self._sizes().values())
        most = QUALITY_SHARE * self.setting.experiment.budget.minutes * 60
        if swept is None:
            return min(clips * len(names) * GUESSED_CALL_SECONDS, most)
        taken = swept[swept["warm"] & (swept["session"] == "default")]
        usual = taken.groupby("variant")["seconds"].median().dropna()
        typical = usual.median() if len(usual) else GUESSED_CALL_SECONDS
        return min(float(clips * sum(usual.get(name, typical) for name in names)), most)

    def _measured_names(self) -> list[str]:
        """The variants but those that the selection left out."""
        experiment, how = self.setting.experiment, self.setting.experiment.selection
        out = {name for name in how.among if name != experiment.candidate} if how else set()
        return [variant.name for variant in experiment.variants if variant.name not in out]

    def _sizes(self) -> dict[str, int]:
        """Utterances of each data set but the selection's, which has been measured by then."""
        how = self.setting.experiment.selection
        sizes = {name: len(data.utterances) for name, data in self.setting.datasets.items()}
        return {name: size for name, size in sizes.items() if not how or name != how.dataset}

    def _share(self, name: str) -> float:
        """Of the utterances, those of one data set."""
        sizes = self._sizes()
        return sizes[name] / max(sum(sizes.values()), 1)

    def _speech(self) -> Dataset:
        """Where nothing is evaluated, noise made by its seed is what lengths are cut from."""
        found = self.setting.datasets
        return plan.speech(found.values()) if found else noise()

    def _clips(self, lengths: Sequence[float] = ()) -> Clips:
        """Real speech of each length (the latency section's unless said), as workers read it."""
        rate, folder = self.setting.family.sample_rate, self.setting.folder / store.WORK / "clips"
        return cut_clips(self._speech(), rate, folder, lengths or self._latency().audio_seconds)


def _contenders(rows: Rows, _: Rows) -> Callable[[Task], bool]:
    """Sessions that may yet be the fastest; the default ones and the twin always."""
    keep = scoring.undecided(tables.frame("calls", rows))
    return lambda task: (task.entry.variant, task.entry.session.name) in keep


def _joined(table: str, units: Sequence[store.Unit]) -> pd.DataFrame:
    found = [unit.table() for unit in units]
    return pd.concat(found, ignore_index=True) if found else tables.frame(table, [])


def _with_audio(unit: store.Unit) -> list[dict[str, Any]]:
    """The calls that gave audio."""
    calls = unit.table()
    return tables.records(calls[calls["warm"] & (calls["audio"] != "")])


def _day(facts: Mapping[str, Any]) -> str:
    return str(facts["measured_on"])


def _options(experiment: Experiment) -> dict[str, Mapping[str, Any]]:
    """Session name -> what differs from onnxruntime's defaults."""
    return {config.name: config.to_json() for config in experiment.sessions}
