"""Raw data -> Experiment, part by part: each part is read on its own, so that all problems show."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Mapping
from typing import Any

from harness.contracts import Locate
from harness.contracts import experiment as model
from harness.contracts.experiment import DEFAULT_SESSION, Experiment, Use
from harness.errors import HarnessError, SpecError
from harness.errors.limits import CELLS
from harness.io.strict_yaml import Document
from harness.runtime import session
from harness.runtime.session import SessionConfig
from harness.spec import together
from harness.spec.evaluated import Evaluated
from harness.spec.naming import languages, load_family, load_plugin
from harness.spec.requirements import Requirements
from harness.spec.values import Special


class Builder(Evaluated):
    """Reads every part of one experiment; keeps what later parts (gates, waivers) refer to.

    `stored` says that the data is what `to_json` gave, not what a person wrote.
    """

    def __init__(self, document: Document, locate: Locate, stored: bool = False) -> None:
        super().__init__(document, locate)
        self.stored = stored
        self.candidate = ""
        self.recorded_rows: dict[str, model.Recorded] = {}
        self.session_names: list[str] = []
        self.latency: model.Latency | None = None

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
                "quality": self.read_quality,
                "selection": self.read_selection,
                "calibration": self.read_calibration,
                "audit": self._audit,
                "report": self._report,
                "gates": requirements.gates,
                "waivers": requirements.waivers,
                "claims": requirements.claims,
            }
            self.keys(raw, "", [f.name for f in dataclasses.fields(Experiment)])
            values = self.fields(Experiment, self._with_defaults(raw), "", special)
            requirements.confirming()
            self._cells()
            if values is not None and not self.problems:
                found = _settled(Experiment(**values))
                for path, why in together.timed(found, self.locate):
                    self.note(path, why)
                if not self.problems:
                    return found
        raise SpecError("\n".join(self.lines()))

    def _cells(self) -> None:
        """More cells than anybody measures are a mistake, and told before memory goes on them."""
        variants, sessions = len(self.variant_names), len(self.session_names)
        if variants * sessions > CELLS:
            self.note(
                "sessions",
                f"{variants:,} variants in {sessions:,} sessions are over {CELLS:,} cells",
            )

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
        if raw.get("selection") is not None and others:  # until one is chosen
            among = [n for n in _among(raw["selection"]) if n in others]
            filled.setdefault("candidate", next(iter(among), others[0]))
        if len(others) == 1:
            filled.setdefault("candidate", others[0])
        return filled

    def _model(self, raw: Any, path: str) -> model.ModelSpec | None:
        found = self.model_of(raw, path)
        if found is not None:
            self.family = load_family(found, self.locate)
            self.families[found.family] = self.family
        return found

    def _variant(self, raw: Any, path: str) -> model.Variant | None:
        special: dict[str, Special] = {
            "quantize": functools.partial(self.use, "quantize"),
            "source": self.origin,
            "model": self.model_of,
        }
        found: model.Variant | None
        if not isinstance(raw, dict) or "params" not in raw:
            known = [*(f.name for f in dataclasses.fields(model.Variant)), "params"]
            if isinstance(raw, dict):
                self.keys(raw, path, known)
                raw = {k: v for k, v in raw.items() if k in known}
            found = self.build(model.Variant, raw, path, special)
            if found and found.model and found.source and not self.stored:
                self.note(f"{path}.source", "belongs into this variant's model")
            return found
        if "model" in raw:
            self.note(f"{path}.params", "belongs into this variant's model")
            return None
        # what is wrong with the experiment's model is told there, and not again of each variant
        own = self.document.data.get("model") if self.sound("model") else None
        special["model"] = lambda params, _: self.merged(own, params, f"{path}.params")
        rest = {k: v for k, v in raw.items() if k != "params"}
        found = self.build(model.Variant, {**rest, "model": raw["params"]}, path, special)
        return found

    def _variants(self, raw: Any, path: str) -> tuple[model.Variant | None, ...]:
        found = tuple(self._variant(v, p) for p, v in self.items(raw, path))
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
            self._fits(variant, f"{path}[{i}]")
        return found

    def _fits(self, variant: model.Variant | None, path: str) -> None:
        """A variant with a model of its own must take what the experiment's model takes."""
        if variant is None or self.family is None:
            return
        own = variant.model
        family = load_family(own, self.locate) if own else self.family
        if own:
            self.families[own.family] = family
        if family.takes != self.family.takes:
            self.note(f"{path}.model", f"should be a model that takes {self.family.takes}")
        if not getattr(family, "has_files", False) and (variant.quantize or variant.source):
            self.note(path, "has no files of its own, so neither quantize nor source has a meaning")

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
        named = {key: self.metric(key, f"{path}.{key}") for key in metrics}
        units = {key: one.metric.unit if one else "" for key, one in named.items()}
        figures = {k: self.figure(v, f"{path}.{k}", units[k]) for k, v in metrics.items()}
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
        if not self.stored:
            self.told_apart(self.session_names, path, "session")
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
        if self.family is not None and self.family.takes == "text":
            self.note(
                path,
                "times audio of given lengths; a synthesiser is timed on its sentences: list "
                "latency_p50_ms, rtf or first_audio_ms among a quality entry's metrics",
            )
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
        if found and not found.language.endswith(".yaml"):
            self.choice(found.language, languages(), f"{path}.language", "language")
        elif found and not self.stored:  # a run keeps the words of its language
            self.existing(found.language, f"{path}.language")
        for i, name in enumerate(found.sections if found else ()):
            self.plugin("sections", name, f"{path}.sections[{i}]")
        for i, name in enumerate(found.figures if found else ()):
            self.plugin("figures", name, f"{path}.figures[{i}]")
        return found


def _mappings(raw: Any) -> list[dict[str, Any]]:
    return [entry for entry in raw if isinstance(entry, dict)] if isinstance(raw, list) else []


def _among(selection: Any) -> list[Any]:
    among = selection.get("among") if isinstance(selection, dict) else None
    return among if isinstance(among, list) else []


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
