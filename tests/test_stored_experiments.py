"""A stored experiment is read strictly, by the types of its fields, as what was asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import filed
import invented_run
import invented_speech
import pytest

from harness import spec
from harness.contracts import Result
from harness.contracts.plain import plain, to_json
from harness.errors import StoreError
from harness.store import as_stored, experiments

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = sorted((ROOT / "experiments").glob("*.yaml"))
FILE = Path("x/experiment.json")
RUNS: dict[str, Callable[[], Result]] = {
    "recogniser": invented_run.build,
    "synthesiser": invented_speech.build,
}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_a_run_stores_of_an_experiment_is_read_back_as_the_same_data(path: Path) -> None:
    asked = spec.load(path)
    stored = json.loads(json.dumps(to_json(asked), sort_keys=True))
    read, facts = experiments.read(FILE, stored)
    assert to_json(read) == stored
    assert plain(facts) == {}
    assert to_json(as_stored(asked)) == stored
    assert to_json(spec.from_json(stored, spec.locator(path))) == stored


@pytest.mark.parametrize("name", RUNS)
def test_a_run_stores_what_it_read(name: str) -> None:
    data = filed.data_of(RUNS[name]())
    read, facts = experiments.read(FILE, data)
    assert {**to_json(read), **plain(facts)} == data


def test_what_an_older_run_did_not_store_has_its_default() -> None:
    read, facts = filed.read({})
    assert (read.purpose, read.seed, read.report.language) == ("replacement", 0, "en")
    assert (read.gates, read.latency, read.budget.minutes) == ((), None, 10.0)
    assert (facts.measuring, facts.selected_by, facts.own) == (None, None, {})


def test_that_no_gate_ruled_anybody_out_is_not_the_same_as_not_known() -> None:
    assert filed.read({"selected_by": []})[1].selected_by == ()
    assert plain(filed.read({"selected_by": []})[1]) == {"selected_by": []}


def test_keys_of_a_newer_version_are_passed_over() -> None:
    newer = {"budget": {"minutes": 3.0, "cores": 4}, "mood": {"good": True}}
    assert filed.experiment(newer) == filed.experiment({"budget": {"minutes": 3}})


GATE = {"metric": "wer", "max": 0.1}
DEEP: Any = "x"
for _ in range(200):
    DEEP = {"parts": DEEP}

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no text": ({"name": 7}, "name: should be a text, not a number"),
    "an empty text": ({"name": ""}, "name: is empty"),
    "nothing": ({"baseline": None}, "baseline: should be a text, not nothing"),
    "no list": ({"variants": {}}, "variants: should be a list, not a mapping"),
    "no mapping": ({"model": []}, "model: should be a mapping, not a list"),
    "a field of a field": (
        {"variants": [{"name": "a"}, {"name": ["b"]}]},
        "variants[1].name: should be a text, not a list",
    ),
    "no family": ({"model": {"voice": "x"}}, "model.family: is missing"),
    "a flag": ({"seed": True}, "seed: should be a whole number, not true or false"),
    "a share": ({"seed": 1.5}, "seed: should be a whole number, not a number"),
    "a negative seed": ({"seed": -1}, "seed: should be at least 0"),
    "huge": ({"seed": 10**400}, "seed: is too large a number"),
    "not finite": ({"budget": {"minutes": float("inf")}}, "budget.minutes: should be a finite"),
    "no number": ({"budget": {"minutes": float("nan")}}, "budget.minutes: should be a finite"),
    "no float": ({"budget": {"minutes": 10**400}}, "budget.minutes: should be a finite number"),
    "no minutes": ({"budget": {"minutes": 0}}, "budget.minutes: should be over 0"),
    "no lengths": ({"latency": {"audio_seconds": []}}, "latency.audio_seconds: is empty"),
    "a length": (
        {"latency": {"audio_seconds": [1, 1e9]}},
        "latency.audio_seconds[1]: should be",
    ),
    "no purpose": ({"purpose": "fun"}, "purpose: should be one of replacement, size, latency"),
    "no severity": ({"gates": [{**GATE, "severity": 3}]}, "gates[0].severity: should be a text"),
    "a gate without a limit": ({"gates": [{"metric": "wer"}]}, "gates[0]: has no limit"),
    "two limits": (
        {"gates": [{**GATE, "min": 0.0}]},
        "gates[0]: has more than one limit: max",
    ),
    "a limit in words": ({"gates": [{**GATE, "max": "low"}]}, "gates[0].max: should be a number"),
    "a recorded text": (
        {"recorded": [{"name": "a", "source": "b", "wer": "low"}]},
        "recorded[0].wer: should be a number, not a text",
    ),
    "no day": (
        {"waivers": [{"gate": "g", "up_to": 1, "until": "soon", "because": "b"}]},
        "waivers[0].until: should be a date, YYYY-MM-DD, not a text",
    ),
    "an option": (
        {"sessions": [{"name": "a", "options": {"x": [1]}}]},
        "sessions[0].options.x: should be a text, not a list",
    ),
    "a place": ({"gates": [{**GATE, "at": "cv"}]}, "gates[0].at: should be a mapping, not a text"),
    "data": ({"data": {"cv": 3}}, "data.cv: should be a text, not a number"),
    "what it took": (
        {"spent_seconds": {"sweep": "long"}},
        "spent_seconds.sweep: should be a",
    ),
    "what a row means": ({"measuring": "5"}, "measuring: should be a whole number, not a text"),
    "of ones own": ({"own": ["x"]}, "own: should be a mapping, not a list"),
    "deep": ({"model": {"family": "whisper", "x": DEEP}}, "is nested more than 64 deep"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_value_of_another_kind_is_one_line_with_the_file_and_the_field(what: str) -> None:
    data, said = WRONG[what]
    with pytest.raises(StoreError) as caught:
        experiments.read(FILE, {**filed.BARE, **data})
    line = str(caught.value)
    assert line.startswith(f"{FILE}: {said}")
    assert line.endswith("; run the experiment again.")
    assert "\n" not in line


@pytest.mark.parametrize("key", filed.BARE)
def test_what_every_run_stores_is_missed_by_its_name(key: str) -> None:
    less = {name: value for name, value in filed.BARE.items() if name != key}
    with pytest.raises(StoreError, match=rf": {key}: is missing; run the experiment again\.$"):
        experiments.read(FILE, less)


@pytest.mark.parametrize("data", [None, 3, "x", [], [{}]])
def test_what_is_no_mapping_is_one_line(data: Any) -> None:
    with pytest.raises(StoreError, match="should be a mapping"):
        experiments.read(FILE, data)
