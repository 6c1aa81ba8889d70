"""Reads what refers to something outside the file: plugins with their parameters, paths, names."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from harness import plugins
from harness.contracts import Locate
from harness.contracts.experiment import Origin, Use
from harness.errors import HarnessError, SpecError
from harness.errors.limits import NAME_CHARACTERS
from harness.errors.nearest import nearest
from harness.io.escaping import cut, disguised, folded
from harness.io.strict_yaml import Document
from harness.spec.naming import assets, find_metric, interpreter, load_plugin
from harness.spec.values import Reader

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
ARGUMENT = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
SELECTION = ("limit", "minutes", "seed", "shuffle", "folder")  # how much of it, or where it is


class References(Reader):
    """A Reader that notes a name which stands for nothing."""

    def __init__(self, document: Document, locate: Locate) -> None:
        super().__init__(document)
        self.locate = locate

    def use(self, kind: str, raw: Any, path: str) -> Use | None:
        """A plugin of that folder with its parameters, None after a note."""
        data = self.mapping(raw, path)
        if data is None:
            return None
        if "use" not in data:
            names = ", ".join(plugins.names(kind))
            self.note(f"{path}.use", f"is missing; there is: {names}")
            return None
        name = self.value(str, data["use"], f"{path}.use")
        plugin = self.plugin(kind, name, f"{path}.use") if name is not None else None
        if plugin is None:
            return None
        rest = {k: v for k, v in data.items() if k != "use"}
        if kind == "datasets":
            rest = self._seeded(plugin.Params, rest)
        params = self.params(plugin.Params, rest, path, ["use"])
        if kind == "datasets":
            self.located(params, path)
        return None if params is None else Use(name, params)

    def _seeded(self, cls: type, raw: dict[str, Any]) -> dict[str, Any]:
        """With the experiment's seed, where a data set draws by one and does not say its own."""
        own = next((f for f in dataclasses.fields(cls) if f.name == "seed"), None)
        takes = own is not None and (own.default is None or type(own.default) is int)
        whole = self.document.data
        seed = whole.get("seed") if isinstance(whole, dict) else None
        given = type(seed) is int and seed >= 0  # what else it is, is told where it stands
        return {**raw, "seed": seed} if takes and given and "seed" not in raw else raw

    def params(self, cls: type, raw: dict[str, Any], path: str, beside: list[str]) -> Any:
        """An instance of a plugin's Params, None after a note; `beside` are keys beside its own."""
        known = [*beside, *(f.name for f in dataclasses.fields(cls))]
        before = len(self.problems)
        self.keys(raw, path, known)
        kept = {k: v for k, v in raw.items() if k in known}
        params = self.build(cls, kept, path)
        return params if len(self.problems) == before else None

    def plugin(self, kind: str, name: str, path: str) -> Any:
        """The plugin's exported value, None after a note."""
        try:
            return load_plugin(kind, name, self.locate)
        except HarnessError as error:
            self.note(path, str(error))
            return None

    def metric(self, name: str, path: str) -> plugins.NamedMetric | None:
        """The metric of that name, None after a note."""
        try:
            return find_metric(name, self.locate)
        except HarnessError as error:
            self.note(path, str(error))
            return None

    def located(self, params: Any, path: str) -> None:
        """Notes a `path` among a data set's or judge's parameters that leads nowhere."""
        text = getattr(params, "path", None)
        if isinstance(text, str) and text:
            self.existing(text, f"{path}.path")

    def existing(self, text: str, path: str) -> None:
        """Notes a path that leads nowhere."""
        try:
            self.locate(text)
        except SpecError as error:
            self.note(path, str(error))

    def choice(self, name: str, known: Sequence[str], path: str, what: str) -> bool:
        """Whether the name is a known one; notes it if not."""
        if name not in known:
            self.note(path, f"no {what} {name!r}.{nearest(name, list(known))}")
        return name in known

    def origin(self, raw: Any, path: str) -> Origin | None:
        """Where model files come from, None after a note."""
        origin: Origin | None = self.build(Origin, raw, path)
        if origin is None:
            return None
        given = [key for key in ("asset", "path", "hub", "script") if getattr(origin, key)]
        if len(given) != 1:
            self.note(path, "should have exactly one of asset, path, hub, script")
        elif origin.asset.endswith(".yaml"):
            self.existing(origin.asset, f"{path}.asset")
        elif origin.asset and origin.asset not in assets():
            hint = nearest(origin.asset, assets())
            self.note(f"{path}.asset", f"no asset {origin.asset!r} is known.{hint}")
        elif origin.path:
            self.existing(origin.path, f"{path}.path")
        if bool(origin.hub) != bool(origin.revision):
            self.note(path, "hub and revision (a commit) belong together")
        if origin.files and origin.asset:
            self.note(f"{path}.files", "has no meaning with an asset; leave it out")
        self._script(origin, path)
        return origin

    def _script(self, origin: Origin, path: str) -> None:
        """Notes what is wrong with a script that makes model files, and what belongs to one."""
        if not origin.script:
            for key in ("args", "inputs", "python", "minutes"):
                if getattr(origin, key):
                    self.note(f"{path}.{key}", "has a meaning with script only; leave it out")
            return
        self.existing(origin.script, f"{path}.script")
        for name, text in origin.inputs.items():
            self.existing(text, f"{path}.inputs.{name}")
            if name in origin.args:
                self.note(f"{path}.inputs.{name}", "is already the name of an argument")
        self._arguments(origin.args, f"{path}.args")
        self._arguments(origin.inputs, f"{path}.inputs")
        if origin.python and interpreter(origin.python, self.locate) is None:
            self.note(
                f"{path}.python",
                f"no interpreter {origin.python!r}: a path beside the experiment file, or a "
                "command that this shell finds",
            )

    def _arguments(self, given: Mapping[str, Any], path: str) -> None:
        for name, value in given.items():
            if not ARGUMENT.fullmatch(name):
                why = "is no name of an argument: letters, digits, hyphen and underscore"
                self.note(path, f"{name!r} {why}")
            elif isinstance(value, str) and "\0" in value:
                self.note(f"{path}.{name}", "holds a zero byte, which no argument can")

    def name(self, raw: Any, path: str) -> str | None:
        """A name that can be a folder's, None after a note."""
        name: str | None = self.value(str, raw, path)
        if name is not None and len(name) > NAME_CHARACTERS:
            self.note(path, f"a name of {len(name):,} characters; at most {NAME_CHARACTERS}")
            return None
        if name is None or NAME.fullmatch(name):
            return name
        self.note(path, f"{name!r} is not a name: letters, digits, dot, hyphen, underscore")
        return None

    def told_apart(self, names: Sequence[str], path: str, what: str) -> None:
        """Notes names in free text that a reader could take for one another, or cannot see."""
        seen: dict[str, str] = {}
        for name in names:
            unseen = disguised(name)
            if unseen:
                self.note(path, f"{what} {cut(name, 60)!r} holds the character {unseen}")
            elif len(name) > NAME_CHARACTERS:
                self.note(path, f"a name of {len(name):,} characters; at most {NAME_CHARACTERS}")
            elif folded(name) in seen:
                other = seen[folded(name)]
                self.note(path, f"{what}s {other!r} and {name!r} read alike; name one otherwise")
            seen[folded(name)] = name

    def named(self, values: Sequence[Any], path: str, what: str) -> None:
        """Notes names that are unfit for a folder, or the same but for the case of letters."""
        seen: dict[str, str] = {}
        for i, value in enumerate(values):
            if value is None:
                continue
            here = f"{path}[{i}].name"
            self.name(value.name, here)
            if folded(value.name) in seen:
                self.note(here, f"two {what} are called {value.name!r}; give each its own name")
            seen[folded(value.name)] = value.name

    def same_data(self, one: Use, other: Use) -> bool:
        """Whether both take from the same data, be it as a whole or cut to pieces."""
        if self.identity(one) == self.identity(other):
            return True
        split, another = self._split(one), self._split(other)
        if split is None or another is None or split[:2] != another[:2]:
            return False
        return split[2] == another[2] or not (split[2] and another[2])  # "": all splits of it

    def _split(self, use: Use) -> tuple[str, str, str] | None:
        """(folder, locale, split) of a release, whichever plugin reads it."""
        path, split = (getattr(use.params, key, None) for key in ("path", "split"))
        if not (path and isinstance(path, str) and isinstance(split, str)):
            return None
        locale = str(getattr(use.params, "locale", ""))
        with contextlib.suppress(SpecError):  # noted where the path was read
            folder = self.locate(path).resolve()
            folder = folder.parent if folder.name == locale else folder  # the language's own
            return str(folder), locale, split
        return None

    def identity(self, use: Use) -> tuple[Any, ...]:
        """Which data a use names, however much of it is taken."""
        params = {f.name: getattr(use.params, f.name) for f in dataclasses.fields(use.params)}
        kept = {k: v for k, v in params.items() if k not in SELECTION}
        if isinstance(kept.get("path"), str) and kept["path"]:
            with contextlib.suppress(SpecError):  # noted where the path was read
                kept["path"] = str(self.locate(kept["path"]).resolve())
        return (use.use, *sorted((k, repr(v)) for k, v in kept.items()))


def dataset_name(use: Use) -> str:
    """What a data set is called unless the experiment says: its folder, what it is called where it
    comes from, else its plugin."""
    names = (getattr(use.params, key, "") for key in ("path", "repository", "dataset"))
    path = next(filter(None, names), "")
    text = str(path).replace("\\", "/") if path else ""
    return PurePosixPath(text).name or PurePosixPath(use.use).stem
