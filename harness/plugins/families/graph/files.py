"""Which files of a folder the chain is made of, and whether what they take is what is given."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import ModelError, SpecError, limits
from harness.errors.nearest import nearest
from harness.plugins.families import _modelfiles
from harness.plugins.families.graph import arrays, binding, ctc, shapes
from harness.plugins.families.graph.binding import GraphStage
from harness.plugins.families.graph.params import Params
from harness.plugins.families.graph.signatures import FLOATS, WHOLES, GraphSignature, of_file
from harness.runtime import graph
from harness.runtime.session import trial

ROLE = "model"  # of the one graph of a folder
BESIDE = (".json", ".txt", ".npz", ".model", ".yaml", ".md")  # what comes along: vocabularies ...


def find(folder: Path, parts: tuple[tuple[str, str], ...]) -> dict[str, Path]:
    """Role -> file. `parts`: (name, file or pattern) of each graph of a chain; none: the only
    graph in the folder.

    Raises: ModelError where one is missing, or several could be meant.
    """
    present = sorted(path for path in folder.rglob("*.onnx") if path.is_file())
    if not present:
        raise ModelError(f"{folder.name} holds no .onnx file.")
    if parts:
        return {name: _named(folder, present, name, file) for name, file in parts}
    if len(present) > 1:
        names = ", ".join(path.relative_to(folder).as_posix() for path in present[:8])
        raise ModelError(
            f"{folder.name} holds {len(present)} graphs ({names}): choose one by `files: [...]` in "
            "`source`, or write `graphs: [{name: ..., file: ...}, ...]` in the order of the chain."
        )
    return {ROLE: present[0]}


def _named(folder: Path, present: list[Path], name: str, file: str) -> Path:
    known = {path.relative_to(folder).as_posix(): path for path in present}
    found = [path for rel, path in known.items() if fnmatch.fnmatchcase(rel, file)]
    found = found or [path for path in present if fnmatch.fnmatchcase(path.name, file)]
    if not found:
        raise ModelError(
            f"graphs: {name}: {folder.name} has no {file[:80]!r}.{nearest(file, [*known])}"
        )
    if len(found) > 1:
        raise ModelError(
            f"graphs: {name}: {file[:80]!r} fits {', '.join(path.name for path in found[:8])}."
        )
    return found[0]


def build(source: Path, target: Path, graphs: Mapping[str, Path]) -> None:
    """The graphs with their weights, and the small files beside them, copied. Raises: ModelError.

    What else lies there (other precisions, other models) stays where it is.
    """
    wanted = {
        path.parent / name
        for path in graphs.values()
        for name in (path.name, *sorted(graph.external_files(path)))
    }
    for path in source.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(source).parts)
        small = path.suffix in BESIDE and not hidden and path.is_file()
        if small and path.stat().st_size <= limits.JSON_BYTES:
            wanted.add(path)
    _modelfiles.copy(wanted, source, target)


def looked_at(folder: Path, params: Params) -> tuple[GraphStage, ...]:
    """The chain of a folder, all checked that needs no session. Raises: ModelError."""
    found = find(folder, named(params))
    for path in found.values():
        graph.external_files(path)
    stages = binding.bind(params, {name: of_file(path) for name, path in found.items()})
    arrays.require(stages, folder)
    if params.ctc is not None:
        ctc.CtcReader(params.ctc, folder, stages[-1].signature)
    return stages


def named(params: Params) -> tuple[tuple[str, str], ...]:
    """(name, file) of each graph that the experiment lists."""
    return tuple((part.name, part.file) for part in params.graphs)


def fits(start: Path, variant: Path, params: Params) -> None:
    """Whether a variant can be run as the experiment says, and gives what the baseline's folder
    `start` gives; its graphs are opened once in a process of their own.

    Raises: ModelError.
    """
    own = looked_at(variant, params)
    if start != variant:
        alike(looked_at(start, params), own)
    trial.opens(list(find(variant, named(params)).values()))


def alike(before: tuple[GraphStage, ...], after: tuple[GraphStage, ...]) -> None:
    """Outputs can be compared only where both give the same. Raises: ModelError."""
    for one, other in zip(before, after, strict=True):
        names = [[slot.name for slot in stage.signature.outputs] for stage in (one, other)]
        if names[0] != names[1]:
            raise ModelError(
                f"{other.signature.file} gives {', '.join(names[1])}, the baseline's "
                f"{one.signature.file} gives {', '.join(names[0])}: they cannot be compared."
            )
        _same_shapes(one.signature, other.signature)


def _same_shapes(before: GraphSignature, after: GraphSignature) -> None:
    for one, other in zip(before.outputs, after.outputs, strict=True):
        if wrong := shapes.unlike(one.shape, other.shape):
            raise ModelError(
                f"{after.file}: the output {other.name!r} is {other.plain}, the baseline's is "
                f"{one.plain}: {wrong}, they cannot be compared."
            )


def comparable(folder: Path, params: Params) -> list[tuple[str, bool | None]]:
    """(name, whether its last axis scores classes; None: nobody knows) of each output, what the
    last graph gives first, states last; of a graph before it `graph.output`. Raises: ModelError."""
    stages = looked_at(folder, params)
    states = set(params.state.values())
    last = stages[-1].signature
    scores = ctc.output_of(params.ctc, last) if params.ctc else ""
    found: dict[str, bool | None] = {scores: True} if scores else {}
    for slot in sorted(last.outputs, key=lambda one: one.name in states):
        if slot.type in (*FLOATS, *WHOLES, "tensor(bool)"):
            found.setdefault(slot.name, True if slot.name == "logits" else None)
    for stage in stages[:-1]:
        found |= {f"{stage.name}.{slot.name}": None for slot in stage.signature.outputs}
    return list(found.items())


def params_of(given: Mapping[str, Any]) -> Params:
    """The parameters of a model as the experiment has them, other keys left out."""
    from pydantic import TypeAdapter, ValidationError

    own = {key: value for key, value in given.items() if key in Params.__dataclass_fields__}
    try:
        return TypeAdapter(Params).validate_python(own)
    except (ValidationError, RecursionError) as error:
        first = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise SpecError(f"model: these are no parameters of a graph: {first}.") from error
