"""ONNX graphs as quantization methods need them: read, name, fold weights, count, write the same
bytes for the same graph.
"""

from __future__ import annotations

import contextlib
import fnmatch
import io
import logging
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ModelError, QuantizeError
from harness.nearest import nearest

if TYPE_CHECKING:
    import onnx

# integer kernel -> the operator that it stands for
INTEGER_KERNELS = {
    "MatMulInteger": "MatMul",
    "MatMulIntegerToFloat": "MatMul",
    "DynamicQuantizeMatMul": "MatMul",
    "QLinearMatMul": "MatMul",
    "ConvInteger": "Conv",
    "QLinearConv": "Conv",
    "QGemm": "Gemm",
    "QAttention": "Attention",
    "DynamicQuantizeLSTM": "LSTM",
    "QEmbedLayerNormalization": "EmbedLayerNormalization",
}
CONVERSIONS = ("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear")
TWO_DATA_INPUTS = ("MatMul", "Gemm", "Conv", "ConvTranspose")
# what onnxruntime's quantizer raises when a graph does not suit it
QUANTIZER_ERRORS = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    AssertionError,
    RuntimeError,
)


class NothingToQuantizeError(QuantizeError):
    """A graph that holds nothing of what a method was asked to quantize."""


def read(path: Path, weights: bool = True) -> onnx.ModelProto:
    """The graph in a file, its external data too if `weights`.

    Raises: ModelError for a file that is not ONNX or whose external data is missing.
    """
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        model = onnx.load(path, load_external_data=weights)
    except DecodeError as error:
        raise ModelError(f"{path.name} is not an ONNX file.") from error
    except (FileNotFoundError, onnx.checker.ValidationError) as error:
        said = " ".join(str(error).split())
        raise ModelError(f"{path.name}: it or its external data is missing: {said}") from error
    if not model.graph.node:
        raise ModelError(f"{path.name} is not an ONNX file: it has no nodes.")
    return model


def write(model: onnx.ModelProto, target: Path) -> None:
    """One file; the same graph gives the same bytes, whatever order its weights came in."""
    from onnx import TensorProto

    for graph in graphs(model.graph):
        weights = sorted(graph.initializer, key=lambda tensor: tensor.name)
        del graph.initializer[:]
        graph.initializer.extend(weights)
        for tensor in graph.initializer:
            del tensor.external_data[:]
            tensor.data_location = TensorProto.DEFAULT
        del graph.value_info[:]  # shape inference's notes, some of types that are no longer so
    target.write_bytes(model.SerializeToString(deterministic=True))


def graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """The graph, then those inside its If, Loop and Scan nodes."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                if inner.node:
                    yield from graphs(inner)


def nodes(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    """Every node, those of inner graphs too."""
    for graph in graphs(model.graph):
        yield from graph.node


def operators(model: onnx.ModelProto) -> dict[str, int]:
    """Operator type -> how many nodes, most first."""
    counted = Counter(node.op_type for node in nodes(model))
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def external_files(path: Path) -> set[str]:
    """Names of the files beside `path` that hold its weights."""
    model = read(path, weights=False)
    return {
        entry.value
        for graph in graphs(model.graph)
        for tensor in graph.initializer
        for entry in tensor.external_data
        if entry.key == "location"
    }


def part(
    model: onnx.ModelProto, inputs: Mapping[str, Sequence[int | str]], outputs: Sequence[str]
) -> onnx.ModelProto:
    """What lies between the tensors `inputs` (name -> shape, names for open sizes) and `outputs`,
    all float32, as a model of its own. Raises: ModelError where the outputs need more than that.
    """
    from onnx import TensorProto, helper

    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    wanted, found = set(outputs), []
    for node in reversed(model.graph.node):  # nodes stand in the order in which they are run
        if wanted & set(node.output) - set(inputs):
            found.append(node)
            wanted |= set(node.input)
    made = {name for node in found for name in node.output}
    if lacking := wanted - made - set(weights) - set(inputs) - {""}:
        raise ModelError(f"the graph has no {sorted(lacking)[0]!r} between its parts.")
    graph = helper.make_graph(
        found[::-1],
        "part",
        [helper.make_tensor_value_info(k, TensorProto.FLOAT, v) for k, v in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [tensor for name, tensor in weights.items() if name in wanted],
    )
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)


# --------------------------------------------------------------------- before and after quantizing
def load_named(path: Path) -> onnx.ModelProto:
    """The graph, every node with a name of its own, and weights behind Constant, Identity and
    Transpose nodes as plain weights, since onnxruntime quantizes only those.
    """
    from onnxruntime.quantization.quant_utils import add_pre_process_metadata

    model = read(path)
    name_nodes(model)
    _fold_weights(model.graph)
    add_pre_process_metadata(model)  # so that the quantizer does not ask for more of it
    return model


def note_types(model: onnx.ModelProto) -> None:
    """Note the type of what onnxruntime's own operators (attention) give, in branches as well: that
    of their first input, float where ONNX's shape inference does not reach it. It stops at them,
    and behind a tensor of unknown type the quantizer does nothing, or writes a cast to no type.
    """
    from onnx import TensorProto, helper, shape_inference

    whole = shape_inference.infer_shapes(model).graph
    for graph, inferred in zip(graphs(model.graph), graphs(whole), strict=True):
        known = {tensor.name: tensor.data_type for tensor in inferred.initializer}
        for value in (*inferred.input, *inferred.value_info, *inferred.output):
            known[value.name] = value.type.tensor_type.elem_type
        for node in graph.node:
            if node.domain in ("", "ai.onnx"):
                continue
            kind = known.get(node.input[0]) or TensorProto.FLOAT
            for name in node.output:
                if name and not known.get(name):
                    known[name] = kind
                    graph.value_info.append(helper.make_tensor_value_info(name, kind, None))


def name_nodes(model: onnx.ModelProto) -> None:
    """Nodes without a name get one from their type and place."""
    for number, node in enumerate(nodes(model)):
        node.name = node.name or f"{node.op_type}_{number}"


def _fold_weights(graph: onnx.GraphProto) -> None:
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in list(graph.node):
        folded = _folded(node, constants)
        if folded is not None:
            constants[node.output[0]] = folded
            graph.initializer.append(folded)
            graph.node.remove(node)
    used = {name for inner in graphs(graph) for node in inner.node for name in node.input}
    used |= {value.name for inner in graphs(graph) for value in inner.output}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _folded(
    node: onnx.NodeProto, constants: Mapping[str, onnx.TensorProto]
) -> onnx.TensorProto | None:
    """What the node always gives, None if that depends on its inputs."""
    from onnx import TensorProto, numpy_helper

    if node.op_type == "Constant":
        found = [a.t for a in node.attribute if a.name == "value"]
        folded = TensorProto()
        if not found:
            return None
        folded.CopyFrom(found[0])
        folded.name = node.output[0]
        return folded
    if node.op_type not in ("Identity", "Transpose") or node.input[0] not in constants:
        return None
    array = numpy_helper.to_array(constants[node.input[0]])
    if node.op_type == "Transpose":
        order = [list(a.ints) for a in node.attribute if a.name == "perm"]
        array = array.transpose(order[0] if order else None)
    return numpy_helper.from_array(array.copy(order="C"), node.output[0])


def chosen(model: onnx.ModelProto, patterns: Iterable[str]) -> tuple[str, ...]:
    """Names of the nodes that any of the patterns (fnmatch) matches, in the graph's order."""
    wanted = list(patterns)
    names = (node.name for node in nodes(model))
    return tuple(n for n in names if any(fnmatch.fnmatchcase(n, pattern) for pattern in wanted))


