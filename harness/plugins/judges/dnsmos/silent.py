"""Leaves silent channels of a convolution out of the next one, and tells when they are not silent.

In DNSMOS P.835, 23 of the 64 channels of the second convolution have been zero behind their ReLU on
all that was tried: dead units, which the third convolution multiplies all the same. That they are
zero on any audio is not proven, so it is not taken for granted: they are computed as before, and
their loudest value is an output of the graph. Where it is not above zero, what the third
convolution leaves out is exactly zero; where it is, the graph as it was has to be run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.errors import ModelError

if TYPE_CHECKING:
    import onnx

SILENT = 16  # of the channels: convolutions are laid out in blocks of 8 or 16 channels
LOUDEST = "loudest"  # output: (n, SILENT, 1, 1), before the ReLU


def left_out(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model, its third convolution with bias on all but `SILENT` channels of the second.

    Which ones is a guess from the weights (those that can raise a channel are small), which the
    output `loudest` confirms or not. Raises: ModelError for a graph without such convolutions.
    """
    import onnx
    from onnx import helper, numpy_helper

    made = onnx.ModelProto()
    made.CopyFrom(model)
    graph = made.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    found = [node for node in graph.node if node.op_type == "Conv" and len(node.input) == 3]
    if len(found) < 3:
        raise ModelError("the network has no third convolution.")
    second, third = found[1:3]
    kernel, bias, following = (
        numpy_helper.to_array(weights[name]) for name in (*second.input[1:], third.input[1])
    )
    raising = np.maximum(kernel, 0).sum(axis=(1, 2, 3))
    order = np.argsort(raising, kind="stable")
    silent, heard = np.sort(order[:SILENT]), np.sort(order[SILENT:])

    def put(name: str, values: np.ndarray) -> None:
        tensor = numpy_helper.from_array(np.ascontiguousarray(values), name)
        if name in weights:
            weights[name].CopyFrom(tensor)
        else:
            graph.initializer.append(tensor)

    put("silent.kernel", kernel[silent])
    put("silent.bias", bias[silent])
    put(second.input[1], kernel[heard])
    put(second.input[2], bias[heard])
    put(third.input[1], following[:, heard])
    checked = onnx.NodeProto()
    checked.CopyFrom(second)
    checked.name = f"{second.name}.silent"
    checked.input[1:] = ["silent.kernel", "silent.bias"]
    checked.output[:] = ["silent"]
    graph.node.insert(list(graph.node).index(second) + 1, checked)
    graph.node.append(helper.make_node("GlobalMaxPool", ["silent"], [LOUDEST]))
    kind = onnx.TensorProto.FLOAT
    graph.output.append(helper.make_tensor_value_info(LOUDEST, kind, ("windows", SILENT, 1, 1)))
    return made
