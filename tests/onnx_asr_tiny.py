"""Models of 10 kB with the files, inputs and outputs that onnx-asr asks of each of its types.

What they say is written into them: a table of scores, a row per frame (or per step of a decoder),
to which the audio adds next to nothing, through a MatMul that can be quantized.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, WHOLE = TensorProto.FLOAT, TensorProto.INT64
END = 1 << 40
SURE = 10.0  # how far the score of what is said lies above all others
FRAMES = 400
VOCABULARY = ("▁hola", "▁mun", "do", "<blk>")
HOLA, MUN, DO, BLANK = range(4)
SAYS = (BLANK, HOLA, HOLA, BLANK, MUN, DO, DO, BLANK)  # then blanks: "hola mundo"
EMITS = (BLANK, HOLA, BLANK, MUN, DO)  # one token a frame at most
PROMPT = (" ", "<|startofcontext|>", "<|startoftranscript|>", "<|emo:undefined|>", "<|en|>",
          "<|es|>", "<|pnc|>", "<|noitn|>", "<|notimestamp|>", "<|nodiarize|>",
          "<|endoftext|>")  # fmt: skip


class Graph:
    """Nodes and weights under construction."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def const(self, name: str, value: Any, dtype: Any = np.int64) -> str:
        self.weights.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def op(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=f"/{output}", **attributes))
        return output

    def save(self, path: Path, inputs: list[Any], outputs: list[Any]) -> None:
        graph = helper.make_graph(self.nodes, "tiny", inputs, outputs, self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        path.parent.mkdir(parents=True, exist_ok=True)
        onnx.save(model, path)

    def frames(self, features: str, axis: int, step: int, size: int, table: np.ndarray) -> str:
        """Every `step`-th frame of (1, size, T) or (1, T, size) -> (1, frames, columns)."""
        bounds = [self.const(n, [v]) for n, v in (("b", 0), ("e", END), ("a", axis), ("s", step))]
        kept = self.op("Slice", [features, *bounds], "kept")
        turned = kept if axis == 1 else self.op("Transpose", [kept], "turned", perm=[0, 2, 1])
        draw = np.random.default_rng(0).normal(0, 1e-6, (size, table.shape[1]))
        heard = self.op("MatMul", [turned, self.const("w", draw, np.float32)], "heard")
        count = self.op("Shape", [heard], "count", start=1, end=2)
        ends = [self.const("zero", [0]), count, self.const("rows", [0])]
        said = self.op("Slice", [self.const("table", table, np.float32), *ends], "said")
        return self.op("Add", [heard, said], "scores")


def info(name: str, kind: int, *shape: int | str) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def table(tokens: tuple[int, ...], size: int, rest: int) -> np.ndarray:
    """A row per frame: SURE for its token, 0 for the others; `rest` from the end of `tokens` on."""
    rows = np.zeros((FRAMES, size), np.float32)
    rows[np.arange(FRAMES), [*tokens, *[rest] * (FRAMES - len(tokens))]] = SURE
    return rows


def vocabulary(path: Path, tokens: tuple[str, ...] = VOCABULARY) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{t} {i}\n" for i, t in enumerate(tokens)), encoding="utf-8")


def config(folder: Path, **values: Any) -> None:
    (folder / "config.json").write_text(json.dumps(values), encoding="utf-8")


# ------------------------------------------------------------------------------------------ types
def ctc(folder: Path, ending: str = "") -> None:
    """nemo-conformer-ctc: every 8th frame of 80 mels."""
    net = Graph()
    scores = net.frames("audio_signal", 2, 8, 80, table(SAYS, 4, BLANK))
    net.op("LogSoftmax", [scores], "logprobs", axis=-1)
    inputs = [info("audio_signal", FLOAT, 1, 80, "t"), info("length", WHOLE, 1)]
    net.save(folder / f"model{ending}.onnx", inputs, [info("logprobs", FLOAT, 1, "f", 4)])
    vocabulary(folder / "vocab.txt")


def gigaam_ctc(folder: Path) -> None:
    """gigaam-v2-ctc: every 4th frame of 64 mels."""
    net = Graph()
    scores = net.frames("features", 2, 4, 64, table(SAYS, 4, BLANK))
    net.op("LogSoftmax", [scores], "log_probs", axis=-1)
    inputs = [info("features", FLOAT, 1, 64, "t"), info("feature_lengths", WHOLE, 1)]
    net.save(folder / "v2_ctc.onnx", inputs, [info("log_probs", FLOAT, 1, "f", 4)])
    vocabulary(folder / "v2_vocab.txt")


def transducer(folder: Path, durations: int = 0) -> None:
    """nemo-conformer-rnnt, or -tdt with scores of `durations` steps, 1 the likeliest."""
    rows = table(EMITS, 4 + durations, BLANK)
    if durations:
        rows[:, 4 + 1] = SURE
    net, size = Graph(), rows.shape[1]
    scores = net.frames("audio_signal", 2, 8, 80, rows)
    net.op("Transpose", [scores], "outputs", perm=[0, 2, 1])
    net.op("Shape", [scores], "encoded_lengths", start=1, end=2)
    inputs = [info("audio_signal", FLOAT, 1, 80, "t"), info("length", WHOLE, 1)]
    outputs = [info("outputs", FLOAT, 1, size, "f"), info("encoded_lengths", WHOLE, 1)]
    net.save(folder / "encoder-model.onnx", inputs, outputs)

    net = Graph()
    turned = net.op("Transpose", ["encoder_outputs"], "turned", perm=[0, 2, 1])
    eye = net.const("w", np.eye(size), np.float32)
    net.op("MatMul", [turned, eye], "outputs")
    for k in "12":
        net.op("Identity", [f"input_states_{k}"], f"output_states_{k}")
    inputs = [
        info("encoder_outputs", FLOAT, 1, size, 1),
        info("targets", TensorProto.INT32, 1, 1),
        info("target_length", TensorProto.INT32, 1),
        *(info(f"input_states_{k}", FLOAT, 1, 1, 2) for k in "12"),
    ]
    outputs = [
        info("outputs", FLOAT, 1, 1, size),
        *(info(f"output_states_{k}", FLOAT, 1, 1, 2) for k in "12"),
    ]
    net.save(folder / "decoder_joint-model.onnx", inputs, outputs)
    vocabulary(folder / "vocab.txt")
    kind = "nemo-conformer-tdt" if durations else "nemo-conformer-rnnt"
    config(folder, model_type=kind, max_tokens_per_step=1)


def kaldi(folder: Path) -> None:
    """vosk: every 4th frame of 80 mels; encoder, decoder and joiner in a folder, tokens beside."""
    net = Graph()
    scores = net.frames("x", 1, 4, 80, table(EMITS, 4, BLANK))
    net.op("Identity", [scores], "encoder_out")
    net.op("Shape", [scores], "encoder_out_lens", start=1, end=2)
    inputs = [info("x", FLOAT, 1, "t", 80), info("x_lens", WHOLE, 1)]
    outputs = [info("encoder_out", FLOAT, 1, "f", 4), info("encoder_out_lens", WHOLE, 1)]
    net.save(folder / "am-onnx" / "encoder.onnx", inputs, outputs)

    net = Graph()
    last = net.op("Gather", ["y", net.const("last", 1)], "last_token", axis=1)
    net.op("Gather", [net.const("embedding", np.zeros((4, 4)), np.float32), last], "decoder_out")
    net.save(folder / "am-onnx" / "decoder.onnx", [info("y", WHOLE, 1, 2)],
             [info("decoder_out", FLOAT, 1, 4)])  # fmt: skip

    net = Graph()
    added = net.op("Add", ["encoder_out", "decoder_out"], "added")
    net.op("MatMul", [added, net.const("w", np.eye(4), np.float32)], "logit")
    inputs = [info(f"{part}_out", FLOAT, 1, 4) for part in ("encoder", "decoder")]
    net.save(folder / "am-onnx" / "joiner.onnx", inputs, [info("logit", FLOAT, 1, 4)])
    vocabulary(folder / "lang" / "tokens.txt")


def canary(folder: Path, said: tuple[int, ...] = (HOLA, MUN, DO)) -> None:
    """nemo-conformer-aed: the decoder's position decides its token; then the end token for ever."""
    tokens = (*VOCABULARY[:3], *PROMPT)
    size, end = len(tokens), len(tokens) - 1
    net = Graph()
    scores = net.frames("audio_signal", 2, 8, 80, table(EMITS, 4, BLANK))
    net.op("Identity", [scores], "encoder_embeddings")
    ones = net.op("Mul", ["length", net.const("zero_", 0)], "nothing")
    net.op("Add", [net.op("Reshape", [ones, net.const("one_by", [1, 1])], "flat"),
                   net.const("one_", 1)], "encoder_mask")  # fmt: skip
    inputs = [info("audio_signal", FLOAT, 1, 80, "t"), info("length", WHOLE, 1)]
    outputs = [info("encoder_embeddings", FLOAT, 1, "f", 4), info("encoder_mask", WHOLE, 1, 1)]
    net.save(folder / "encoder-model.onnx", inputs, outputs)

    net = Graph()
    rows = table((end,) * (len(PROMPT) - 2) + said, size, end)
    past = net.op("Shape", ["decoder_mems"], "past", start=2, end=3)
    ends = net.op("Add", [past, net.op("Shape", ["input_ids"], "n", start=1, end=2)], "ends")
    picked = net.op("Slice", [net.const("table", rows, np.float32), past, ends], "picked")
    eye = net.const("w", np.eye(size), np.float32)
    net.op("Unsqueeze", [net.op("MatMul", [picked, eye], "found"), net.const("b", [0])], "logits")
    more = net.op("Slice", [net.const("state", np.zeros((1, 1, FRAMES, 2)), np.float32),
                            net.const("z", [0]), ends, net.const("two", [2])], "more")  # fmt: skip
    net.op("Identity", [more], "decoder_hidden_states")
    inputs = [info("input_ids", WHOLE, 1, "n"), info("encoder_embeddings", FLOAT, 1, "f", 4),
              info("encoder_mask", WHOLE, 1, 1),
              info("decoder_mems", FLOAT, 1, 1, "p", 2)]  # fmt: skip
    outputs = [
        info("logits", FLOAT, 1, "n", size),
        info("decoder_hidden_states", FLOAT, 1, 1, "q", 2),
    ]
    net.save(folder / "decoder-model.onnx", inputs, outputs)
    # a space is written as in NeMo's vocabularies, whose lines are split at spaces
    vocabulary(folder / "vocab.txt", (*VOCABULARY[:3], "▁", *PROMPT[1:]))
    config(folder, model_type="nemo-conformer-aed", max_sequence_length=20)


def t_one(folder: Path) -> None:
    """t-one-ctc: chunks of 2400 samples at 8 kHz, 10 frames each, of which it says one token."""
    net = Graph()
    as_float = net.op("Cast", ["signal"], "as_float", to=FLOAT)
    mean = net.op("ReduceMean", [as_float], "mean", axes=[1], keepdims=1)
    weights = net.const("w", np.full((1, 4), 1e-9), np.float32)
    heard = net.op("MatMul", [mean, weights], "heard")
    rows = np.log(np.full((1, 10, 4), 0.1 / 3, np.float32))
    rows[0, :, BLANK] = np.log(0.9)
    rows[0, 2, :] = np.log((0.9, 0.1 / 3, 0.1 / 3, 0.1 / 3))
    net.op("Add", [net.const("rows", rows, np.float32), heard], "logprobs")
    net.op("Identity", ["state"], "state_next")
    half = TensorProto.FLOAT16
    inputs = [info("signal", TensorProto.INT32, 1, 2400, 1), info("state", half, 1, 6)]
    outputs = [info("logprobs", FLOAT, 1, 10, 4), info("state_next", half, 1, 6)]
    net.save(folder / "model.onnx", inputs, outputs)
    config(folder, model_type="t-one-ctc", pad_token_id=BLANK,
           decoder_params={"vocabulary": [" hola", " mun", "do"]},
           encoder_params={"reduction_kernel_size": 4})  # fmt: skip
