"""Graphs that nobody knows, made on the spot: each so simple that numpy says what it must give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, HALF = TensorProto.FLOAT, TensorProto.FLOAT16
INT32, INT64 = TensorProto.INT32, TensorProto.INT64
VOCABULARY = ("<pad>", "|", "a", "b")
WIDTH = len(VOCABULARY)

Shape = tuple[int | str, ...] | None
Told = tuple[str, int, Shape]  # name, element type, shape


def graph(
    nodes: list[onnx.NodeProto],
    inputs: list[Told],
    outputs: list[Told],
    weights: dict[str, np.ndarray] | None = None,
    opset: int = 17,
) -> onnx.ModelProto:
    made = helper.make_graph(
        nodes,
        "own",
        [helper.make_tensor_value_info(*one) for one in inputs],
        [helper.make_tensor_value_info(*one) for one in outputs],
        [numpy_helper.from_array(value, name) for name, value in (weights or {}).items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 8
    return model


def saved(model: onnx.ModelProto, folder: Path, name: str = "own.onnx") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(model.SerializeToString())
    return path


def kernel(mels: int) -> np.ndarray:
    """(2 channels, mels, 3 frames)."""
    return np.random.default_rng(3).normal(size=(2, mels, 3)).astype(np.float32) / mels


def encoder(mels: int = 80, kind: int = FLOAT) -> onnx.ModelProto:
    """Log-mel (1, mels, frames) -> convolution of stride 2 -> last_hidden_state (1, 2, frames)."""
    weights = kernel(mels).astype(np.float16 if kind == HALF else np.float32)
    return graph(
        [helper.make_node("Conv", ["input_features", "k"], ["last_hidden_state"],
                          strides=[2], pads=[1, 1], name="conv")],
        [("input_features", kind, ("batch", mels, "frames"))],
        [("last_hidden_state", kind, ("batch", 2, "half"))],
        {"k": weights},
    )  # fmt: skip


def tower() -> onnx.ModelProto:
    """Log-mel (1, 128, frames) and their number -> last_hidden_state (1, frames, 8)."""
    weights = np.random.default_rng(5).normal(size=(128, 8)).astype(np.float32)
    return graph(
        [
            helper.make_node("Transpose", ["input_features"], ["turned"], perm=[0, 2, 1]),
            helper.make_node("Cast", ["feature_lens"], ["lens"], to=FLOAT),
            helper.make_node("MatMul", ["turned", "w"], ["h"], name="fc"),
            helper.make_node("Add", ["h", "lens"], ["last_hidden_state"]),
        ],
        [("input_features", FLOAT, ("batch", 128, "frames")), ("feature_lens", INT64, (1,))],
        [("last_hidden_state", FLOAT, ("batch", "frames", 8))],
        {"w": weights},
    )


def stateful(width: int = 3) -> onnx.ModelProto:
    """output = mean of the hop + sum of the state; stateN = state / 2 + mean. `sr` is asked for and
    unused, as many exports have it."""
    half, none = np.array(0.5, np.float32), np.zeros((), np.float32)
    return graph(
        [
            helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1], keepdims=1),
            helper.make_node("ReduceSum", ["state"], ["total"], keepdims=0),
            helper.make_node("Cast", ["sr"], ["rate"], to=FLOAT),
            helper.make_node("Mul", ["rate", "none"], ["nothing"]),
            helper.make_node("Add", ["total", "nothing"], ["sum"]),
            helper.make_node("Add", ["mean", "sum"], ["output"]),
            helper.make_node("Mul", ["state", "half"], ["less"]),
            helper.make_node("Add", ["less", "mean"], ["stateN"]),
        ],
        [("input", FLOAT, ("batch", "sequence")), ("state", FLOAT, ("batch", width)),
         ("sr", INT64, ())],
        [("output", FLOAT, ("batch", 1)), ("stateN", FLOAT, ("batch", width))],
        {"half": half, "none": none},
    )  # fmt: skip


def ctc() -> onnx.ModelProto:
    """The samples themselves are the scores: four in a row are one frame."""
    return graph(
        [helper.make_node("Reshape", ["input_values", "to"], ["logits"])],
        [("input_values", FLOAT, ("batch", "sequence"))],
        [("logits", FLOAT, ("batch", "frames", WIDTH))],
        {"to": np.array([1, -1, WIDTH], np.int64)},
    )


def spoken(tokens: list[int]) -> np.ndarray:
    """Samples of which `ctc` hears these tokens, a frame each."""
    return (np.eye(WIDTH, dtype=np.float32)[tokens] / 2).reshape(-1)


def first(hidden: Shape = ("batch", "frames", WIDTH)) -> onnx.ModelProto:
    """Samples (1, samples) -> hidden (1, frames, 4)."""
    return graph(
        [helper.make_node("Reshape", ["audio", "to"], ["hidden"])],
        [("audio", FLOAT, ("batch", "samples"))],
        [("hidden", FLOAT, hidden)],
        {"to": np.array([1, -1, WIDTH], np.int64)},
    )


def second(name: str = "hidden", ids: int = INT64) -> onnx.ModelProto:
    """(hidden + sum of the ids) @ weights -> logits (1, frames, 4); nodes `fc`."""
    weights = np.random.default_rng(7).normal(size=(WIDTH, WIDTH)).astype(np.float32)
    return graph(
        [
            helper.make_node("Cast", ["ids"], ["whole"], to=FLOAT),
            helper.make_node("ReduceSum", ["whole"], ["sum"], keepdims=0),
            helper.make_node("Add", [name, "sum"], ["h"]),
            helper.make_node("MatMul", ["h", "w"], ["logits"], name="fc"),
        ],
        [(name, FLOAT, ("batch", "frames", WIDTH)), ("ids", ids, ("batch", "count"))],
        [("logits", FLOAT, ("batch", "frames", WIDTH))],
        {"w": weights},
    )


def old_ir() -> onnx.ModelProto:
    """IR 3: the weights of `ctc` with a layer stand among the inputs too."""
    weights = {"w": np.eye(WIDTH, dtype=np.float32)[::-1].copy()}
    made = graph(
        [helper.make_node("Reshape", ["input_values", "to"], ["f"]),
         helper.make_node("MatMul", ["f", "w"], ["logits"])],
        [("input_values", FLOAT, ("batch", "sequence")), ("w", FLOAT, (WIDTH, WIDTH)),
         ("to", INT64, (3,))],
        [("logits", FLOAT, ("batch", "frames", WIDTH))],
        {**weights, "to": np.array([1, -1, WIDTH], np.int64)}, opset=8,
    )  # fmt: skip
    made.ir_version = 3
    return made


def not_a_number() -> onnx.ModelProto:
    """The logarithm of samples minus 2: NaN for any clip."""
    return graph(
        [helper.make_node("Sub", ["x", "two"], ["y"]), helper.make_node("Log", ["y"], ["out"])],
        [("x", FLOAT, (1, "samples"))],
        [("out", FLOAT, (1, "samples"))],
        {"two": np.array(2, np.float32)},
    )


def fixed(samples: int, kind: int = FLOAT) -> onnx.ModelProto:
    """A graph that hears so many samples and no others, and gives them back."""
    return graph(
        [helper.make_node("Identity", ["input_1"], ["same"])],
        [("input_1", kind, ("batch", samples))],
        [("same", kind, ("batch", samples))],
    )


def newer(ir: int = 0, opset: int = 0, domain: str = "") -> onnx.ModelProto:
    """Of an IR, an opset or an operator that no onnxruntime has."""
    made = fixed(8)
    made.ir_version = ir or made.ir_version
    if opset:
        made.opset_import[0].version = opset
    if domain:
        made.graph.node[0].domain, made.graph.node[0].op_type = domain, "Fancy"
        made.opset_import.append(helper.make_opsetid(domain, 1))
    return made
