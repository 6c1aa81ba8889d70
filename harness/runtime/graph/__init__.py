"""ONNX graphs as quantization methods need them: read, name, fold weights, count, write the same
bytes for the same graph.

files.py      read and write, weights in other files, inputs and outputs
preparing.py  a graph made ready for onnxruntime's quantizer
counting.py   what a graph holds, and what a method did to it
weighing.py   which operators hold its weights
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.errors import ModelError
from harness.runtime.graph.counting import (
    NothingToQuantizeError,
    chosen,
    gained,
    nothing_quantized,
    operators,
    quantized,
    require_matches,
)
from harness.runtime.graph.files import (
    Face,
    external_files,
    face,
    graphs,
    large,
    nodes,
    one_line,
    read,
    set_apart,
    write,
)
from harness.runtime.graph.preparing import (
    load_named,
    name_nodes,
    note_types,
    quietly,
    split_tables,
)
from harness.runtime.graph.weighing import shares

if TYPE_CHECKING:
    import onnx

__all__ = [
    "Face", "NothingToQuantizeError", "chosen", "external_files", "face", "gained", "graphs",
    "large", "load_named", "name_nodes", "nodes", "note_types", "nothing_quantized", "one_line",
    "operators", "part", "quantized", "quietly", "read", "require_matches", "set_apart", "shares",
    "split_tables", "write",
]  # fmt: skip


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