def require_matches(paths: Iterable[Path], patterns: Iterable[str]) -> None:
    """Each pattern must match a node in one of the graphs.

    Raises: QuantizeError with the nearest node name.
    """
    wanted = list(patterns)
    known: list[str] = []
    for path in paths if wanted else ():
        model = read(path, weights=False)
        name_nodes(model)
        known += [node.name for node in nodes(model)]
    for pattern in wanted:
        if not any(fnmatch.fnmatchcase(name, pattern) for name in known):
            near = nearest(pattern, known).partition(" There is:")[0]
            raise QuantizeError(f"left_out: no node matches {pattern!r}.{near}")


def quantized(model: onnx.ModelProto) -> Counter[str]:
    """Operator type -> nodes that compute on 8-bit data: integer kernels, nodes fed by
    DequantizeLinear, and look-ups in an 8-bit table.
    """
    found: Counter[str] = Counter()
    tables: set[str] = set()
    for graph in graphs(model.graph):
        tables |= {t.name for t in graph.initializer if t.data_type in (2, 3)}  # uint8, int8
        maker = {name: node.op_type for node in graph.node for name in node.output}
        for node in graph.node:
            if node.op_type in INTEGER_KERNELS:
                found[INTEGER_KERNELS[node.op_type]] += 1
            elif node.op_type in CONVERSIONS or not node.input:
                continue
            elif node.input[0] in tables or _fed_by_dequantize(node, maker):
                found[node.op_type] += 1
    return found


def _fed_by_dequantize(node: onnx.NodeProto, maker: Mapping[str, str]) -> bool:
    count = 2 if node.op_type in TWO_DATA_INPUTS else 1
    return all(maker.get(name) == "DequantizeLinear" for name in node.input[:count])


def gained(before: Counter[str], after: onnx.ModelProto, asked: Iterable[str]) -> dict[str, int]:
    """Operator type -> nodes that are quantized after and were not before, of the types asked for
    (a Transpose between two of them carries 8-bit data as well, and is not counted).
    """
    more = quantized(after) - before
    return {kind: more[kind] for kind in sorted(asked) if more[kind]}


def split_tables(model: onnx.ModelProto) -> None:
    """Give each Gather a table of its own where another operator reads the same weights: a table
    has one scale, while per channel the other's weights have many.
    """
    readers = Counter(name for node in nodes(model) for name in set(node.input))
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in nodes(model):
        if node.op_type != "Gather" or node.input[0] not in weights:
            continue
        if readers[node.input[0]] > 1:
            copy = model.graph.initializer.add()
            copy.CopyFrom(weights[node.input[0]])
            copy.name = f"{node.input[0]}.{node.name}"
            node.input[0] = copy.name


def nothing_quantized(
    path: Path, asked: Iterable[str], present: Mapping[str, int]
) -> NothingToQuantizeError:
    """The line for a graph in which a method found nothing to do."""
    has = ", ".join(f"{count} {kind}" for kind, count in list(present.items())[:8])
    return NothingToQuantizeError(
        f"{path.name}: nothing was quantized: asked for {', '.join(asked)} with constant weights; "
        f"the graph has {has}."
    )


@contextlib.contextmanager
def quietly(name: str) -> Iterator[None]:
    """Run onnxruntime's quantizer: its chatter away, its failures as one line on the file.

    Its modules print, and log to the root logger (which sets up a handler for good where there is
    none); records and output of others pass.

    Raises: QuantizeError.
    """
    root, own = logging.getLogger(), logging.getLogger("onnxruntime")
    level, handler = own.level, logging.NullHandler()
    root.addHandler(handler)
    root.addFilter(_not_of_onnxruntime)
    own.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="onnxruntime")
            yield
    except QUANTIZER_ERRORS as error:
        said = " ".join(str(error).split())
        raise QuantizeError(f"{name}: onnxruntime's quantizer failed: {said}") from error
    finally:
        own.setLevel(level)
        root.removeFilter(_not_of_onnxruntime)
        root.removeHandler(handler)


def _not_of_onnxruntime(record: logging.LogRecord) -> bool:
    return "onnxruntime" not in Path(record.pathname).parts
