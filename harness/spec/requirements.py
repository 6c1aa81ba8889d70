"""Gates, waivers and claims: each must refer to what this experiment has and measures."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from harness import contracts, plugins
from harness.contracts import Status
from harness.contracts.experiment import Claim, Experiment, GateSpec, Waiver
from harness.errors.nearest import nearest
from harness.plugins.kinds import PURPOSES, answer, kind_of
from harness.spec.naming import find_metric
from harness.spec.subjects import Subject, Subjects
from harness.spec.values import Special

if TYPE_CHECKING:
    from harness.spec.building import Builder

CALCULATED = ("kind", "limit")  # fields of a Gate that the YAML writes as one key: `max: 240`


class Requirements(Subjects):
    """Reads the three sections against the parts that the builder has read before them."""

    def __init__(self, builder: Builder) -> None:
        super().__init__(builder)
        self._gates: list[GateSpec] = []

    def gates(self, raw: Any, path: str) -> tuple[GateSpec | None, ...]:
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

    def standing_in(self, document: Mapping[str, Any]) -> None:
        """Notes what a model that only stands in for another cannot show: an approval for anything
        else, a limit on anything else."""
        stands_for = document.get("stands_for")
        purpose = document.get("purpose", Experiment.purpose)
        if not stands_for:
            return
        told = f"the model only stands for {', '.join(stands_for)} of the real one"
        if purpose not in stands_for:
            self.builder.note("purpose", f"{told}; write `purpose: {stands_for[0]}`")
        shown = {kind for name in stands_for for kind in PURPOSES[name]}
        for gate in self._gates:
            if kind_of(find_metric(gate.metric, self.builder.locate).metric) not in shown:
                self.builder.note("gates", f"{gate.name}: {told}; leave this limit out")

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
    def _gate(self, raw: Any, path: str) -> GateSpec | None:
        note = self.builder.note
        data = self.builder.mapping(raw, path)
        if data is None:
            return None
        limits = plugins.names("gates")
        own = [f.name for f in fields(GateSpec) if f.name not in CALCULATED]
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
        special: dict[str, Special] = {
            "kind": lambda name, _: name,
            "limit": lambda limit, _: self._limit(limit, f"{path}.{kind}", data, kind),
            "at": self._at,
            "baseline_up_to": functools.partial(self._of_metric, data),
        }
        values = self.builder.fields(GateSpec, plain, path, special)
        plugin = self.builder.plugin("gates", kind, f"{path}.{kind}")
        if values is None or plugin is None:
            return None
        gate = GateSpec(**values)
        subject = self._subject(gate.metric, f"{path}.metric")
        return self._settled(gate, plugin, subject, path) if subject else None

    def _settled(
        self, gate: GateSpec, plugin: contracts.Gate, subject: Subject, path: str
    ) -> GateSpec | None:
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
        self._beside(gate, plugin, subject, path)
        gate = replace(gate, name=gate.name or self._default_name(gate, subject))
        return gate if len(self.builder.problems) == before else None

    def _session(self, gate: GateSpec, path: str) -> None:
        note, path = self.builder.note, f"{path}.session"
        if gate.session and gate.at.dataset:
            note(
                path,
                "a data set is heard in the chosen session by the candidate and in `default` by "
                "the others; leave out session",
            )
        elif gate.session:
            self.builder.choice(gate.session, self.builder.session_names, path, "session")

    def _against(self, gate: GateSpec, path: str) -> None:
        how = self.builder.selection
        if how and gate.over in how.among and gate.at.dataset != how.dataset:
            self.builder.note(
                f"{path}.over",
                f"{gate.over!r} is one to choose from, and of those the winner alone is measured "
                "beyond the selection's data set; compare with the baseline",
            )

    def _beside(self, gate: GateSpec, plugin: contracts.Gate, subject: Subject, path: str) -> None:
        """A metric that compares with the baseline says nothing of the baseline itself."""
        name, baseline = gate.metric, self.builder.baseline
        if not subject.named.metric.compares or not baseline:
            return
        if plugin.on != "value" and gate.over == baseline:
            self.builder.note(
                f"{path}.{gate.kind}",
                f"{name} compares with {baseline!r} already, which has no value of its own; give "
                "`max` or `min`",
            )
        elif baseline in gate.variants:
            self.builder.note(
                f"{path}.variants", f"{name} compares with {baseline!r}, which has no value itself"
            )

    def _check_side(
        self, gate: GateSpec, plugin: contracts.Gate, subject: Subject, path: str
    ) -> None:
        """Refuses a limit that would pass what is worse: `min` for an error rate."""
        better = subject.named.metric.better
        if better == "neither":
            return
        worse, step = (1.0 if better == "lower" else -1.0), max(abs(gate.limit), 1.0)
        at_limit = plugin.limit_on(gate.limit)
        if (
            answer(plugin, gate.limit, at_limit + worse * step) is Status.PASS
            and answer(plugin, gate.limit, at_limit - worse * step) is Status.FAIL
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
        elif not others and over in builder.variant_names:
            builder.note(f"{path}.over", f"compares {over!r} with itself; say which `variants`")
        return tuple(others or builder.variant_names)

    def _default_name(self, gate: GateSpec, subject: Subject) -> str:
        place = str(gate.at).replace(" ", "")
        usual = self._operation("", gate.at, subject, "")
        part = f":{gate.operation}" if gate.operation != usual else ""
        return f"{gate.metric}{part}@{place}" if place else f"{gate.metric}{part}"

    # ------------------------------------------------------------------------------ waivers, claims
    def _waiver(self, raw: Any, path: str) -> Waiver | None:
        special: dict[str, Special] = {"up_to": functools.partial(self._bound, raw)}
        waiver: Waiver | None = self.builder.build(Waiver, raw, path, special)
        if waiver is None or not self.builder.sound("gates"):
            return waiver
        same = self._called(waiver.gate)
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
        if answer(plugin, gate.limit, plugin.limit_on(waiver.up_to)) is not Status.FAIL:
            self.builder.note(
                f"{path}.up_to",
                f"{waiver.up_to:g} meets the gate ({gate.kind}: {gate.limit:g}); a waiver "
                "reaches beyond the limit",
            )
        return replace(waiver, gate=gate.name)

    def _called(self, name: Any) -> list[GateSpec]:
        same = [g for g in self._gates if g.name == name]
        return same or [g for g in self._gates if g.metric == name]

    def _bound(self, waiver: Mapping[str, Any], raw: Any, path: str) -> float | None:
        """A waiver's bound, in the unit of its gate's limit."""
        gate = next(iter(self._called(waiver.get("gate"))), None)
        if gate is None:  # noted where the gate's name is read: nobody knows the unit
            return math.nan if isinstance(raw, str) else self.builder.figure(raw, path, "", "ratio")
        return self._limit(raw, path, {"metric": gate.metric}, gate.kind)

    def _claim(self, raw: Any, path: str) -> Claim | None:
        before = len(self.builder.problems)
        entry = raw if isinstance(raw, dict) else {}
        special: dict[str, Special] = {
            "at": self._at,
            "value": functools.partial(self._of_metric, entry),
            "tolerance": functools.partial(self._of_metric, entry),
        }
        claim: Claim | None = self.builder.build(Claim, raw, path, special)
        if claim is None:
            return None
        if claim.tolerance < 0:
            self.builder.note(f"{path}.tolerance", f"should be at least 0, not {claim.tolerance:g}")
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
