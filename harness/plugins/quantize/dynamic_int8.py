"""INT8 weights, activations quantized on the fly in each call; needs no calibration."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from harness.contracts import Feeds, Method, Quantized
from harness.contracts.sightings import Advice
from harness.runtime import graph as onnx_graph

# what onnxruntime quantizes channel by channel without calibration; Conv and Gather are per tensor
BY_CHANNEL = ("MatMul", "Attention", "LSTM")
Operator = Literal["MatMul", "Gather", "Conv", "Attention", "LSTM", "EmbedLayerNormalization"]


@dataclass(frozen=True)
class Params:
    """`MatMul` includes Gemm. Conv is not a default: its integer kernel is not fused and slow.

    reduce_range keeps weights to 7 bits, for x86 without VNNI, where 8-bit products saturate. A
    table that Gather shares with a MatMul is stored once, as uint8 with one scale for both.
    left_out: node names or patterns (`*/fc2/*`) that stay FP32.
    """

    op_types: tuple[Operator, ...] = ("MatMul", "Gather")
    per_channel: bool = False
    weight_type: Literal["int8", "uint8"] = "int8"
    reduce_range: bool = False
    left_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.per_channel and not set(self.op_types) & set(BY_CHANNEL):
            raise ValueError(
                f"per_channel has no effect on {', '.join(self.op_types)}: onnxruntime quantizes "
                f"only {', '.join(BY_CHANNEL)} channel by channel here; leave it out, or use "
                "static_qdq"
            )


def apply(params: Params, graph: Path, target: Path, feeds: Iterable[Feeds]) -> Quantized:
    """Quantize one graph into one file.

    Raises: QuantizeError for a graph that the quantizer cannot take, and one in which nothing was
    quantized.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = onnx_graph.load_named(graph)
    optional = onnx_graph.face(model).optional
    left_out = onnx_graph.chosen(model, params.left_out)
    present, before = onnx_graph.operators(model), onnx_graph.quantized(model)
    weight_type = {"int8": QuantType.QInt8, "uint8": QuantType.QUInt8}[params.weight_type]
    with tempfile.TemporaryDirectory() as folder:
        raw, plain, apart = Path(folder) / "quantized.onnx", Path(folder) / "plain.onnx", False
        if onnx_graph.large(model):  # its weights are in memory once and no more
            model, apart = onnx_graph.set_apart(model, plain), True
        onnx_graph.note_types(model, graph.name)
        if apart:
            plain.write_bytes(model.SerializeToString())
        with onnx_graph.quietly(graph.name):
            quantize_dynamic(
                plain if apart else model,
                raw,
                op_types_to_quantize=list(params.op_types),
                per_channel=params.per_channel,
                reduce_range=params.reduce_range,
                weight_type=weight_type,
                use_external_data_format=apart,
                # the quantizer first writes Gemm as MatMul + Add under a name of its own
                nodes_to_exclude=[n for name in left_out for n in (name, f"{name}_MatMul")],
                extra_options={"EnableSubgraph": True},
            )
        after = onnx_graph.read(raw)
    done = onnx_graph.gained(before, after, params.op_types)
    if not done:
        raise onnx_graph.nothing_quantized(graph, params.op_types, present, before)
    onnx_graph.write(after, target, optional)
    return Quantized(operators=done, left_out=left_out)


# with one of these, products of unsigned and signed bytes are summed in 32 bits: x86, ARM
WIDE_SUMS = ("avx512_vnni", "avx_vnni", "avx_vnni_int8", "amx_int8", "asimddp", "i8mm")
X86 = ("avx2", "avx512f")
WORTH = 0.01  # of the weights: less changes neither size nor time


def advise(weights: Mapping[str, float], isa: Collection[str]) -> Advice | None:
    """The operators that hold weights; 7-bit weights where the processor would saturate.

    Convolutions only where they hold most of the weights: their integer kernel is not fused.
    """
    held = [kind for kind in get_args(Operator) if weights.get(kind, 0) >= WORTH]
    others = [kind for kind in held if kind != "Conv"]
    if sum(weights[kind] for kind in others) >= 0.5:
        held = others
    if not held:
        return None
    share = sum(weights[kind] for kind in held)
    why = [f"{', '.join(held)} hold {share:.0%} of the weights"]
    params: dict[str, object] = {"op_types": held}
    if set(held) & set(BY_CHANNEL):
        params["per_channel"] = True
        why.append("per_channel: a scale for each output channel costs nothing and errs less")
    wide = [name for name in isa if name in WIDE_SUMS]
    if not wide and (not isa or set(isa) & set(X86)):
        params["reduce_range"] = True
        told = "has no VNNI" if isa else "does not say whether it has VNNI"
        why.append(
            f"reduce_range: this CPU {told}; without it sums of 8-bit products saturate in 16 "
            "bits, those of 7-bit weights do not"
        )
    else:
        why.append(f"8-bit weights: this CPU sums their products in 32 bits ({', '.join(wide)})")
    if "Conv" in held:
        why.append("convolutions: the INT8 kernel of onnxruntime may be slower than the FP32 one")
    return Advice(params, tuple(why))


method = Method(Params=Params, apply=apply, bits=8, advise=advise)
