"""A Whisper of 30 kB with random weights, in each layout that the family opens."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper
from tokenizers import Tokenizer, models

from harness.plugins.families.whisper import network
from harness.plugins.families.whisper.network import Net
from harness.plugins.families.whisper.weights import Weights
from harness.runtime.session import SessionConfig, open_session

D, HEADS, MELS, FRAMES, POSITIONS, LAYERS = 16, 2, 8, 40, 30, 2
SECONDS = FRAMES / 100  # the whole context
WORDS = [f"w{i}" for i in range(24)]
SPECIAL = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|es|>", "<|translate|>"]
SPECIAL += ["<|transcribe|>", "<|notimestamps|>", "<|0.00|>"]
VOCABULARY = len(WORDS) + len(SPECIAL)
CONFIG = {"suppress_ids": [1, *range(25, 32)], "suppress_ids_begin": [2, 24], "lang_ids": [26, 27]}

start = partial(open_session, config=SessionConfig("default"))


def arrays(seed: int = 0) -> dict[str, np.ndarray]:
    """CTranslate2's names and layout: linear weights are (out, in)."""
    draw = np.random.default_rng(seed)
    made: dict[str, np.ndarray] = {}

    def linear(name: str, out: int, size: int, *kernel: int) -> None:
        spread = 1.5 / np.sqrt(size)
        made[f"{name}/weight"] = draw.normal(0, spread, (out, size, *kernel)).astype(np.float16)
        made[f"{name}/bias"] = draw.normal(0, 0.1, out).astype(np.float16)

    def norm(name: str) -> None:
        made[f"{name}/gamma"] = draw.normal(1, 0.1, D).astype(np.float16)
        made[f"{name}/beta"] = draw.normal(0, 0.1, D).astype(np.float16)

    linear("encoder/conv1", D, MELS, 3)
    linear("encoder/conv2", D, D, 3)
    for part in ("encoder", "decoder"):
        made[f"{part}/num_heads"] = np.array(HEADS, np.int16)
        length = POSITIONS if part == "decoder" else FRAMES // 2
        positions = draw.normal(0, 0.5, (length, D)).astype(np.float16)
        made[f"{part}/position_encodings/encodings"] = positions
        norm(f"{part}/layer_norm")
        for layer in range(LAYERS):
            name = f"{part}/layer_{layer}"
            norm(f"{name}/self_attention/layer_norm")
            linear(f"{name}/self_attention/linear_0", 3 * D, D)
            linear(f"{name}/self_attention/linear_1", D, D)
            norm(f"{name}/ffn/layer_norm")
            linear(f"{name}/ffn/linear_0", 4 * D, D)
            linear(f"{name}/ffn/linear_1", D, 4 * D)
            if part == "decoder":
                norm(f"{name}/attention/layer_norm")
                for number, size in enumerate((D, 2 * D, D)):
                    linear(f"{name}/attention/linear_{number}", size, D)
                keys = made[f"{name}/attention/linear_1/bias"]
                keys[:D] = 0  # as in Whisper, whose keys have no bias
    made["decoder/embeddings/weight"] = draw.normal(0, 1, (VOCABULARY, D)).astype(np.float16)
    return made


def model_bin(made: Mapping[str, np.ndarray], version: int = 6, kind: str = "WhisperSpec") -> bytes:
    """The bytes of a CTranslate2 file, as its model_spec.py serialises them."""

    def text(value: str) -> bytes:
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    types = {"float32": 0, "int8": 1, "int16": 2, "int32": 3, "float16": 4}
    out = struct.pack("<I", version) + text(kind) + struct.pack("<II", 3, len(made))
    for name, array in sorted(made.items()):
        out += text(name) + struct.pack("<B", array.ndim)
        out += struct.pack(f"<{array.ndim}I", *array.shape)
        out += struct.pack("<BI", types[array.dtype.name], array.nbytes) + array.tobytes()
    alias = text("decoder/projection/weight") + text("decoder/embeddings/weight")
    return out + struct.pack("<I", 1) + alias


