"""From an experiment to measured calls: makes the variants, then sweep, latency and quality.

Each stage is a unit with a key over all that it depends on, so that what is unchanged is not
measured again: another report language measures nothing, another data set only itself, another
limit only what the rows that are there leave undecided.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness import audio, environment, scoring, store, tables
from harness.contracts import Dataset, Family, Locate
from harness.errors import AudioError, SpecError
from harness.looking import Gates
from harness.runner import audit as auditing
from harness.runner import plan
from harness.runner.course import opened_again
from harness.runner.pool import Entry, Pool, Tell
from harness.runner.quality import Stream, measure_quality
from harness.runner.rounds import measure_rounds
from harness.runner.schedule import (
    MINIMUM_ROUNDS,
    MOST_CALLS,
    SWEEP_SHARE,
    Clips,
    Rounds,
    Rows,
    Task,
)
from harness.spec import Experiment, Gate, Use, find_metric, load_plugin, locator
from harness.variants import Made, code_of, make
from harness.worker import Connection, Worker

MEASURING = 3  # raise it when the measuring code changes what a row means: all is measured anew
QUALITY_SHARE = 0.6  # of the budget, at most, for the utterances beyond the first hundred
CLIPS_PER_LENGTH = 4
GUESSED_CALL_SECONDS = 1.0  # for the forecast of the quality stage, before anything has run


@dataclass(frozen=True)
class Setting:
    """What a run knows before it measures; `file` is the experiment's."""

    experiment: Experiment
    file: Path
    family: Family
    folder: Path
    environment: Mapping[str, Any]
    locate: Locate
    made: Mapping[str, Made]  # by variant; those that could not be made carry an error
    datasets: Mapping[str, Dataset]

    def entry(self, variant: str, session: str, replica: int = 0) -> Entry:
        experiment = self.experiment
        return Entry(
            variant=variant,
            session=next(c for c in experiment.sessions if c.name == session),
            folder=self.made[variant].folder,
            family=self.family_name,
            params=asdict(experiment.model.params),
            replica=replica,
        )

    def gates(self, chosen: str) -> Gates:
        """The gates, as a look at the run under way reads them."""
        return Gates(self.experiment, self.made, chosen, self.file)

    @property
    def family_name(self) -> str:
        """As a child process can load it: a family of the user's own by its full path."""
        name = self.experiment.model.family
        return str(self.locate(name)) if name.endswith(".py") else name

    def key(self, entries: Sequence[Entry], *more: Any) -> str:
        """Hash of all that the rows of these entries depend on, and of whatever else is given."""
        cells = [
            (e.variant, e.replica, e.session.to_json(), self.made[e.variant].fingerprint)
            for e in entries
        ]
        machine = environment.fingerprint(dict(self.environment))
        versions = [self.environment.get(name) for name in ("numpy", "tokenizers", "soundfile")]
        code = [code_of(self.family.open), code_of(audio.decode), code_of(Worker.ask)]
        model = self.experiment.model
        shared = [MEASURING, machine, versions, code, asdict(model.params), self.experiment.seed]
        return store.digest([shared, cells, more])


def prepare(experiment: Experiment, folder: Path, file: Path, tell: Tell) -> Setting:
    """Get the model, make every variant, open the data sets. Nothing is measured yet."""
    locate = locator(file)
    family: Family = load_plugin("families", experiment.model.family, locate)
    datasets = {q.name: dataset(q.dataset, locate) for q in experiment.quality}
    made = make(experiment, family, locate, tell.line)
    facts = environment.describe()
    return Setting(experiment, file, family, folder, facts, locate, made, datasets)


def dataset(use: Use, locate: Locate) -> Dataset:
    """Open one data set of the experiment."""
    loaded: Dataset = load_plugin("datasets", use.use, locate).load(use.params, locate)
    return loaded


@dataclass(frozen=True)
class Measured:
    calls: pd.DataFrame
    stops: pd.DataFrame
    sessions: pd.DataFrame
    chosen: str  # the candidate's session
    key: str  # of everything that was measured
    environment: Mapping[str, Any]  # of the unit that was measured last


