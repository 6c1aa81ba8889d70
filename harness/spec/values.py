"""Plain data against a dataclass: strict types, unknown and missing keys, one problem line each."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_type_hints

from harness.errors import HarnessError, PluginError, SpecError
from harness.errors.limits import SHOWN_TEXT, YAML_PROBLEMS
from harness.errors.nearest import nearest
from harness.io.escaping.signs import cut
from harness.io.strict_yaml import Document, Problem
from harness.spec.descriptions import descriptions
from harness.spec.units import UnfitUnitError, figure

if TYPE_CHECKING:
    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails

Special = Callable[[Any, str], Any]
"""Reads one key in its own way: (raw value, path) -> value, None after noting a problem."""

_WANTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping (key: value)",
    "dataclass_type": "a mapping (key: value)",
    "date_type": "a date, YYYY-MM-DD",
    "date_parsing": "a date, YYYY-MM-DD",
    "date_from_datetime_parsing": "a date, YYYY-MM-DD",
    "date_from_datetime_inexact": "a date, YYYY-MM-DD",
    "greater_than": "over {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "under {lt:g}",
    "less_than_equal": "at most {le:g}",
    "literal_error": "one of {expected}",
    "enum": "one of {expected}",
}


class Reader:
    """Reads parts of one document and gathers every problem, so that all are reported at once."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = list(document.problems)

    def note(self, path: str, text: str) -> None:
        """Raises: SpecError with all that was found, once there is more than anybody reads."""
        if len(self.problems) >= YAML_PROBLEMS:
            raise SpecError("\n".join([*self.lines(), "There are more: mend these first."]))
        self.problems.append(Problem(path, cut(text, SHOWN_TEXT)))

    def lines(self) -> list[str]:
        """One line per problem, in the order of the file: file:line: path: what is wrong."""
        placed = [(p.line or self.document.line(p.path), p) for p in self.problems]
        out = []
        for line, problem in sorted(placed, key=lambda item: item[0]):
            where = f"{self.document.file}:{line}" if line else self.document.file
            path = f" {problem.path}:" if problem.path else ""
            text = " ".join(problem.text.split()).rstrip(".")
            out.append(f"{where}:{path} {text}.")
        return list(dict.fromkeys(out))

    def mapping(self, raw: Any, path: str) -> dict[str, Any] | None:
        if isinstance(raw, dict):
            return raw
        self.note(path, f"should be a mapping (key: value), not {_shown(raw)}")
        return None

    def items(self, raw: Any, path: str) -> list[tuple[str, Any]]:
        """(path, entry) pairs of a list."""
        if isinstance(raw, list):
            return [(f"{path}[{i}]", entry) for i, entry in enumerate(raw)]
        self.note(path, f"should be a list (- ...), not {_shown(raw)}")
        return []

    def value(self, hint: Any, raw: Any, path: str) -> Any:
        """`raw` as the annotated type, or None after a note."""
        return self._checked(_adapter(hint), raw, path)

    def figure(self, raw: Any, path: str, unit: str, on: str = "value") -> float | None:
        """A number with or without its unit (units.py) in `unit`, or None after a note."""
        try:
            return figure(raw, unit, on)
        except UnfitUnitError as error:
            self.note(path, str(error))
            return None

    def keys(self, raw: Mapping[str, Any], path: str, known: Sequence[str]) -> None:
        """Notes every key of `raw` that is not among the known ones."""
        for key in raw:
            if key not in known:
                hint = nearest(key, known, "Known here")
                self.note(_path(path, (key,)), f"is not a known key.{hint}")

    def fields(
        self, cls: type, raw: Mapping[str, Any], path: str, special: Mapping[str, Special]
    ) -> dict[str, Any] | None:
        """The known keys of `raw` as keyword arguments of the dataclass; None after any problem.

        Keys in `special` are read by their own function, all others by the field's annotation.
        """
        before = len(self.problems)
        adapters, out = _adapters(cls), {}
        for field in dataclasses.fields(cls):
            name, here = field.name, _path(path, (field.name,))
            if name in raw and name in special:
                out[name] = special[name](raw[name], here)
            elif name in raw:
                out[name] = self._checked(adapters[name], raw[name], here)
            elif field.default is field.default_factory is dataclasses.MISSING:
                about = descriptions(cls).get(name)
                self.note(here, f"is missing. {about}" if about else "is missing")
        return out if len(self.problems) == before else None

    def build(
        self, cls: type, raw: Any, path: str, special: Mapping[str, Special] | None = None
    ) -> Any:
        """An instance of the dataclass, or None after any problem.

        A Params class may refuse values in its own `__post_init__` by a ValueError or HarnessError.
        """
        data = self.mapping(raw, path)
        if data is None:
            return None
        before = len(self.problems)
        self.keys(data, path, [f.name for f in dataclasses.fields(cls)])
        values = self.fields(cls, data, path, special or {})
        if values is None or len(self.problems) > before:
            return None
        try:
            return cls(**values)
        except (ValueError, HarnessError) as error:
            self.note(path, str(error))
            return None

    def _checked(self, adapter: TypeAdapter[Any], raw: Any, path: str) -> Any:
        from pydantic import ValidationError

        try:
            return adapter.validate_json(json.dumps([raw]))[0]
        except ValidationError as error:
            details = error.errors(include_url=False)
            for detail in details:
                place = detail["loc"][1:]
                if detail["type"] == "too_short" and _is_within(place, details):
                    continue  # what is wrong inside the list was not counted
                hint = ""
                if detail["type"] == "unexpected_keyword_argument":
                    known = _keys_at(_schema(adapter), place[:-1])
                    hint = nearest(str(place[-1]), known, "Known here") if known else ""
                self.note(_path(path, place), _sentence(detail) + ("." + hint if hint else ""))
            return None