def ctranslate2_folder(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(model_bin(arrays()))
    (folder / "config.json").write_text(json.dumps(CONFIG))
    tokenizer(folder)
    return folder


def tokenizer(folder: Path) -> None:
    vocabulary = {word: i for i, word in enumerate([*WORDS, *SPECIAL])}
    Tokenizer(models.WordLevel(vocabulary, unk_token="w0")).save(str(folder / "tokenizer.json"))


# --------------------------------------------------------------------- the usual export's layout
def export_folder(folder: Path, weights: Weights, kind: str, suffix: str = "") -> Path:
    """The same weights with the file, input and output names of an optimum export."""
    folder.mkdir(parents=True)
    models = {"encoder_model": _export_encoder(weights)}
    if kind == "merged":
        models["decoder_model_merged"] = _export_merged(weights)
    else:
        models["decoder_model"] = _export_decoder(weights, with_past=False)
        models["decoder_with_past_model"] = _export_decoder(weights, with_past=True)
    for name, model in models.items():
        (folder / f"{name}{suffix}.onnx").write_bytes(model.SerializeToString())
    config = {
        "num_mel_bins": weights["encoder/conv1/weight"].shape[1],
        "max_source_positions": len(weights["encoder/position_encodings/encodings"]),
        "max_target_positions": len(weights["decoder/position_encodings/encodings"]),
    }
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def generation_config(folder: Path, suppress: list[int], begin: list[int]) -> None:
    values = {"suppress_tokens": suppress, "begin_suppress_tokens": begin}
    (folder / "generation_config.json").write_text(json.dumps(values))


def _net(name: str, weights: Weights) -> Net:
    size = int(weights["encoder/layer_norm/gamma"].size)
    return Net(name, weights.heads(), size // weights.heads())


def _info(name: str, kind: int, *shape: int | str) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def _export_encoder(weights: Weights) -> Any:
    net = _net("encoder", weights)
    hidden = network.encode(net, weights, "input_features")
    net.op("Identity", "hidden", hidden, outputs=["last_hidden_state"])
    mels = weights["encoder/conv1/weight"].shape[1]
    features = _info("input_features", TensorProto.FLOAT, "batch", mels, "frames")
    size = net.heads * net.head_size
    state = _info("last_hidden_state", TensorProto.FLOAT, "batch", "s", size)
    return net.model([features], [state])


def _state(net: Net, layers: int, prefix: str, parts: tuple[str, ...]) -> list[Any]:
    return [
        _info(f"{prefix}.{i}.{part}.{k}", TensorProto.FLOAT, "b", net.heads, part, net.head_size)
        for i in range(layers)
        for part in parts
        for k in ("key", "value")
    ]


def _decoder_nodes(net: Net, weights: Weights, with_past: bool) -> None:
    past = "past_key_values.0.decoder.key" if with_past else ""
    x = network.embed(net, weights, "input_ids", past)
    for i in range(weights.layers("decoder")):
        cross = (f"present.{i}.encoder.key", f"present.{i}.encoder.value")
        if with_past:
            cross = (f"past_key_values.{i}.encoder.key", f"past_key_values.{i}.encoder.value")
        else:
            weight, bias = (
                weights[f"decoder/layer_{i}/attention/linear_1/{k}"] for k in ("weight", "bias")
            )
            halves = zip(cross, np.split(weight, 2), np.split(bias, 2), strict=True)
            for name, w, b in halves:
                y = net.linear(f"{name}.linear", "encoder_hidden_states", w, b)
                net.split_heads(name, y)
        turned = net.op("Transpose", f"turned_{i}", cross[0], perm=[0, 1, 3, 2])
        said = [f"past_key_values.{i}.decoder.{k}" if with_past else "" for k in ("key", "value")]
        present = (f"present.{i}.decoder.key", f"present.{i}.decoder.value")
        state = (x, (said[0], said[1]), (turned, cross[1]), present)
        x = network.decoder_layer(net, weights, i, state)
    network.project(net, weights, x, "logits")


def _io(net: Net, weights: Weights) -> tuple[Any, Any, Any]:
    size = net.heads * net.head_size
    ids = _info("input_ids", TensorProto.INT64, "b", "n")
    hidden = _info("encoder_hidden_states", TensorProto.FLOAT, "b", "s", size)
    vocabulary = len(weights["decoder/embeddings/weight"])
    return ids, hidden, _info("logits", TensorProto.FLOAT, "b", "n", vocabulary)


def _export_decoder(weights: Weights, with_past: bool) -> Any:
    net = _net("decoder", weights)
    ids, hidden, logits = _io(net, weights)
    layers = weights.layers("decoder")
    _decoder_nodes(net, weights, with_past)
    if with_past:
        inputs = [ids, *_state(net, layers, "past_key_values", ("decoder", "encoder"))]
        inputs.append(_info("cache_position", TensorProto.INT64, "n"))
        return net.model(inputs, [logits, *_state(net, layers, "present", ("decoder",))])
    states = _state(net, layers, "present", ("decoder", "encoder"))
    return net.model([ids, hidden], [logits, *states])


def _export_merged(weights: Weights) -> Any:
    """Both decoders as the branches of one If, over shared weights; the branch with a past gives
    empty cross-attention states, as optimum's merged exports do."""
    layers = weights.layers("decoder")
    outer = _net("merged", weights)
    ids, hidden, logits = _io(outer, weights)
    states = _state(outer, layers, "present", ("decoder", "encoder"))
    branches = []
    for with_past in (True, False):
        net = _net(f"branch_{with_past}", weights)
        _decoder_nodes(net, weights, with_past)
        if with_past:
            for i in range(layers):
                for k in ("key", "value"):
                    name = f"past_key_values.{i}.encoder.{k}"
                    net.op(
                        "Slice", f"present.{i}.encoder.{k}", name,
                        net.ints(0), net.ints(0), net.ints(0),
                    )  # fmt: skip
        outer.constants |= net.constants
        branches.append(helper.make_graph(net.nodes, net.name, [], [logits, *states]))
    names = [output.name for output in (logits, *states)]
    outer.nodes = [
        helper.make_node(
            "If", ["use_cache_branch"], names, then_branch=branches[0], else_branch=branches[1]
        )
    ]
    past = _state(outer, layers, "past_key_values", ("decoder", "encoder"))
    flag = _info("use_cache_branch", TensorProto.BOOL, 1)
    return outer.model([ids, hidden, *past, flag], [logits, *states])
