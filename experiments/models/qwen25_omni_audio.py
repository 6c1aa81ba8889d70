"""Writes Qwen2.5-Omni's audio tower as ONNX, with seeded random weights: an architecture-true
stand-in. It stands for time, size and memory, and never for quality: its weights know no speech.

    python qwen25_omni_audio.py --size=small      # 95.8 M parameters, one file of 383 MB
    python qwen25_omni_audio.py --size=published  # 639.6 M, 2.56 GB: weights in a file beside it

Operators and figures are those of the published code (Hugging Face's transformers, commit 008e574,
src/transformers/models/qwen2_5_omni/):

- configuration_qwen2_5_omni.py, Qwen2_5OmniAudioEncoderConfig: num_mel_bins 128, encoder_layers 32,
  d_model 1280, encoder_attention_heads 20 (of 64 each), encoder_ffn_dim 5120, gelu, n_window 100,
  output_dim 3584, initializer_range 0.02.
- modeling_qwen2_5_omni.py, Qwen2_5OmniAudioEncoder.forward: frames of 10 ms in chunks of
  2 * n_window (2 s), a shorter one last; conv1 (kernel 3), GELU, zero behind the end, conv2 (kernel
  3, stride 2), GELU; sinusoids that begin anew in each chunk; layers of LayerNorm, attention inside
  of the chunk, LayerNorm, two linear maps with GELU, each added to what came in (k_proj has no
  bias); the mean of pairs of frames, ln_post, proj: 25 vectors a second for the language model.

What is ours: one clip at a time (`feature_lens` follows from the shape); attention is computed
chunk by chunk, as flash attention does it there, where the plain code masks one matrix of all
frames; the two embeddings of begin and end (audio_bos_eos_token), which forward never reads, are
left out. The small size is ours altogether: heads of 64 and 4 * d_model as published, with as many
layers as give the 384 MB of the reference summary, which does not say what its model is made of.

Weights are drawn and written one at a time, so that either size takes some 100 MB of memory.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FILE = "audio_tower.onnx"
INPUT, OUTPUT = "input_features", "last_hidden_state"
OPSET, IR = 17, 8
INLINE_BYTES = 1_500_000_000  # of weights inside of the ONNX file, which protobuf ends at 2 GB
PAGE = 4096  # where each weight of the other file begins, so that it can be mapped
SPREAD = 0.02  # initializer_range of the published configuration: of biases, and of norms around 1
MASKED = float(np.finfo(np.float32).min)  # as the published mask has it
TIMESCALE = 10_000.0  # max_timescale of SinusoidsPositionEmbedding


@dataclass(frozen=True)
class Tower:
    """Figures of the architecture, by the published names' meaning; `window` is n_window, in frames
    of 10 ms: half of a chunk, and all of it behind the second convolution."""

    width: int  # d_model
    layers: int  # encoder_layers
    heads: int  # encoder_attention_heads
    mlp: int  # encoder_ffn_dim
    out: int  # output_dim
    mels: int = 128
    window: int = 100


SIZES = {
    "small": Tower(width=768, layers=13, heads=12, mlp=3072, out=2048),
    "published": Tower(width=1280, layers=32, heads=20, mlp=5120, out=3584),
}


@dataclass(frozen=True)
class Weight:
    """One parameter: values are `mean` plus a normal draw times `spread`."""

    name: str
    shape: tuple[int, ...]
    spread: float = SPREAD
    mean: float = 0.0

    @property
    def count(self) -> int:
        return math.prod(self.shape)


def weights(tower: Tower) -> Iterator[Weight]:
    """Every parameter that forward reads, in its order; of a linear map as (in, out).

    The spread is 1 / sqrt(fan-in), twice the variance before a GELU of the convolutions, and less
    by sqrt(2 * layers) where a layer adds to what came in, so that values stay near 1.
    """
    width, added = tower.width, 1 / math.sqrt(2 * tower.layers)
    for name, inputs in (("conv1", tower.mels), ("conv2", width)):
        yield Weight(f"{name}.weight", (width, inputs, 3), math.sqrt(2 / (3 * inputs)))
        yield Weight(f"{name}.bias", (width,))
    for layer in range(tower.layers):
        of = f"layers.{layer}"
        yield from _norm(f"{of}.self_attn_layer_norm", width)
        for name in ("q_proj", "k_proj", "v_proj"):
            yield from _linear(f"{of}.self_attn.{name}", width, width, bias=name != "k_proj")
        yield from _linear(f"{of}.self_attn.out_proj", width, width, added)
        yield from _norm(f"{of}.final_layer_norm", width)
        yield from _linear(f"{of}.fc1", width, tower.mlp)
        yield from _linear(f"{of}.fc2", tower.mlp, width, added)
    yield from _norm("ln_post", width)
    yield from _linear("proj", width, tower.out)


def _norm(name: str, width: int) -> Iterator[Weight]:
    yield Weight(f"{name}.weight", (width,), mean=1.0)
    yield Weight(f"{name}.bias", (width,))


def _linear(
    name: str, inputs: int, outputs: int, scale: float = 1.0, bias: bool = True
) -> Iterator[Weight]:
    yield Weight(f"{name}.weight", (inputs, outputs), scale / math.sqrt(inputs))
    if bias:
        yield Weight(f"{name}.bias", (outputs,))


def parameters(tower: Tower) -> int:
    """How many there are, without making one."""
    return sum(weight.count for weight in weights(tower))


def drawn(tower: Tower, seed: int) -> Iterator[tuple[Weight, np.ndarray]]:
    """Each parameter with its values, float32; one does not depend on those before it."""
    for number, weight in enumerate(weights(tower)):
        values = np.random.default_rng([seed, number]).standard_normal(weight.shape, np.float32)
        values *= np.float32(weight.spread)
        values += np.float32(weight.mean)
        yield weight, values


def sinusoids(length: int, width: int) -> np.ndarray:
    """(length, width) of SinusoidsPositionEmbedding: sines, then cosines."""
    step = math.log(TIMESCALE) / (width // 2 - 1)
    angles = np.arange(length)[:, None] * np.exp(-step * np.arange(width // 2))[None]
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)


# --------------------------------------------------------------------------------------- the graph
class _Graph:
    """Nodes in order; a weight is named before it has values."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def add(self, kind: str, name: str, inputs: Sequence[str], **attributes: object) -> str:
        """The node's one output, by the node's name."""
        self.nodes.append(helper.make_node(kind, inputs, [name], name=f"/{name}", **attributes))
        return name

    def whole(self, *values: int) -> str:
        """A list of whole numbers."""
        return self._constant("int." + "_".join(map(str, values)), np.array(values, np.int64))

    def real(self, name: str, value: float | np.ndarray) -> str:
        return self._constant(name, np.asarray(value, np.float32))

    def _constant(self, name: str, values: np.ndarray) -> str:
        self.constants.setdefault(name, numpy_helper.from_array(values, name))
        return name

    def gelu(self, name: str, x: str) -> str:
        """By the error function, as exporters write it."""
        scaled = self.add("Div", f"{name}.div", [x, self.real("sqrt2", math.sqrt(2))])
        found = self.add("Erf", f"{name}.erf", [scaled])
        found = self.add("Add", f"{name}.add", [found, self.real("one", 1.0)])
        found = self.add("Mul", f"{name}.mul", [x, found])
        return self.add("Mul", name, [found, self.real("half", 0.5)])

    def linear(self, name: str, x: str, bias: bool = True) -> str:
        found = self.add("MatMul", f"{name}.product" if bias else name, [x, f"{name}.weight"])
        return self.add("Add", name, [found, f"{name}.bias"]) if bias else found

    def norm(self, name: str, x: str) -> str:
        given = [x, f"{name}.weight", f"{name}.bias"]
        return self.add("LayerNormalization", name, given, axis=-1, epsilon=1e-5)


