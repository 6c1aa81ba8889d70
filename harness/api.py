"""Run an experiment, load what a run left, render it again: what scripts and notebooks call."""

from __future__ import annotations

import datetime
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness import (
    comparing,
    deciding,
    feasibility,
    history,
    pipeline,
    plots,
    plugins,
    report,
    setting,
    spec,
    store,
)
from harness.contracts import Locate, Result
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
    folder = Path(out) if out else spec.results_folder(path, read.name)
    tell = tell or Quiet()
    with store.locked(folder):
        if fresh:
            store.forget(folder)
        for line in feasibility.undecidable(read, folder, spec.locator(path)):
            tell.line(line)
        measured = pipeline.Run(setting.prepare(read, folder, path, tell), tell, start).measure()
        today = datetime.date.today()
        key = _key(measured, today)
        if store.finished(folder) == key:
            result = load(folder)
            tell.line("nothing has changed since the last run" + _lost(result))
            return result
        tell.line("deciding and writing the report")
        given = deciding.Given(measured.chosen, today, path)
        decided = deciding.decide(_undecided(measured), measured.setting.made, given)
        store.publish(decided, path.read_text(encoding="utf-8"))
        result = load(folder)
        _write_report(result, read.report.language)
        history.record(result, measured.key)
        store.note_finished(folder, key)
    return result


def _lost(result: Result) -> str:
    """That calls which failed are not made again: their error may have passed, or be the data's."""
    lost = int((result.calls["error"] != "").sum())
    return f"; {lost} of its calls have an error: `--fresh` measures all again" if lost else ""


def load(folder: str | Path) -> Result:
    """What an earlier run left in its folder; `scores` is rebuilt from the calls.

    Raises: StoreError for a folder that is no run, of another schema, or edited since.
    """
    result = store.read(Path(folder))
    beside = result.folder / str(result.experiment["beside"]) / "experiment.yaml"
    calls, judged = result.tables["calls"], result.tables["judged"]
    scores = deciding.scores(result.experiment, calls, spec.locator(beside), judged)
    return replace(result, tables={**result.tables, "scores": scores})


def render(folder: str | Path, language: str | None = None) -> Path:
    """Write report.md and the figures again from the stored tables; nothing is measured."""
    result = load(folder)
    written = result.experiment["report"]["language"]
    _write_report(result, language or str(written))
    return report_path(Path(folder))


def compare(
    before: str | Path, after: str | Path, how: comparing.How | None = None
) -> comparing.Comparison:
    """What changed from one run to another, each given by its folder.

    Raises: StoreError for a folder that holds no run or an edited one, IncomparableError for runs
    on other machines, data or versions.
    """
    sides = load(before), load(after)
    metrics: dict[str, plugins.NamedMetric] = {}
    for side in reversed(sides):
        locate = spec.locator(side.folder / str(side.experiment["beside"]) / "experiment.yaml")
        metrics |= {named.name: named for named in deciding.metrics(side.experiment, locate)}
    return comparing.compare(*sides, metrics, how)


def report_path(folder: Path) -> Path:
    """Where the report of a run lies."""
    return folder / REPORT


def _undecided(measured: pipeline.Measured) -> Result:
    """What was measured, of which experiment, with no table beyond that yet."""
    given = measured.setting
    told = {"beside": _way(given.folder, given.file.parent), "spent_seconds": measured.spent}
    return Result(
        folder=given.folder,
        experiment={**spec.to_json(given.experiment), **_identity(given), **told},
        environment=measured.environment,
        verdict={},
        tables={**measured.tables, **setting.described(given)},
    )


def _identity(given: setting.Setting) -> dict[str, Any]:
    """What the experiment does not tell and two runs must share: which clips, what a row means."""
    data = {name: dataset.fingerprint for name, dataset in given.datasets.items()}
    return {"data": data, "measuring": setting.MEASURING}


def _way(folder: Path, other: Path) -> str:
    """How to get from one folder to another; in full where they share no drive."""
    try:
        return Path(os.path.relpath(other, folder)).as_posix()
    except ValueError:
        return other.resolve().as_posix()


def _write_report(result: Result, language: str) -> None:
    plots.draw(result, result.folder / "figures", language)
    store.write_atomic(report_path(result.folder), report.render(result, language))


def _key(measured: pipeline.Measured, today: datetime.date) -> str:
    """Hash of all that tables and report depend on: calls, variants, experiment, expired waivers,
    our code and the plugins of the user's own."""
    given = measured.setting
    experiment = spec.to_json(given.experiment)
    expired = [waiver.until < today for waiver in given.experiment.waivers]
    made = [(name, one.fingerprint, one.error) for name, one in given.made.items()]
    code = hashlib.sha256()
    for path in [*sorted(plugins.PACKAGE.rglob("*.py")), *_own_plugins(experiment, given.locate)]:
        code.update(path.read_bytes())
    return store.digest([measured.key, made, experiment, expired, code.hexdigest()])


def _own_plugins(part: Any, locate: Locate) -> Iterator[Path]:
    """The Python files that an experiment names, wherever in it they stand."""
    if isinstance(part, str) and part.endswith(".py"):
        yield locate(part)
    elif isinstance(part, Mapping):
        for key, value in part.items():
            yield from _own_plugins(key, locate)
            yield from _own_plugins(value, locate)
    elif isinstance(part, list):
        for value in part:
            yield from _own_plugins(value, locate)
