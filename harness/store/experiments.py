"""A stored experiment and what its run told beside it, read back as frozen values: strictly, by the
types and bounds of their fields, and without a plugin.

Whoever wrote the file, each value is of its field's type or the file is refused with the place of
what is wrong. A key that is missing has its default, as in a file from before there was one. A key
that nothing here knows, of a newer version perhaps, is passed over as it always was, but where
unknown keys have a meaning: beside `use` and `family` they are parameters (kept as plain data,
whose types only the plugin knows), in a recorded row they are metrics, and in a gate the one key
that is no field names its limit: a gate with two is refused, since it asks for something unknown.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import math
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt, MinLen

from harness.contracts import experiment as model
from harness.contracts.experiment import Experiment, RunFacts
from harness.contracts.plain import to_json
from harness.errors import StoreError, limits

T = TypeVar("T")

LARGEST = 2**63  # of a whole number: no table could hold more


class _UnfitError(Exception):
    """What is wrong at a place of the file."""

    def __init__(self, path: str, text: str) -> None:
        super().__init__(f"{path}: {text}" if path else text)


def read(file: Path, data: object) -> tuple[Experiment, RunFacts]:
    """What the JSON of that file holds. Raises: StoreError with the file, the field and what would
    be right."""
    try:
        _shallow(data)
        return _built(Experiment, data, ""), _built(RunFacts, data, "")
    except _UnfitError as error:
        raise StoreError(f"{file}: {error}; run the experiment again.") from None


def as_stored(experiment: Experiment) -> Experiment:
    """The experiment as whoever reads the run's result has it: parameters of plugins are plain."""
    return _built(Experiment, to_json(experiment), "")


def _shallow(data: object) -> None:
    """Refuse what is nested deeper than an experiment can be, before anything descends into it."""
    level = [data]
    for _ in range(limits.RESULT_DEPTH):
        level = [
            part
            for one in level
            if isinstance(one, dict | list)
            for part in (one.values() if isinstance(one, dict) else one)
        ]
    if level:
        raise _UnfitError("", f"is nested more than {limits.RESULT_DEPTH} deep")


# ------------------------------------------------------------------ by the type of a field
def _value(hint: Any, raw: Any, path: str) -> Any:
    """`raw` as what the annotation says. Raises: _UnfitError."""
    origin, inside = get_origin(hint), get_args(hint)
    if hint is Any:
        return raw
    if origin is Annotated:
        return _bounded(_value(inside[0], raw, path), inside[1:], path)
    if origin in (Union, types.UnionType):
        return _one_of(inside, raw, path)
    if origin is Literal:
        return _chosen(inside, raw, path)
    if origin is tuple:
        entries = _of(list, "a list", raw, path)
        return tuple(_value(inside[0], one, f"{path}[{i}]") for i, one in enumerate(entries))
    if origin is not None:  # Mapping[str, ...]
        pairs = _mapping(raw, path).items()
        return {key: _value(inside[1], one, _under(path, key)) for key, one in pairs}
    return (_built if dataclasses.is_dataclass(hint) else _plain)(hint, raw, path)


def _chosen(names: tuple[Any, ...], raw: Any, path: str) -> str:
    if not isinstance(raw, str):
        raise _unlike("a text", raw, path)
    if raw not in names:
        raise _UnfitError(path, f"should be one of {', '.join(names)}")
    return raw


def _one_of(hints: tuple[Any, ...], raw: Any, path: str) -> Any:
    if raw is None and type(None) in hints:
        return None
    known = [hint for hint in hints if hint is not type(None)]
    for hint in known[:-1]:
        try:
            return _value(hint, raw, path)
        except _UnfitError:
            continue
    return _value(known[-1], raw, path)


def _plain(hint: Any, raw: Any, path: str) -> Any:
    if hint is float:
        return _number(raw, path)
    if hint is int:
        if isinstance(raw, bool) or not isinstance(raw, int):
            raise _unlike("a whole number", raw, path)
        if abs(raw) >= LARGEST:
            raise _UnfitError(path, "is too large a number")
        return raw
    if hint is datetime.date:
        try:
            return datetime.date.fromisoformat(_of(str, "a date, YYYY-MM-DD", raw, path))
        except ValueError:
            raise _unlike("a date, YYYY-MM-DD", raw, path) from None
    return _of(hint, "true or false" if hint is bool else "a text", raw, path)


def _number(raw: Any, path: str) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise _unlike("a number", raw, path)
    try:
        found = float(raw)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise _UnfitError(path, "should be a finite number")
    return found