@dataclass(frozen=True)
class _Lengths:
    """Names of lists of one whole number."""

    frames: str  # of the clip
    chunk: str  # frames of a chunk: 2 * window, or all of a clip that is shorter
    filled: str  # frames with the last chunk filled up
    heard: str  # behind the second convolution: of the clip
    places: str  # of a chunk
    room: str  # of all chunks


def _graph(tower: Tower) -> _Graph:
    graph = _Graph()
    at = _lengths(graph, tower)
    x = _heard(graph, at, tower)
    extra = graph.add("Sub", "extra", [at.room, at.heard])
    attention = _Attention(graph, at, tower, graph.add(
        "Concat", "pads.rows", [graph.whole(0, 0), extra, graph.whole(0)], axis=0
    ), _mask(graph, at))  # fmt: skip
    for layer in range(tower.layers):
        x = _layer(graph, f"layers.{layer}", x, attention)
    x = graph.add("Transpose", "pool.turned", [x], perm=[1, 0])
    x = graph.add("Unsqueeze", "pool.in", [x, graph.whole(0)])
    x = graph.add("AveragePool", "pool", [x], kernel_shape=[2], strides=[2])
    x = graph.add("Squeeze", "pool.out", [x, graph.whole(0)])
    x = graph.add("Transpose", "pooled", [x], perm=[1, 0])
    graph.linear("proj", graph.norm("ln_post", x))
    graph.add("Identity", OUTPUT, ["proj"])
    return graph