@dataclass(frozen=True)
class Run:
    """The three stages of one run. `start` opens a worker; tests give one without a process."""

    setting: Setting
    tell: Tell
    start: Callable[[str], Connection] = Worker

    def measure(self) -> Measured:
        """All calls of the experiment; units that an earlier run completed are read instead."""
        experiment = self.setting.experiment
        began = time.monotonic()
        sessions, chosen = tables.frame("sessions", []), "default"
        units: list[store.Unit] = []
        if experiment.latency is not None:
            budget = experiment.budget.minutes * 60
            sweep = self.sweep(max(budget - self._quality_seconds(), 30.0) * SWEEP_SHARE)
            swept = sweep.calls()
            sessions = scoring.sweep(swept, _options(experiment))
            chosen = scoring.chosen(sessions, experiment.candidate)
            # a run that goes on after a kill has spent what the sweep took then
            began = min(began, time.monotonic() - float(swept["seconds"].sum()))
            spent = time.monotonic() - began + self._quality_seconds(swept)
            units += [sweep, self.latency(chosen, max(budget - spent, 30.0))]
        left = experiment.budget.minutes * 60 - (time.monotonic() - began)
        units += self.quality(chosen, max(left, self._quality_seconds()))
        units += self.audit()
        store.sweep_out(self.setting.folder, units)
        calls = [unit.calls() for unit in units] or [tables.frame("calls", [])]
        stops = [unit.stops() for unit in units] or [tables.frame("stops", [])]
        key = store.digest([unit.content() for unit in units])
        facts = max((unit.facts() for unit in units), key=_day, default=self.setting.environment)
        return Measured(
            pd.concat(calls, ignore_index=True),
            pd.concat(stops, ignore_index=True),
            sessions,
            chosen,
            key,
            facts,
        )

    def sweep(self, seconds: float) -> store.Unit:
        """Every session configuration, at one length."""
        tasks = plan.sweep_tasks(self.setting.experiment, self.setting.entry)
        most = self._latency().sweep_rounds
        how = self._how("sweep", min(most, MINIMUM_ROUNDS), seconds)
        return self._rounds(tasks, replace(how, most=most, still_open=_contenders))

    def latency(self, chosen: str, seconds: float) -> store.Unit:
        """Baseline, twin and variants at every length, in fresh processes."""
        experiment, operations = self.setting.experiment, self.setting.family.operations
        tasks = plan.latency_tasks(experiment, chosen, self.setting.entry, operations)
        gates = [gate for gate in experiment.gates if gate.at.audio_seconds is not None]
        how = replace(
            self._how("latency", self._latency().rounds, seconds),
            most=MOST_CALLS,
            likely=plan.likely_calls(map(self._quantile, gates)),
            still_open=self.setting.gates(chosen).of_tasks,
            by_limits=True,
        )
        return self._rounds(tasks, how)

    def quality(self, chosen: str, seconds: float = math.inf) -> list[store.Unit]:
        """Each variant on each data set; the candidate in its chosen session. The data sets share
        the seconds by their size."""
        experiment = self.setting.experiment
        found: list[store.Unit] = []
        for part in experiment.quality:
            data = replace(self.setting.datasets[part.name], name=part.name)
            units = {}
            for variant in experiment.variants:
                session = chosen if variant.name == experiment.candidate else "default"
                entry = self.setting.entry(variant.name, session)
                name = f"quality-{part.name}-{variant.name}"
                units[entry] = self._unit(name, [entry], part.name, data.fingerprint)
            still_open = self.setting.gates(chosen).of_dataset(part.name)
            limit = seconds * self._share(part.name)
            self._stream(units, Stream(data, experiment.seed, limit, still_open))
            found += units.values()
        return found

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
            with Pool(self.start, self._broken()) as pool:
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
            with Pool(self.start, self._broken()) as pool:
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
            with Pool(self.start, self._broken()) as pool:
                measure_quality(units, stream, pool, self.tell)

    def _unit(self, name: str, entries: Sequence[Entry], *more: Any) -> store.Unit:
        key = self.setting.key(entries, *more)
        return store.Unit(self.setting.folder, name, key, self.setting.environment)

    def _broken(self) -> dict[str, str]:
        return {name: made.error for name, made in self.setting.made.items() if made.error}

    def _latency(self) -> Any:
        assert self.setting.experiment.latency is not None
        return self.setting.experiment.latency

    def _quality_seconds(self, swept: pd.DataFrame | None = None) -> float:
        """What the utterances will take, by what the sweep's calls took, a guess before it."""
        names = [v.name for v in self.setting.experiment.variants if v.name not in self._broken()]
        clips = sum(self._sizes().values())
        most = QUALITY_SHARE * self.setting.experiment.budget.minutes * 60
        if swept is None:
            return min(clips * len(names) * GUESSED_CALL_SECONDS, most)
        taken = swept[swept["warm"] & (swept["session"] == "default")]
        usual = taken.groupby("variant")["seconds"].median().dropna()
        typical = usual.median() if len(usual) else GUESSED_CALL_SECONDS
        return min(float(clips * sum(usual.get(name, typical) for name in names)), most)

    def _sizes(self) -> dict[str, int]:
        return {name: len(list(d.utterances)) for name, d in self.setting.datasets.items()}

    def _share(self, name: str) -> float:
        """Of the utterances, those of one data set."""
        sizes = self._sizes()
        return sizes[name] / max(sum(sizes.values()), 1)

    def _speech(self) -> Dataset:
        """The speech that lengths are cut from: the first data set of the quality section."""
        if not self.setting.datasets:
            raise SpecError("latency: needs a quality section, whose speech is cut to the lengths.")
        return next(iter(self.setting.datasets.values()))

    def _clips(self, lengths: Sequence[float] = ()) -> Clips:
        """Real speech of each length (the latency section's unless said), as workers read it."""
        rate = self.setting.family.sample_rate
        folder = self.setting.folder / store.WORK / "clips"
        folder.mkdir(parents=True, exist_ok=True)
        decoded = list(_decoded(self._speech(), rate))
        out: dict[float, tuple[tuple[str, str], ...]] = {}
        for seconds in lengths or self._latency().audio_seconds:
            found = []
            for place, (name, samples) in enumerate(
                audio.lengths(decoded, seconds, rate, CLIPS_PER_LENGTH)
            ):
                path = folder / f"{seconds:g}s-{place}.npy"
                np.save(path, samples)
                found.append((name, str(path)))
            out[seconds] = tuple(found)
        return out


def _contenders(rows: Rows, _: Rows) -> Callable[[Task], bool]:
    """Sessions that may yet be the fastest; the default ones and the twin always."""
    keep = scoring.undecided(tables.frame("calls", rows))
    return lambda task: (task.entry.variant, task.entry.session.name) in keep


def _day(facts: Mapping[str, Any]) -> str:
    return str(facts["measured_on"])


def _options(experiment: Experiment) -> dict[str, Mapping[str, Any]]:
    """Session name -> what differs from onnxruntime's defaults."""
    return {config.name: config.to_json() for config in experiment.sessions}


def _decoded(data: Dataset, rate: int) -> Any:
    """(id, samples) of the clips that can be read; the others become error rows in quality."""
    for utterance in data.utterances:
        if utterance.error or utterance.audio is None:
            continue
        try:
            yield utterance.id, audio.decode(utterance.audio, rate)
        except AudioError:
            continue
