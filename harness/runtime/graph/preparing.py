"""A graph made ready for onnxruntime's quantizer: names, plain weights, types it cannot infer."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import QuantizeError
from harness.runtime.graph.files import (
    KEEP_INITIALIZERS,
    graphs,
    nodes,
    one_line,
    read,
    without_weights,
)

if TYPE_CHECKING:
    import onnx


def load_named(path: Path) -> onnx.ModelProto:
    """The graph, every node with a name of its own, and weights behind Constant, Identity and
    Transpose nodes as plain weights, since onnxruntime quantizes only those.

    Raises: ModelError for a file that cannot be read, QuantizeError for a graph that is not as it
    should be.
    """
    from onnxruntime.quantization.quant_utils import add_pre_process_metadata

    model = read(path)
    with one_line(f"{path.name} cannot be made ready for quantizing", QuantizeError):
        model = _inlined(model)
        _forget_weights_as_inputs(model)
        name_nodes(model)
        _fold_weights(model.graph)
        add_pre_process_metadata(model)  # so that the quantizer does not ask for more of it
    return model


def _inlined(model: onnx.ModelProto) -> onnx.ModelProto:
    """Without functions of its own, into which the quantizer does not look."""
    if not model.functions:
        return model
    from onnx import inliner

    return inliner.inline_local_functions(model)


def _forget_weights_as_inputs(model: onnx.ModelProto) -> None:
    """Before IR version 4 each weight had to be listed as an input, and was a constant all the
    same; a weight that the quantizer replaces would stay behind as an input to be given."""
    if model.ir_version >= KEEP_INITIALIZERS:
        return
    model.ir_version = KEEP_INITIALIZERS
    weights = {tensor.name for tensor in model.graph.initializer}
    kept = [value for value in model.graph.input if value.name not in weights]
    del model.graph.input[:]
    model.graph.input.extend(kept)


def note_types(model: onnx.ModelProto, name: str) -> None:
    """Note the type of what onnxruntime's own operators (attention) give, in branches as well: that
    of their first input, float where ONNX's shape inference does not reach it. It stops at them,
    and behind a tensor of unknown type the quantizer does nothing, or writes a cast to no type.

    Raises: QuantizeError that begins with `name`, where types cannot be inferred at all.
    """
    with one_line(f"{name}: its types cannot be inferred", QuantizeError):
        _note_types(model)


def _note_types(model: onnx.ModelProto) -> None:
    from onnx import TensorProto, helper, shape_inference

    with without_weights(model):
        whole = shape_inference.infer_shapes(model).graph
    for graph, inferred in zip(graphs(model.graph), graphs(whole), strict=True):
        known = {tensor.name: tensor.data_type for tensor in inferred.initializer}
        for value in (*inferred.input, *inferred.value_info, *inferred.output):
            known[value.name] = value.type.tensor_type.elem_type
        for node in graph.node:
            if node.domain in ("", "ai.onnx"):
                continue
            kind = known.get(node.input[0] if node.input else "") or TensorProto.FLOAT
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
    if node.op_type not in ("Identity", "Transpose") or not set(node.input[:1]) & set(constants):
        return None
    array = numpy_helper.to_array(constants[node.input[0]])
    if node.op_type == "Transpose":
        order = [list(a.ints) for a in node.attribute if a.name == "perm"]
        array = array.transpose(order[0] if order else None)
    return numpy_helper.from_array(array.copy(order="C"), node.output[0])


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
            with one_line(f"{name}: onnxruntime's quantizer failed", QuantizeError):
                yield
    finally:
        own.setLevel(level)
        root.removeFilter(_not_of_onnxruntime)
        root.removeHandler(handler)


def _not_of_onnxruntime(record: logging.LogRecord) -> bool:
    return "onnxruntime" not in Path(record.pathname).parts