def _lengths(graph: _Graph, tower: Tower) -> _Lengths:
    add, one, two = graph.add, graph.whole(1), graph.whole(2)
    shape = add("Shape", "shape", [INPUT])
    frames = add("Gather", "frames", [shape, graph.whole(2)])
    chunk = add("Min", "chunk", [frames, graph.whole(2 * tower.window)])
    above = add("Sub", "chunks.above", [add("Add", "chunks.sum", [frames, chunk]), one])
    chunks = add("Div", "chunks", [above, chunk])
    filled = add("Mul", "filled", [chunks, chunk])
    heard = add("Div", "heard", [add("Add", "heard.sum", [frames, one]), two])
    places = add("Div", "places", [add("Add", "places.sum", [chunk, one]), two])
    room = add("Mul", "room", [chunks, places])
    return _Lengths(frames, chunk, filled, heard, places, room)


def _within(graph: _Graph, name: str, length: str, end: str) -> str:
    """Of `length` places in a row, whether each lies before `end`."""
    scalars = [graph.add("Squeeze", f"{name}.{part}", [value, graph.whole(0)])
               for part, value in (("length", length), ("end", end))]  # fmt: skip
    zero, one = graph._constant("zero", np.int64(0)), graph._constant("unit", np.int64(1))
    row = graph.add("Range", f"{name}.row", [zero, scalars[0], one])
    return graph.add("Less", name, [row, scalars[1]])


def _heard(graph: _Graph, at: _Lengths, tower: Tower) -> str:
    """The convolutions, chunk by chunk, and positions: (heard, width)."""
    add = graph.add
    extra = add("Sub", "fill", [at.filled, at.frames])
    pads = add("Concat", "pads.frames", [graph.whole(0, 0, 0, 0, 0), extra], axis=0)
    x = add("Pad", "frames.padded", [INPUT, pads])
    sizes = add("Concat", "chunks.shape", [graph.whole(tower.mels, -1), at.chunk], axis=0)
    x = add("Transpose", "chunks.in", [add("Reshape", "chunks.cut", [x, sizes])], perm=[1, 0, 2])
    inside = add("Cast", "inside", [_within(graph, "inside.row", at.filled, at.frames)],
                 to=TensorProto.FLOAT)  # fmt: skip
    sizes = add("Concat", "inside.shape", [graph.whole(-1, 1), at.chunk], axis=0)
    inside = add("Reshape", "inside.chunks", [inside, sizes])
    for name, stride in (("conv1", 1), ("conv2", 2)):
        given = [x, f"{name}.weight", f"{name}.bias"]
        x = add("Conv", name, given, kernel_shape=[3], pads=[1, 1], strides=[stride])
        x = graph.gelu(f"{name}.gelu", x)
        x = add("Mul", "conv1.inside", [x, inside]) if name == "conv1" else x
    x = add("Transpose", "conv.turned", [x], perm=[0, 2, 1])
    table = graph.real("positions", sinusoids(tower.window, tower.width))
    positions = add("Slice", "positions.chunk", [table, graph.whole(0), at.places, graph.whole(0)])
    x = add("Add", "positioned", [x, positions])
    x = add("Reshape", "rows", [x, graph.whole(-1, tower.width)])
    return add("Slice", "rows.heard", [x, graph.whole(0), at.heard, graph.whole(0)])


def _mask(graph: _Graph, at: _Lengths) -> str:
    """What is added to the scores: (chunks, 1, 1, places), 0 for a place of the clip."""
    known = _within(graph, "known", at.room, at.heard)
    row = graph.add("Where", "mask.row", [known, graph.real("open", 0), graph.real("shut", MASKED)])
    sizes = graph.add("Concat", "mask.shape", [graph.whole(-1, 1, 1), at.places], axis=0)
    return graph.add("Reshape", "mask", [row, sizes])


