"""The real INT8 encoder of Whisper base, measured by the runner in processes of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import material
import numpy as np
import pandas as pd

from harness import store
from harness.decide import scoring, staging
from harness.decide.entry import Entry
from harness.decide.schedule import Clips, Rows, Task
from harness.run import laid
from harness.run.pool import Pool, Tell
from harness.run.sweeping import Sweep, measure_sweep
from harness.runtime import environment
from harness.runtime.session import SessionConfig
from harness.store import tables
from trust import slowed

DEFAULT = SessionConfig("default")
OPERATION = "encoder"
CLIPS = 24  # of an encoder whose time does not depend on what is said
NEVER = 1e9  # seconds: the rounds end a stage here, not its budget
WARM_UP = 2


@dataclass(frozen=True)
class Stage:
    """What a stage measures: `rounds` of every entry, as the runner lays them out; or, with `swept`
    seconds, a sweep of the entries."""

    stage: str
    name: str  # of its journal
    entries: Sequence[Entry]
    rounds: int
    seed: int
    swept: float = 0.0


@dataclass(frozen=True)
class Machine:
    """What is measured and where its journals lie; a stage that is complete there is read again."""

    work: Path
    model: material.VariantFolder
    seconds: float  # of audio; the encoder gets exactly these, not 30
    tell: Tell

    def entry(
        self,
        variant: str,
        session: SessionConfig = DEFAULT,
        replica: int = 0,
        slow_by: float = 0.0,
    ) -> Entry:
        context = {"min_seconds": self.seconds, "extra_seconds": 0.0}
        return Entry(
            variant=variant,
            session=session,
            folder=self.model.folder,
            family=slowed.__file__,
            params={"context": context, "slow_by": slow_by},
            replica=replica,
        )

    def measure(self, what: Stage) -> pd.DataFrame:
        """Calls of a stage, one encoder call of each entry a round, in generations of fresh
        processes."""
        cells = [(e.label, e.session.to_json(), dict(e.params)) for e in what.entries]
        facts = environment.describe()
        asked = [self._key(facts), what.stage, cells, what.rounds, what.swept, what.seed]
        unit = store.Unit(self.work, what.name, store.digest(asked), facts)
        if not unit.complete:
            clips = {self.seconds: self._clips()}
            tasks = [
                Task(e, OPERATION, self.seconds, calls=1, rounds=what.rounds) for e in what.entries
            ]
            with Pool() as pool:
                if what.swept:
                    measure_sweep(unit, _sweep(tasks, clips, what), pool, self.tell)
                else:
                    how = staging.StageLimits(what.stage, clips, WARM_UP, NEVER, what.seed)
                    self._series(laid.Series(unit, tasks, how, pool, self.tell))
        return unit.table()

    def _series(self, series: laid.Series) -> None:
        while series.goes_on():
            series.step()
        series.finish()

    def _key(self, facts: Mapping[str, Any]) -> list[str]:
        code = Path(slowed.__file__).read_text(encoding="utf-8")
        return [environment.fingerprint(dict(facts)), str(self.model.record["fingerprint"]), code]

    def _clips(self) -> list[tuple[str, str]]:
        folder = self.work / store.WORK / "clips"
        folder.mkdir(parents=True, exist_ok=True)
        found = []
        for place, samples in enumerate(material.speech(self.seconds, CLIPS)):
            path = folder / f"{self.seconds:g}s-{place}.npy"
            np.save(path, samples)
            found.append((f"clip {place}", str(path)))
        return found


def _sweep(tasks: Sequence[Task], clips: Clips, what: Stage) -> Sweep:
    """The first entry is the default, the second its twin, the others are its rivals."""

    def ratios(rows: Rows, sessions: Sequence[str]) -> Mapping[str, float]:
        return scoring.ratios_so_far(tables.frame("calls", rows), sessions, OPERATION)

    default, twin, *rivals = tasks
    return Sweep(
        default, twin, tuple(rivals), (), clips, WARM_UP, what.swept, what.rounds, what.seed, ratios
    )


def machine(work: Path, seconds: float, tell: Tell) -> Machine:
    """The candidate of the shipped experiment, made if it is not there."""
    (work / store.WORK).mkdir(parents=True, exist_ok=True)
    return Machine(work, material.int8(material.ours()), seconds, tell)