def _bounded(value: Any, bounds: tuple[Any, ...], path: str) -> Any:
    for bound in bounds:
        if isinstance(bound, MinLen) and len(value) < bound.min_length:
            raise _UnfitError(path, "is empty" if not value else f"has only {len(value)}")
        if isinstance(bound, Ge) and not value >= bound.ge:
            raise _UnfitError(path, f"should be at least {bound.ge}")
        if isinstance(bound, Gt) and not value > bound.gt:
            raise _UnfitError(path, f"should be over {bound.gt}")
        if isinstance(bound, Le) and not value <= bound.le:
            raise _UnfitError(path, f"should be at most {bound.le}")
        if isinstance(bound, Lt) and not value < bound.lt:
            raise _UnfitError(path, f"should be under {bound.lt}")
    return value


def _mapping(raw: Any, path: str) -> dict[str, Any]:
    return _of(dict, "a mapping", raw, path)


def _of(kind: type[T], what: str, raw: Any, path: str) -> T:
    if not isinstance(raw, kind):
        raise _unlike(what, raw, path)
    return raw


def _unlike(what: str, raw: Any, path: str) -> _UnfitError:
    kinds = {dict: "a mapping", list: "a list", str: "a text", bool: "true or false"}
    given = "nothing" if raw is None else kinds.get(type(raw), "a number")
    return _UnfitError(path, f"should be {what}, not {given}")


def _under(path: str, key: str) -> str:
    name = key if len(key) <= limits.FIGURE_NAME else f"{key[: limits.FIGURE_NAME]}..."
    return f"{path}.{name}" if path else name


# ------------------------------------------------------------------ by the class
def _built(cls: Callable[..., T], raw: Any, path: str) -> T:
    """An instance of the dataclass from a mapping."""
    data = _mapping(raw, path)
    values = _SPECIAL[cls](data, path) if cls in _SPECIAL else data
    found = dict[str, Any]()
    for name, (hint, required) in _fields(cls).items():
        if name in values:
            found[name] = _value(hint, values[name], _under(path, name))
        elif required:
            raise _UnfitError(_under(path, name), "is missing")
    if cls is model.SessionConfig:
        found |= {name: tuple(found[name].items()) for name in _PAIRS if name in found}
    return cls(**found)


_PAIRS = {"options": Mapping[str, model.Option], "provider_options": Mapping[str, str]}


@functools.cache
def _fields(cls: Any) -> dict[str, tuple[Any, bool]]:
    """Field -> (its annotation, whether a mapping must have it)."""
    hints = get_type_hints(cls, include_extras=True)
    if cls is model.SessionConfig:
        hints |= _PAIRS  # pairs, of which the file has mappings
    nothing = dataclasses.MISSING
    return {
        one.name: (hints[one.name], one.default is one.default_factory is nothing)
        for one in dataclasses.fields(cls)
    }


def _with_params(cls: type) -> Callable[[dict[str, Any], str], dict[str, Any]]:
    """Whatever is no field is a parameter of the plugin."""

    def gathered(data: dict[str, Any], path: str) -> dict[str, Any]:
        own = {key: value for key, value in data.items() if key in _fields(cls)}
        params = {key: value for key, value in data.items() if key not in own}
        return {**own, "params": params}

    return gathered


def _recorded(data: dict[str, Any], path: str) -> dict[str, Any]:
    own = {key: value for key, value in data.items() if key in ("name", "source")}
    others = {key: value for key, value in data.items() if key not in own}
    return {**own, "metrics": {key: _number(one, _under(path, key)) for key, one in others.items()}}


def _gate(data: dict[str, Any], path: str) -> dict[str, Any]:
    known = set(_fields(model.GateSpec)) - {"kind", "limit"}
    kinds = [key for key in data if key not in known]
    if len(kinds) != 1:
        told = f"has more than one limit: {', '.join(kinds[:3])}" if kinds else "has no limit"
        raise _UnfitError(path, told)
    limit = _number(data[kinds[0]], _under(path, kinds[0]))
    return {**{key: data[key] for key in data if key in known}, "kind": kinds[0], "limit": limit}


_SPECIAL: Mapping[Any, Callable[[dict[str, Any], str], dict[str, Any]]] = {
    model.Use: _with_params(model.Use),
    model.ModelSpec: _with_params(model.ModelSpec),
    model.Recorded: _recorded,
    model.GateSpec: _gate,
}