@dataclass(frozen=True)
class _Attention:
    graph: _Graph
    at: _Lengths
    tower: Tower
    pads: str  # rows behind the clip, up to whole chunks
    mask: str

    def __call__(self, name: str, x: str) -> str:
        add, size = self.graph.add, self.tower.width // self.tower.heads
        heads = {part: self._split(f"{name}.{part}", x, part == "k") for part in "qkv"}
        scores = add("MatMul", f"{name}.scores", [heads["q"], heads["k"]])
        scores = add("Mul", f"{name}.scaled", [scores, self.graph.real("scale", size**-0.5)])
        scores = add("Add", f"{name}.masked", [scores, self.mask])
        shares = add("Softmax", f"{name}.softmax", [scores], axis=-1)
        found = add("MatMul", f"{name}.mixed", [shares, heads["v"]])
        found = add("Transpose", f"{name}.turned", [found], perm=[0, 2, 1, 3])
        found = add("Reshape", f"{name}.rows", [found, self.graph.whole(-1, self.tower.width)])
        begin, axis = self.graph.whole(0), self.graph.whole(0)
        found = add("Slice", f"{name}.heard", [found, begin, self.at.heard, axis])
        return self.graph.linear(f"{name}.out_proj", found)

    def _split(self, name: str, x: str, key: bool) -> str:
        """(chunks, heads, places, size); of keys the last two turned."""
        add, heads = self.graph.add, self.tower.heads
        x = self.graph.linear(f"{name}_proj", x, bias=not key)
        x = add("Pad", f"{name}.padded", [x, self.pads])
        ends = self.graph.whole(heads, self.tower.width // heads)
        sizes = add("Concat", f"{name}.shape", [self.graph.whole(-1), self.at.places, ends], axis=0)
        x = add("Reshape", f"{name}.heads", [x, sizes])
        return add("Transpose", f"{name}.turned", [x], perm=[0, 2, 3, 1] if key else [0, 2, 1, 3])


def _layer(graph: _Graph, name: str, x: str, attention: _Attention) -> str:
    found = attention(f"{name}.self_attn", graph.norm(f"{name}.self_attn_layer_norm", x))
    x = graph.add("Add", f"{name}.attended", [x, found])
    found = graph.linear(f"{name}.fc1", graph.norm(f"{name}.final_layer_norm", x))
    found = graph.linear(f"{name}.fc2", graph.gelu(f"{name}.gelu", found))
    return graph.add("Add", f"{name}.out", [x, found])


# ---------------------------------------------------------------------------------------- the file
def build(tower: Tower, folder: Path, seed: int = 0, inline_bytes: int = INLINE_BYTES) -> None:
    """Write the model into a folder; weights of more than `inline_bytes` into a file beside it.

    Raises: ValueError for a width that its heads do not share out, or that is odd.
    """
    if tower.width % tower.heads or tower.width % 2:
        raise ValueError(f"width {tower.width} is not even, or no multiple of {tower.heads} heads")
    graph = _graph(tower)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "qwen2_5_omni_audio_tower",
            [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [1, tower.mels, "frames"])],
            [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["tokens", tower.out])],
            list(graph.constants.values()),
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR,
        doc_string="Stand-in with random weights: for time, size and memory, not for quality.",
    )
    if 4 * parameters(tower) > inline_bytes:
        _write_beside(model, folder / f"{FILE}.data", tower, seed)
        onnx.save(model, folder / FILE)
    else:
        _write_inside(model, folder / FILE, tower, seed)


def _write_inside(model: onnx.ModelProto, path: Path, tower: Tower, seed: int) -> None:
    """One weight after the other behind the model: messages of protobuf that follow one another are
    read as one, their lists joined (protobuf.dev, Encoding: Last One Wins)."""
    with path.open("wb") as file:
        file.write(model.SerializeToString())
        for weight, values in drawn(tower, seed):
            piece = onnx.ModelProto()
            piece.graph.initializer.append(numpy_helper.from_array(values, weight.name))
            file.write(piece.SerializeToString())


def _write_beside(model: onnx.ModelProto, path: Path, tower: Tower, seed: int) -> None:
    """One weight after the other into a file; the model says where each lies."""
    with path.open("wb") as file:
        for weight, values in drawn(tower, seed):
            file.seek(-file.tell() % PAGE, 1)
            tensor = model.graph.initializer.add()
            tensor.name, tensor.data_type = weight.name, TensorProto.FLOAT
            tensor.dims.extend(weight.shape)
            tensor.data_location = TensorProto.EXTERNAL
            for key, value in (("location", path.name), ("offset", file.tell()),
                               ("length", values.nbytes)):  # fmt: skip
                tensor.external_data.add(key=key, value=str(value))
            file.write(values.tobytes())


def main() -> None:
    parser = argparse.ArgumentParser(description="Qwen2.5-Omni's audio tower, random weights")
    parser.add_argument("--size", choices=list(SIZES), default="small")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    tower = SIZES[given.size]
    build(tower, Path(), given.seed)
    size = sum(path.stat().st_size for path in Path().glob(f"{FILE}*"))
    print(f"{FILE}: {parameters(tower):,} parameters, {size / 1e6:.1f} MB, seed {given.seed}")


if __name__ == "__main__":
    main()
