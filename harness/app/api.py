"""Run an experiment, load what a run left, render it again: what scripts and notebooks call."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from harness import plugins, spec, store
from harness.contracts import Export, Result
from harness.contracts.experiment import RunFacts
from harness.decide import (
    comparison,
    decision,
    families,
    gate_rules,
    own_metrics,
    selection,
)
from harness.decide.verdict.agreeing import contradiction
from harness.errors import PluginError, StoreError
from harness.preflight import feasibility
from harness.report import document, drawing, wording, words
from harness.run import pipeline, prepare
from harness.run.pool import Tell
from harness.run.worker import Connection, Worker
from harness.store import history

FIGURES = drawing.FOLDER
LANGUAGE = "language"  # among what a run keeps of the user's own
RENDERED = (store.REPORT, *(f"{FIGURES}/{name}.png" for name in plugins.names("figures")))


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
    with plugins.answering():
        read = spec.load(path)
        folder = Path(out) if out else spec.results_folder(path, read.name)
        mine = drawing.files(read.report.figures, read.report.language)
        store.claim(folder, {*RENDERED, *mine})
        with store.locked(folder):
            store.mark(folder)
            if fresh:
                store.forget(folder)
            written = read.report.language
            spoken = words.own(written, spec.locator(path))  # before hours of measuring
            with words.speaking(written, spoken):
                return _run(read, folder, path, (tell or Quiet(), start), spoken)


def _run(
    read: spec.Experiment,
    folder: Path,
    path: Path,
    means: tuple[Tell, Callable[[str], Connection]],
    spoken: words.Content | None,
) -> Result:
    """The run in a folder that is its own; `means`: whom to tell, and how to start a worker;
    `spoken`: the words of a language of the user's own."""
    tell, start = means
    text = path.read_bytes()
    for line in feasibility.undecidable(read, folder, spec.locator(path), wording.limit_of):
        tell.line(line)
    measured = pipeline.Run(prepare.prepare(read, folder, path, tell), tell, start).measure()
    today = datetime.date.today()
    key = store.digest([_key(measured, today), spoken])
    if store.finished(folder) == key:
        result = load(folder)
        tell.line("nothing has changed since the last run" + _lost(result))
        return result
    tell.line("deciding and writing the report")
    given = decision.Given(measured.chosen, today, path)
    decided = decision.decide(_undecided(measured, read), measured.setting.made, given)
    told, pictures = _with_own(decided, measured, spoken)
    result = _publish(told, text, measured.key, pictures)
    store.note_finished(folder, key)
    return result


def _with_own(
    decided: Result, measured: pipeline.Measured, spoken: words.Content | None
) -> tuple[Result, Mapping[str, bytes]]:
    """The result with what sections and figures of the user's own say of it, whose code nobody runs
    later, and with the words of a language of the user's own; and the pictures, by their files."""
    sections = document.own_sections(decided, measured.setting.locate)
    figures, pictures = drawing.own(decided, measured.setting.locate)
    told = {"sections": sections, FIGURES: figures, LANGUAGE: spoken}
    own = {name: said for name, said in told.items() if said}
    if not own:
        return decided, pictures
    facts = replace(decided.facts, own={**decided.facts.own, **own})
    return replace(decided, facts=facts), pictures


def _publish(decided: Result, yaml: bytes, measured: str, pictures: Mapping[str, bytes]) -> Result:
    """Tables, report, figures and the line of history, which come into the folder as one; the
    report is made of what readers of the tables will read. The result as a reader has it."""
    folder, coming = decided.folder, store.Next(decided.folder)
    files = store.files_of(decided, yaml)
    for name, content in {**files, **pictures}.items():
        coming.put(name, content)
    with plugins.data_only(), store.told_of(folder):
        back = _sound(store.read_back(files, folder))
        result = _scored(back, decision.in_order(decided.scores))
        language = result.experiment.report.language
        rendered = [*_render(result, language, coming, pictures), *pictures]
        past = history.recorded(result, measured)
    if past is not None:
        coming.put(store.HISTORY, past)
    coming.put(store.MANIFEST, store.manifest_of(files, rendered))
    coming.commit({*RENDERED, *store.rendered(folder)} - set(rendered))
    return result


