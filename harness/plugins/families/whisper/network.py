"""Builds Whisper's two ONNX graphs in FP32 from named weights.

encoder: log-mel -> keys and values of the decoder's cross-attention, computed once per window; the
keys lie transposed, ready for the decoder's matrix product.
decoder: tokens and self-attention past (of length 0 for the prompt) -> logits of the last position
and the longer past. One graph serves prompt and steps.

Every weight that quantization should reach is the constant 2-D right side of a MatMul. The tied
embedding is stored once, as (d_model, vocabulary): MatMul projects to logits with it, and Gather
takes the input embeddings from its columns. Node names ("encoder.3.fc2") are what a quantization
recipe leaves out by. Operators: ONNX opset 20 and com.microsoft's MultiHeadAttention.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from harness.plugins.families.whisper.weights import Weights

OPSET, IR_VERSION, EPSILON = 20, 10, 1e-5
FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


@dataclass
class Net:
    """A graph under construction; every method gives back the name of its output."""

    name: str
    heads: int
    head_size: int
    nodes: list[Any] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)
    shapes: list[Any] = field(default_factory=list)

    def constant(self, name: str, array: np.ndarray) -> str:
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def ints(self, *values: int) -> str:
        return self.constant(f"ints_{'_'.join(map(str, values))}", np.array(values, np.int64))

    def op(self, kind: str, name: str, *inputs: str, **attributes: Any) -> str:
        outputs = attributes.pop("outputs", [name])
        domain = "com.microsoft" if kind == "MultiHeadAttention" else ""
        node = helper.make_node(kind, inputs, outputs, name, domain=domain, **attributes)
        self.nodes.append(node)
        return str(outputs[0])

    def linear(self, name: str, x: str, weight: np.ndarray, bias: np.ndarray | None) -> str:
        """x @ weight.T + bias; a bias of zeros (Whisper's keys) costs nothing."""
        y = self.op("MatMul", name, x, self.constant(f"{name}.weight", weight.T))
        if bias is None or not bias.any():
            return y
        return self.op("Add", f"{name}.add", y, self.constant(f"{name}.bias", bias))

    def norm(self, name: str, x: str, weights: Weights, key: str) -> str:
        gamma = self.constant(f"{name}.gamma", weights[f"{key}/gamma"])
        beta = self.constant(f"{name}.beta", weights[f"{key}/beta"])
        return self.op("LayerNormalization", name, x, gamma, beta, axis=-1, epsilon=EPSILON)

    def attention(self, name: str, *inputs: str, **attributes: Any) -> str:
        # ONNX's own shape inference, which quantizers rely on, stops at other domains' operators
        shape = ["batch", None, self.heads * self.head_size]
        self.shapes.append(helper.make_tensor_value_info(name, FLOAT, shape))
        return self.op("MultiHeadAttention", name, *inputs, num_heads=self.heads, **attributes)

    def split_heads(self, name: str, x: str, axes: str = "nsh") -> str:
        """(batch, s, d_model) -> (batch, then n heads, s positions, h of head in order `axes`)."""
        shape = self.ints(0, 0, self.heads, self.head_size)
        split = self.op("Reshape", f"{name}.split", x, shape)
        return self.op("Transpose", name, split, perm=[0, *(1 + "snh".index(a) for a in axes)])

    def cross_attention(self, name: str, q: str, key: str, value: str) -> str:
        """softmax(q @ key) @ value; q is scaled already, key is (batch, heads, head_size, frames).

        Plain products: with one query, a transposed key is 1.7 times as fast as
        MultiHeadAttention on CPU.
        """
        scores = self.op("MatMul", f"{name}.scores", self.split_heads(f"{name}.q", q), key)
        weights = self.op("Softmax", f"{name}.weights", scores, axis=-1)
        heads = self.op("MatMul", f"{name}.heads", weights, value)
        joined = self.op("Transpose", f"{name}.joined", heads, perm=[0, 2, 1, 3])
        return self.op("Reshape", name, joined, self.ints(0, 0, self.heads * self.head_size))

    def feed_forward(self, name: str, x: str, weights: Weights, key: str) -> str:
        """x + fc2(gelu(fc1(norm(x))))"""
        y = self.norm(f"{name}.ffn_norm", x, weights, f"{key}/ffn/layer_norm")
        y = self.linear(f"{name}.fc1", y, *_linear(weights, f"{key}/ffn/linear_0"))
        y = self.op("Gelu", f"{name}.gelu", y)
        y = self.linear(f"{name}.fc2", y, *_linear(weights, f"{key}/ffn/linear_1"))
        return self.op("Add", f"{name}.ffn_out", x, y)

    def model(self, inputs: list[Any], outputs: list[Any]) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes, self.name, inputs, outputs, list(self.constants.values()),
            value_info=self.shapes,
        )  # fmt: skip
        return helper.make_model(
            graph,
            ir_version=IR_VERSION,
            producer_name="harness",
            opset_imports=[
                helper.make_opsetid("", OPSET),
                helper.make_opsetid("com.microsoft", 1),
            ],
        )


