"""What is evaluated: data sets, their metrics and judges; calibration; a selection on one set."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from typing import Any

from harness.contracts import Composite, Family, Judge, Locate
from harness.contracts import experiment as model
from harness.contracts.experiment import Use
from harness.errors import HarnessError
from harness.io.strict_yaml import Document
from harness.plugins import NamedMetric
from harness.plugins.kinds import OF_OUTPUTS
from harness.spec.models import Models
from harness.spec.naming import find_metric, normalisers
from harness.spec.references import dataset_name
from harness.spec.values import Special


class Evaluated(Models):
    """Reads the sections on data; keeps what later ones (gates, claims) refer to."""

    def __init__(self, document: Document, locate: Locate) -> None:
        super().__init__(document, locate)
        self.family: Family | Composite | None = None
        self.families: dict[str, Family | Composite] = {}  # all that a variant is of, by name
        self.variant_names: list[str] = []
        self.quality: tuple[model.Quality, ...] = ()
        self.baseline = ""
        self.stored = False  # what `to_json` gave, not what a person wrote
        self.selection: model.Selection | None = None

    def read_quality(self, raw: Any, path: str) -> tuple[model.Quality | None, ...]:
        found = tuple(self._entry(v, p) for p, v in self.items(raw, path))
        self.named(found, path, "data sets")
        self.quality = tuple(entry for entry in found if entry)
        return found

    def read_calibration(self, raw: Any, path: str) -> model.Calibration | None:
        special = {"dataset": functools.partial(self.use, "datasets")}
        found: model.Calibration | None = self.build(model.Calibration, raw, path, special)
        if found and any(self.same_data(found.dataset, q.dataset) for q in self.quality):
            self.note(
                f"{path}.dataset",
                "would calibrate on what is evaluated; use another split, such as dev",
            )
        return found

    def read_selection(self, raw: Any, path: str) -> model.Selection | None:
        found: model.Selection | None = self.build(model.Selection, raw, path)
        if found is None:
            return None
        self.selection = found
        if "candidate" in self.document.data and not self.stored:
            self.note(path, "finds the candidate; leave out either this or `candidate`")
        for i, name in enumerate(found.among):
            here = f"{path}.among[{i}]"
            self.choice(name, self.variant_names, here, "variant")
            if name in found.among[:i]:
                self.note(here, f"names {name!r} twice")
            if name == self.baseline:
                self.note(here, f"{name!r} is the baseline, which the winner is compared with")
        if all(place.path.partition("[")[0] != "quality" for place in self.problems):
            self._selected_on(found, path)
        return found

    def _selected_on(self, how: model.Selection, path: str) -> None:
        """The selection's data set must be there, have its metric, and not be met again."""
        entry = next((q for q in self.quality if q.name == how.dataset), None)
        if entry is None:
            known = [q.name for q in self.quality]
            self.choice(how.dataset, known, f"{path}.dataset", "quality entry")
        else:
            self._ranking(how.metric, entry, f"{path}.metric")
            for other in self.quality:
                if other is not entry and self.same_data(entry.dataset, other.dataset):
                    self.note(
                        f"{path}.dataset",
                        f"{other.name} is the same data as {entry.name}: the winner is confirmed "
                        "on fresh data; use another split, such as dev",
                    )
        if len(self.quality) < 2:
            self.note(path, "needs a second data set: the winner is confirmed on fresh data")

    def _ranking(self, name: str, entry: model.Quality, path: str) -> None:
        """The metric must say of each variant how good it is on that data set."""
        metric = None
        with contextlib.suppress(HarnessError):
            metric = find_metric(name, self.locate).metric
        if metric and (metric.of_variant or metric.ratio_of or metric.better == "neither"):
            self.note(path, f"{name} does not say which is best on data; name one that does: rtf")
        else:
            self.choice(name, entry.metrics, path, f"metric of {entry.name}")

    # ------------------------------------------------------------------------------ one data set
    def _entry(self, raw: Any, path: str) -> model.Quality | None:
        special: dict[str, Special] = {
            "dataset": functools.partial(self.use, "datasets"),
            "judges": self._judges,
        }
        filled = {"name": "", **raw} if isinstance(raw, dict) else raw
        if isinstance(filled, dict) and self.family and self._no_transcripts(self.family):
            filled.setdefault("normaliser", "generic")
        entry: model.Quality | None = self.build(model.Quality, filled, path, special)
        if entry is None:
            return None
        before = len(self.problems)
        self._heard(entry, path)
        self.choice(entry.normaliser, [*normalisers()], f"{path}.normaliser", "normaliser")
        found = [(self.metric(n, f"{path}.metrics[{i}]"), i) for i, n in enumerate(entry.metrics)]
        for named, i in found:
            if named:
                self._measurable(named, f"{path}.metrics[{i}]")
                self._known(named, entry.dataset.use, f"{path}.metrics[{i}]")
        self._audible(entry, f"{path}.judges")
        self._sliced(entry, f"{path}.slices")
        self._output(entry, [named for named, _ in found if named], f"{path}.output")
        judges = self._wanted(entry, [named for named, _ in found if named], path)
        if len(self.problems) > before:
            return None
        name = entry.name or dataset_name(entry.dataset)
        return dataclasses.replace(entry, name=name, judges=judges)

    def _heard(self, entry: model.Quality, path: str) -> None:
        """A family that hears needs a data set with something to hear."""
        source = self.plugin("datasets", entry.dataset.use, f"{path}.dataset.use")
        if source is not None and not source.audio and self.family and self.family.takes == "audio":
            self.note(
                f"{path}.dataset.use",
                f"{entry.dataset.use} holds texts and no audio, and this family takes audio",
            )

    @staticmethod
    def _no_transcripts(family: Family | Composite) -> bool:
        """Whether what the family gives holds no words of its own to compare."""
        return family.takes == "text" or not family.gives

    def _sliced(self, entry: model.Quality, path: str) -> None:
        """Slices are named once each; which there are, the data set says when it is looked at."""
        for i, name in enumerate(entry.slices):
            if name in entry.slices[:i]:
                self.note(f"{path}[{i}]", f"names {name!r} twice")

    def _measurable(self, named: NamedMetric, path: str) -> None:
        metric, gives = named.metric, self.family.gives if self.family else ()
        if metric.of_variant:
            self.note(path, f"{named.name} is a figure of a variant, not of data")
        elif metric.ratio_of:
            self.note(
                path,
                f"{named.name} compares two variants; list {metric.ratio_of}, "
                f"and ask for {named.name} in a gate",
            )
        elif metric.judge and self.family and "audio" not in gives:
            told = gives[0] if gives else "arrays"
            self.note(path, f"{named.name} is of synthesised speech; this family gives {told}")
        elif metric.needs_reference and not metric.judge:
            self._written(named.name, path)
        if metric.compares:
            self._comparable(named, path)

    def _comparable(self, named: NamedMetric, path: str) -> None:
        """A metric beside the baseline needs another variant, and outputs that both give."""
        if len(self.variant_names) == 1:
            self.note(
                path, f"{named.name} compares with the baseline, and there is no other variant"
            )
        if named.metric.compares not in OF_OUTPUTS:
            return
        without = [n for n, one in self.families.items() if not getattr(one, "outputs", None)]
        if without:
            self.note(
                path,
                f"{named.name} compares outputs of the model, and {', '.join(without)} gives none; "
                "changed, newly_wrong and newly_right compare what both wrote",
            )

    def _output(self, entry: model.Quality, found: list[NamedMetric], path: str) -> None:
        """An output is named for the metrics that compare one."""
        if entry.output and not any(one.metric.compares in OF_OUTPUTS for one in found):
            self.note(path, "no metric here compares an output; add output_error, or leave it out")

    def _written(self, metric: str, path: str) -> None:
        """A metric of transcripts is of families that write some: an empty one has no loop."""
        silent = [name for name, family in self.families.items() if "text" not in family.gives]
        bare = [name for name in silent if not self.families[name].gives]
        if bare:
            self.note(
                path,
                f"{metric} is of transcripts, and {', '.join(bare)} gives arrays; a graph of CTC "
                "becomes a recogniser by `ctc: {vocabulary: ...}`",
            )
        elif silent:
            self.note(
                path,
                f"{metric} is of transcripts, and {', '.join(silent)} gives none; what a "
                "recogniser hears of synthesised speech is round_trip_wer",
            )

    def _known(self, named: NamedMetric, source: str, path: str) -> None:
        """A metric that needs to know what is said, on data that knows it."""
        data = self.plugin("datasets", source, path) if named.metric.needs_transcript else None
        if data is not None and not data.transcripts:
            self.note(
                path,
                f"{named.name} needs to know what is said, and {source} does not; such a data set "
                "is for loops, budget_exhausted, output_rate, rtf",
            )

    def _audible(self, entry: model.Quality, path: str) -> None:
        """Judges are listed once each, for a family that gives them something to hear."""
        if entry.judges and self.family and "audio" not in self.family.gives:
            gives = next(iter(self.family.gives), "arrays")
            self.note(path, f"look at synthesised speech; this family gives {gives}; leave it out")
        names = [use.use if use else "" for use in entry.judges]
        for i, name in enumerate(names):
            if name and name in names[:i]:
                self.note(f"{path}[{i}].use", f"two judges are {name!r}; keep one")

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
        self.located(params, path)
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
