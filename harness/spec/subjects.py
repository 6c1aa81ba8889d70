"""What gates and claims are about: a metric, where it is measured, in which unit, over what."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness import plugins
from harness.contracts.experiment import At, Claim, GateSpec
from harness.errors import HarnessError
from harness.plugins import NamedMetric
from harness.spec.naming import find_metric, load_plugin

if TYPE_CHECKING:
    from harness.spec.building import Builder


@dataclass(frozen=True)
class Subject:
    """What a gate or a claim is about: the metric, and the one that is measured for it."""

    named: NamedMetric
    measured: NamedMetric  # the same, or what a ratio (speedup) is the ratio of
    places: tuple[At, ...]

    @property
    def of_variant(self) -> bool:
        return self.measured.metric.of_variant is not None

    @property
    def anywhere(self) -> bool:
        """One figure whatever the workload: a size, or opening the model."""
        return self.of_variant or self.measured.metric.operations == ("load",)


class Subjects:
    """Reads the parts that gates and claims share, against what the builder has read before."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder

    def _at(self, raw: Any, path: str) -> At | None:
        at: At | None = self.builder.build(At, raw, path)
        if at is not None and (at.audio_seconds is None) == (not at.dataset):
            self.builder.note(path, "should have exactly one of audio_seconds, dataset")
        return at

    def _subject(self, name: str, path: str) -> Subject | None:
        named = self.builder.metric(name, path)
        if named is None:
            return None
        source = named.metric.ratio_of
        measured = self.builder.metric(source, path) if source else named
        if measured is None:
            return None
        subject = Subject(named, measured, ())
        return subject if subject.anywhere else replace(subject, places=self._places(subject))

    def _places(self, subject: Subject) -> tuple[At, ...]:
        """Where the metric is measured: audio lengths, then the data sets that list it."""
        named, measured = subject.named, subject.measured
        latency, found = self.builder.latency, []
        if latency and not _of_data(measured):
            found = [At(audio_seconds=s) for s in latency.audio_seconds]
        for entry in self.builder.quality:
            listed = [self.builder.metric(name, "quality") for name in entry.metrics]
            if any(_same(m, named) or _same(m, measured) for m in listed if m):
                found.append(At(dataset=entry.name))
        return tuple(found)

    def _place(self, at: At, subject: Subject, path: str, must: bool) -> At:
        """The workload that is meant; a claim (`must` False) may be about what is not measured."""
        note, name = self.builder.note, subject.named.name
        if not self.builder.sound("latency", "quality", "model"):
            return at
        if subject.anywhere:
            if at != At():
                note(f"{path}.at", f"{name} is one figure for all lengths and data; leave out at")
            return At()
        known = ", ".join(map(str, subject.places))
        if at != At():
            if at not in subject.places and (must or subject.places):
                measured = f"it is measured at: {known}" if known else "it is measured nowhere"
                note(f"{path}.at", f"{name} is not measured at {at}; {measured}")
            return at
        if len(subject.places) > 1:
            note(path, f"{name} is measured at {known}; say which, `at: {{...}}`")
        elif must and not subject.places:
            where = "the metrics of a quality entry"
            lacks = where if _of_data(subject.measured) else f"latency, or {where}"
            note(f"{path}.metric", f"nothing measures {name}; add {lacks}")
        return subject.places[0] if len(subject.places) == 1 else at

    def _operation(self, given: str, at: At, subject: Subject, path: str) -> str:
        """What is timed: as given, else the user's own operation where the metric covers it."""
        family, latency = self.builder.family, self.builder.latency
        if subject.of_variant or family is None:
            if given and subject.of_variant:
                self.builder.note(f"{path}.operation", "a figure of the variant times nothing")
            return given
        usual = subject.measured.metric.operations
        if usual == ("*",):  # on data sets only the user's own operation is run
            usual = latency.operations if latency and not at.dataset else family.operations[:1]
        if given:
            self.builder.choice(given, usual, f"{path}.operation", "operation")
            return given
        return family.operations[0] if family.operations[0] in usual else usual[0]

    def _over(self, item: GateSpec | Claim, compares: bool, subject: Subject, path: str) -> str:
        """What the item is compared with, "" where nothing is compared."""
        builder, path = self.builder, f"{path}.over"
        if not (compares or subject.named.metric.ratio_of):
            if item.over:
                kinds = ", ".join(_comparing())
                builder.note(path, f"nothing is compared here; use one of {kinds}, or leave it out")
            return ""
        over = item.over or builder.baseline
        if not builder.sound("variants", "recorded", "baseline"):
            return over
        row = builder.recorded_rows.get(over)
        if row is None:
            known = [*builder.variant_names, *builder.recorded_rows]
            builder.choice(over, known, path, "variant or recorded row")
            return over
        held = [builder.metric(name, path) for name in row.metrics]
        if not any(_same(m, subject.measured) for m in held if m):
            names = ", ".join(row.metrics)
            builder.note(path, f"{over!r} has no {subject.measured.name}; it has: {names}")
        return over

    def _limit(self, raw: Any, path: str, gate: Mapping[str, Any], kind: str) -> float | None:
        """The limit in the metric's unit, or in times where the gate reads a ratio."""
        on = "value"
        with contextlib.suppress(HarnessError):  # noted where the gate's kind is read
            on = load_plugin("gates", kind, self.builder.locate).on
        return self.builder.figure(raw, path, self._unit(gate.get("metric")), on)

    def _of_metric(self, entry: Mapping[str, Any], raw: Any, path: str) -> float | None:
        """A figure of the metric that the entry names."""
        return self.builder.figure(raw, path, self._unit(entry.get("metric")))

    def _unit(self, metric: Any) -> str:
        with contextlib.suppress(HarnessError):  # noted where the metric is read
            if isinstance(metric, str) and metric:
                return find_metric(metric, self.builder.locate).metric.unit
        return ""


def _of_data(named: NamedMetric) -> bool:
    """Whether a metric is measured on data sets only."""
    metric = named.metric
    return metric.needs_reference or bool(metric.judge) or bool(metric.compares)


def _comparing() -> list[str]:
    """Limits that compare with a baseline; a gate file that is broken is not one of them."""
    out = []
    for name in plugins.names("gates"):
        try:
            if plugins.load("gates", name).on != "value":
                out.append(name)
        except HarnessError:
            continue
    return out


def _same(a: NamedMetric, b: NamedMetric) -> bool:
    both = math.isnan(a.quantile) and math.isnan(b.quantile)
    return a.metric is b.metric and (both or a.quantile == b.quantile)
