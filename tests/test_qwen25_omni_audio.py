"""The stand-in for Qwen2.5-Omni's audio tower: its graph against the published forward pass."""

from __future__ import annotations

import importlib.util
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from scipy.special import erf

from harness.plugins.quantize import dynamic_int8

SCRIPT = Path(__file__).parent.parent / "experiments" / "models" / "qwen25_omni_audio.py"


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("qwen25_omni_audio", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


tower_script = _script()
# a chunk is 8 frames, 4 places behind the second convolution
TINY = tower_script.Tower(width=32, layers=2, heads=4, mlp=48, out=24, mels=16, window=4)
FRAMES = {
    "less than a chunk, odd": 5,
    "one chunk": 8,
    "a chunk and one frame": 9,
    "two chunks and an odd end": 19,
    "three chunks": 24,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tower")
    tower_script.build(TINY, made, seed=3)
    return made


def _features(frames: int) -> np.ndarray:
    rng = np.random.default_rng(frames)
    return rng.normal(0.3, 0.6, (1, TINY.mels, frames)).astype(np.float32)


def _run(path: Path, features: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    found = session.run(["last_hidden_state"], {"input_features": features})[0]
    return np.asarray(found)


# ------------------------------------------------------------------- the published forward pass
# Qwen2_5OmniAudioEncoder.forward with its plain attention (transformers, commit 008e574), in double
# precision: chunks padded to the longest, one mask over all frames.
Weights = Mapping[str, np.ndarray]


def _published(weights: Weights, features: np.ndarray) -> np.ndarray:
    chunk, frames = 2 * TINY.window, features.shape[1]
    parts = [features[:, at : at + chunk] for at in range(0, frames, chunk)]
    longest = max(part.shape[1] for part in parts)
    rows = []
    for part in parts:
        padded = np.zeros((TINY.mels, longest))
        padded[:, : part.shape[1]] = part
        x = _gelu(_conv(padded, weights, "conv1", 1))
        x[:, part.shape[1] :] = 0
        x = _gelu(_conv(x, weights, "conv2", 2)).T
        x = x + _positions(x.shape[0])
        rows.append(x[: (part.shape[1] - 1) // 2 + 1])
    blocks = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    x = np.concatenate(rows)
    for layer in range(TINY.layers):
        x = _layer(weights, f"layers.{layer}", x, blocks[:, None] == blocks[None])
    count = (len(x) - 2) // 2 + 1
    pooled = x[: 2 * count].reshape(count, 2, TINY.width).mean(axis=1)
    return _linear(weights, "proj", _norm(weights, "ln_post", pooled))


def _conv(x: np.ndarray, weights: Weights, name: str, stride: int) -> np.ndarray:
    padded = np.pad(x, ((0, 0), (1, 1)))
    starts = range(0, x.shape[1], stride)
    columns = [np.tensordot(weights[f"{name}.weight"], padded[:, at : at + 3], 2) for at in starts]
    return np.stack(columns, axis=1) + weights[f"{name}.bias"][:, None]


def _positions(length: int) -> np.ndarray:
    half = TINY.width // 2
    scale = np.exp(-math.log(10000) / (half - 1) * np.arange(half))
    angles = np.arange(length)[:, None] * scale
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)


def _gelu(x: np.ndarray) -> np.ndarray:
    found: np.ndarray = x * 0.5 * (1 + erf(x / math.sqrt(2)))
    return found


def _norm(weights: Weights, name: str, x: np.ndarray) -> np.ndarray:
    centred = x - x.mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)
    return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def _linear(weights: Weights, name: str, x: np.ndarray) -> np.ndarray:
    return x @ weights[f"{name}.weight"] + weights.get(f"{name}.bias", 0.0)


def _layer(weights: Weights, name: str, x: np.ndarray, together: np.ndarray) -> np.ndarray:
    normed = _norm(weights, f"{name}.self_attn_layer_norm", x)
    q, k, v = (
        _linear(weights, f"{name}.self_attn.{part}_proj", normed)
        .reshape(len(x), TINY.heads, -1)
        .transpose(1, 0, 2)
        for part in "qkv"
    )
    scores = q @ k.transpose(0, 2, 1) * (TINY.width // TINY.heads) ** -0.5
    scores = np.where(together, scores, -np.inf)
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    mixed = (shares / shares.sum(axis=-1, keepdims=True)) @ v
    mixed = mixed.transpose(1, 0, 2).reshape(len(x), -1)
    x = x + _linear(weights, f"{name}.self_attn.out_proj", mixed)
    normed = _norm(weights, f"{name}.final_layer_norm", x)
    return x + _linear(weights, f"{name}.fc2", _gelu(_linear(weights, f"{name}.fc1", normed)))


@pytest.mark.parametrize("frames", FRAMES.values(), ids=FRAMES)
def test_the_graph_gives_what_the_published_forward_pass_gives(folder: Path, frames: int) -> None:
    features = _features(frames)
    stored = {weight.name: values for weight, values in tower_script.drawn(TINY, seed=3)}
    weights = {name: values.astype(np.float64) for name, values in stored.items()}
    expected = _published(weights, features[0].astype(np.float64))
    found = _run(folder / "audio_tower.onnx", features)
    assert found.shape == ((frames + 1) // 2 // 2, TINY.out)
    np.testing.assert_allclose(found, expected, atol=2e-4)


# --------------------------------------------------------------------------------- how large it is
def _counted(tower: Any) -> int:
    """By the published modules: Conv1d, Linear (k_proj without bias) and LayerNorm."""
    d, ffn = tower.width, tower.mlp
    convolutions = (tower.mels * 3 + 1) * d + (d * 3 + 1) * d
    attention = 4 * d * d + 3 * d
    mlp = d * ffn + ffn + ffn * d + d
    return int(
        convolutions + tower.layers * (attention + mlp + 4 * d) + 2 * d + (d + 1) * tower.out
    )


SIZES = {
    # size: parameters, MB in FP32 and what they are held against
    "small": (95_774_720, 384, "384 MB of the reference summary"),
    "published": (639_640_064, 2559, "d_model 1280, 32 layers, 5120, to 3584"),
}


@pytest.mark.parametrize("size", SIZES)
def test_a_size_has_as_many_parameters_as_its_modules(size: str) -> None:
    tower, (count, megabytes, _) = tower_script.SIZES[size], SIZES[size]
    assert tower_script.parameters(tower) == _counted(tower) == count
    assert 4e-6 * count == pytest.approx(megabytes, rel=0.005)


def test_the_published_size_is_the_published_configuration() -> None:
    """configuration_qwen2_5_omni.py, Qwen2_5OmniAudioEncoderConfig."""
    assert tower_script.SIZES["published"] == tower_script.Tower(
        width=1280, layers=32, heads=20, mlp=5120, out=3584, mels=128, window=100
    )


def test_the_file_holds_each_parameter_once(folder: Path) -> None:
    model = onnx.load(folder / "audio_tower.onnx")
    onnx.checker.check_model(model, full_check=True)
    held = {tensor.name: math.prod(tensor.dims) for tensor in model.graph.initializer}
    named = {weight.name: weight.count for weight in tower_script.weights(TINY)}
    assert len(held) == len(model.graph.initializer)
    assert {name: held[name] for name in named} == named


def test_weights_in_a_file_of_their_own_are_the_same(folder: Path, tmp_path: Path) -> None:
    tower_script.build(TINY, tmp_path, seed=3, inline_bytes=0)
    features = _features(19)
    assert (tmp_path / "audio_tower.onnx.data").stat().st_size > 4 * tower_script.parameters(TINY)
    np.testing.assert_allclose(
        _run(tmp_path / "audio_tower.onnx", features),
        _run(folder / "audio_tower.onnx", features),
        rtol=1e-5, atol=1e-5,
    )  # fmt: skip


def test_another_seed_gives_other_weights(folder: Path, tmp_path: Path) -> None:
    tower_script.build(TINY, tmp_path, seed=4)
    features = _features(8)
    one, other = (_run(at / "audio_tower.onnx", features) for at in (folder, tmp_path))
    assert np.abs(one - other).max() > 0.1


def test_a_width_that_its_heads_do_not_share_out_is_told(tmp_path: Path) -> None:
    tower = tower_script.Tower(width=30, layers=1, heads=4, mlp=8, out=8)
    with pytest.raises(ValueError, match="no multiple of 4 heads"):
        tower_script.build(tower, tmp_path)


# ------------------------------------------------------------------------------------ INT8 of it
def test_int8_of_it_errs_a_little(folder: Path, tmp_path: Path) -> None:
    params = dynamic_int8.Params(op_types=("MatMul", "Conv"))
    graph, target = folder / "audio_tower.onnx", tmp_path / "int8.onnx"
    done = dynamic_int8.apply(params, graph, target, ())
    features = _features(24)
    exact, rounded = _run(graph, features), _run(target, features)
    error = np.linalg.norm(rounded - exact) / np.linalg.norm(exact)
    assert done.operators == {"MatMul": 6 * TINY.layers + 1, "Conv": 2}
    assert 0 < error < 0.2
    assert 0.5 < exact.std() < 2
