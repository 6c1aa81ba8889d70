"""Which metrics ask for times where calls are not made one by one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from harness.contracts import Locate
from harness.contracts.experiment import Experiment, ModelSpec
from harness.errors import HarnessError
from harness.plugins import kinds
from harness.spec.naming import find_metric


def timed(experiment: Experiment, locate: Locate) -> Iterator[tuple[str, str]]:
    """(path, what is wrong) of each metric and gate on a data set that is a time, where a
    variant has several calls under way at once: such a time is of a server under our own load."""
    asked = {variant.name: _most(experiment.model_of(variant.name))
             for variant in experiment.variants}  # fmt: skip
    most = max(asked.values(), default=1)
    if most <= 1:
        return
    name = next(name for name, count in asked.items() if count == most)
    why = (
        f"is a time, and {name} has {most} calls under way at once on data sets: leave it out, or "
        "set concurrency: 1"
    )
    for i, entry in enumerate(experiment.quality):
        for j, metric in enumerate(entry.metrics):
            if _is_time(metric, locate):
                yield f"quality[{i}].metrics[{j}]", f"{metric} {why}"
    for i, gate in enumerate(experiment.gates):
        if gate.at.dataset and _is_time(gate.metric, locate):
            yield f"gates[{i}]", f"{gate.metric} {why}"


def _is_time(metric: str, locate: Locate) -> bool:
    with contextlib.suppress(HarnessError):  # noted where it was read
        return kinds.kind_of(find_metric(metric, locate).metric) == "time"
    return False


def _most(model: ModelSpec) -> int:
    """Of a model and its parts: how many calls may be under way at once."""
    own = getattr(model.params, "concurrency", 1)
    return max([own if isinstance(own, int) else 1, *map(_most, model.parts.values())])
