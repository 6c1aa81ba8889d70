"""Experiment -> plain data, in the shape of the YAML with every default written out: the one place
that writes an experiment. What reads it again is store/experiments.py (a result) and spec (a YAML
file)."""

from __future__ import annotations

import dataclasses
import datetime
import enum
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.contracts.experiment import (
    At,
    Experiment,
    GateSpec,
    ModelSpec,
    Origin,
    Recorded,
    RunFacts,
    SessionConfig,
    Use,
    Waiver,
)


def to_json(experiment: Experiment) -> dict[str, Any]:
    """Plain and canonical: equal experiments give equal data; `spec.from_json` reads it."""
    return plain(experiment)


def plain(part: Experiment | RunFacts | ModelSpec | Use | SessionConfig | Waiver) -> dict[str, Any]:
    """A part of it in the same way."""
    data: dict[str, Any] = _plain(part)
    return data


def filed(part: Experiment | ModelSpec | Use | Origin) -> dict[str, Any]:
    """The same, each mapping in the order of its keys, as a file has it."""
    data: dict[str, Any] = _sorted(_plain(part))
    return data


def _sorted(value: Any) -> Any:
    if isinstance(value, list):
        return [_sorted(one) for one in value]
    return {key: _sorted(value[key]) for key in sorted(value)} if isinstance(value, dict) else value


def _plain(value: Any) -> Any:
    if isinstance(value, SessionConfig):
        return value.to_json()
    if isinstance(value, Use):
        parts = {"parts": _plain(value.parts)} if value.parts else {}
        return {"use": value.use, **parts, **_plain(value.params)}
    if isinstance(value, ModelSpec):
        own = ((name, getattr(value, name)) for name in ("source", "parts", "quantize"))
        given = {name: _plain(part) for name, part in own if part}
        return {"family": value.family, **given, **_plain(value.params)}
    if isinstance(value, Recorded):
        return {"name": value.name, "source": value.source, **value.metrics}
    if isinstance(value, (At, Origin, RunFacts)):
        return _given(value)
    if isinstance(value, GateSpec):
        return _gate(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value))
        return {name: _plain(part) for name, part in pairs if part not in (None, At())}
    return _leaf(value)


def _given(value: At | Origin | RunFacts) -> dict[str, Any]:
    """Without what was not given; that no gate ruled anybody out is told."""
    nothing: tuple[object, ...] = ("", None, {}, ())
    if isinstance(value, RunFacts):
        nothing = nothing[:-1]
    return {name: _plain(part) for name, part in vars(value).items() if part not in nothing}


def _leaf(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (tuple, list, set, frozenset)):
        return [_plain(v) for v in value]
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value.as_posix() if isinstance(value, Path) else value


def _gate(gate: GateSpec) -> dict[str, Any]:
    own = {k: v for k, v in vars(gate).items() if k not in ("kind", "limit")}
    given = {k: _plain(v) for k, v in own.items() if v not in ("", None, At())}
    return given | {gate.kind: gate.limit}
