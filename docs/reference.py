"""The reference pages, made from what they describe: `python docs/reference.py` writes them anew.

reference-yaml.md is made from the JSON schema of an experiment, reference-commands.md from the
argument parser, reference-tables.md from the columns of a run's tables and the comments beside
them. A test (tests/test_docs.py) says when one is stale.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness import plugins, spec
from harness.app import cli
from harness.store import tables

HERE = Path(__file__).resolve().parent
MADE = "<!-- made by docs/reference.py (`make golden`); do not edit -->"
SHOWN_CHOICES = 8
FIGURE = r"^\s*[+"  # how the pattern of a number with its unit begins (spec/units.py)
# key that names a plugin -> (its kind, the heading of their parameters)
KINDS = {
    "model": ("families", "families (`family:`)"),
    "dataset": ("datasets", "data sets (`dataset: {use: ...}`)"),
    "quantize": ("quantize", "quantization methods (`quantize: {use: ...}`)"),
    "judges": ("judges", "judges (`judges: [{use: ...}]`)"),
}
Schema = Mapping[str, Any]


def pages() -> dict[str, str]:
    """File name -> text of each reference page."""
    return {
        "reference-yaml.md": yaml_page(spec.schema()),
        "reference-commands.md": commands_page(cli._parser()),
        "reference-tables.md": tables_page(Path(tables.__file__).read_text(encoding="utf-8")),
    }


# ------------------------------------------------------------------------------ the YAML file
def yaml_page(schema: Schema) -> str:
    """Every key that an experiment may hold."""
    lines = [
        "# Reference: the experiment file", "", MADE, "",
        "Keys in **bold** are required. Paths are found beside the YAML file, else in a folder "
        "above it, up to the project's. What a file may hold at most stands in "
        "[harness/errors/limits.py](../harness/errors/limits.py).", "",
        "Editors check a file against this schema if its first line is "
        "`# yaml-language-server: $schema=experiment.schema.json`; `harness schema` prints it.",
        "", *_keys(schema, ""),
    ]  # fmt: skip
    for key, part in schema["properties"].items():
        lines += _section(key, part, "##")
    for key, (kind, heading) in KINDS.items():
        lines += [f"## Parameters of {heading}", "", f"`harness list {kind}` prints them.", ""]
        for name, params in _plugins(_find(schema, key)):
            lines += [f"### {kind}: `{name}`", "", *_about(kind, name), *params]
    return "\n".join(lines).rstrip() + "\n"


def _about(kind: str, name: str) -> list[str]:
    """A plugin's line, and what the docstring of its parameters says."""
    params = plugins.load(kind, name).Params
    doc = params.__doc__ or ""
    own = "" if doc.startswith("Params(") else inspect.cleandoc(doc)  # a dataclass's without one
    if not dataclasses.fields(params):
        own = own or "No parameters."
    return [line for text in (plugins.docline(kind, name), own) if text for line in (text, "")]


def _section(path: str, part: Schema, mark: str) -> list[str]:
    """A key whose value is a mapping, or a list of them, with the sections below it."""
    inner = part.get("items", part)
    known = inner.get("properties", {})
    if not known:
        return []
    many = "A list; each entry:" if "items" in part else ""
    said = [text for text in (part.get("description") or inner.get("description"), many) if text]
    lines = [f"{mark} `{path}`", "", *(f"{text}\n" for text in said), *_keys(inner, path)]
    for key, below in known.items():
        if key != "grid" and key not in ("model", "dataset", "quantize", "judges"):
            lines += _section(f"{path}.{key}", below, "###")
    return lines


def _keys(part: Schema, path: str) -> list[str]:
    rows = [
        f"| {'**' if key in part.get('required', ()) else ''}`{key}`"
        f"{'**' if key in part.get('required', ()) else ''} | {_takes(key, below)} |"
        f" {_default(below)} | {_said(below)} |"
        for key, below in part["properties"].items()
        if below is not True
    ]
    if not rows:
        return []
    return ["| key | takes | unless said | |", "|---|---|---|---|", *rows, ""]


def _said(part: Schema) -> str:
    return _cell(part.get("description") or part.get("items", {}).get("description") or "")


def _cell(text: str) -> str:
    """A text in a table of markdown: what would be a column or a tag is shown as it is."""
    parts = text.replace("|", "\\|").split("`")
    return "`".join(one if n % 2 else one.replace("<", "&lt;") for n, one in enumerate(parts))


def _default(part: Schema) -> str:
    value = part.get("default", "")
    return "" if value in ("", []) else f"`{_plain(value)}`"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _takes(key: str, part: Schema) -> str:
    """The type in words."""
    if key == "grid":
        return "any of the options of a session, each with a list of values: every combination"
    if "const" in part:
        return f"`{_plain(part['const'])}`"
    if "enum" in part:
        return _choices([f"`{_plain(one)}`" for one in part["enum"]])
    if "anyOf" in part:
        return _choices(list(dict.fromkeys(_takes("", one) for one in part["anyOf"])))
    if part.get("type") == "array":
        return f"list of {_takes('', part['items'])}" if "items" in part else "list"
    if part.get("type") == "object" or "properties" in part:
        return "mapping"
    return _scalar(part)


