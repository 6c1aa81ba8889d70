"""A model's files made by a script of the user's own, in a process of its own, once for its inputs.

The script is started in an empty folder of the cache, which it fills; only what lies there counts.
It is made again when the script, a module beside it that it imports, an argument, an input, the
interpreter's version or that of a package which it imports has changed.
"""

from __future__ import annotations

import ast
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.assets import from_path
from harness.contracts import Locate
from harness.errors import AssetError, limits
from harness.errors.limits import MEGABYTE
from harness.io.hashes import Hashes, fingerprint, hash_folder
from harness.io.places import content
from harness.run.variants.cache import cached
from harness.run.worker import program
from harness.spec import Origin, interpreter

Tell = Callable[[str], None]
FILES = "files"  # in the cache's folder: the one that the script fills, apart from our record
SHOWN = 10  # lines of what a script printed that failed

# says the interpreter's version and those of the packages that are asked for, by import names
_PROBE = """
import sys
sys.path[:] = [place for place in sys.path if place]  # not what lies where it is asked
import json
from importlib import metadata
brought = getattr(metadata, "packages_distributions", dict)()
found = {}
for name in sys.argv[1:]:
    for package in brought.get(name, [name]):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            pass
print(json.dumps({"python": sys.version, "packages": found}))
"""


@dataclass(frozen=True)
class _Script:
    """What is run: the user's script with all that it depends on, found on this machine."""

    name: str  # as the experiment has it
    path: Path
    python: Path
    args: Mapping[str, Any]
    inputs: Mapping[str, Path]
    modules: tuple[Path, ...]  # beside it, that it imports
    imports: tuple[str, ...]  # names of what it imports from elsewhere
    seconds: float

    def command(self) -> list[str]:
        """As the system starts it: --name=value for each argument and input."""
        flags = [f"--{k}" for k, v in self.args.items() if v is True]
        given = {k: v for k, v in self.args.items() if not isinstance(v, bool)}
        flags += [f"--{k}={v}" for k, v in {**given, **self.inputs}.items()]
        return [str(self.python), str(self.path), *flags]

    def hashes(self) -> dict[str, str]:
        """SHA-256 of the script, its modules and its inputs. Raises: AssetError."""
        beside = {p.relative_to(self.path.parent).as_posix(): p for p in self.modules}
        files = {"script": self.path, **{f"module {name}": p for name, p in beside.items()}}
        files |= {f"input {name}": p for name, p in self.inputs.items()}
        folders = {k: fingerprint(hash_folder(p)) for k, p in files.items() if p.is_dir()}
        try:
            with Hashes() as known:
                return {k: folders.get(k) or known.of(p) for k, p in files.items()}
        except OSError as error:
            raise AssetError(f"{error.filename} cannot be read: {error.strerror}.") from error


def made(origin: Origin, locate: Locate, tell: Tell) -> tuple[Path, str]:
    """The folder that the script of a source filled, now or in an earlier run, and the SHA-256 over
    its files.

    Raises: AssetError (one line) for a script that fails, hangs, writes nothing or what cannot be
    used, and for an interpreter that does not start; nothing is kept of it then.
    """
    script = _found(origin, locate)
    hashes = script.hashes()
    about = {"hashes": hashes, "args": dict(script.args), **_interpreter(script)}

    def build(folder: Path) -> dict[str, Any]:
        _run(script, folder, tell)
        if (now := script.hashes()) != hashes:
            what = next(name for name in hashes if now.get(name) != hashes[name])
            raise AssetError(f"{script.name}: the {what} changed while it ran; start again.")
        return about

    place, _ = cached(["script", about], build, tell)
    return from_path(place / FILES)


# ------------------------------------------------------------------------------ before it runs
def _found(origin: Origin, locate: Locate) -> _Script:
    path = locate(origin.script).resolve()
    python = interpreter(origin.python, locate)
    if python is None:
        raise AssetError(f"{origin.script}: no interpreter {origin.python!r}.")
    if not path.is_file():
        raise AssetError(f"{origin.script} is no file; name the script itself.")
    modules, imports = _imported(path)
    return _Script(
        name=origin.script,
        path=path,
        python=python,
        args=origin.args,
        inputs={name: locate(text).resolve() for name, text in origin.inputs.items()},
        modules=modules,
        imports=imports,
        seconds=60 * (origin.minutes or limits.SCRIPT_MINUTES),
    )


def _imported(script: Path) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """The files beside a script that it and they import, and the names of all else. Of a file that
    this Python cannot read, for another one's it may be, all modules beside it."""
    todo, files, outer = [script], set[Path](), set[str]()
    while todo:
        one = todo.pop()
        if one in files:
            continue
        files.add(one)
        try:
            names = list(_names(ast.parse(content(one, limits.SCRIPT_SOURCE_BYTES))))
        except OSError as error:
            raise AssetError(f"{one} cannot be read: {error.strerror}.") from error
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            todo += sorted(script.parent.glob("*.py"))
            continue
        for first in {name.partition(".")[0] for name in names}:
            todo += _beside(script.parent, first)
            own = (script.parent / f"{first}.py", script.parent / first / "__init__.py")
            if not any(map(Path.is_file, own)):
                outer |= {first} - sys.stdlib_module_names
    return tuple(sorted(files - {script})), tuple(sorted(outer))


