"""What a graph holds and what a method did to it: operators, nodes left out, nodes in 8 bits."""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import QuantizeError
from harness.errors.nearest import nearest
from harness.runtime.graph.files import graphs, nodes, read
from harness.runtime.graph.preparing import name_nodes

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


class NothingToQuantizeError(QuantizeError):
    """A graph that holds nothing of what a method was asked to quantize."""


def operators(model: onnx.ModelProto) -> dict[str, int]:
    """Operator type -> how many nodes, most first."""
    counted = Counter(node.op_type for node in nodes(model))
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


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


def nothing_quantized(
    path: Path, asked: Iterable[str], present: Mapping[str, int], before: Counter[str]
) -> NothingToQuantizeError:
    """The line for a graph in which a method found nothing to do; `before`: nodes in 8 bits."""
    already = f" {before.total()} nodes compute in 8 bits already." if before else ""
    has = ", ".join(f"{count} {kind}" for kind, count in list(present.items())[:8])
    return NothingToQuantizeError(
        f"{path.name}: nothing was quantized: asked for {', '.join(asked)} with constant weights; "
        f"the graph has {has}.{already}"
    )
