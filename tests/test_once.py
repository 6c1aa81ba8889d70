"""What is reckoned is reckoned once, stored, and only said afterwards."""

from __future__ import annotations

import ast
import collections
import json
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import invented_run
import invented_speech
import numpy as np
import pandas as pd
import pytest
from test_pipeline import finished, project, ran_once, run

from harness import plugins
from harness.app import api
from harness.contracts import Result
from harness.decide import replays, rivals, scoring, stats
from harness.decide.stats import resampling
from harness.io import hashes, places
from harness.report import document

__all__ = ["finished", "project", "ran_once"]  # fixtures

OTHERS = """\
  - {name: fast, source: {path: fast}}
  - {name: other, source: {path: fast}}
"""
CHOSEN = """\
quality:
  - {name: first, dataset: {use: common_voice, path: data, split: test},
     metrics: [wer], normaliser: spanish}
  - {name: fresh, dataset: {use: common_voice, path: data, split: dev},
     metrics: [wer], normaliser: spanish}
selection: {among: [fast, other], dataset: first, metric: wer}
gates:
  - {metric: wer, at: {dataset: first}, max_increase: 0.5}
  - {metric: wer, at: {dataset: fresh}, max_increase: 0.5}
"""


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[collections.Counter[str]]:
    """How often the word error rate of a call was reckoned."""
    seen: collections.Counter[str] = collections.Counter()
    metric = plugins.load("metrics", "wer")
    real = metric.measure

    def measure(call: Any) -> Any:
        seen["wer"] += 1
        return real(call)

    object.__setattr__(metric, "measure", measure)  # it is frozen
    yield seen
    object.__setattr__(metric, "measure", real)


@pytest.mark.slow
def test_a_run_reckons_each_score_once_and_a_reader_once_more(
    project: Path, counted: collections.Counter[str]
) -> None:
    result = run(project)
    scored = int((result.scores["metric"] == "wer").sum())
    assert counted["wer"] == scored == 8  # four clips, two variants
    loaded = api.load(project / "out")
    assert counted["wer"] == 2 * scored
    assert loaded.scores.equals(result.scores)


@pytest.mark.slow
def test_the_selection_reckons_the_scores_of_its_data_once(
    project: Path, counted: collections.Counter[str]
) -> None:
    table = project / "data" / "es" / "test.tsv"
    header, *rows = table.read_text(encoding="utf-8").splitlines()
    for name, mine in (("test", rows[:2]), ("dev", rows[2:])):
        table.with_stem(name).write_text("\n".join([header, *mine]) + "\n", encoding="utf-8")
    text = (project / "x.yaml").read_text(encoding="utf-8")
    head, _, rest = text.partition("quality:\n")
    head = head.replace("  - {name: fast, source: {path: fast}}\n", OTHERS)
    budget = rest[rest.index("budget:") :]
    (project / "x.yaml").write_text(head + CHOSEN + budget, encoding="utf-8")
    result = run(project)
    words = result.scores[result.scores["metric"] == "wer"]["workload"].value_counts()
    assert counted["wer"] == words["first"] + words.sum()  # once to choose, once to decide
    assert set(result.versus["purpose"]) == {"alternatives", "selection"}


# ---------------------------------------- a report says what is stored
@pytest.mark.slow
def test_an_older_run_has_its_versus_made_when_it_is_read(finished: Path) -> None:
    ran = run(finished)
    assert len(ran.versus)
    folder = finished / "out"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    del manifest["files"]["versus.csv"]
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (folder / "versus.csv").unlink()
    before = (folder / "report.md").read_bytes()
    pd.testing.assert_frame_equal(api.load(folder).versus, ran.versus)
    api.render(folder)
    assert (folder / "report.md").read_bytes() == before


# what is no estimate: constants, how many calls a plan needs, the median of what is shown
PLAIN = {"FEWEST", "needed_calls", "quantile", "Interval"}
ESTIMATING = (
    "harness.decide.scoring",
    "harness.decide.rivals",
    "harness.decide.replays",
    "harness.decide.slices",
    "harness.decide.decision",
)
REPORT = sorted((plugins.PACKAGE / "report").rglob("*.py"))