def _choices(found: list[str]) -> str:
    names = [one for one in found if one.startswith("`")]
    if len(names) <= SHOWN_CHOICES:
        return " or ".join(found)
    others = [one for one in found if not one.startswith("`")]
    return " or ".join([f"a name ({names[0]}, {names[1]} ...)", *others])


def _scalar(part: Schema) -> str:
    if part.get("pattern", "").startswith(FIGURE):
        return "a number with its unit"
    if part.get("pattern", "").startswith("\\."):
        return f"a file ({part['pattern'].strip(chr(92) + '$')})"
    if part.get("format") == "date":
        return "a date"
    types = {"string": "text", "number": "number", "integer": "whole number", "null": "null",
             "boolean": "true or false"}  # fmt: skip
    bounds = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    shown = [f"{sign} {part[name]:g}" for name, sign in bounds.items() if name in part]
    return " ".join([types.get(part.get("type", ""), "a value"), ", ".join(shown)]).strip()


def _find(schema: Schema, key: str) -> Schema:
    """The schema of the mapping under a key, wherever it first stands."""
    for name, part in schema.get("properties", {}).items():
        if part is True:
            continue
        inner = part.get("items", part)
        if name == key and "allOf" in inner:
            return inner
        found = _find(inner, key)
        if found:
            return found
    return {}


def _plugins(part: Schema) -> Iterator[tuple[str, list[str]]]:
    for case in part.get("allOf", ()):
        (named,) = (one["const"] for one in case["if"]["properties"].values())
        yield named, _keys(case["then"], "")


# ------------------------------------------------------------------------------ the commands
def commands_page(parser: argparse.ArgumentParser) -> str:
    """Every command with its arguments."""
    action = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    helps = {one.dest: one.help or "" for one in action._choices_actions}
    lines = ["# Reference: the commands", "", MADE, "",
             "`python -m harness` does what `harness` does.", ""]  # fmt: skip
    for name, command in action.choices.items():
        shown = " ".join(["harness", name, *(_usage(a) for a in _arguments(command))])
        lines += [f"## `harness {name}`", "", f"{helps[name][:1].upper()}{helps[name][1:]}.", ""]
        lines += ["```text", shown, "```", "", *_options(command)]
    return "\n".join(lines).rstrip() + "\n"


def _arguments(command: argparse.ArgumentParser) -> list[argparse.Action]:
    return [one for one in command._actions if one.dest != "help"]


def _usage(action: argparse.Action) -> str:
    name = action.metavar or action.dest
    if not action.option_strings:
        return {"+": f"{name} ...", "*": f"[{name} ...]"}.get(str(action.nargs), str(name))
    value = "" if action.nargs == 0 else f" {action.metavar or action.dest.upper()}"
    return f"[{action.option_strings[-1]}{value}]"


def _options(command: argparse.ArgumentParser) -> list[str]:
    rows = []
    for action in _arguments(command):
        name = action.option_strings[-1] if action.option_strings else action.dest
        choices = ", ".join(f"`{one}`" for one in action.choices or ())
        said = ": ".join(text for text in (action.help or "", choices) if text)
        rows.append(f"| `{name}` | {_cell(said)} |")
    return ["| | |", "|---|---|", *rows, ""] if rows else []


# ------------------------------------------------------------------------------ the tables
def tables_page(source: str) -> str:
    """Every table of a run's folder, with its columns and the comments beside them."""
    said = dict(_comments(source))
    kinds = {"str": "text", "float64": "number", "int64": "whole number", "bool": "true, false"}
    lines = [
        "# Reference: the tables", "", MADE, "",
        "`harness.load(folder)` gives each as a DataFrame: `result.calls`, `result.summary` ... "
        "On disk they are CSV, but for `calls.parquet`; `scores` is not stored, it is computed "
        "from the calls. A number that is not known is NaN (an empty field). In CSV a text that "
        "begins like a formula carries a leading apostrophe, which `harness.load` takes off. "
        f"This is schema {tables.SCHEMA}.", "",
    ]  # fmt: skip
    for table, columns in tables.TABLES.items():
        about = said.get((table, ""), "")
        lines += [f"## `{table}`", "", *([f"{about[:1].upper()}{about[1:]}.", ""] if about else [])]
        rows = [
            f"| `{column}` | {kinds[kind]} | {_of(said, table, column)} |"
            for column, kind in columns.items()
        ]
        lines += ["| column | | |", "|---|---|---|", *rows, ""]
    return "\n".join(lines).rstrip() + "\n"


def _of(said: Mapping[tuple[str, str], str], table: str, column: str) -> str:
    return _cell(said.get((table, column)) or said.get(("", column)) or "")


def _comments(source: str) -> Iterator[tuple[tuple[str, str], str]]:
    """((table, column), comment); table "" for columns that several tables share, column "" for
    the lines above a table."""
    table, above = "", ""
    for line in source.splitlines():
        plain = line.strip()
        if plain.startswith("#"):
            above = f"{above} {plain.lstrip('# ')}".strip()
            continue
        if opened := re.match(r'    "(\w+)": \{$', line):
            table = opened[1]
            yield (table, ""), above
        elif column := re.match(r'"?(\w+)"?: \w+,\s*#\s*(.+)$', plain):
            yield (table, column[1]), column[2]
        if shared := re.match(r"\**(?:_INTERVAL),\s*#\s*(.+)$", plain):
            yield (table, "low"), shared[1]
            yield (table, "high"), shared[1]
        above = ""


if __name__ == "__main__":
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")
