"""One session option at a time: is it read, may it have this value, its JSON schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from harness.contracts.experiment import CPU, Option
from harness.errors import SessionError
from harness.errors.nearest import nearest
from harness.runtime import environment
from harness.runtime.session.keys import (
    CPU_KNOBS,
    FIELDS,
    FIELDS_LEFT_OUT,
    KEYS,
    KEYS_LEFT_OUT,
    PROVIDERS,
    PROVIDERS_LEFT_OUT,
    Field,
)

CORES = "cores"
THREADS = ("intra_op_num_threads", "inter_op_num_threads")


def checked_value(key: str, value: Any) -> Option:
    """The option's value as onnxruntime takes it, or one line on why it would be ignored."""
    if key in FIELDS:
        return _field_value(key, FIELDS[key], value)
    if key in KEYS:
        return _key_value(key, value)
    reason = FIELDS_LEFT_OUT.get(key) or KEYS_LEFT_OUT.get(key)
    if reason:
        raise SessionError(f"{key} is left out here: {reason}.")
    known = (
        sorted(KEYS) if "." in key else ["name", "grid", "provider", "provider_options", *FIELDS]
    )
    raise SessionError(f"onnxruntime would ignore {key!r}.{nearest(key, known)}")


def _field_value(key: str, field: Field, value: Any) -> Option:
    if field.kind == "flag":
        fits, right = isinstance(value, bool), "true or false"
    elif field.kind == "choice":
        members = list(field.members or {})
        fits, right = value in members, ", ".join(members)
    else:
        whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= field.most
        may_be_cores = key in THREADS
        fits = whole or (may_be_cores and value == CORES)
        right = f"a whole number up to {field.most}" + (" or `cores`" if may_be_cores else "")
    if not fits:
        raise SessionError(f"{key}: {value!r} should be {right}.")
    checked: Option = value
    return checked


def _key_value(key: str, value: Any) -> str:
    entry = KEYS[key]
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
    if text is None or not re.fullmatch(entry.pattern, text):
        raise SessionError(f"{key}: {value!r} should be {entry.allowed}.")
    installed = environment.onnxruntime_version()
    if _release(installed) < _release(entry.since):
        raise SessionError(f"{key} is for onnxruntime {entry.since} on; here is {installed}.")
    return text


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def check_affinities(options: Mapping[str, Option]) -> None:
    masks = options.get("session.intra_op_thread_affinities")
    if masks is None:
        return
    threads = options.get("intra_op_num_threads", 0)
    given = str(masks).count(";") + 1
    if given != int(threads) - 1:
        raise SessionError(
            f"session.intra_op_thread_affinities: {given} sets of processors for "
            f"intra_op_num_threads {threads}; it takes one less than there are threads."
        )


def checked_provider(name: Any) -> str:
    if name in PROVIDERS_LEFT_OUT:
        raise SessionError(f"{name} is left out here: {PROVIDERS_LEFT_OUT[name]}.")
    if not isinstance(name, str) or name not in PROVIDERS:
        raise SessionError(f"no provider {name!r}.{nearest(str(name), list(PROVIDERS))}")
    if name != CPU:
        require_loaded(name)
    return name


def require_loaded(provider: str) -> None:
    import onnxruntime

    there = onnxruntime.get_available_providers()
    if provider not in there:
        raise SessionError(f"{provider} is not in this build of onnxruntime, which has {there}.")


def checked_provider_options(provider: str, given: Mapping[str, Any]) -> dict[str, str]:
    known = PROVIDERS[provider]
    for key, value in given.items():
        if provider == CPU:
            raise SessionError(
                f"provider_options: {CPU} reads none, so {key!r} would be ignored; "
                f"the real knobs are {CPU_KNOBS}."
            )
        if key not in known:
            raise SessionError(
                f"provider_options: {provider} has no {key!r}.{nearest(key, list(known))}"
            )
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise SessionError(f"provider_options: {key}: {value!r} should be a text or a number.")
    return {key: str(value) for key, value in given.items()}


def idle(options: Mapping[str, Option]) -> dict[str, str]:
    """Option -> why onnxruntime does not read it beside the others."""
    parallel = options.get("execution_mode") == "parallel"
    alone = options.get("intra_op_num_threads") == 1
    rules: list[tuple[bool, tuple[str, ...], str]] = [
        (
            not parallel,
            ("inter_op_num_threads", "session.inter_op."),
            "there is a pool across operators in execution_mode parallel only",
        ),
        (parallel, ("enable_mem_pattern",), "execution_mode parallel turns memory patterns off"),
        (alone, ("session.intra_op",), "with one thread there is no pool"),
        (
            alone and not parallel,
            ("session.force_spinning_stop", "session.dynamic_block_base"),
            "with one thread and execution_mode sequential there is no pool",
        ),
        *(
            (options.get(f"{pool}.allow_spinning") == "0", (f"{pool}.spin_",), "threads never spin")
            for pool in ("session.intra_op", "session.inter_op")
        ),
    ]
    return {
        key: reason
        for holds, stems, reason in rules
        for key in options
        if holds and key.startswith(stems)
    }


def default(key: str) -> Option:
    return FIELDS[key].default if key in FIELDS else KEYS[key].default


def json_schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of one entry under `sessions`, for an editor's completion."""
    options = _schema_of_options()
    axes = {
        key: {"type": "array", "items": schema, "minItems": 1, "uniqueItems": True}
        for key, schema in options.items()
    }
    return {
        "type": "object",
        "required": ["name"],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "minLength": 1, "description": "How tables name it."},
            "grid": _object(axes, "Lists of values; every combination becomes a configuration."),
            "provider_options": {
                "type": "object",
                "additionalProperties": {"type": ["string", "integer"]},
                "description": f"Options that the provider knows; {CPU} has none.",
            },
            **options,
        },
    }


def _schema_of_options() -> dict[str, Any]:
    provider = {"enum": list(PROVIDERS), "default": CPU, "description": "Where nodes are run."}
    fields = {key: _schema_of_field(key, field) for key, field in FIELDS.items()}
    keys = {
        key: {
            "anyOf": [{"type": "string", "pattern": f"^(?:{k.pattern})$"}, {"type": "integer"}],
            "description": f"{k.about} Takes {k.allowed}.",
        }
        for key, k in KEYS.items()
    }
    return {"provider": provider, **fields, **keys}


def _schema_of_field(key: str, field: Field) -> dict[str, Any]:
    schema: dict[str, Any]
    if field.kind == "flag":
        schema = {"type": "boolean"}
    elif field.kind == "choice":
        schema = {"enum": list(field.members or {})}
    else:
        schema = {"type": "integer", "minimum": 0, "maximum": field.most}
        schema = {"anyOf": [schema, {"const": CORES}]} if key in THREADS else schema
    return {**schema, "default": field.default, "description": field.about}


def _object(properties: Mapping[str, Any], about: str) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "minProperties": 1,
        "properties": dict(properties),
        "description": about,
    }
