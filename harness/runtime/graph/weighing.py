"""Which operators of a graph hold its weights: what is worth quantizing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from harness.runtime.graph.counting import quantized
from harness.runtime.graph.files import graphs, read

if TYPE_CHECKING:
    import onnx

FLOATS = (1, 10, 11, 16)  # TensorProto: float, float16, double, bfloat16
ALIKE = {"Gemm": "MatMul"}  # one to a quantizer


def shares(paths: Iterable[Path]) -> tuple[dict[str, float], int]:
    """(operator type -> the share of the float weights that its nodes are given, largest first; how
    many nodes compute in 8 bits already), over all graphs. A weight that two nodes share counts for
    the first. The weights beside a graph are not read.

    Raises: ModelError for a file that is no graph.
    """
    held: Counter[str] = Counter()
    integer = 0
    for path in paths:
        model = read(path, weights=False)
        integer += quantized(model).total()
        held += _held(model)
    whole = held.total()
    return {kind: count / whole for kind, count in held.most_common()}, integer


def _held(model: onnx.ModelProto) -> Counter[str]:
    """Operator type -> numbers of the weights; an inner graph sees those of the outer ones."""
    every = list(graphs(model.graph))
    sizes = {
        name: math.prod(tensor.dims)
        for graph in every
        for name, tensor in _weights(graph)
        if tensor.data_type in FLOATS
    }
    found: Counter[str] = Counter()
    for node in (node for graph in every for node in graph.node):
        size = sum(sizes.pop(name, 0) for name in node.input)
        if size:
            found[ALIKE.get(node.op_type, node.op_type)] += size
    return found


def _weights(graph: onnx.GraphProto) -> Iterator[tuple[str, onnx.TensorProto]]:
    """Those that are stored, and those that a node gives."""
    for tensor in graph.initializer:
        yield tensor.name, tensor
    for node in graph.node:
        if node.op_type == "Constant":
            for attribute in node.attribute:
                if attribute.name == "value":
                    yield node.output[0], attribute.t
