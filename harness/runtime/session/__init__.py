"""Session configurations, named or as grids, and the only place that opens an ORT session.

onnxruntime stores any key with any value, turns an unknown execution provider into the CPU one,
and says nothing. Here each option is checked against `keys`, and an option that the others switch
off is refused, since two cells that mean the same would be measured as two.
"""

from __future__ import annotations

import itertools
import json
import keyword
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.contracts.experiment import CPU, Option, SessionConfig
from harness.errors import ModelError, SessionError
from harness.runtime import environment
from harness.runtime.session.keys import FIELDS, KEYS
from harness.runtime.session.options import (
    CORES,
    check_affinities,
    checked_provider,
    checked_provider_options,
    checked_value,
    default,
    idle,
    json_schema,
    require_loaded,
)
from harness.runtime.session.refusals import plainly
from harness.runtime.session.running import ort_errors

if TYPE_CHECKING:
    import onnxruntime

__all__ = [
    "SessionConfig",
    "changes",
    "json_schema",
    "meaning",
    "open_session",
    "parse",
    "python_code",
    "session_options",
    "unchecked",
]

Options = dict[str, Option]

MOST_COMBINATIONS = 1024
QUIET = 3  # log_severity_level: errors only


def changes(config: SessionConfig) -> Options:
    """What differs from onnxruntime's defaults and is not switched off by the rest."""
    options = dict(config.options)
    unread = idle(options)
    return {k: v for k, v in sorted(options.items()) if k not in unread and v != default(k)}


def meaning(config: SessionConfig) -> str:
    """Equal for two configurations that are the same to onnxruntime."""
    return json.dumps([config.provider, config.provider_options, changes(config)])


# ------------------------------------------------------------------ YAML -> configurations
def parse(entries: Sequence[Mapping[str, Any]], where: str) -> tuple[SessionConfig, ...]:
    """The configurations that the experiment's list means, grids unfolded, in its order.

    Two entries that mean the same as written are refused. A combination of a grid that means the
    same as an earlier configuration is folded into that one, whose `note` then names it. Entries
    that are the same on this machine only (`cores` and 2 on two cores) both stay, with a note.

    Raises: SessionError with the place (`sessions[2]: ...`), what is wrong and what would be right.
    """
    named: dict[str, SessionConfig] = {}
    as_written: dict[str, str] = {}
    for number, entry in enumerate(entries):
        try:
            found = _entry(entry)
            for config in found:
                _add(config, "grid" in entry, named, as_written)
        except SessionError as error:
            raise SessionError(f"{where}[{number}]: {error}") from None
    return tuple(named.values())


def _add(
    config: SessionConfig,
    from_grid: bool,
    named: dict[str, SessionConfig],
    as_written: dict[str, str],
) -> None:
    """Put one configuration, `cores` still a word in it, among those before it."""
    if config.name in named:
        raise SessionError(f"the name {config.name!r} is used twice.")
    resolved = _with_cores(config)
    twin = next((c for c in named.values() if meaning(c) == meaning(resolved)), None)
    if twin is None:
        named[config.name] = resolved
    elif from_grid:
        also = f"{twin.note}, {config.name}" if twin.note else f"also stands for {config.name}"
        named[twin.name] = replace(twin, note=also)
    elif as_written.get(meaning(config)):
        raise SessionError(f"{config.name!r} means the same as {as_written[meaning(config)]!r}.")
    else:
        named[config.name] = replace(resolved, note=f"the same as {twin.name} on this machine")
    as_written.setdefault(meaning(config), config.name)


def _entry(entry: Mapping[str, Any]) -> list[SessionConfig]:
    name = entry.get("name")
    if not isinstance(name, str) or not name:
        raise SessionError("every session needs a name, such as `name: default`.")
    options = {k: v for k, v in entry.items() if k not in ("name", "grid", "provider_options")}
    provider_options = _mapping(entry, "provider_options")
    grid = _mapping(entry, "grid")
    if "grid" in entry:
        found = _unfold(name, options, grid, provider_options)
    else:
        found = [_config(name, options, provider_options)]
    _refuse_idle(found)
    return found