def reached(path: Path) -> Iterator[str]:
    """Modules and names of modules that a file imports or takes from an imported one."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = {"np": "numpy", "stats": "harness.decide.stats"}.get(node.value.id)
            yield from (f"{owner}.{node.attr}",) if owner else ()


@pytest.mark.parametrize("path", REPORT, ids=lambda path: path.stem)
def test_a_report_reaches_no_estimator_and_no_random_number(path: Path) -> None:
    for name in reached(path):
        assert not name.startswith(("scipy", "random", "numpy.random", *ESTIMATING)), name
        if name.startswith("harness.decide.stats."):
            assert name.rsplit(".", 1)[1] in PLAIN, name


# what a report asks of stored tables; a comparison of two runs is made when it is asked for
ASKED = (
    "families", "gate_rules", "measures", "nearness", "own_metrics", "protocol", "resolution",
    "versus",
)  # fmt: skip
DECIDE = plugins.PACKAGE / "decide"


def test_what_a_report_may_ask_reaches_no_estimator_either() -> None:
    seen = {name.split(".")[2] for path in REPORT for name in reached(path) if "decide." in name}
    assert seen - {"stats", "comparison"} == set(ASKED)
    for name in ASKED:
        mine = set(reached(DECIDE / f"{name}.py"))
        assert not [module for module in mine if module.startswith(("scipy", "numpy"))], name
        assert {module.split(".")[2] for module in mine if "decide." in module} <= set(ASKED), name


def refuse(*given: Any, **named: Any) -> Any:
    raise AssertionError("a report estimates nothing")


@pytest.fixture
def nothing_is_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every estimator raises, under whatever name it was imported."""
    own = [getattr(stats, name) for name in stats.__all__ if name not in PLAIN]
    own += [scoring.compare, scoring.estimate, scoring.summary, scoring.changes, scoring.scored]
    own += [resampling.resamples, resampling.expanded_bounds, rivals.table, replays.made]
    functions = [one for one in own if isinstance(one, types.FunctionType)]
    assert len(functions) > 15
    for one in functions:
        monkeypatch.setattr(one, "__code__", refuse.__code__)
        monkeypatch.setattr(one, "__kwdefaults__", None)
    monkeypatch.setattr(np.random, "default_rng", refuse)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("made", [invented_run.build, invented_speech.build])
def test_a_report_is_rendered_twice_alike_with_no_estimator_at_hand(
    made: Callable[[], Result], language: str, request: pytest.FixtureRequest
) -> None:
    result = made()
    request.getfixturevalue("nothing_is_estimated")
    with pytest.raises(AssertionError, match="estimates nothing"):
        stats.ratio_of_sums(stats.Sums([1.0], [1.0]), [0])
    text = document.render(result, language)
    assert document.render(result, language) == text
    assert len(result.versus)


# ---------------------------------------- written beside, then moved
@pytest.mark.parametrize("error", [OSError(28, "full"), KeyboardInterrupt(), ValueError("wrong")])
def test_what_was_begun_and_failed_leaves_the_old_file_and_nothing_else(
    error: BaseException, tmp_path: Path
) -> None:
    target = tmp_path / "kept.json"
    target.write_text("old", encoding="utf-8")

    def fail(unfinished: Path) -> None:
        unfinished.write_text("half", encoding="utf-8")
        raise error

    with pytest.raises(type(error)), places.whole(target) as place:
        fail(place)
    assert target.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [target]
    with places.whole(target) as unfinished:
        unfinished.write_text("new", encoding="utf-8")
        assert target.read_text(encoding="utf-8") == "old"
    assert target.read_text(encoding="utf-8") == "new"


@pytest.mark.parametrize("value", ["año", "\udcff", {"b": 1, "a": [Path("x"), None]}, 0.1])
def test_any_plain_value_has_one_digest(value: Any) -> None:
    assert hashes.digest(value) == hashes.digest(value) != hashes.digest([value])
    assert len(hashes.digest(value)) == 64
