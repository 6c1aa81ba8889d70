"""YAML text -> plain data with the line of every key; refuses what YAML lets slip.

Scalars follow YAML 1.2: `no` and `1:30` are texts and 1e-3 is a number, as an editor shows them.
A key given twice, a key that is not a text, a tag, an endless alias, control characters, whole
numbers beyond 64 bits and .nan / .inf are refused; so is what is larger than any experiment
(limits.YAML_*), before memory or time are spent on it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from harness.errors import SpecError
from harness.errors.limits import YAML_DEPTH, YAML_KEY, YAML_NODES, YAML_PROBLEMS
from harness.io.escaping.signs import cut, spelt


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong; `path` is as in gates[0].metric, "" for the file as a whole."""

    path: str
    text: str
    line: int = 0


@dataclass(frozen=True)
class Document:
    """Plain data (dict, list, str, int, float, bool, None) and the line on which a path starts."""

    file: str
    data: Any
    lines: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def line(self, path: str) -> int:
        """The line of the path, or of the nearest part above it that stands in the file."""
        while path and path not in self.lines:
            path = re.sub(r"(\.[^.\[]*|\[\d+\]|^[^.\[]+)$", "", path)
        return self.lines.get(path, 0)


class _BoundError(Exception):
    """Text that is larger than any experiment: (line, what is too much)."""


class _Loader(yaml.SafeLoader):
    """SafeLoader that knows the scalars of YAML 1.2's core schema only, and stops at the bounds."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (PyYAML's own class attribute)

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nodes = self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._nodes, self._depth = self._nodes + 1, self._depth + 1
        if self._depth > YAML_DEPTH:
            raise _BoundError(self.line + 1, f"nested more than {YAML_DEPTH} deep")
        if self._nodes > 2 * YAML_NODES:  # keys count here too
            raise _BoundError(self.line + 1, f"more than {YAML_NODES:,} values")
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


_SCALARS = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    "float": (
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
}
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef]")
_TAG = "tag:yaml.org,2002:"
for _name, (_pattern, _first) in _SCALARS.items():
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(f"^(?:{_pattern})$"), _first)


def read(text: str, file: str) -> Document:
    """The one document in `text`.

    Raises: SpecError (one line) for text that is not YAML, holds several documents or nests without
    end; lesser problems are in the Document, with all others of the file.
    """
    try:
        node = yaml.compose(text, _Loader)
    except _BoundError as error:
        raise _too_much(file, *error.args) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, int(error.position)) + 1
        raise SpecError(
            f"{file}:{line}: not valid YAML: holds the character {spelt(text[error.position])}."
        ) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{mark.line + 1}" if mark else file
        raise SpecError(f"{where}: not valid YAML: {error.problem or error.context}.") from error
    except yaml.YAMLError as error:
        raise SpecError(f"{file}: not valid YAML: {str(error).splitlines()[0]}.") from error
    except (ValueError, OverflowError) as error:  # an escape that is no character: "\\UFFFFFFFF"
        raise SpecError(f"{file}: not valid YAML: {error}.") from error
    if node is None:
        raise SpecError(f"{file}: holds nothing; an experiment needs at least name and model.")
    walk = _Walk(file)
    try:
        data = walk.value(node, "")
    except _BoundError as error:
        raise _too_much(file, *error.args) from None
    return Document(file, data, walk.lines, tuple(walk.problems))


def _too_much(file: str, line: int, what: str) -> SpecError:
    return SpecError(f"{file}:{line}: {what}: too much to be an experiment.")


class _Walk:
    """Turns nodes into data; gathers lines and problems on the way."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[str, int] = {}
        self.problems: list[Problem] = []
        self._above: list[int] = []
        self._values = self._key = 0

    def value(self, node: yaml.Node, path: str) -> Any:
        line = node.start_mark.line + 1
        self._values += 1
        if self._values > YAML_NODES:
            where = self._key or line  # the alias, not what it stands for
            raise _BoundError(where, f"more than {YAML_NODES:,} values, counted with their aliases")
        self.lines.setdefault(path, line)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if node.tag not in (_TAG + "map", _TAG + "seq"):
            self._note(path, f"the tag {node.tag!r} has no meaning here; leave it out", line)
        if id(node) in self._above:
            raise SpecError(f"{self.file}:{line}: {path}: an alias that holds itself.")
        if len(self._above) >= YAML_DEPTH:
            raise _BoundError(line, f"nested more than {YAML_DEPTH} deep")
        self._above.append(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            return [self.value(item, f"{path}[{i}]") for i, item in enumerate(node.value)]
        finally:
            self._above.pop()

    def _mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._note(path, "a key must be a text", line)
                continue
            key = str(key_node.value)
            if len(key) > YAML_KEY:
                self._note(path, f"has a key of {len(key):,} characters", line)
                continue
            self._unfit(key, path, line)
            here = f"{path}.{key}" if path else key
            if key in out:
                first = self.lines[here]
                self._note(here, f"is given twice (first on line {first}); keep one", line)
                continue
            self.lines[here] = line
            self._key = self._key if path else line
            out[key] = self.value(value_node, here)
        return out

    def _scalar(self, node: yaml.ScalarNode, path: str) -> Any:
        kind, text = node.tag.removeprefix(_TAG), str(node.value)
        line = node.start_mark.line + 1
        if kind == "str":
            self._unfit(text, path, line)
            return text
        if kind not in _SCALARS or not re.fullmatch(_SCALARS[kind][0], text):
            self._note(path, f"the tag {node.tag!r} has no meaning here; leave it out", line)
            return text
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        return self._number(kind, text, path, line)

    def _number(self, kind: str, text: str, path: str, line: int) -> float:
        if kind == "int":
            whole = int(text, {"0o": 8, "0x": 16}.get(text[:2], 10)) if len(text) < 30 else 2**64
            if abs(whole) < 2**63:
                return whole
            self._note(path, f"is a whole number beyond 64 bits ({len(text):,} digits)", line)
            return 0
        value = float(re.sub(r"\.(?=[in])", "", text.lower()))
        if not math.isfinite(value):
            self._note(path, f"should be a finite number, not {cut(text, 40)}", line)
        return value

    def _unfit(self, text: str, path: str, line: int) -> None:
        """Notes characters that no text of an experiment has a use for, nor a file's name."""
        found = _CONTROLS.search(text)
        if found:
            self._note(path, f"holds the character {spelt(found[0])}", line)

    def _note(self, path: str, text: str, line: int) -> None:
        if len(self.problems) >= YAML_PROBLEMS:
            raise _BoundError(line, f"more than {YAML_PROBLEMS} mistakes")
        self.problems.append(Problem(path, text, line))
