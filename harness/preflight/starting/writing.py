"""The experiment as YAML: foreign names quoted, comments on one line, paths as they are found."""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.contracts import Locate
from harness.errors import SpecError
from harness.errors.limits import NAME_CHARACTERS
from harness.io.escaping import cut, visible
from harness.io.escaping.signs import unseen
from harness.preflight.starting.composing import MINUTES, Item, Plan
from harness.preflight.starting.finding import Data, Seen
from harness.spec import locator

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./+-]*")
WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"}
BREAKS = "\x85\u2028\u2029"  # end a line in YAML 1.1
LACKING = 2000  # characters of the one line that the user has to act on
SCHEMA = "experiment.schema.json"  # as `harness schema` prints it, for an editor
WHOLE = "whole, since it lies outside of this project"
COMMENT = 160  # characters


@dataclass(frozen=True)
class Place:
    """Where the YAML file will lie, and how it names other files."""

    out: Path

    @property
    def locate(self) -> Locate:
        return locator(self.out)

    def named(self, path: Path) -> str:
        """Relative where the file would be found again from the YAML file (in its folder or in one
        above it, up to the project's), else whole: `..` leads out of what can be moved together."""
        whole = Path(os.path.abspath(self.out))  # noqa: PTH100  links as they were given
        above = [*whole.parents, *self.out.resolve().parents]
        for base in above:
            if path.is_relative_to(base):
                name = path.relative_to(base).as_posix()
                if self._finds(name, path):
                    return name
        return path.as_posix()

    def has(self, name: str) -> bool:
        """Whether a file of that name will lie beside it."""
        return self.out.with_name(name).is_file()

    def _finds(self, name: str, path: Path) -> bool:
        try:
            return self.locate(name).resolve() == path.resolve()
        except SpecError:
            return False


def name_of(path: Path) -> str:
    """A name for an experiment: letters, digits, dot, hyphen, underscore."""
    stem = path.stem if path.suffix in (".onnx", ".yaml", ".yml") or path.is_file() else path.name
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", plain).strip("._-")
    return name[:NAME_CHARACTERS].rstrip("._-") or "model"


# ------------------------------------------------------------------------------------- values
def flow(value: Any) -> str:
    """A value in YAML's flow style, on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(str(k))}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value) if isinstance(value, int) else scalar(str(value))


def scalar(text: str) -> str:
    """A text that is read back as it is: quoted unless it can be nothing else."""
    if PLAIN.fullmatch(text) and text.lower() not in WORDS:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(_escaped(sign) if unseen(sign) or sign in BREAKS else sign for sign in quoted)


def _escaped(sign: str) -> str:
    code = ord(sign)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def comment(text: str, indent: int = 0, most: int = COMMENT) -> str:
    """One line: what others wrote begins no second one."""
    return f"{' ' * indent}# {cut(visible(text), most)}"


# ------------------------------------------------------------------------------------- the file
def text_of(name: str, seen: Seen, data: Data, plan: Plan, place: Place) -> str:
    """The whole file."""
    lines = [
        *([f"# yaml-language-server: $schema={SCHEMA}"] if place.has(SCHEMA) else []),
        comment(f"Written by `harness init`: {seen.sighting.what}."),
        "# docs/reference-yaml.md says what each key means. Edit it, then harness check, run.",
        f"name: {scalar(name)}",
        "seed: 20260101 # every random choice follows from it",
        "",
        *_model(seen, place),
        "",
        "variants:",
        *_entries(plan.variants),
        f"baseline: {plan.names[0]}",
        f"candidate: {plan.names[1]} # the verdict is about this one",
    ]
    if plan.purpose != "replacement":
        lines += [
            comment("no gate looks at quality here: an approval is about this alone"),
            f"purpose: {plan.purpose}",
        ]
    lines += ["", *_timed(plan), *_heard(data, plan, place), "", "gates:", *_entries(plan.gates)]
    lines += [
        "",
        f"budget: {{minutes: {MINUTES}}} # a run ends earlier when all is decided",
        f"report: {{language: {plan.report}}}",
    ]
    return "\n".join(lines) + "\n"


def _model(seen: Seen, place: Place) -> list[str]:
    sighting = seen.sighting
    family = place.named(seen.own) if seen.own else seen.name
    source: dict[str, Any] = {"path": place.named(sighting.source)}
    if sighting.files:
        source["files"] = list(sighting.files)
    lines = ["model:", f"  family: {scalar(family)}"]
    if Path(source["path"]).is_absolute():
        lines.append(comment(WHOLE, 2))
    lines.append(f"  source: {flow(source)}")
    if sighting.lacking:
        lines.append(comment("MISSING, write it here: " + sighting.lacking, 2, LACKING))
    for key, value in sighting.params.items():
        if key in sighting.why:
            lines.append(comment(sighting.why[key], 2))
        if isinstance(value, Mapping) and any(f"{key}.{one}" in sighting.why for one in value):
            lines.append(f"  {scalar(key)}:")
            for one, part in value.items():
                lines.append(comment(sighting.why.get(f"{key}.{one}", ""), 4))
                lines.append(f"    {scalar(one)}: {flow(part)}")
        else:
            lines.append(f"  {scalar(key)}: {flow(value)}")
    return lines


def _entries(entries: Iterable[Item]) -> list[str]:
    lines = []
    for entry in entries:
        lines += [comment(text, 2) for text in entry.why]
        lines.append(f"  - {flow(entry.value)}")
    return lines


def _timed(plan: Plan) -> list[str]:
    if not plan.lengths:
        return []
    alone = len(plan.lengths) == 1
    why = "it hears one length alone" if alone else "lengths in seconds, cut from the data"
    return [
        comment("configurations of onnxruntime to compare"),
        "sessions:",
        *_entries(plan.sessions),
        "",
        comment(why),
        f"latency: {{audio_seconds: {flow(plan.lengths)}, warmup: 1}}",
        "",
    ]


def _heard(data: Data, plan: Plan, place: Place) -> list[str]:
    entry = dict(plan.quality.value)
    path = place.named(Path(str(data.params["path"])))
    entry["dataset"] = {**entry["dataset"], "path": path}
    why = list(plan.quality.why)
    if data.sample:
        why.insert(0, "the sample that the project ships; yours tells more: harness init --data")
    if Path(path).is_absolute():
        why.append(f"the path is {WHOLE}")
    lines = ["quality:", *(comment(text, 2) for text in why)]
    for number, (key, value) in enumerate(entry.items()):
        lines.append(f"  {'-' if number == 0 else ' '} {key}: {flow(value)}")
    return lines
