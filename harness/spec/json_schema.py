"""The JSON schema of an experiment file, made from the dataclasses and the plugin folders."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, get_type_hints

from harness import plugins
from harness.contracts import experiment as model
from harness.runtime import session
from harness.spec.descriptions import descriptions, first_sentence
from harness.spec.naming import assets, languages, normalisers
from harness.spec.units import WRITTEN
from harness.spec.values import field_schema

Schema = dict[str, Any]

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
OWN_FILE: Schema = {"type": "string", "pattern": r"\.py$", "description": "A file of your own."}
FIGURE: Schema = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": WRITTEN}]}
QUANTILE = r"^.+_p\d+(_\d+)?(_[a-z]+)?$"


def schema() -> Schema:
    """JSON schema (draft 2020-12) of the whole file. Plugins are named with their docstring lines.

    Raises: PluginError for a plugin file that does not export its contract.
    """
    top = _of(
        model.Experiment,
        {
            "name": _name(),
            "model": _model(),
            "variants": _list(_of(model.Variant, {"name": _name(), "quantize": _use("quantize"),
                                                  "source": _origin(), "model": _model()},
                                  extra={"params": _overrides()}), at_least=1),
            "recorded": _list(_recorded()),
            "sessions": _list(session.json_schema()),
            "latency": _of(model.Latency, {}),
            "quality": _list(_quality()),
            "selection": _of(model.Selection, {"metric": _metric()}),
            "calibration": _of(model.Calibration, {"dataset": _use("datasets")}),
            "audit": _of(model.Audit, {"unchecked": _of(model.Unchecked, {})}),
            "gates": _list(_gate()),
            "waivers": _list(_of(model.Waiver, {"up_to": FIGURE})),
            "claims": _list(_of(model.Claim, {"metric": _metric(), "at": _at(), "value": FIGURE,
                                              "tolerance": FIGURE})),
            "budget": _of(model.Budget, {}),
            "report": _of(model.Report, {"language": _language(),
                                        "sections": _list(_choice("sections")),
                                        "figures": _list(_choice("figures"))}),
        },
        optional=("baseline", "candidate"),
    )  # fmt: skip
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Experiment", **top}


# ------------------------------------------------------------------------------ parts
def _model() -> Schema:
    own = {"family": _choice("families"), "source": _origin(), "parts": _parts()}
    return _with_params(model.ModelSpec, own, "family", "families", optional=("source", "parts"))


def _use(kind: str) -> Schema:
    own: dict[str, Schema] = {"use": _choice(kind)}
    if kind == "judges":
        own["parts"] = _parts()
    return _with_params(model.Use, own, "use", kind, optional=("parts",))


def _parts() -> Schema:
    """Models by role; what each may hold, only its family tells."""
    part = {"type": "object", "required": ["family"]}
    return {"type": "object", "additionalProperties": part}


def _with_params(
    cls: type, own: Mapping[str, Schema], key: str, kind: str, optional: Sequence[str] = ()
) -> Schema:
    """A flat mapping: own keys, and those of the Params of the plugin that `key` names."""
    about = descriptions(cls)
    shown = {k: {**v, "description": about[k]} for k, v in own.items()}
    cases = []
    for name in plugins.names(kind):
        params = _of(plugins.load(kind, name).Params, {})
        then = {
            "properties": {**dict.fromkeys(own, True), **params["properties"]},
            "required": params.get("required", []),
            "additionalProperties": False,
        }
        cases.append(
            {"if": {"properties": {key: {"const": name}}, "required": [key]}, "then": then}
        )
    out = {"type": "object", "description": first_sentence(cls), "properties": shown}
    required = [name for name in own if name not in optional]
    return {**out, "required": required, **({"allOf": cases} if cases else {})}


def _origin() -> Schema:
    own = {"type": "string", "pattern": r"\.yaml$", "description": "An asset file of your own."}
    out = _of(model.Origin, {"asset": {"anyOf": [{"enum": assets()}, own]}})
    out["oneOf"] = [{"required": [key]} for key in ("asset", "path", "hub", "script")]
    of_script = {key: ["script"] for key in ("args", "inputs", "python", "minutes")}
    out["dependentRequired"] = {"hub": ["revision"], "revision": ["hub"], **of_script}
    return out


def _recorded() -> Schema:
    out = _of(model.Recorded, {}, leave_out=("metrics",))
    for name in plugins.names("metrics"):
        out["properties"][name] = {**FIGURE, "description": plugins.docline("metrics", name)}
    out["patternProperties"] = {QUANTILE: FIGURE, OWN_FILE["pattern"]: FIGURE}
    return {**out, "minProperties": 3}


def _quality() -> Schema:
    special = {
        "dataset": _use("datasets"),
        "metrics": _list(_metric(), at_least=1),
        "normaliser": {"enum": list(normalisers()), "enumDescriptions": [*normalisers().values()]},
        "name": _name(),
        "judges": _list(_use("judges")),
    }
    return _of(model.Quality, special, optional=("name", "normaliser"))


def _gate() -> Schema:
    own = {"metric": _metric(), "at": _at(), "baseline_up_to": FIGURE}
    out = _of(model.GateSpec, own, leave_out=("kind", "limit"))
    limits = plugins.names("gates")
    for name in limits:
        about = plugins.docline("gates", name)
        out["properties"][name] = {**FIGURE, "description": about}
    out["patternProperties"] = {OWN_FILE["pattern"]: FIGURE}
    beside = {"not": {"propertyNames": {"not": {"pattern": OWN_FILE["pattern"]}}}}
    out["oneOf"] = [*({"required": [name]} for name in limits), beside]
    return out


def _at() -> Schema:
    out = _of(model.At, {})
    return {**out, "oneOf": [{"required": ["audio_seconds"]}, {"required": ["dataset"]}]}


def _metric() -> Schema:
    quantile = {
        "type": "string",
        "pattern": QUANTILE,
        "description": "A quantile of a metric: latency_p99_ms of latency_ms, rtf_p95 of rtf.",
    }
    return {"anyOf": [*_choice("metrics")["anyOf"], quantile]}


# ------------------------------------------------------------------------------ pieces
def _of(
    cls: type,
    special: Mapping[str, Schema],
    leave_out: Sequence[str] = (),
    optional: Sequence[str] = (),
    extra: Mapping[str, Schema] | None = None,
) -> Schema:
    """The schema of a dataclass; keys in `special` have their own, the others by annotation."""
    about, hints = descriptions(cls), get_type_hints(cls, include_extras=True)
    properties, required = dict(extra or {}), []
    for field in dataclasses.fields(cls):
        if field.name in leave_out:
            continue
        known = special.get(field.name)
        part = dict(known) if known is not None else field_schema(hints[field.name])
        if field.name in about:
            part["description"] = about[field.name]
        if field.default is not dataclasses.MISSING and _plain(field.default):
            part.setdefault("default", field.default)
        properties[field.name] = part
        missing = field.default is field.default_factory is dataclasses.MISSING
        if missing and field.name not in optional:
            required.append(field.name)
    out = {"type": "object", "description": first_sentence(cls), "properties": properties}
    return {**out, "required": required, "additionalProperties": False}


def _choice(kind: str) -> Schema:
    """The plugins of a folder, each with its docstring line, or a file of the user's."""
    known = [{"const": n, "description": plugins.docline(kind, n)} for n in plugins.names(kind)]
    return {"anyOf": [*known, OWN_FILE]}


def _overrides() -> Schema:
    about = "Parameters of the family that differ from the model's."
    return {"type": "object", "description": about}


def _language() -> Schema:
    own = {"type": "string", "pattern": r"\.yaml$", "description": "A language file of your own."}
    return {"anyOf": [{"enum": languages()}, own]}


def _list(item: Schema, at_least: int = 0) -> Schema:
    return {"type": "array", "items": item, **({"minItems": at_least} if at_least else {})}


def _name() -> Schema:
    return {"type": "string", "pattern": NAME}


def _plain(value: Any) -> bool:
    return isinstance(value, (bool, int, float)) or (isinstance(value, str) and value != "")