def _beside(folder: Path, name: str) -> list[Path]:
    """The files of a module in that folder: its own, or all of the folder that it is."""
    if (folder / f"{name}.py").is_file():
        return [folder / f"{name}.py"]
    return sorted(path for path in (folder / name).rglob("*.py") if path.is_file())


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _interpreter(script: _Script) -> dict[str, Any]:
    """Versions of the interpreter and of what the script imports. Raises: AssetError."""
    command = [str(script.python), "-c", _PROBE, *script.imports]
    ended = _started(script, command, script.path.parent, limits.PROBE_SECONDS, lambda *_: "")
    try:
        told = json.loads(ended.tail.splitlines()[-1]) if not ended.why else None
    except (ValueError, IndexError):
        told = None
    if not isinstance(told, dict) or set(told) != {"python", "packages"}:
        why = ended.why or "it does not answer as one"
        raise AssetError(f"{script.name}: {script.python} is no Python that works: {why}.")
    return told


def _started(
    script: _Script, command: list[str], folder: Path, seconds: float, look: program.Look
) -> program.Ended:
    try:
        return program.run(command, folder, seconds, look)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise AssetError(f"{script.name} cannot be started: {why}.") from error


# ---------------------------------------------------------------------------------- its running
def _run(script: _Script, folder: Path, tell: Tell) -> None:
    """Fill `files` of the folder. Raises: AssetError."""
    inside = folder / FILES
    inside.mkdir()
    tell(f"{script.name}: making the model's files, for at most {script.seconds / 60:g} min")
    before = _listed(script.path.parent)
    look = _Watching(script, inside, tell)
    ended = _started(script, script.command(), inside, script.seconds, look)
    if ended.why:
        for line in ended.lines[-SHOWN:]:
            tell(f"{script.name} | {line}")
        raise AssetError(f"{script.name} {ended.why}".rstrip(".") + ".")
    beside = sorted(_listed(script.path.parent) - before)
    _require_plain(script, folder, beside)
    if beside:
        tell(f"{script.name}: {beside[0]} was written beside it; only what is in the folder that "
             "it is started in counts")  # fmt: skip


class _Watching:
    """Looks at a script that goes on: tells that it does, and ends one that writes without end."""

    def __init__(self, script: _Script, folder: Path, tell: Tell) -> None:
        self._script, self._folder, self._tell = script, folder, tell
        self._due = limits.TOLD_AFTER_SECONDS

    def __call__(self, seconds: float, last: str) -> str:
        if seconds >= self._due:
            self._due *= 2
            self._tell(f"{self._script.name}: {seconds:.0f} s so far{': ' if last else ''}{last}")
        return _too_much(self._folder)


def _too_much(folder: Path) -> str:
    """Why what lies in a folder is over its bounds; "" where it is not."""
    size = count = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            count += 1
            try:
                size += os.lstat(Path(parent, name)).st_size
            except OSError:
                continue  # gone since
            if size > limits.SCRIPT_BYTES:
                return f"wrote over {limits.SCRIPT_BYTES // MEGABYTE:,} MB and was ended"
            if count > limits.SCRIPT_FILES:
                return f"wrote over {limits.SCRIPT_FILES:,} files and was ended"
    return ""


def _listed(folder: Path) -> set[str]:
    """What lies directly in a folder, hidden things left out."""
    with os.scandir(folder) as entries:
        names = {entry.name for entry in entries}
    return {name for name in names if not name.startswith(".") and name != "__pycache__"}


def _require_plain(script: _Script, folder: Path, beside: list[str]) -> None:
    """Raises: AssetError for a folder without files, and for what is no file of it."""
    inside = folder / FILES
    if astray := sorted(path.name for path in folder.iterdir() if path.name != FILES):
        raise AssetError(f"{script.name} wrote ../{astray[0]}, outside of the folder that it is "
                         "started in.")  # fmt: skip
    if why := _too_much(inside):
        raise AssetError(f"{script.name} {why}.")
    for parent, folders, files in os.walk(inside):
        for name in (*folders, *files):
            path = Path(parent, name)
            here = path.relative_to(inside).as_posix()
            if path.is_symlink():
                raise AssetError(f"{script.name} wrote {here!r} as a link; write the file itself.")
            if not (path.is_file() or path.is_dir()) or not here.isprintable():
                raise AssetError(f"{script.name} wrote {here!r}, which is no plain file.")
    if not inside.is_dir() or not hash_folder(inside):
        hint = f"; it wrote {beside[0]} beside itself" if beside else ""
        raise AssetError(
            f"{script.name} wrote no file into the folder that it is started in{hint}."
        )
