"""ONNX files: read with or without weights, those in other files checked; written as one file."""

from __future__ import annotations

import contextlib
import errno
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from harness.errors import HarnessError, ModelError, limits

if TYPE_CHECKING:
    import onnx

TOLD = 300  # characters of another's error
KEEP_INITIALIZERS = 4  # from this IR version on weights need not be listed as inputs
APART = 1024  # bytes of a tensor from which it is a weight that may lie apart, not a shape
SPARE = 64 * limits.MEGABYTE  # of a file, for all that is no weight


@contextlib.contextmanager
def one_line(doing: str, kind: type[HarnessError]) -> Iterator[None]:
    """Whatever onnx, its protobuf or onnxruntime raise becomes one line that begins with `doing`.

    A disk that refuses (OSError) passes: whoever writes says so. Raises: `kind`.
    """
    try:
        yield
    except (HarnessError, OSError):
        raise
    except MemoryError as error:
        raise kind(f"{doing}: there is not enough memory.") from error
    except Exception as error:
        said = " ".join(str(error).split()) or type(error).__name__
        said = said[:TOLD] + ("..." if len(said) > TOLD else "")
        raise kind(f"{doing}: {said}") from error


def read(path: Path, weights: bool = True) -> onnx.ModelProto:
    """The graph in a file, with the weights that lie in other files if `weights`.

    Raises: ModelError for a file that is not ONNX, for weights in other files that are missing or
    not as the graph says, and for more of them than memory is meant to hold.
    """
    with one_line(f"{path.name} is not an ONNX file", ModelError):
        model = _parsed(path)
        if not any(True for _ in nodes(model)):
            raise ModelError(f"{path.name} is not an ONNX file: it has no nodes.")
        lying = list(externals(model, path))
        if weights:
            _require_room(path, lying)
            for one in lying:
                _load(one)
    return model


def _parsed(path: Path) -> onnx.ModelProto:
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        size = path.stat().st_size
        if not path.is_file():
            raise OSError(errno.EINVAL, "is no plain file")  # a pipe, a device: it may never end
        if size > limits.GRAPH_BYTES:
            raise ModelError(
                f"{path.name} has {size / 1e9:.1f} GB; an ONNX file holds 2 GB at most: save it "
                "with its weights as external data."
            )
        model = onnx.ModelProto()
        model.ParseFromString(path.read_bytes())
        return model
    except DecodeError as error:
        raise ModelError(f"{path.name} is not an ONNX file.") from error
    except OSError as error:
        why = error.strerror or error
        raise ModelError(f"{path.name}: it or its external data is missing: {why}.") from error


# ------------------------------------------------------------------------------------- its insides
def graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """The graph, then those inside its If, Loop and Scan nodes."""
    yield graph
    yield from _inner(graph.node)


def _inner(found: Iterable[onnx.NodeProto]) -> Iterator[onnx.GraphProto]:
    for node in found:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from graphs(attribute.g)
            for inner in attribute.graphs:
                yield from graphs(inner)


