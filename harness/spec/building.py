"""Raw data -> Experiment, part by part: each part is read on its own, so that all problems show."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Mapping
from typing import Any

from harness import session
from harness.contracts import Family, Locate
from harness.errors import HarnessError, SpecError
from harness.session import SessionConfig
from harness.spec import model
from harness.spec.model import DEFAULT_SESSION, Experiment, Use
from harness.spec.naming import load_plugin, normalisers
from harness.spec.references import References, dataset_name
from harness.spec.requirements import Requirements
from harness.spec.strict_yaml import Document
from harness.spec.values import Special


class Builder(References):
    """Reads every part of one experiment; keeps what later parts (gates, waivers) refer to.

    `stored` says that the data is what `to_json` gave, not what a person wrote.
    """

    def __init__(self, document: Document, locate: Locate, stored: bool = False) -> None:
        super().__init__(document, locate)
        self.stored = stored
        self.family: Family | None = None
        self.variant_names: list[str] = []
        self.baseline = self.candidate = ""
        self.recorded_rows: dict[str, model.Recorded] = {}
        self.session_names: list[str] = []
        self.latency: model.Latency | None = None
        self.quality: tuple[model.Quality, ...] = ()

    def experiment(self) -> Experiment:
        """The whole experiment. Raises: SpecError, one line per problem."""
        raw = self.mapping(self.document.data, "")
        if raw is not None:
            requirements = Requirements(self)
            special = {
                "name": self.name,
                "model": self._model,
                "variants": self._variants,
                "baseline": self._baseline,
                "candidate": self._candidate,
                "recorded": self._recorded,
                "sessions": self._sessions,
                "latency": self._latency,
                "quality": self._quality,
                "calibration": self._calibration,
                "audit": self._audit,
                "report": self._report,
                "gates": requirements.gates,
                "waivers": requirements.waivers,
                "claims": requirements.claims,
            }
            self.keys(raw, "", [f.name for f in dataclasses.fields(Experiment)])
            values = self.fields(Experiment, self._with_defaults(raw), "", special)
            if values is not None and not self.problems:
                return _settled(Experiment(**values))
        raise SpecError("\n".join(self.lines()))

    def sound(self, *sections: str) -> bool:
        """No problem so far in these sections: what refers to them can be checked."""
        return not any(re.split(r"[.\[]", p.path)[0] in sections for p in self.problems)

    # ------------------------------------------------------------------------------ parts
    def _with_defaults(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        names = [
            v["name"] for v in _mappings(raw.get("variants")) if isinstance(v.get("name"), str)
        ]
        self.variant_names = names
        filled = {"sessions": [], **raw}
        if len(names) == 1:
            filled.setdefault("baseline", names[0])
        others = [n for n in names if n != filled.get("baseline")] or names
        if len(others) == 1:
            filled.setdefault("candidate", others[0])
        return filled

    def _model(self, raw: Any, path: str) -> model.Model | None:
        data = self.mapping(raw, path)
        if data is None:
            return None
        own = {k: v for k, v in data.items() if k in ("family", "source")}
        special = {"source": self.origin, "params": lambda params, _: params}
        name = self.value(str, own["family"], f"{path}.family") if "family" in own else None
        self.family = self.plugin("families", name, f"{path}.family") if name else None
        params = None
        if self.family is not None:
            rest = {k: v for k, v in data.items() if k not in own}
            params = self.params(self.family.Params, rest, path, ["family", "source"])
        values = self.fields(model.Model, {**own, "params": params}, path, special)
        return model.Model(**values) if values else None

    def _variants(self, raw: Any, path: str) -> tuple[model.Variant | None, ...]:
        special: dict[str, Special] = {
            "quantize": functools.partial(self.use, "quantize"),
            "source": self.origin,
        }
        found = tuple(self.build(model.Variant, v, p, special) for p, v in self.items(raw, path))
        self.named(found, path, "variants")
        if not found and isinstance(raw, list):
            self.note(path, "is empty; it needs at least one")
        for i, variant in enumerate(found):
            use = variant.quantize if variant else None
            if use and self._calibrates(use) and "calibration" not in self.document.data:
                self.note(
                    f"{path}[{i}].quantize",
                    f"{use.use} calibrates: add `calibration: {{dataset: ...}}` with data that is "
                    "not evaluated",
                )
        return found

    def _calibrates(self, use: Use) -> bool:
        return bool(load_plugin("quantize", use.use, self.locate).needs_calibration)

    def _baseline(self, raw: Any, path: str) -> str:
        self.baseline = self.variant(raw, path)
        return self.baseline

    def _candidate(self, raw: Any, path: str) -> str:
        self.candidate = self.variant(raw, path)
        if self.candidate and self.candidate == self.baseline and len(self.variant_names) > 1:
            self.note(path, f"{self.candidate!r} is the baseline; the verdict is about another")
        return self.candidate

    def variant(self, raw: Any, path: str) -> str:
        """The name of a variant; "" after a note, or where the variants have no names to know."""
        name: str | None = self.value(str, raw, path)
        if name is None or not self.variant_names:
            return ""
        return name if self.choice(name, self.variant_names, path, "variant") else ""

    def _recorded(self, raw: Any, path: str) -> tuple[model.Recorded | None, ...]:
        found = tuple(self._recorded_row(v, p) for p, v in self.items(raw, path))
        self.named(found, path, "recorded rows")
        for i, row in enumerate(found):
            if row and row.name in self.variant_names:
                self.note(f"{path}[{i}].name", f"{row.name!r} is already a variant's name")
        self.recorded_rows = {row.name: row for row in found if row}
        return found

    def _recorded_row(self, raw: Any, path: str) -> model.Recorded | None:
        data = self.mapping(raw, path)
        if data is None:
            return None
        own = {k: v for k, v in data.items() if k in ("name", "source")}
        metrics = {k: v for k, v in data.items() if k not in own}
        if not metrics:
            self.note(path, "holds no metric; add one, such as `latency_p50_ms: 240`")
        for key in metrics:
            self.metric(key, f"{path}.{key}")
        figures = {k: self.value(float, v, f"{path}.{k}") for k, v in metrics.items()}
        special = {"metrics": lambda given, _: given}
        values = self.fields(model.Recorded, {**own, "metrics": figures}, path, special)
        return model.Recorded(**values) if values else None

    def _sessions(self, raw: Any, path: str) -> tuple[SessionConfig, ...]:
        if self.stored:  # checked when it was written, on a machine of maybe fewer cores
            found = tuple(SessionConfig.from_json(entry) for entry in raw)
        else:
            found = self._parsed_sessions(self.items(raw, path), path)
        if len(found) > 1 and "latency" not in self.document.data:
            self.note(path, "nothing compares them: add a latency section, or keep only `default`")
        self.session_names = [config.name for config in found]
        return found

    def _parsed_sessions(
        self, entries: list[tuple[str, Any]], path: str
    ) -> tuple[SessionConfig, ...]:
        before = len(self.problems)
        sound = [entry for place, entry in entries if self.mapping(entry, place) is not None]
        for place, entry in entries:
            if not isinstance(entry, dict):
                continue
            if entry.get("name") == DEFAULT_SESSION and len(entry) > 1:
                self.note(place, "`default` means no options at all; give this one another name")
            self._try_sessions([entry], place, "")
        if len(self.problems) > before:
            return ()
        if all(entry.get("name") != DEFAULT_SESSION for entry in sound):
            return self._try_sessions([{"name": DEFAULT_SESSION}, *sound], path, path, added=1)
        return self._try_sessions(sound, path, path)

    def _try_sessions(
        self, entries: list[Any], path: str, where: str, added: int = 0
    ) -> tuple[SessionConfig, ...]:
        try:
            return session.parse(entries, where)
        except HarnessError as error:
            number, _, text = str(error).removeprefix(where).partition(": ")
            place = f"{path}[{int(number.strip('[]')) - added}]" if where else path
            self.note(place, text)
            return ()

    def _latency(self, raw: Any, path: str) -> model.Latency | None:
        found: model.Latency | None = self.build(model.Latency, raw, path)
        if found is None:
            return None
        lengths = found.audio_seconds
        if len(set(lengths)) < len(lengths):
            self.note(f"{path}.audio_seconds", "names a length twice")
        if found.sweep_seconds is not None and found.sweep_seconds not in lengths:
            known = ", ".join(f"{s:g}" for s in lengths)
            self.note(f"{path}.sweep_seconds", f"should be one of audio_seconds: {known}")
        if self.family is not None:
            for i, name in enumerate(found.operations):
                self.choice(name, self.family.operations, f"{path}.operations[{i}]", "operation")
            operations = found.operations or self.family.operations
            if self.family.operations[0] not in operations:
                own = self.family.operations[0]
                self.note(f"{path}.operations", f"lacks {own}, the operation that users wait for")
            found = dataclasses.replace(found, operations=operations)
        self.latency = found
        return found

    def _quality(self, raw: Any, path: str) -> tuple[model.Quality | None, ...]:
        found = tuple(self._quality_entry(v, p) for p, v in self.items(raw, path))
        self.named(found, path, "data sets")
        self.quality = tuple(entry for entry in found if entry)
        return found

    def _quality_entry(self, raw: Any, path: str) -> model.Quality | None:
        special = {"dataset": functools.partial(self.use, "datasets")}
        filled = {"name": "", **raw} if isinstance(raw, dict) else raw
        entry: model.Quality | None = self.build(model.Quality, filled, path, special)
        if entry is None:
            return None
        before = len(self.problems)
        self.choice(entry.normaliser, normalisers(), f"{path}.normaliser", "normaliser")
        for i, name in enumerate(entry.metrics):
            metric = self.metric(name, f"{path}.metrics[{i}]")
            if metric and metric.metric.of_variant:
                self.note(f"{path}.metrics[{i}]", f"{name} is a figure of a variant, not of data")
        if len(self.problems) > before:
            return None
        return dataclasses.replace(entry, name=entry.name or dataset_name(entry.dataset))

    def _calibration(self, raw: Any, path: str) -> model.Calibration | None:
        special = {"dataset": functools.partial(self.use, "datasets")}
        found: model.Calibration | None = self.build(model.Calibration, raw, path, special)
        evaluated = [self.identity(entry.dataset) for entry in self.quality]
        if found and self.identity(found.dataset) in evaluated:
            self.note(
                f"{path}.dataset",
                "would calibrate on what is evaluated; use another split, such as dev",
            )
        return found

    def _audit(self, raw: Any, path: str) -> model.Audit | None:
        special = {"unchecked": functools.partial(self.build, model.Unchecked)}
        found: model.Audit | None = self.build(model.Audit, raw, path, special)
        if found is None:
            return None
        if len(set(found.audio_seconds)) < len(found.audio_seconds):
            self.note(f"{path}.audio_seconds", "names a length twice")
        if len(set(found.sessions)) < len(found.sessions):
            self.note(f"{path}.sessions", "names a session twice")
        if "quality" not in self.document.data:
            self.note(path, "needs a quality section, whose speech is cut to the lengths")
        if self.sound("sessions"):
            self._audited_sessions(found, path)
        operations = self.family.operations if self.family else ()
        if found.operation and operations:
            self.choice(found.operation, operations, f"{path}.operation", "operation")
        usual = operations[0] if operations else ""
        return dataclasses.replace(found, operation=found.operation or usual)

    def _audited_sessions(self, audit: model.Audit, path: str) -> None:
        for i, name in enumerate(audit.sessions):
            self.choice(name, self.session_names, f"{path}.sessions[{i}]", "session")
        if audit.unchecked:
            path = f"{path}.unchecked"
            self.choice(audit.unchecked.session, self.session_names, f"{path}.session", "session")
            if not audit.unchecked.provider_options:
                self.note(f"{path}.provider_options", "is empty; it needs at least one")

    def _report(self, raw: Any, path: str) -> model.Report | None:
        found: model.Report | None = self.build(model.Report, raw, path)
        for i, name in enumerate(found.sections if found else ()):
            self.plugin("sections", name, f"{path}.sections[{i}]")
        return found


def _mappings(raw: Any) -> list[dict[str, Any]]:
    return [entry for entry in raw if isinstance(entry, dict)] if isinstance(raw, list) else []


def _settled(experiment: Experiment) -> Experiment:
    """Fills what depends on several parts: the length at which sessions are compared."""
    latency = experiment.latency
    if latency is None or latency.sweep_seconds is not None:
        return experiment
    gated = [g.at.audio_seconds for g in experiment.gates if g.at.audio_seconds is not None]
    lengths = sorted(latency.audio_seconds)
    seconds = gated[0] if gated else lengths[len(lengths) // 2]
    return dataclasses.replace(
        experiment, latency=dataclasses.replace(latency, sweep_seconds=seconds)
    )
