"""Run an experiment, load what a run left, render it again: what scripts and notebooks call."""

from __future__ import annotations

import datetime
import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from harness import deciding, pipeline, plots, plugins, report, spec, store
from harness.contracts import Result
from harness.runner.pool import Tell
from harness.worker import Connection, Worker

REPORT = "report.md"


class Quiet:
    """Tells nobody."""

    def line(self, text: str) -> None:
        """Nothing."""

    def step(self, stage: str, done: float, text: str, left: float) -> None:
        """Nothing."""


def run(
    experiment: str | Path,
    out: str | Path | None = None,
    *,
    fresh: bool = False,
    tell: Tell | None = None,
    start: Callable[[str], Connection] = Worker,
) -> Result:
    """Measure what is not measured yet, decide, and write tables, figures and report.

    `out` is the run's folder (reports/<name> beside the experiments' folder unless given), `fresh`
    forgets what was measured. Nothing changed since the last run: nothing is done.

    Raises: SpecError, AssetError, StoreError and the other HarnessErrors for what a user can mend.
    """
    path = Path(experiment)
    read = spec.load(path)
    folder = Path(out) if out else results_folder(path, read.name)
    tell = tell or Quiet()
    with store.locked(folder):
        if fresh:
            store.sweep_out(folder, [])
        setting = pipeline.prepare(read, folder, spec.locator(path), tell)
        measured = pipeline.Run(setting, tell, start).measure()
        today = datetime.date.today()
        key = _key(read, measured.key, today)
        if store.finished(folder) == key:
            tell.line("nothing has changed since the last run")
            return load(folder)
        tell.line("deciding and writing the report")
        environment = {"measured_on": measured.on, **setting.environment}
        bare = Result(
            folder=folder,
            experiment={**spec.to_json(read), "beside": _way(folder, path.parent)},
            environment=environment,
            verdict={},
            tables={"calls": measured.calls, "sessions": measured.sessions},
        )
        given = deciding.Given(measured.chosen, today, path)
        decided = deciding.decide(bare, setting.made, given)
        store.publish(decided, path.read_text(encoding="utf-8"))
        result = load(folder)
        _write_report(result, read.report.language)
        store.note_finished(folder, key)
    return result


def load(folder: str | Path) -> Result:
    """What an earlier run left in its folder; `scores` is rebuilt from the calls.

    Raises: StoreError for a folder that is no run, of another schema, or edited since.
    """
    result = store.read(Path(folder))
    beside = result.folder / str(result.experiment["beside"]) / "experiment.yaml"
    scores = deciding.scores(result.experiment, result.tables["calls"], spec.locator(beside))
    return replace(result, tables={**result.tables, "scores": scores})


def render(folder: str | Path, language: str | None = None) -> Path:
    """Write report.md and the figures again from the stored tables; nothing is measured."""
    result = load(folder)
    written = result.experiment["report"]["language"]
    _write_report(result, language or str(written))
    return report_path(Path(folder))


def report_path(folder: Path) -> Path:
    """Where the report of a run lies."""
    return folder / REPORT


def results_folder(experiment: Path, name: str) -> Path:
    """reports/<name> beside the folder `experiments`, or beside the file if it is elsewhere."""
    parent = experiment.resolve().parent
    return (parent.parent if parent.name == "experiments" else parent) / "reports" / name


def _way(folder: Path, other: Path) -> str:
    """How to get from one folder to another; in full where they share no drive."""
    try:
        return Path(os.path.relpath(other, folder)).as_posix()
    except ValueError:
        return other.resolve().as_posix()


def _write_report(result: Result, language: str) -> None:
    plots.draw(result, result.folder / "figures", language)
    store.write_atomic(report_path(result.folder), report.render(result, language))


def _key(experiment: spec.Experiment, measured: str, today: datetime.date) -> str:
    """Hash of all that tables and report depend on: calls, experiment, code, expired waivers."""
    expired = [waiver.until < today for waiver in experiment.waivers]
    code = hashlib.sha256()
    for path in sorted(plugins.PACKAGE.rglob("*.py")):
        code.update(path.read_bytes())
    return store.digest([measured, spec.to_json(experiment), expired, code.hexdigest()])