def encoder(weights: Weights) -> onnx.ModelProto:
    """`features` (batch, mels, frames) -> per decoder layer `cross_key_i` (batch, heads, head size,
    frames / 2) and `cross_value_i` (batch, heads, frames / 2, head size). Any even number of frames
    up to the model's.

    Raises: ModelError where an array is missing.
    """
    net = Net("whisper_encoder", weights.heads(), _head_size(weights))
    x = encode(net, weights, "features")
    outputs = []
    for layer in range(weights.layers("decoder")):
        keys_values(net, x, weights, layer, cross_names(layer))
        outputs += _cross(net, layer)
    mels = weights["encoder/conv1/weight"].shape[1]
    features = helper.make_tensor_value_info("features", FLOAT, ["batch", mels, "frames"])
    return net.model([features], outputs)


def decoder(weights: Weights) -> onnx.ModelProto:
    """`tokens` (batch, n), per layer `self_key_i`, `self_value_i` (batch, heads, past, head size)
    and the encoder's `cross_key_i`, `cross_value_i` -> `logits` (batch, vocabulary) after the last
    token, and `present_key_i`, `present_value_i` with past + n positions.

    Raises: ModelError where an array is missing.
    """
    net = Net("whisper_decoder", weights.heads(), _head_size(weights))
    inputs = [helper.make_tensor_value_info("tokens", INT64, ["batch", "n"])]
    outputs = [helper.make_tensor_value_info("logits", FLOAT, ["batch", _vocabulary(weights)])]
    size = net.head_size
    for layer in range(weights.layers("decoder")):
        inputs += [_tensor(name, net.heads, "past", size) for name in self_names(layer)]
        outputs += [_tensor(name, net.heads, "past_and_n", size) for name in present_names(layer)]
    for layer in range(weights.layers("decoder")):
        inputs += _cross(net, layer)
    x = embed(net, weights, "tokens", self_names(0)[0])
    for layer in range(weights.layers("decoder")):
        past, cross, present = self_names(layer), cross_names(layer), present_names(layer)
        x = decoder_layer(net, weights, layer, (x, past, cross, present))
    last = net.op("Slice", "decoder.last", x, net.ints(-1), net.ints(2**31 - 1), net.ints(1))
    row = net.op("Squeeze", "decoder.row", last, net.ints(1))
    project(net, weights, row, "logits")
    return net.model(inputs, outputs)


Names = tuple[str, str]


def self_names(layer: int) -> Names:
    return f"self_key_{layer}", f"self_value_{layer}"


def cross_names(layer: int) -> Names:
    return f"cross_key_{layer}", f"cross_value_{layer}"


def present_names(layer: int) -> Names:
    return f"present_key_{layer}", f"present_value_{layer}"


def encode(net: Net, weights: Weights, features: str) -> str:
    """The encoder's hidden states (batch, frames / 2, d_model), after the last norm."""
    x = features
    for stage, stride in (("conv1", 1), ("conv2", 2)):
        weight = net.constant(f"encoder.{stage}.weight", weights[f"encoder/{stage}/weight"])
        bias = net.constant(f"encoder.{stage}.bias", weights[f"encoder/{stage}/bias"])
        x = net.op(
            "Conv", f"encoder.{stage}", x, weight, bias,
            kernel_shape=[3], pads=[1, 1], strides=[stride],
        )  # fmt: skip
        x = net.op("Gelu", f"encoder.{stage}.gelu", x)
    x = net.op("Transpose", "encoder.frames", x, perm=[0, 2, 1])
    positions = net.constant("encoder.positions", weights["encoder/position_encodings/encodings"])
    length = net.op("Shape", "encoder.length", x, start=1, end=2)
    used = net.op("Slice", "encoder.used", positions, net.ints(0), length, net.ints(0))
    x = net.op("Add", "encoder.embedded", x, used)
    for layer in range(weights.layers("encoder")):
        name, key = f"encoder.{layer}", f"encoder/layer_{layer}"
        y = net.norm(f"{name}.self_norm", x, weights, f"{key}/self_attention/layer_norm")
        q, k, v = queries_keys_values(net, name, y, weights, key)
        y = net.attention(f"{name}.self", q, k, v)
        y = net.linear(f"{name}.self_out", y, *_linear(weights, f"{key}/self_attention/linear_1"))
        x = net.op("Add", f"{name}.self_added", x, y)
        x = net.feed_forward(name, x, weights, key)
    return net.norm("encoder.norm", x, weights, "encoder/layer_norm")