def _render(
    result: Result, language: str, coming: store.Next, pictures: Iterable[str]
) -> list[str]:
    """Write report and figures to where they wait for their publication; their names. `pictures`:
    the files of figures of the user's own, which are there."""
    drawn = drawing.draw(result, coming.at / FIGURES, language)
    figures = [f"{FIGURES}/{path.name}" for path in drawn]
    coming.took(figures)
    there = {Path(name).stem for name in (*figures, *pictures)}
    coming.put(store.REPORT, document.render(result, language, there))
    return [*figures, store.REPORT]


def _lost(result: Result) -> str:
    """That calls which failed are not made again: their error may have passed, or be the data's."""
    lost = int((result.calls["error"] != "").sum())
    return f"; {lost} of its calls have an error: `--fresh` measures all again" if lost else ""


def load(folder: str | Path) -> Result:
    """What an earlier run left in its folder; `scores` is rebuilt from the calls.

    A result is data, whoever it came from: nothing that its files name is imported or run.

    Raises: StoreError for a folder that is no run, of another schema, or edited since, and for a
    verdict that does not follow from its checks.
    """
    place = Path(folder)
    with plugins.data_only(), store.told_of(place):
        return _scored(_sound(store.read(place)))


def _sound(result: Result) -> Result:
    """Raises: StoreError for a verdict that does not follow from its checks."""
    wrong = contradiction(result.experiment, result.tables["checks"], result.verdict)
    if wrong:
        raise StoreError(
            f"{result.folder / 'verdict.json'}: does not follow from the checks: {wrong};"
            " run the experiment again."
        )
    return result


def _scored(result: Result, scores: pd.DataFrame | None = None) -> Result:
    """With the tables that are not on disk: scores, unless they are at hand, and what a run from
    before a table came lacks."""
    found = decision.stored_scores(result) if scores is None else scores
    return decision.completed(replace(result, tables={**result.tables, "scores": found}))


def render(folder: str | Path, language: str | None = None) -> Path:
    """Write report.md and the figures again from the stored tables; nothing is measured."""
    place = Path(folder)
    store.published(place)
    store.claim(place, RENDERED)
    with store.locked(place):
        result = load(place)
        coming = store.Next(place)
        with plugins.data_only(), speaking(result, language) as spoken, store.told_of(place):
            there, whole = drawing.kept(result)
            rendered = [*_render(result, spoken, coming, whole), *there]
        if set(rendered) != store.rendered(place):  # else what is committed stays as it is
            manifest = {**store.published(place), "rendered": sorted(rendered)}
            coming.put(store.MANIFEST, store.as_json(manifest))
        coming.commit(set(RENDERED) - set(rendered))
    return report_path(place)


@contextlib.contextmanager
def speaking(result: Result, language: str | None) -> Iterator[str]:
    """While it lasts, reports have the words of that language, a code or a file of the user's own,
    or unless given of the run's, which are stored with it.

    Raises: SpecError for a language that there is not, StoreError for one that was not stored.
    """
    written = result.experiment.report.language
    content = None
    if language is None and written.endswith(words.ENDING):
        content = result.facts.own.get(LANGUAGE)
        if content is None:
            raise StoreError(f"{result.folder}: the words of {written} are not stored with it.")
    spoken = written if language is None else language
    with words.speaking(spoken, content):
        yield spoken


