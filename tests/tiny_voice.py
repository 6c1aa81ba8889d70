"""A Piper voice and a Kokoro model of a few kB, whose samples can be told from their inputs."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from harness.runtime.session import SessionConfig, open_session

# one thread: threads that wait for each other make the tests slow on a machine that does other work
one_thread = SessionConfig("one thread", options=(("intra_op_num_threads", 1),))
start = partial(open_session, config=one_thread)
SIGNS = " !',-.:;?abdefhijklmnopstuvwxzɹəɛɜɪʊʌɔɑæɡŋθðʃʒʤˈˌːɾβɣɲʝ"


def ids() -> dict[str, list[int]]:
    signs = {"_": [0], "^": [1], "$": [2]}
    return signs | {sign: [number] for number, sign in enumerate(SIGNS, start=3)}


def piper(folder: Path, speakers: int = 1, **changes: Any) -> Path:
    """Of each phoneme id one sample, id / 100 * length_scale + noise_scale (+ speaker)."""
    folder.mkdir(parents=True, exist_ok=True)
    values: dict[str, Any] = {
        "audio": {"sample_rate": 16_000},
        "espeak": {"voice": "en-us"},
        "inference": {"noise_scale": 0.667, "length_scale": 1.5, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "phoneme_id_map": ids(),
        "num_speakers": speakers,
        "speaker_id_map": {"ana": 0, "bo": 1} if speakers > 1 else {},
    } | changes
    (folder / "tiny.onnx.json").write_text(json.dumps(values), encoding="utf-8")
    onnx.save(_vits(speakers), folder / "tiny.onnx")
    return folder


def _vits(speakers: int) -> onnx.ModelProto:
    node = helper.make_node
    nodes = [
        node("Cast", ["input"], ["x"], to=TensorProto.FLOAT),
        node("Div", ["x", "hundred"], ["small"]),
        node("Split", ["scales"], ["noise", "length", "w"], axis=0),
        node("Mul", ["small", "length"], ["scaled"]),
        node("Add", ["scaled", "noise"], ["noisy"]),
        node("Add", ["noisy", "w"], ["sum"]),
        node("Unsqueeze", ["sum", "axis"], ["wave"]),
        node("Conv", ["wave", "kernel"], ["said"], name="/conv"),
    ]
    last = "said"
    inputs = [
        helper.make_tensor_value_info("input", TensorProto.INT64, (1, "n")),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, (1,)),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, (3,)),
    ]
    if speakers > 1:
        inputs.append(helper.make_tensor_value_info("sid", TensorProto.INT64, (1,)))
        nodes += [
            node("Cast", ["sid"], ["who"], to=TensorProto.FLOAT),
            node("Add", ["said", "who"], ["voiced"]),
        ]
        last = "voiced"
    nodes.append(node("Identity", [last], ["output"]))
    weights = {"hundred": [100.0], "kernel": [[[1.0]]]}
    return _model(nodes, inputs, weights, {"axis": [1]})


STYLES = 40  # lengths that the tiny Kokoro has a style for


def kokoro(folder: Path, tokens: str = "tokens", speed: int = TensorProto.FLOAT) -> Path:
    """Of each token one sample, id / 1000 + the first number of the style + speed - 1; the style's
    first number is the length that it stands for, over 100."""
    folder.mkdir(parents=True, exist_ok=True)
    node = helper.make_node
    nodes = [
        node("Cast", [tokens], ["x"], to=TensorProto.FLOAT),
        node("Div", ["x", "thousand"], ["small"]),
        node("Slice", ["style", "zero", "one", "axis"], ["first"]),
        node("Add", ["small", "first"], ["styled"]),
        node("Cast", ["speed"], ["fast"], to=TensorProto.FLOAT),
        node("Add", ["styled", "fast"], ["shifted"]),
        node("Sub", ["shifted", "unit"], ["output"]),
    ]
    inputs = [
        helper.make_tensor_value_info(tokens, TensorProto.INT64, (1, "n")),
        helper.make_tensor_value_info("style", TensorProto.FLOAT, (1, 256)),
        helper.make_tensor_value_info("speed", speed, (1,)),
    ]
    wholes = {"zero": [0], "one": [1], "axis": [1]}
    made = _model(nodes, inputs, {"thousand": [1000.0], "unit": [1.0]}, wholes)
    onnx.save(made, folder / "tiny.onnx")
    np.savez(folder / "voices.npz", jf_alpha=styles(0), af_sky=styles(5))
    return folder


def styles(shift: float) -> np.ndarray:
    """(lengths, 1, 256) as in Kokoro's files."""
    table = np.zeros((STYLES, 1, 256), np.float32)
    table[:, 0, 0] = np.arange(1, STYLES + 1) / 100 + shift
    return table


def _model(
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    floats: dict[str, Any],
    wholes: dict[str, list[int]],
) -> onnx.ModelProto:
    weights = [numpy_helper.from_array(np.array(v, np.float32), n) for n, v in floats.items()]
    weights += [numpy_helper.from_array(np.array(v, np.int64), n) for n, v in wholes.items()]
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "tiny", inputs, [output], weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 8
    return made