def _mapping(entry: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = entry.get(key, {})
    if not isinstance(value, Mapping) or (key == "grid" and key in entry and not value):
        raise SessionError(f"{key} must be a mapping, such as `{key}: {{...}}`.")
    return value


def _unfold(
    name: str,
    fixed: Mapping[str, Any],
    grid: Mapping[str, Any],
    provider_options: Mapping[str, Any],
) -> list[SessionConfig]:
    for key, values in grid.items():
        if not isinstance(values, list) or not values:
            raise SessionError(f"grid: {key}: {values!r} is not a list of values.")
        if key in fixed:
            raise SessionError(f"{key} is given both in the grid and beside it.")
        if len({json.dumps(v) for v in values}) < len(values):
            raise SessionError(f"grid: {key}: a value is given twice in {values}.")
    count = math.prod(len(values) for values in grid.values())
    if count > MOST_COMBINATIONS:
        raise SessionError(f"the grid has {count} combinations; at most {MOST_COMBINATIONS}.")
    found = []
    for values in itertools.product(*grid.values()):
        chosen = dict(zip(grid, values, strict=True))
        label = ",".join(f"{key}={_text(value)}" for key, value in chosen.items())
        found.append(_config(f"{name}/{label}", {**fixed, **chosen}, provider_options))
    return found


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _config(
    name: str, written: Mapping[str, Any], provider_options: Mapping[str, Any]
) -> SessionConfig:
    provider = checked_provider(written.get("provider", CPU))
    options = {k: checked_value(k, v) for k, v in written.items() if k != "provider"}
    return SessionConfig(
        name=name,
        options=tuple(options.items()),
        provider=provider,
        provider_options=tuple(checked_provider_options(provider, provider_options).items()),
    )


def _with_cores(config: SessionConfig) -> SessionConfig:
    options = {k: environment.cores() if v == CORES else v for k, v in config.options}
    check_affinities(options)
    return replace(config, options=tuple(options.items()))


def _refuse_idle(found: Sequence[SessionConfig]) -> None:
    """An option that does nothing in any of the configurations that an entry means."""
    unread = [idle(dict(config.options)) for config in found]
    for key, reason in unread[0].items():
        if all(key in other for other in unread):
            raise SessionError(f"{key} does nothing here: {reason}.")


def unchecked(
    config: SessionConfig, name: str, provider_options: Mapping[str, Option]
) -> SessionConfig:
    """The configuration with provider options that nobody checked: the one door for them, for an
    audit that shows what onnxruntime does with an option that it does not know."""
    added = {key: str(value) for key, value in provider_options.items()}
    given = {**dict(config.provider_options), **added}
    return replace(config, name=name, provider_options=tuple(given.items()))


# ------------------------------------------------------------------ onnxruntime
def session_options(config: SessionConfig) -> onnxruntime.SessionOptions:
    """The configuration as onnxruntime's own object."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = QUIET
    for key, value in config.options:
        if key in KEYS:
            options.add_session_config_entry(key, value)
            continue
        field = FIELDS[key]
        if field.members:
            value = getattr(getattr(onnxruntime, field.enum), field.members[str(value)])
        setattr(options, key, value)
    return options


def open_session(
    path: Path, config: SessionConfig, optimized: Path | None = None
) -> onnxruntime.InferenceSession:
    """An ORT session on exactly the provider that was asked for; its graph, as it will be run, is
    written to `optimized` where that is given.

    Raises: ModelError for a file that is not there or that onnxruntime cannot load, SessionError
    for a provider that did not load.
    """
    import onnxruntime

    require_loaded(config.provider)
    if not path.is_file():
        raise ModelError(f"{path.name}: no such model file.")
    options = session_options(config)
    if optimized is not None:
        options.optimized_model_filepath = str(optimized)
    provider = (config.provider, dict(config.provider_options))
    try:
        session = onnxruntime.InferenceSession(
            str(path), sess_options=options, providers=[provider], enable_fallback=0
        )
    except ort_errors() as error:
        said = " ".join(str(error).replace(str(path), path.name).split())
        raise ModelError(f"{path.name}: onnxruntime cannot open it: {plainly(said)}") from error
    session.disable_fallback()
    if session.get_providers()[0] != config.provider:
        raise SessionError(
            f"{path.name}: {config.provider} did not load; it runs on {session.get_providers()[0]}."
        )
    return session


# ------------------------------------------------------------------ for people and editors
def python_code(config: SessionConfig, model_files: Mapping[str, str]) -> str:
    """The configuration as Python that runs: one session for each role in {role: file}."""
    lines = ["import onnxruntime as ort", "", "options = ort.SessionOptions()"]
    for key, value in changes(config).items():
        if key in KEYS:
            lines.append(f"options.add_session_config_entry({key!r}, {value!r})")
            continue
        field = FIELDS[key]
        shown = repr(value)
        if field.members:
            shown = f"ort.{field.enum}.{field.members[str(value)]}"
        lines.append(f"options.{key} = {shown}")
    options = dict(config.provider_options)
    provider = repr((config.provider, options) if options else config.provider)
    lines += [f"providers = [{provider}]", ""]
    lines += [
        f"{_variable(role)} = ort.InferenceSession({file!r}, options, providers=providers)"
        for role, file in model_files.items()
    ]
    return "\n".join(lines) + "\n"


def _variable(role: str) -> str:
    name = re.sub(r"\W", "_", role) or "session"
    return f"{name}_" if name[0].isdigit() or keyword.iskeyword(name) else name