def compare(
    before: str | Path, after: str | Path, how: comparison.CompareOptions | None = None
) -> comparison.Comparison:
    """What changed from one run to another, each given by its folder.

    Raises: StoreError for a folder that holds no run or an edited one, IncomparableError for runs
    on other machines, data or versions.
    """
    sides = load(before), load(after)
    metrics: dict[str, plugins.NamedMetric] = {}
    with contextlib.ExitStack() as stack:
        stack.enter_context(plugins.data_only())
        stack.enter_context(store.told_of(Path(f"{before}, {after}")))
        for side in reversed(sides):
            metrics |= {named.name: named for named in decision.stored_metrics(side)}
        return comparison.compare(*sides, metrics, how)


def export(folder: str | Path, name: str, out: Path | None = None) -> Path:
    """Write a run in another tool's format, by a file of harness/report/exports/ or one of the
    user's own (`./x.py`), to `out`: unless given, named after the run, in the current folder.

    Raises: StoreError for a folder that holds no run and for a file that is not ours to overwrite.
    """
    found: Export = plugins.load("exports", name)
    result = load(folder)
    with plugins.answering(), store.told_of(Path(folder)):
        made = found.render(result)
    if not isinstance(made, bytes):
        raise PluginError(f"export {name}: render gives {type(made).__name__}, not bytes.")
    path = out or Path(f"{result.folder.resolve().name}{found.suffix}")
    if path.exists() and not found.sign:
        raise StoreError(f"{path}: is there already; give another name.")
    store.write_outside(path, made, found.sign)
    return path


def report_path(folder: Path) -> Path:
    """Where the report of a run lies."""
    return folder / store.REPORT


def _undecided(measured: pipeline.Measured, asked: spec.Experiment) -> Result:
    """What was measured, of which experiment, with no table beyond that yet; `asked`: the same
    experiment as it was written, before a candidate was chosen."""
    given = measured.setting
    return Result(
        folder=given.folder,
        experiment=store.as_stored(given.experiment),
        environment=measured.environment,
        verdict={},
        tables={**measured.tables, **prepare.described(given)},
        facts=RunFacts(
            beside=_way(given.folder, given.file.parent),
            data={name: dataset.fingerprint for name, dataset in given.datasets.items()},
            measuring=prepare.MEASURING,
            selected_by=selection.deciding(asked) if asked.selection else None,
            spent_seconds=measured.spent,
            own=_own(given),
        ),
    )


def _own(given: prepare.Setting) -> dict[str, Any]:
    """What is stored of the metrics, gates and families of the user's own, if there are any."""
    experiment, locate = given.experiment, given.locate
    metrics = own_metrics.facts(decision.metrics(experiment, locate), locate)
    gates = gate_rules.facts(experiment, lambda kind: spec.load_plugin("gates", kind, locate))
    models = families.facts(experiment, lambda name: spec.load_plugin("families", name, locate))
    told = {"metrics": metrics, gate_rules.GATES: gates, families.FAMILIES: models}
    return {name: known for name, known in told.items() if known}


def _way(folder: Path, other: Path) -> str:
    """How to get from one folder to another; in full where they share no drive."""
    try:
        return Path(os.path.relpath(other, folder)).as_posix()
    except ValueError:
        return other.resolve().as_posix()


def _key(measured: pipeline.Measured, today: datetime.date) -> str:
    """Hash of all that tables and report depend on: calls, variants, experiment, expired waivers,
    our code and words, and the plugins of the user's own."""
    given = measured.setting
    experiment = spec.to_json(given.experiment)
    expired = [waiver.until < today for waiver in given.experiment.waivers]
    made = [(name, one.fingerprint, one.error) for name, one in given.made.items()]
    code = hashlib.sha256()
    own = (path for _, path in spec.own_files(experiment, given.locate))
    said = sorted(words.FOLDER.glob(f"*{words.ENDING}"))
    for path in [*sorted(plugins.PACKAGE.rglob("*.py")), *said, *own]:
        code.update(path.read_bytes())
    return store.digest([measured.key, made, experiment, expired, code.hexdigest()])
