"""Small ONNX graphs made on the spot, for tests of sessions, quantization and variants."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE = 16


def weight(name: str, *shape: int) -> onnx.TensorProto:
    """A repeatable weight; the name decides its values."""
    seed = sum(map(ord, name))
    values = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    return numpy_helper.from_array(values, name)


def model(
    nodes: list[onnx.NodeProto],
    weights: list[onnx.TensorProto],
    kind: int = TensorProto.FLOAT,
    shape: tuple[str | int, ...] = ("batch", SIZE),
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        weights,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 8
    return made


def two_layers() -> onnx.ModelProto:
    """x @ first -> Relu -> @ second; the nodes are called /fc1/MatMul, /relu and /fc2/MatMul."""
    return model(
        [
            helper.make_node("MatMul", ["x", "first"], ["h"], name="/fc1/MatMul"),
            helper.make_node("Relu", ["h"], ["r"], name="/relu"),
            helper.make_node("MatMul", ["r", "second"], ["y"], name="/fc2/MatMul"),
        ],
        [weight("first", SIZE, SIZE), weight("second", SIZE, SIZE)],
    )


def tied() -> onnx.ModelProto:
    """Tokens -> embedding -> logits by the same table, transposed: Gather, Transpose, MatMul."""
    return model(
        [
            helper.make_node("Gather", ["table", "x"], ["e"], name="embed"),
            helper.make_node("Transpose", ["table"], ["t"], perm=[1, 0], name="turn"),
            helper.make_node("MatMul", ["e", "t"], ["y"], name="logits"),
        ],
        [weight("table", 40, SIZE)],
        TensorProto.INT64,
        ("batch", "n"),
    )


def shared_table() -> onnx.ModelProto:
    """Gather along the second axis and MatMul read the same weights."""
    return model(
        [
            helper.make_node("Gather", ["table", "x"], ["e"], axis=1, name="embed"),
            helper.make_node("Transpose", ["e"], ["t"], perm=[1, 2, 0], name="turn"),
            helper.make_node("MatMul", ["t", "table"], ["y"], name="logits"),
        ],
        [weight("table", SIZE, 40)],
        TensorProto.INT64,
        ("batch", "n"),
    )


def no_weights() -> onnx.ModelProto:
    """A graph that has nothing to quantize."""
    return model([helper.make_node("Relu", ["x"], ["y"], name="/relu")], [])


def save(made: onnx.ModelProto, path: Path) -> Path:
    onnx.save(made, path)
    return path


def save_raw(made: onnx.ModelProto, path: Path) -> Path:
    """As it is, whatever is wrong with it."""
    path.write_bytes(made.SerializeToString())
    return path


def rows(count: int = 4) -> dict[str, np.ndarray]:
    """Feeds of `two_layers`."""
    values = np.random.default_rng(1).normal(size=(count, SIZE)).astype(np.float32)
    return {"x": values}


def tokens() -> dict[str, np.ndarray]:
    """Feeds of `tied` and `shared_table`."""
    return {"x": np.array([[1, 5, 39, 0, 7]], dtype=np.int64)}
