"""What is evaluated: data sets, their metrics and judges; calibration; a selection on one set."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

from harness.contracts import Composite, Family, Judge, Locate
from harness.plugins import NamedMetric
from harness.spec import model
from harness.spec.model import Use
from harness.spec.models import Models
from harness.spec.naming import normalisers
from harness.spec.references import dataset_name
from harness.spec.strict_yaml import Document
from harness.spec.values import Special


class Evaluated(Models):
    """Reads the sections on data; keeps what later ones (gates, claims) refer to."""

    def __init__(self, document: Document, locate: Locate) -> None:
        super().__init__(document, locate)
        self.family: Family | Composite | None = None
        self.variant_names: list[str] = []
        self.quality: tuple[model.Quality, ...] = ()

    def read_quality(self, raw: Any, path: str) -> tuple[model.Quality | None, ...]:
        found = tuple(self._entry(v, p) for p, v in self.items(raw, path))
        self.named(found, path, "data sets")
        self.quality = tuple(entry for entry in found if entry)
        return found

    def read_calibration(self, raw: Any, path: str) -> model.Calibration | None:
        special = {"dataset": functools.partial(self.use, "datasets")}
        found: model.Calibration | None = self.build(model.Calibration, raw, path, special)
        evaluated = [self.identity(entry.dataset) for entry in self.quality]
        if found and self.identity(found.dataset) in evaluated:
            self.note(
                f"{path}.dataset",
                "would calibrate on what is evaluated; use another split, such as dev",
            )
        return found

    def read_selection(self, raw: Any, path: str) -> model.Selection | None:
        found: model.Selection | None = self.build(model.Selection, raw, path)
        if found is None:
            return None
        if "candidate" in self.document.data and not getattr(self, "stored", False):
            self.note(path, "finds the candidate; leave out either this or `candidate`")
        for i, name in enumerate(found.among):
            self.choice(name, self.variant_names, f"{path}.among[{i}]", "variant")
        entry = next((q for q in self.quality if q.name == found.dataset), None)
        if entry is None:
            known = [q.name for q in self.quality]
            self.choice(found.dataset, known, f"{path}.dataset", "quality entry")
        elif found.metric not in entry.metrics:
            self.choice(found.metric, entry.metrics, f"{path}.metric", f"metric of {entry.name}")
        if len(self.quality) < 2:
            self.note(path, "needs a second data set: the winner is confirmed on fresh data")
        return found

    # ------------------------------------------------------------------------------ one data set
    def _entry(self, raw: Any, path: str) -> model.Quality | None:
        special: dict[str, Special] = {
            "dataset": functools.partial(self.use, "datasets"),
            "judges": self._judges,
        }
        filled = {"name": "", **raw} if isinstance(raw, dict) else raw
        if isinstance(filled, dict) and self.family and self.family.takes == "text":
            filled.setdefault("normaliser", "none")
        entry: model.Quality | None = self.build(model.Quality, filled, path, special)
        if entry is None:
            return None
        before = len(self.problems)
        self.choice(entry.normaliser, normalisers(), f"{path}.normaliser", "normaliser")
        found = [(self.metric(n, f"{path}.metrics[{i}]"), i) for i, n in enumerate(entry.metrics)]
        for named, i in found:
            if named:
                self._measurable(named, f"{path}.metrics[{i}]")
        judges = self._wanted(entry, [named for named, _ in found if named], path)
        if len(self.problems) > before:
            return None
        name = entry.name or dataset_name(entry.dataset)
        return dataclasses.replace(entry, name=name, judges=judges)

    def _measurable(self, named: NamedMetric, path: str) -> None:
        metric, gives = named.metric, self.family.gives if self.family else ()
        if metric.of_variant:
            self.note(path, f"{named.name} is a figure of a variant, not of data")
        elif metric.judge and gives and "audio" not in gives:
            self.note(path, f"{named.name} is of synthesised speech; this family gives {gives[0]}")

    def _judges(self, raw: Any, path: str) -> tuple[Use | None, ...]:
        return tuple(self._judge(entry, place) for place, entry in self.items(raw, path))

    def _judge(self, raw: Any, path: str) -> Use | None:
        """A judge with its parameters; `parts` are models and stand beside them."""
        data = self.mapping(raw, path)
        name = self.value(str, data["use"], f"{path}.use") if data and "use" in data else None
        judge: Judge | None = self.plugin("judges", name, f"{path}.use") if name else None
        if data is None or name is None or judge is None:
            return self.use("judges", raw, path) if data is not None and name is None else None
        rest = {k: v for k, v in data.items() if k not in ("use", "parts")}
        params = self.params(judge.Params, rest, path, ["use", "parts"])
        parts = self.parts(data, judge, path)
        return None if params is None else Use(name, params, parts)

    def _wanted(
        self, entry: model.Quality, metrics: list[NamedMetric], path: str
    ) -> tuple[Use, ...]:
        """The judges that are listed, and those without parameters that the metrics name."""
        listed = {use.use: use for use in entry.judges if use}
        for name in dict.fromkeys(named.metric.judge for named in metrics):
            if not name or name in listed:
                continue
            judge: Judge = self.plugin("judges", name, f"{path}.metrics")
            if judge is None:
                continue
            try:
                params = None if judge.parts else judge.Params()
            except TypeError:
                params = None
            if params is None:
                self.note(
                    path, f"a metric needs the judge {name}: add `judges: [{{use: {name} ...}}]`"
                )
            else:
                listed[name] = Use(name, params)
        return tuple(listed.values())
