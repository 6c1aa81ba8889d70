"""Reads a model wherever one may stand: the experiment's, a variant's own, a part of a system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.contracts import Composite, Family
from harness.contracts import experiment as model
from harness.contracts.experiment import Use
from harness.spec.references import References

OWN = ("family", "source", "parts", "quantize")  # keys beside the family's parameters


class Models(References):
    """A Reader of models: the family says which keys belong there."""

    def model_of(self, raw: Any, path: str, part: bool = False) -> model.ModelSpec | None:
        """A model, None after a note. Only a `part` carries its quantization itself."""
        data = self.mapping(raw, path)
        if data is None:
            return None
        name = self.value(str, data["family"], f"{path}.family") if "family" in data else None
        if name is None:
            self.fields(model.ModelSpec, {"params": None, **data}, path, _UNREAD)
            return None
        family = self.plugin("families", name, f"{path}.family")
        if family is None:
            return None
        before = len(self.problems)
        rest = {k: v for k, v in data.items() if k not in OWN}
        params = self.params(family.Params, rest, path, list(OWN))
        found = model.ModelSpec(
            family=name,
            params=params,
            source=self._source(data, family, path),
            parts=self.parts(data, family, path),
            quantize=self._quantize(data, family, path, part),
        )
        return found if len(self.problems) == before else None

    def parts(
        self, data: Mapping[str, Any], owner: Any, path: str
    ) -> Mapping[str, model.ModelSpec]:
        """The models of a system's or judge's roles; every role of it, and no other."""
        roles: Mapping[str, str] = getattr(owner, "parts", {})
        given = self.mapping(data["parts"], f"{path}.parts") if "parts" in data else {}
        if not roles:
            if given:
                self.note(f"{path}.parts", "this one is not made of parts; leave it out")
            return {}
        self.keys(given or {}, f"{path}.parts", list(roles))
        found = {}
        for role, takes in roles.items():
            here = f"{path}.parts.{role}"
            if role not in (given or {}):
                self.note(here, "is missing: a model, {family: ..., source: ...}")
                continue
            one = self.model_of((given or {})[role], here, part=True)
            if one is not None and self.takes(one.family) != takes:
                self.note(here, f"should be a model that takes {takes}")
            if one is not None:
                found[role] = one
        return found

    def takes(self, family: str) -> str:
        """What a family takes: "audio" or "text"."""
        return str(self.plugin("families", family, "model").takes)

    def merged(self, own: Any, raw: Any, path: str) -> model.ModelSpec | None:
        """The experiment's model `own` (as written) with other parameters, None after a note."""
        data = self.mapping(raw, path)
        if data is None or not isinstance(own, dict):  # noted where the model was read
            return None
        kept = [key for key in data if key in OWN]
        for key in kept:
            self.note(f"{path}.{key}", "is no parameter of the family; write `model` instead")
        return None if kept else self.model_of({**own, **data}, path)

    def _source(
        self, data: Mapping[str, Any], family: Family | Composite, path: str
    ) -> model.Origin | None:
        here, wanted = f"{path}.source", isinstance(family, Family) and family.has_files
        if "source" in data and not wanted:
            self.note(here, "this family has no files of its own; leave it out")
        if not wanted:
            return None
        if "source" not in data:
            self.note(
                here, "is missing: {asset: name}, {path: folder}, {hub, revision} or {script: file}"
            )
            return None
        return self.origin(data["source"], here)

    def _quantize(
        self, data: Mapping[str, Any], family: Family | Composite, path: str, part: bool
    ) -> Use | None:
        if "quantize" not in data:
            return None
        here = f"{path}.quantize"
        if not part:
            self.note(here, "belongs to a variant, or to a part of a system")
            return None
        if not (isinstance(family, Family) and family.has_files):
            self.note(here, "this family has no files of its own; leave it out")
            return None
        use = self.use("quantize", data["quantize"], here)
        if use and self.plugin("quantize", use.use, here).needs_calibration:
            self.note(here, f"{use.use} calibrates, which a part cannot; quantize its source")
        return use


_UNREAD = dict.fromkeys(("params", *OWN[1:]), lambda value, _: value)
