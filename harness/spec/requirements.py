"""Gates, waivers and claims: each must refer to what this experiment has and measures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from harness import contracts, plugins
from harness.contracts import Evidence, Status
from harness.errors import HarnessError
from harness.nearest import nearest
from harness.plugins import NamedMetric
from harness.spec.model import At, Claim, Gate, Waiver

if TYPE_CHECKING:
    from harness.spec.building import Builder

CALCULATED = ("kind", "limit")  # fields of a Gate that the YAML writes as one key: `max: 240`


@dataclass(frozen=True)
class _Subject:
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


class Requirements:
    """Reads the three sections against the parts that the builder has read before them."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self._gates: list[Gate] = []

    def gates(self, raw: Any, path: str) -> tuple[Gate | None, ...]:
        found = [self._gate(entry, place) for place, entry in self.builder.items(raw, path)]
        names: set[str] = set()
        for i, gate in enumerate(found):
            if gate and gate.name in names:
                self.builder.note(
                    f"{path}[{i}].name", f"two gates are called {gate.name!r}; name this one"
                )
            names.add(gate.name if gate else "")
        self._gates = [gate for gate in found if gate]
        self.builder.told_apart([*dict.fromkeys(g.name for g in self._gates)], path, "gate")
        return tuple(found)

    def waivers(self, raw: Any, path: str) -> tuple[Waiver | None, ...]:
        return tuple(self._waiver(entry, place) for place, entry in self.builder.items(raw, path))

    def claims(self, raw: Any, path: str) -> tuple[Claim | None, ...]:
        return tuple(self._claim(entry, place) for place, entry in self.builder.items(raw, path))

    def confirming(self) -> None:
        """Notes variants that would win a selection and then face no gate on fresh data."""
        builder, how = self.builder, self.builder.selection
        sections = ("model", "variants", "latency", "quality", "selection", "gates")
        if how is None or builder.stored or not builder.sound(*sections):
            return
        fresh = [gate for gate in self._gates if gate.severity == "fail" and str(gate.at)]
        faced = {n for gate in fresh if gate.at.dataset != how.dataset for n in gate.variants}
        free = [name for name in how.among if name not in faced]
        if free:
            builder.note(
                "selection",
                f"no gate with severity fail looks at {', '.join(free)} on fresh data; add one at "
                "another data set or at audio_seconds",
            )

    # ------------------------------------------------------------------------------ gates
    def _gate(self, raw: Any, path: str) -> Gate | None:
        note = self.builder.note
        data = self.builder.mapping(raw, path)
        if data is None:
            return None
        limits = plugins.names("gates")
        own = [f.name for f in fields(Gate) if f.name not in CALCULATED]
        kinds = [k for k in data if k in limits or k.endswith(".py")]
        before = len(self.builder.problems)
        self.builder.keys(data, path, list(dict.fromkeys([*own, *limits, *kinds])))
        if not kinds and len(self.builder.problems) > before:
            return None  # the unknown key was meant as the limit
        if len(kinds) != 1:
            found = f"has {len(kinds)} limits ({', '.join(kinds)})" if kinds else "has no limit"
            note(path, f"{found}; give exactly one of: {', '.join(limits)}")
            return None
        kind = kinds[0]
        plain = {k: v for k, v in data.items() if k in own} | {"kind": kind, "limit": data[kind]}
        special = {
            "kind": lambda name, _: name,
            "limit": lambda limit, _: self.builder.value(float, limit, f"{path}.{kind}"),
            "at": self._at,
        }
        values = self.builder.fields(Gate, plain, path, special)
        plugin = self.builder.plugin("gates", kind, f"{path}.{kind}")
        if values is None or plugin is None:
            return None
        gate = Gate(**values)
        subject = self._subject(gate.metric, f"{path}.metric")
        return self._settled(gate, plugin, subject, path) if subject else None

    def _settled(
        self, gate: Gate, plugin: contracts.Gate, subject: _Subject, path: str
    ) -> Gate | None:
        """The gate with all that it left out, checked against the rest."""
        before = len(self.builder.problems)
        self._check_side(gate, plugin, subject, path)
        over = self._over(gate, plugin.on != "value", subject, path)
        at = self._place(gate.at, subject, path, must=True)
        gate = replace(
            gate,
            at=at,
            operation=self._operation(gate.operation, at, subject, path),
            over=over,
            variants=self._variants(gate.variants, over, path),
        )
        self._session(gate, path)
        self._against(gate, path)
        gate = replace(gate, name=gate.name or self._default_name(gate, subject))
        return gate if len(self.builder.problems) == before else None

    def _session(self, gate: Gate, path: str) -> None:
        note, path = self.builder.note, f"{path}.session"
        if gate.session and gate.at.dataset:
            note(
                path,
                "a data set is heard in the chosen session by the candidate and in `default` by "
                "the others; leave out session",
            )
        elif gate.session:
            self.builder.choice(gate.session, self.builder.session_names, path, "session")

    def _against(self, gate: Gate, path: str) -> None:
        how = self.builder.selection
        if how and gate.over in how.among and gate.at.dataset != how.dataset:
            self.builder.note(
                f"{path}.over",
                f"{gate.over!r} is one to choose from, and of those the winner alone is measured "
                "beyond the selection's data set; compare with the baseline",
            )

    def _check_side(self, gate: Gate, plugin: contracts.Gate, subject: _Subject, path: str) -> None:
        """Refuses a limit that would pass what is worse: `min` for an error rate."""
        better = subject.named.metric.better
        if better == "neither":
            return
        worse, step = (1.0 if better == "lower" else -1.0), max(abs(gate.limit), 1.0)
        at_limit = plugin.limit_on(gate.limit)
        if (
            _answer(plugin, gate.limit, at_limit + worse * step) is Status.PASS
            and _answer(plugin, gate.limit, at_limit - worse * step) is Status.FAIL
        ):
            self.builder.note(
                f"{path}.{gate.kind}",
                f"{better} is better for {gate.metric}, but {gate.kind!r} refuses that side",
            )

    def _variants(self, given: Sequence[str], over: str, path: str) -> tuple[str, ...]:
        builder = self.builder
        for i, name in enumerate(given):
            if not builder.choice(name, builder.variant_names, f"{path}.variants[{i}]", "variant"):
                continue
            if name == over:
                builder.note(f"{path}.variants[{i}]", f"compares {name!r} with itself")
        if given:
            return tuple(given)
        others = [n for n in builder.variant_names if n not in (builder.baseline, over)]
        if not others and over == builder.baseline != "":
            builder.note(path, f"compares with {over!r}, and there is no other variant")
        return tuple(others or builder.variant_names)

    def _default_name(self, gate: Gate, subject: _Subject) -> str:
        place = str(gate.at).replace(" ", "")
        usual = self._operation("", gate.at, subject, "")
        part = f":{gate.operation}" if gate.operation != usual else ""
        return f"{gate.metric}{part}@{place}" if place else f"{gate.metric}{part}"

    # ------------------------------------------------------------------------------ waivers, claims
    def _waiver(self, raw: Any, path: str) -> Waiver | None:
        waiver: Waiver | None = self.builder.build(Waiver, raw, path)
        if waiver is None or not self.builder.sound("gates"):
            return waiver
        same = [g for g in self._gates if g.name == waiver.gate]
        same = same or [g for g in self._gates if g.metric == waiver.gate]
        names = [g.name for g in same or self._gates]
        if not same:
            hint = nearest(waiver.gate, names)
            self.builder.note(f"{path}.gate", f"no gate {waiver.gate!r}.{hint}")
            return None
        if len(same) > 1:
            self.builder.note(f"{path}.gate", f"could be any of: {', '.join(names)}; name one")
            return None
        gate = same[0]
        plugin = self.builder.plugin("gates", gate.kind, path)
        if _answer(plugin, gate.limit, plugin.limit_on(waiver.up_to)) is not Status.FAIL:
            self.builder.note(
                f"{path}.up_to",
                f"{waiver.up_to:g} meets the gate ({gate.kind}: {gate.limit:g}); a waiver "
                "reaches beyond the limit",
            )
        return replace(waiver, gate=gate.name)

    def _claim(self, raw: Any, path: str) -> Claim | None:
        before = len(self.builder.problems)
        claim: Claim | None = self.builder.build(Claim, raw, path, {"at": self._at})
        if claim is None:
            return None
        subject = self._subject(claim.metric, f"{path}.metric")
        if subject is None:
            return None
        if claim.variant:
            known = self.builder.variant_names
            self.builder.choice(claim.variant, known, f"{path}.variant", "variant")
        at = self._place(claim.at, subject, path, must=False)
        claim = replace(
            claim,
            variant=claim.variant or ("" if self.builder.selection else self.builder.candidate),
            at=at,
            operation=self._operation(claim.operation, at, subject, path),
            over=self._over(claim, False, subject, path),
        )
        return claim if len(self.builder.problems) == before else None

    # ----------------------------------------------------------------------- what is measured
    def _at(self, raw: Any, path: str) -> At | None:
        at: At | None = self.builder.build(At, raw, path)
        if at is not None and (at.audio_seconds is None) == (not at.dataset):
            self.builder.note(path, "should have exactly one of audio_seconds, dataset")
        return at

    def _subject(self, name: str, path: str) -> _Subject | None:
        named = self.builder.metric(name, path)
        if named is None:
            return None
        source = named.metric.ratio_of
        measured = self.builder.metric(source, path) if source else named
        if measured is None:
            return None
        subject = _Subject(named, measured, ())
        return subject if subject.anywhere else replace(subject, places=self._places(subject))

    def _places(self, subject: _Subject) -> tuple[At, ...]:
        """Where the metric is measured: audio lengths, then the data sets that list it."""
        named, measured = subject.named, subject.measured
        latency, found = self.builder.latency, []
        if latency and not (measured.metric.needs_reference or measured.metric.judge):
            found = [At(audio_seconds=s) for s in latency.audio_seconds]
        for entry in self.builder.quality:
            listed = [self.builder.metric(name, "quality") for name in entry.metrics]
            if any(_same(m, named) or _same(m, measured) for m in listed if m):
                found.append(At(dataset=entry.name))
        return tuple(found)

    def _place(self, at: At, subject: _Subject, path: str, must: bool) -> At:
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
            lacks = where if subject.measured.metric.needs_reference else f"latency, or {where}"
            note(f"{path}.metric", f"nothing measures {name}; add {lacks}")
        return subject.places[0] if len(subject.places) == 1 else at

    def _operation(self, given: str, at: At, subject: _Subject, path: str) -> str:
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

    def _over(self, item: Gate | Claim, compares: bool, subject: _Subject, path: str) -> str:
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


def _answer(plugin: contracts.Gate, limit: float, value: float) -> Status:
    return plugin.check(limit, Evidence(value, value, value, n=1, method="exact"))


def _same(a: NamedMetric, b: NamedMetric) -> bool:
    both = math.isnan(a.quantile) and math.isnan(b.quantile)
    return a.metric is b.metric and (both or a.quantile == b.quantile)
