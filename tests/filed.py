"""Experiments of invented runs, read from plain data as the product reads a run's file; what a test
leaves out has a small default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from harness.contracts import Result
from harness.contracts.experiment import Experiment, RunFacts
from harness.contracts.plain import plain, to_json
from harness.store import experiments

BARE: dict[str, Any] = {
    "name": "x",
    "model": {"family": "whisper"},
    "variants": [],
    "baseline": "",
    "candidate": "",
}


def read(data: Mapping[str, Any]) -> tuple[Experiment, RunFacts]:
    quality = [{"dataset": {"use": "manifest"}, **part} for part in data.get("quality", [])]
    return experiments.read(Path("experiment.json"), {**BARE, **data, "quality": quality})


def experiment(data: Mapping[str, Any]) -> Experiment:
    return read(data)[0]


def result(
    folder: Path,
    data: Mapping[str, Any],
    environment: Mapping[str, Any],
    verdict: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
) -> Result:
    asked, facts = read(data)
    return Result(folder, asked, environment, verdict, tables, facts)


def data_of(found: Result) -> dict[str, Any]:
    """What stands in the run's file."""
    return {**to_json(found.experiment), **plain(found.facts)}


def changed(found: Result, **data: Any) -> Result:
    """The run as if that stood in its file."""
    asked, facts = read({**data_of(found), **data})
    return replace(found, experiment=asked, facts=facts)