def queries_keys_values(
    net: Net, name: str, x: str, weights: Weights, key: str
) -> tuple[str, str, str]:
    """Three projections of x, for self-attention."""
    weight, bias = _linear(weights, f"{key}/self_attention/linear_0")
    parts = zip("qkv", np.split(weight, 3), np.split(bias, 3), strict=True)
    q, k, v = (net.linear(f"{name}.self_{p}", x, w, b) for p, w, b in parts)
    return q, k, v


def keys_values(net: Net, hidden: str, weights: Weights, layer: int, names: Names) -> None:
    """The cross-attention keys and values of one decoder layer, under `names`."""
    weight, bias = _linear(weights, f"decoder/layer_{layer}/attention/linear_1")
    parts = zip(names, ("nhs", "nsh"), "kv", np.split(weight, 2), np.split(bias, 2), strict=True)
    for name, axes, part, w, b in parts:
        y = net.linear(f"decoder.{layer}.cross_{part}", hidden, w, b)
        net.split_heads(name, y, axes)


def embed(net: Net, weights: Weights, tokens: str, past: str) -> str:
    """Token embeddings plus the positions that follow `past` ("" for none): (batch, n, d_model)."""
    columns = net.op("Gather", "decoder.gather", _embedding(net, weights), tokens, axis=1)
    x = net.op("Transpose", "decoder.tokens", columns, perm=[1, 2, 0])
    positions = net.constant("decoder.positions", weights["decoder/position_encodings/encodings"])
    n = net.op("Shape", "decoder.n", tokens, start=1, end=2)
    start, end = net.ints(0), n
    if past:
        start = net.op("Shape", "decoder.past", past, start=2, end=3)
        end = net.op("Add", "decoder.end", start, n)
    used = net.op("Slice", "decoder.used", positions, start, end, net.ints(0))
    return net.op("Add", "decoder.embedded", x, used)


def decoder_layer(
    net: Net, weights: Weights, layer: int, state: tuple[str, Names, Names, Names]
) -> str:
    """One layer; `state` is x and the names of past, cross and present keys and values."""
    x, past, cross, present = state
    name, key = f"decoder.{layer}", f"decoder/layer_{layer}"
    y = net.norm(f"{name}.self_norm", x, weights, f"{key}/self_attention/layer_norm")
    q, k, v = queries_keys_values(net, name, y, weights, key)
    y = net.attention(
        f"{name}.self", q, k, v, "", "", "", *past,
        outputs=[f"{name}.self", *present], unidirectional=1,
    )  # fmt: skip
    y = net.linear(f"{name}.self_out", y, *_linear(weights, f"{key}/self_attention/linear_1"))
    x = net.op("Add", f"{name}.self_added", x, y)
    y = net.norm(f"{name}.cross_norm", x, weights, f"{key}/attention/layer_norm")
    weight, bias = _linear(weights, f"{key}/attention/linear_0")
    scale = np.float32(net.head_size**-0.5)
    y = net.linear(f"{name}.cross_q", y, weight * scale, bias * scale)
    y = net.cross_attention(f"{name}.cross", y, *cross)
    y = net.linear(f"{name}.cross_out", y, *_linear(weights, f"{key}/attention/linear_2"))
    x = net.op("Add", f"{name}.cross_added", x, y)
    return net.feed_forward(name, x, weights, key)


def project(net: Net, weights: Weights, x: str, logits: str) -> None:
    """The last norm and the tied projection to the vocabulary, under the name `logits`."""
    x = net.norm("decoder.norm", x, weights, "decoder/layer_norm")
    net.op("MatMul", "decoder.logits", x, _embedding(net, weights), outputs=[logits])


def _embedding(net: Net, weights: Weights) -> str:
    if "decoder.embedding" in net.constants:
        return "decoder.embedding"
    return net.constant("decoder.embedding", weights["decoder/embeddings/weight"].T)


def _linear(weights: Weights, key: str) -> tuple[np.ndarray, np.ndarray]:
    return weights[f"{key}/weight"], weights[f"{key}/bias"]


def _vocabulary(weights: Weights) -> int:
    return int(weights.arrays["decoder/embeddings/weight"].shape[0])


def _head_size(weights: Weights) -> int:
    return int(weights["encoder/layer_norm/gamma"].size) // weights.heads()


def _cross(net: Net, layer: int) -> list[Any]:
    key, value = cross_names(layer)
    return [
        _tensor(key, net.heads, net.head_size, "frames_out"),
        _tensor(value, net.heads, "frames_out", net.head_size),
    ]


def _tensor(name: str, *shape: int | str) -> Any:
    return helper.make_tensor_value_info(name, FLOAT, ["batch", *shape])
