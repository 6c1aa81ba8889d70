"""INT8 weights and activations with ranges fixed by calibration on real clips, in QDQ format."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness.contracts import Feeds, Method, Quantized
from harness.errors import QuantizeError
from harness.runtime import graph as onnx_graph

if TYPE_CHECKING:
    import onnx

Operator = Literal["MatMul", "Gemm", "Gather", "Conv", "ConvTranspose", "LayerNormalization"]
Integer = Literal["int8", "uint8"]


@dataclass(frozen=True)
class Params:
    """`clips`: how many calibration clips; `percentile` is read by that calibration only.

    On x86 leave activations unsigned: two signed operands run slower than FP32. reduce_range keeps
    weights to 7 bits, for x86 without VNNI. constant_weights_only leaves products of two
    activations (attention scores) in FP32. left_out: node names or patterns that stay FP32.
    """

    clips: int = 20
    calibration: Literal["minmax", "entropy", "percentile"] = "minmax"
    percentile: float = 99.999
    op_types: tuple[Operator, ...] = ("MatMul", "Gather")
    activation_type: Integer = "uint8"
    weight_type: Integer = "int8"
    symmetric_activations: bool = False
    symmetric_weights: bool = True
    per_channel: bool = False
    reduce_range: bool = False
    constant_weights_only: bool = False
    left_out: tuple[str, ...] = ()


def apply(params: Params, graph: Path, target: Path, feeds: Iterable[Feeds]) -> Quantized:
    """Calibrate on the feeds, one at a time, and quantize one graph into one file.

    Raises: QuantizeError for no feeds, types that do not go together, a graph that the quantizer
    cannot take, and one in which nothing was quantized.
    """
    if (params.activation_type, params.weight_type) == ("int8", "uint8"):
        raise QuantizeError(f"{graph.name}: int8 activations do not go with uint8 weights.")
    model = onnx_graph.load_named(graph)
    if params.per_channel:
        onnx_graph.split_tables(model)
    optional = onnx_graph.face(model).optional
    left_out = onnx_graph.chosen(model, params.left_out)
    present, before = onnx_graph.operators(model), onnx_graph.quantized(model)
    if not any(kind in present for kind in params.op_types):
        raise onnx_graph.nothing_quantized(graph, params.op_types, present, before)
    feeds = iter(feeds)
    first = next(feeds, None)
    if first is None:
        raise QuantizeError(f"{graph.name}: no calibration inputs reached this graph.")
    onnx_graph.note_types(model, graph.name)
    with onnx_graph.quietly(graph.name):
        ranges = _ranges(params, model, _chain(first, feeds))
        after = _quantize(params, model, ranges, left_out)
    done = onnx_graph.gained(before, after, params.op_types)
    if not done:
        raise onnx_graph.nothing_quantized(graph, params.op_types, present, before)
    onnx_graph.write(after, target, optional)
    return Quantized(operators=done, left_out=left_out)


def _chain(first: Feeds, rest: Iterator[Feeds]) -> Iterator[Feeds]:
    yield first
    yield from rest


def _ranges(params: Params, model: onnx.ModelProto, feeds: Iterator[Feeds]) -> Any:
    """Ranges of the tensors (onnxruntime's TensorsData); holds the activations of one call."""
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, create_calibrator

    class One(CalibrationDataReader):  # type: ignore[misc]
        """A reader of a single call: what is collected is folded after each reader."""

        def __init__(self, feed: Feeds) -> None:
            self.left = [dict(feed)]

        def get_next(self) -> Any:
            return self.left.pop() if self.left else None

    calibrate = {
        "minmax": CalibrationMethod.MinMax,
        "entropy": CalibrationMethod.Entropy,
        "percentile": CalibrationMethod.Percentile,
    }[params.calibration]
    options: dict[str, Any] = {"symmetric": params.symmetric_activations}
    if params.calibration == "percentile":
        options["percentile"] = params.percentile
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        plain, apart = Path(folder) / "model.onnx", onnx_graph.large(model)
        if apart:
            onnx_graph.write(copy.deepcopy(model), plain)
        else:
            onnx.save(model, plain)
        calibrator = create_calibrator(
            plain,
            list(params.op_types),
            augmented_model_path=str(Path(folder) / "augmented.onnx"),
            calibrate_method=calibrate,
            use_external_data_format=apart,
            extra_options=options,
        )
        for feed in feeds:
            calibrator.collect_data(One(feed))
        return calibrator.compute_data()


def _quantize(
    params: Params, model: onnx.ModelProto, ranges: Any, left_out: tuple[str, ...]
) -> onnx.ModelProto:
    """As onnxruntime's quantize_static does after its calibration, which cannot be streamed."""
    from onnxruntime.quantization import QDQQuantizer, QuantType

    types = {"int8": QuantType.QInt8, "uint8": QuantType.QUInt8}
    quantizer = QDQQuantizer(
        model,
        params.per_channel,
        params.reduce_range,
        types[params.weight_type],
        types[params.activation_type],
        ranges,
        [],
        list(left_out),
        list(params.op_types),
        {
            "ActivationSymmetric": params.symmetric_activations,
            "WeightSymmetric": params.symmetric_weights,
            "MatMulConstBOnly": params.constant_weights_only,
        },
    )
    quantizer.quantize_model()
    quantized: onnx.ModelProto = quantizer.model.model
    return quantized


method = Method(Params=Params, apply=apply, needs_calibration=True, bits=8)