@functools.cache
def _adapters(cls: type) -> dict[str, TypeAdapter[Any]]:
    if not dataclasses.is_dataclass(cls):
        raise PluginError(f"{cls.__module__}: Params must be a dataclass.")
    hints = get_type_hints(cls, include_extras=True)
    return {f.name: _adapter(hints[f.name]) for f in dataclasses.fields(cls)}


def _adapter(hint: Any) -> TypeAdapter[Any]:
    # A dataclass takes its strictness from what holds it: hence the tuple of one.
    from pydantic import ConfigDict, PydanticSchemaGenerationError, TypeAdapter

    try:
        return TypeAdapter(tuple[hint], config=ConfigDict(strict=True, extra="forbid"))
    except PydanticSchemaGenerationError as error:
        raise PluginError(f"a parameter of type {hint} cannot be read from YAML.") from error


def field_schema(hint: Any) -> dict[str, Any]:
    """The JSON schema of one annotated type, with what it refers to inside it."""
    return _schema(_adapter(hint))


def _schema(adapter: TypeAdapter[Any]) -> dict[str, Any]:
    whole = adapter.json_schema()
    part: dict[str, Any] = _inlined(whole["prefixItems"][0], whole.get("$defs", {}))
    return part


def _keys_at(schema: Mapping[str, Any], location: Sequence[str | int]) -> list[str]:
    """The keys of the mapping at that place below what the schema describes; [] if unknown."""
    here = [schema]
    for part in location:
        here = [one for each in here for one in (each, *each.get("anyOf", ()))]
        if isinstance(part, int):
            here = [each["items"] for each in here if isinstance(each.get("items"), dict)]
        else:
            here = [each["properties"][part] for each in here if part in each.get("properties", {})]
    whole = [one for each in here for one in (each, *each.get("anyOf", ()))]
    return [key for each in whole for key in each.get("properties", {})]


def _is_within(place: Sequence[str | int], details: Sequence[ErrorDetails]) -> bool:
    """Whether one of the problems is inside of what stands at that place."""
    inner = (detail["loc"][1:] for detail in details)
    return any(len(one) > len(place) and one[: len(place)] == tuple(place) for one in inner)


def _inlined(part: Any, shared: Mapping[str, Any]) -> Any:
    if isinstance(part, list):
        return [_inlined(item, shared) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _inlined(shared[part["$ref"].rpartition("/")[2]], shared)
    # pydantic's titles only repeat the key
    kept = {k: v for k, v in part.items() if k != "title" or not isinstance(v, str)}
    return {k: _inlined(v, shared) for k, v in kept.items()}


def _path(path: str, location: Sequence[str | int]) -> str:
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _sentence(detail: ErrorDetails) -> str:
    kind, given = detail["type"], _shown(detail.get("input"))
    if kind in ("missing", "missing_argument"):
        return "is missing"
    if kind == "unexpected_keyword_argument":
        return "is not a known key"
    if kind == "string_too_short":
        return "is empty; it needs at least one"
    if kind == "too_short":
        least, has = (detail.get("ctx", {}).get(key, 0) for key in ("min_length", "actual_length"))
        needs = "one" if least == 1 else str(least)
        return f"{f'has {has}' if has else 'is empty'}; it needs at least {needs}"
    if kind in _WANTED:
        return f"should be {_WANTED[kind].format(**detail.get('ctx', {}))}, not {given}"
    if kind == "value_error":  # a nested dataclass refused it in its own words
        return str(detail["msg"]).removeprefix("Value error, ")
    return f"{detail['msg']}, not {given}"


def _shown(raw: Any) -> str:
    if raw is None:
        return "nothing"
    text = json.dumps(raw, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
