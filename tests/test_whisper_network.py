"""The graphs against the formulas of Whisper written straight in numpy, on random weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import whisper_tiny as tiny

from harness.plugins.families.whisper import network
from harness.plugins.families.whisper.weights import Weights

WEIGHTS = Weights(tiny.arrays())
DRAW = np.random.default_rng(1)
FEATURES = DRAW.normal(size=(1, tiny.MELS, tiny.FRAMES)).astype(np.float32)
CLOSE: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-4}


def session(model: onnx.ModelProto) -> ort.InferenceSession:
    onnx.checker.check_model(model)
    return ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def encoder() -> ort.InferenceSession:
    return session(network.encoder(WEIGHTS))


@pytest.fixture(scope="module")
def decoder() -> ort.InferenceSession:
    return session(network.decoder(WEIGHTS))


# ---------------------------------------------------------------------------------- numpy reference
def norm(x: np.ndarray, key: str) -> np.ndarray:
    x = x - x.mean(-1, keepdims=True)
    x = x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-5)
    return x * WEIGHTS[f"{key}/gamma"] + WEIGHTS[f"{key}/beta"]


def linear(x: np.ndarray, key: str) -> np.ndarray:
    return x @ WEIGHTS[f"{key}/weight"].T + WEIGHTS[f"{key}/bias"]


def gelu(x: np.ndarray) -> np.ndarray:
    return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def heads(x: np.ndarray) -> np.ndarray:
    return x.reshape(len(x), tiny.HEADS, -1).transpose(1, 0, 2)


def attention(q: np.ndarray, k: np.ndarray, v: np.ndarray, causal: bool) -> np.ndarray:
    q, k, v = heads(q), heads(k), heads(v)
    scores = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])
    if causal:
        scores = np.where(np.tri(*scores.shape[1:], dtype=bool), scores, -np.inf)
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    scores /= scores.sum(-1, keepdims=True)
    return (scores @ v).transpose(1, 0, 2).reshape(len(scores[0]), -1)


def block(x: np.ndarray, key: str, causal: bool, hidden: np.ndarray | None) -> np.ndarray:
    name = f"{key}/self_attention"
    q, k, v = np.split(linear(norm(x, f"{name}/layer_norm"), f"{name}/linear_0"), 3, -1)
    x = x + linear(attention(q, k, v, causal), f"{name}/linear_1")
    if hidden is not None:
        name = f"{key}/attention"
        q = linear(norm(x, f"{name}/layer_norm"), f"{name}/linear_0")
        k, v = np.split(linear(hidden, f"{name}/linear_1"), 2, -1)
        x = x + linear(attention(q, k, v, causal=False), f"{name}/linear_2")
    name = f"{key}/ffn"
    inner = gelu(linear(norm(x, f"{name}/layer_norm"), f"{name}/linear_0"))
    return x + linear(inner, f"{name}/linear_1")


def conv(x: np.ndarray, key: str, stride: int) -> np.ndarray:
    padded = np.pad(x, ((1, 1), (0, 0)))
    taps = [padded[i : i + len(x) : stride] @ WEIGHTS[f"{key}/weight"][:, :, i].T for i in range(3)]
    return sum(taps) + WEIGHTS[f"{key}/bias"]


def encoded(features: np.ndarray) -> np.ndarray:
    x = gelu(conv(features.T, "encoder/conv1", 1))
    x = gelu(conv(x, "encoder/conv2", 2))
    x = x + WEIGHTS["encoder/position_encodings/encodings"][: len(x)]
    for layer in range(tiny.LAYERS):
        x = block(x, f"encoder/layer_{layer}", causal=False, hidden=None)
    return norm(x, "encoder/layer_norm")


def decoded(tokens: list[int], hidden: np.ndarray) -> np.ndarray:
    x = WEIGHTS["decoder/embeddings/weight"][tokens]
    x = x + WEIGHTS["decoder/position_encodings/encodings"][: len(x)]
    for layer in range(tiny.LAYERS):
        x = block(x, f"decoder/layer_{layer}", causal=True, hidden=hidden)
    return norm(x, "decoder/layer_norm") @ WEIGHTS["decoder/embeddings/weight"].T


# ------------------------------------------------------------------------------------ the tests
@pytest.mark.parametrize("frames", [tiny.FRAMES, 20, 6, 2])
def test_encoder_gives_the_cross_attention_states_of_the_formulas(
    encoder: ort.InferenceSession, frames: int
) -> None:
    features = FEATURES[:, :, :frames]
    found = encoder.run(None, {"features": features})
    hidden = encoded(features[0])
    for layer in range(tiny.LAYERS):
        k, v = np.split(linear(hidden, f"decoder/layer_{layer}/attention/linear_1"), 2, -1)
        # keys lie transposed: (batch, heads, head size, frames)
        np.testing.assert_allclose(found[2 * layer][0], heads(k).transpose(0, 2, 1), **CLOSE)
        np.testing.assert_allclose(found[2 * layer + 1][0], heads(v), **CLOSE)


def states(encoder: ort.InferenceSession) -> dict[str, np.ndarray]:
    names = [o.name for o in encoder.get_outputs()]
    return dict(zip(names, encoder.run(names, {"features": FEATURES}), strict=True))


def run(
    decoder: ort.InferenceSession, tokens: list[int], memory: Any, past: Any = None
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    empty = np.zeros((1, tiny.HEADS, 0, tiny.D // tiny.HEADS), np.float32)
    names = [n for i in range(tiny.LAYERS) for n in network.self_names(i)]
    past = past or dict.fromkeys(names, empty)
    logits, *present = decoder.run(None, {"tokens": np.array([tokens]), **memory, **past})
    return logits[0], dict(zip(names, present, strict=True))


@pytest.mark.parametrize("tokens", [[25], [25, 27, 29, 30], [25, 27, 29, 30, 3, 7, 1, 9]])
def test_decoder_gives_the_logits_of_the_formulas(
    encoder: ort.InferenceSession, decoder: ort.InferenceSession, tokens: list[int]
) -> None:
    logits, _ = run(decoder, tokens, states(encoder))
    np.testing.assert_allclose(logits, decoded(tokens, encoded(FEATURES[0]))[-1], **CLOSE)


def test_decoder_with_a_past_equals_the_decoder_without(
    encoder: ort.InferenceSession, decoder: ort.InferenceSession
) -> None:
    memory, tokens = states(encoder), [25, 27, 29, 30, 3, 7, 1, 9]
    _, past = run(decoder, tokens[:4], memory)
    for end in range(5, len(tokens) + 1):
        stepped, past = run(decoder, tokens[end - 1 : end], memory, past)
        whole, _ = run(decoder, tokens[:end], memory)
        np.testing.assert_allclose(stepped, whole, **CLOSE)
    _, two = run(decoder, tokens[:4], memory)
    several, _ = run(decoder, tokens[4:], memory, two)
    np.testing.assert_allclose(several, whole, **CLOSE)


def test_the_same_weights_give_the_same_bytes() -> None:
    for graph in (network.encoder, network.decoder):
        one, other = (graph(WEIGHTS).SerializeToString(deterministic=True) for _ in range(2))
        assert one == other


def test_the_embedding_is_stored_once_and_every_linear_weight_is_the_right_side_of_a_matmul() -> (
    None
):
    graph = network.decoder(WEIGHTS).graph
    weights = {t.name: tuple(t.dims) for t in graph.initializer}
    assert [n for n, dims in weights.items() if tiny.VOCABULARY in dims] == ["decoder.embedding"]
    right = {n.input[1] for n in graph.node if n.op_type == "MatMul" and n.input[1] in weights}
    two_dimensional = {n for n, dims in weights.items() if len(dims) == 2}
    assert two_dimensional - right == {"decoder.positions"}
    # per layer: q, k, v, out; cross q and out; fc1 and fc2; and the projection
    assert len(right) == 8 * tiny.LAYERS + 1


def test_dynamic_quantization_reaches_the_embedding_and_every_linear_weight(tmp_path: Any) -> None:
    from onnxruntime.quantization import quantize_dynamic

    path, out = tmp_path / "decoder.onnx", tmp_path / "int8.onnx"
    path.write_bytes(network.decoder(WEIGHTS).SerializeToString())
    quantize_dynamic(path, out, op_types_to_quantize=["MatMul", "Gather"])
    graph = onnx.load(out).graph
    kinds = [n.op_type for n in graph.node]
    assert kinds.count("MatMulInteger") == 8 * tiny.LAYERS + 1
    left = [t.name for t in graph.initializer if t.data_type == onnx.TensorProto.FLOAT]
    large = [n for n in left if "positions" not in n and "weight_scale" not in n and ".weight" in n]
    assert large == []
    assert "decoder.embedding" not in left
