"""Experiment -> plain data, in the shape of the YAML with every default written out."""

from __future__ import annotations

import dataclasses
import datetime
import enum
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.runtime.session import SessionConfig
from harness.spec.model import At, Experiment, GateSpec, ModelSpec, Origin, Recorded, Use


def to_json(experiment: Experiment) -> dict[str, Any]:
    """Plain and canonical: equal experiments give equal data, and `from_json` reads it again."""
    data: dict[str, Any] = _plain(experiment)
    return data


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
    if isinstance(value, (At, Origin)):
        return {k: _plain(v) for k, v in vars(value).items() if v not in ("", None, (), {})}
    if isinstance(value, GateSpec):
        return _gate(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value))
        return {name: _plain(part) for name, part in pairs if part not in (None, At())}
    return _leaf(value)


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