def nodes(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    """Every node, those of inner graphs too."""
    for graph in graphs(model.graph):
        yield from graph.node


def every_graph(model: onnx.ModelProto) -> Iterator[onnx.GraphProto]:
    """The graphs of the model, and those inside of its functions."""
    yield from graphs(model.graph)
    for function in model.functions:
        yield from _inner(function.node)


def tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Every tensor that is stored with the model: weights, constants, those of inner graphs and of
    functions, sparse ones too."""
    found: list[Iterable[onnx.NodeProto]] = [function.node for function in model.functions]
    for graph in every_graph(model):
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
        found.append(graph.node)
    for group in found:
        for node in group:
            yield from _of_attributes(node)


def _of_attributes(node: onnx.NodeProto) -> Iterator[onnx.TensorProto]:
    for attribute in node.attribute:
        if attribute.HasField("t"):
            yield attribute.t
        yield from attribute.tensors
        sparse = [attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []
        for one in (*sparse, *attribute.sparse_tensors):
            yield from (one.values, one.indices)


# ------------------------------------------------------------------------- weights in other files
@dataclass(frozen=True)
class External:
    """A tensor whose bytes lie in another file."""

    tensor: onnx.TensorProto
    location: str  # as the graph says, relative to it
    file: Path
    offset: int
    length: int


def externals(model: onnx.ModelProto, path: Path) -> Iterator[External]:
    """The tensors that lie in other files beside `path`, each checked against its file.

    Raises: ModelError.
    """
    for tensor in tensors(model):
        if tensor.data_location == tensor.EXTERNAL:
            yield _external(tensor, path)


def external_files(path: Path) -> set[str]:
    """Names of the files beside `path` that hold its weights. Raises: ModelError."""
    model = read(path, weights=False)
    return {one.location for one in externals(model, path)}


def _external(tensor: onnx.TensorProto, path: Path) -> External:
    told = {entry.key: entry.value for entry in tensor.external_data}
    file = _file(path, told.get("location", ""))
    wrong = f"{path.name}: the external data of {tensor.name[:60]!a}"
    whole = file.stat().st_size
    offset, length = (_number(told.get(key, ""), f"{wrong}: {key}") for key in ("offset", "length"))
    size = _bytes(tensor, wrong)
    if told.get("length") and size is not None and length != size:
        raise ModelError(f"{wrong} has {length} bytes, its shape needs {size}.")
    if not told.get("length"):
        length = max(0, whole - offset) if size is None else size
    if offset + length > whole:
        raise ModelError(
            f"{wrong} ends at byte {offset + length}, {told['location']} has only {whole}: it is "
            "cut short or of another graph."
        )
    return External(tensor, told["location"], file, offset, length)


def _number(text: str, what: str) -> int:
    if not re.fullmatch(r"-?[0-9]{0,18}", text, re.ASCII) or text == "-":
        raise ModelError(f"{what} {text[:40]!a} is not a whole number.")
    if text.startswith("-"):
        raise ModelError(f"{what} {text} is negative.")
    return int(text or 0)


def _bytes(tensor: onnx.TensorProto, wrong: str) -> int | None:
    """How many bytes the shape takes, None for types whose numbers are no whole bytes."""
    from onnx import helper

    if any(size < 0 for size in tensor.dims):
        raise ModelError(f"{wrong} has a negative size in its shape.")
    try:
        kind = helper.tensor_dtype_to_np_dtype(tensor.data_type)
    except (KeyError, ValueError, TypeError):
        raise ModelError(f"{wrong} is of no type that ONNX knows.") from None
    if tensor.data_type == tensor.STRING or kind.name.endswith(("int4", "int2", "e2m1fn")):
        return None
    return int(math.prod(tensor.dims) * kind.itemsize)


def _file(path: Path, location: str) -> Path:
    """The file that a location means. Raises: ModelError for one that is missing or elsewhere."""
    wrong = f"{path.name}: its external data lies in {location[:120]!a}"
    parts = PurePosixPath(location).parts
    away = PurePosixPath(location).is_absolute() or PureWindowsPath(location).drive
    if not parts or away or ".." in parts or "\0" in location:
        raise ModelError(f"{wrong}; it must be a file in the folder of the graph.")
    file = path.parent / location
    try:
        there = file.is_file()
        homes = (path.parent.resolve(), path.resolve().parent)  # a hub's cache holds links
        inside = any(file.resolve().is_relative_to(home) for home in homes)
    except (OSError, RuntimeError):  # a name too long, links in a circle
        there, inside = False, True
    if not there and "\\" in location:
        raise ModelError(f"{wrong}, a path of Windows: save the graph again with `/` in it.")
    if not there:
        raise ModelError(f"{path.name}: it or its external data is missing: no {location[:120]!a}.")
    if not inside:
        raise ModelError(f"{wrong}, a link that leaves the folder: put the file itself there.")
    return file


def _require_room(path: Path, lying: Iterable[External]) -> None:
    size = path.stat().st_size + sum(one.length for one in lying)
    if size > limits.WEIGHTS_BYTES:
        raise ModelError(
            f"{path.name} has {size / 1e9:.1f} GB with its external data; more than "
            f"{limits.WEIGHTS_BYTES / 1e9:g} GB in one graph can be measured, but not be quantized "
            "or cut here."
        )


def _load(one: External) -> None:
    tensor = one.tensor
    try:
        with one.file.open("rb") as file:
            file.seek(one.offset)
            tensor.raw_data = file.read(one.length)
    except OSError as error:
        raise ModelError(f"{one.file.name} cannot be read: {error.strerror or error}.") from error
    del tensor.external_data[:]
    tensor.data_location = tensor.DEFAULT


# ------------------------------------------------------------------------------------- as it is run
@dataclass(frozen=True)
class Face:
    """What a graph must be given, what it may be given (it has a weight for it), what it gives."""

    required: dict[str, int]  # name -> element type
    optional: frozenset[str]
    outputs: tuple[str, ...]


def face(model: onnx.ModelProto) -> Face:
    """Inputs and outputs of a graph."""
    weights = {tensor.name for tensor in model.graph.initializer}
    weights |= {sparse.values.name for sparse in model.graph.sparse_initializer}
    required = {
        value.name: value.type.tensor_type.elem_type
        for value in model.graph.input
        if value.name not in weights
    }
    names = frozenset(value.name for value in model.graph.input if value.name in weights)
    return Face(required, names, tuple(value.name for value in model.graph.output))


def large(model: onnx.ModelProto) -> bool:
    """Whether a graph with its weights is more than one ONNX file can hold."""
    held = sum(len(tensor.raw_data) for tensor in tensors(model))
    return held > limits.GRAPH_BYTES - SPARE or held + _rest(model) > limits.GRAPH_BYTES


def _rest(model: onnx.ModelProto) -> int:
    with without_weights(model):
        return int(model.ByteSize())


@contextlib.contextmanager
def without_weights(model: onnx.ModelProto) -> Iterator[None]:
    """The graph as long as it is looked at without its large weights, which protobuf could not
    write: their types and shapes stay."""
    taken = [(one, one.raw_data) for one in tensors(model) if len(one.raw_data) >= APART]
    for tensor, _ in taken:
        tensor.ClearField("raw_data")
    try:
        yield
    finally:
        for tensor, data in taken:
            tensor.raw_data = data


def set_apart(model: onnx.ModelProto, path: Path) -> onnx.ModelProto:
    """Write the graph with its weights beside it, and return it without them: what `model` held of
    memory is free once nobody refers to it. Raises: ModelError."""
    import onnx

    with one_line(f"{path.name} cannot be written", ModelError):
        _weights_apart(model, path)
        plain = model.SerializeToString()
        path.write_bytes(plain)
        weightless: onnx.ModelProto = onnx.ModelProto.FromString(plain)
    return weightless


def write(model: onnx.ModelProto, target: Path, optional: frozenset[str] = frozenset()) -> None:
    """One file, or one with its weights in `<its name>.data` beside it where it would have over
    2 GB; the same graph gives the same bytes, whatever order its weights came in.

    `optional`: inputs that had a weight before (`face`); one whose weight is gone is no input.
    Raises: ModelError for what cannot be written.
    """
    for graph in every_graph(model):
        weights = sorted(graph.initializer, key=lambda tensor: tensor.name)
        del graph.initializer[:]
        graph.initializer.extend(weights)
        del graph.value_info[:]  # shape inference's notes, some of types that are no longer so
    kept = [value for value in model.graph.input if value.name not in optional - _held(model)]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    with one_line(f"{target.name} cannot be written", ModelError):
        if large(model):
            _weights_apart(model, target)
        target.write_bytes(model.SerializeToString(deterministic=True))


def _weights_apart(model: onnx.ModelProto, target: Path) -> None:
    """Write the large weights, one after the other, and say in the graph where each lies."""
    apart = target.with_name(f"{target.name}.data")
    with apart.open("wb") as file:
        for tensor in tensors(model):
            if len(tensor.raw_data) < APART:
                continue
            told = {"location": apart.name, "offset": file.tell(), "length": len(tensor.raw_data)}
            file.write(tensor.raw_data)
            tensor.ClearField("raw_data")
            del tensor.external_data[:]
            for key, value in told.items():
                tensor.external_data.add(key=key, value=str(value))
            tensor.data_location = tensor.EXTERNAL


def _held(model: onnx.ModelProto) -> frozenset[str]:
    return face(model).optional
