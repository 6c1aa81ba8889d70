"""Quantization methods on graphs small enough to check by hand."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import tiny_graphs

from harness import plugins
from harness.contracts import Feeds
from harness.errors import ModelError, QuantizeError
from harness.plugins.quantize import dynamic_int8, static_qdq
from harness.runtime import environment, graph
from harness.runtime.session import SessionConfig, open_session

# U8S8 products saturate on x86 without VNNI, so accuracy is judged with 7-bit weights
DYNAMIC = dynamic_int8.Params(reduce_range=True)
STATIC = static_qdq.Params(reduce_range=True)


def run(path: Path, feeds: Feeds) -> np.ndarray:
    output: np.ndarray = open_session(path, SessionConfig("test")).run(None, dict(feeds))[0]
    return output


def error(exact: np.ndarray, other: np.ndarray) -> float:
    """Largest difference as a share of the largest value."""
    return float(np.abs(exact - other).max() / np.abs(exact).max())


@pytest.fixture
def two_layers(tmp_path: Path) -> Path:
    return tiny_graphs.save(tiny_graphs.two_layers(), tmp_path / "two_layers.onnx")


CASES: list[tuple[Any, Any, Callable[[], onnx.ModelProto], Callable[[], Feeds], dict[str, int]]] = [
    (dynamic_int8, DYNAMIC, tiny_graphs.two_layers, tiny_graphs.rows, {"MatMul": 2}),
    (dynamic_int8, DYNAMIC, tiny_graphs.tied, tiny_graphs.tokens, {"Gather": 1, "MatMul": 1}),
    (dynamic_int8, DYNAMIC, tiny_graphs.shared_table, tiny_graphs.tokens,
     {"Gather": 1, "MatMul": 1}),
    (dynamic_int8, dynamic_int8.Params(per_channel=True, reduce_range=True),
     tiny_graphs.shared_table, tiny_graphs.tokens, {"Gather": 1, "MatMul": 1}),
    (dynamic_int8, dynamic_int8.Params(weight_type="uint8"), tiny_graphs.two_layers,
     tiny_graphs.rows, {"MatMul": 2}),
    (static_qdq, STATIC, tiny_graphs.two_layers, tiny_graphs.rows, {"MatMul": 2}),
    (static_qdq, static_qdq.Params(calibration="entropy", reduce_range=True),
     tiny_graphs.two_layers, tiny_graphs.rows, {"MatMul": 2}),
    (static_qdq, static_qdq.Params(calibration="percentile", reduce_range=True),
     tiny_graphs.two_layers, tiny_graphs.rows, {"MatMul": 2}),
    (static_qdq, static_qdq.Params(per_channel=True, reduce_range=True),
     tiny_graphs.shared_table, tiny_graphs.tokens, {"Gather": 1, "MatMul": 1}),
    (static_qdq, static_qdq.Params(constant_weights_only=True, symmetric_activations=True,
                                   activation_type="int8", reduce_range=True),
     tiny_graphs.two_layers, tiny_graphs.rows, {"MatMul": 2}),
]  # fmt: skip


@pytest.mark.parametrize(("plugin", "params", "make", "feeds", "operators"), CASES)
def test_a_method_says_what_it_quantized_and_the_result_computes_nearly_the_same(
    tmp_path: Path,
    plugin: Any,
    params: Any,
    make: Callable[[], onnx.ModelProto],
    feeds: Callable[[], Feeds],
    operators: dict[str, int],
) -> None:
    exact, target = tiny_graphs.save(make(), tmp_path / "a.onnx"), tmp_path / "b.onnx"
    done = plugin.apply(params, exact, target, [feeds()])
    assert done.operators == operators
    assert error(run(exact, feeds()), run(target, feeds())) < 0.05
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.onnx", "b.onnx"]


def test_a_table_that_is_used_twice_is_stored_once_in_8_bits(tmp_path: Path) -> None:
    graph_file = tiny_graphs.save(tiny_graphs.shared_table(), tmp_path / "a.onnx")
    dynamic_int8.apply(DYNAMIC, graph_file, tmp_path / "b.onnx", ())
    tables = [t for t in onnx.load(tmp_path / "b.onnx").graph.initializer if list(t.dims)]
    assert [(t.data_type, list(t.dims)) for t in tables] == [(onnx.TensorProto.UINT8, [16, 40])]


@pytest.mark.parametrize(("plugin", "params"), [(dynamic_int8, DYNAMIC), (static_qdq, STATIC)])
@pytest.mark.parametrize("pattern", ["/fc2/MatMul", "*fc2*"])
def test_a_node_that_is_left_out_stays_as_it_is(
    two_layers: Path, plugin: Any, params: Any, pattern: str
) -> None:
    changed = plugin.Params(reduce_range=True, left_out=(pattern,))
    target = two_layers.with_name("b.onnx")
    done = plugin.apply(changed, two_layers, target, [tiny_graphs.rows()])
    assert done.operators == {"MatMul": 1}
    assert done.left_out == ("/fc2/MatMul",)
    assert "second" in {t.name for t in onnx.load(target).graph.initializer}


def test_a_gemm_is_quantized_as_matmul_unless_its_name_is_left_out(tmp_path: Path) -> None:
    nodes = [onnx.helper.make_node("Gemm", ["x", "w", "b"], ["y"], name="/head")]
    made = tiny_graphs.model(nodes, [tiny_graphs.weight("w", 16, 8), tiny_graphs.weight("b", 8)])
    path = tiny_graphs.save(made, tmp_path / "a.onnx")
    assert dynamic_int8.apply(DYNAMIC, path, tmp_path / "b.onnx", ()).operators == {"MatMul": 1}
    with pytest.raises(QuantizeError, match="nothing was quantized"):
        dynamic_int8.apply(dynamic_int8.Params(left_out=("/head",)), path, tmp_path / "c.onnx", ())


def test_the_graphs_inside_an_if_are_quantized_too(tmp_path: Path) -> None:
    def branch(weight: str) -> onnx.GraphProto:
        node = onnx.helper.make_node("MatMul", ["x", weight], [f"{weight}_y"], name=f"/{weight}")
        out = onnx.helper.make_tensor_value_info(f"{weight}_y", 1, None)
        return onnx.helper.make_graph([node], weight, [], [out])

    nodes = [
        onnx.helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
        onnx.helper.make_node("Greater", ["sum", "zero"], ["positive"]),
        onnx.helper.make_node(
            "If", ["positive"], ["y"], then_branch=branch("first"), else_branch=branch("second")
        ),
    ]
    zero = onnx.numpy_helper.from_array(np.zeros((), np.float32), "zero")
    weights = [zero, *(tiny_graphs.weight(name, 16, 16) for name in ("first", "second"))]
    path = tiny_graphs.save(tiny_graphs.model(nodes, weights), tmp_path / "a.onnx")
    done = dynamic_int8.apply(DYNAMIC, path, tmp_path / "b.onnx", ())
    assert done.operators == {"MatMul": 2}
    for sign in (1, -1):
        feeds = {"x": np.abs(tiny_graphs.rows()["x"]) * np.float32(sign)}
        assert error(run(path, feeds), run(tmp_path / "b.onnx", feeds)) < 0.05


@pytest.mark.parametrize("plugin", [dynamic_int8, static_qdq])
@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"left_out": ("/fc*",)}, "nothing was quantized: asked for MatMul, Gather"),
        ({"op_types": ("Conv",)}, "nothing was quantized: asked for Conv with constant weights; "
                                  "the graph has 2 MatMul, 1 Relu."),
    ],
)  # fmt: skip
def test_a_method_that_would_do_nothing_says_so(
    two_layers: Path, plugin: Any, params: dict[str, Any], said: str
) -> None:
    target = two_layers.with_name("b.onnx")
    with pytest.raises(QuantizeError) as caught:
        plugin.apply(plugin.Params(**params), two_layers, target, [tiny_graphs.rows()])
    assert str(caught.value).startswith("two_layers.onnx: ")
    assert said in str(caught.value)
    assert not target.exists()


def test_a_graph_that_is_quantized_already_holds_nothing_more_to_quantize(two_layers: Path) -> None:
    target = two_layers.with_name("b.onnx")
    dynamic_int8.apply(DYNAMIC, two_layers, target, ())
    with pytest.raises(QuantizeError, match="nothing was quantized"):
        dynamic_int8.apply(DYNAMIC, target, two_layers.with_name("c.onnx"), ())


def test_static_quantization_without_inputs_or_with_unfit_types_is_refused(
    two_layers: Path,
) -> None:
    target = two_layers.with_name("b.onnx")
    with pytest.raises(QuantizeError, match="no calibration inputs"):
        static_qdq.apply(STATIC, two_layers, target, ())
    unfit = static_qdq.Params(activation_type="int8", weight_type="uint8")
    with pytest.raises(QuantizeError, match="int8 activations do not go with uint8 weights"):
        static_qdq.apply(unfit, two_layers, target, [tiny_graphs.rows()])


@pytest.mark.parametrize("calibration", ["minmax", "percentile"])
def test_calibration_takes_one_call_at_a_time(
    two_layers: Path, calibration: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onnxruntime.quantization.calibrate import HistogramCalibrater, MinMaxCalibrater

    held = []
    for kind in (MinMaxCalibrater, HistogramCalibrater):
        clear = kind.clear_collected_data

        def counting(self: Any, clear: Any = clear) -> None:
            held.append(len(self.intermediate_outputs))
            clear(self)

        monkeypatch.setattr(kind, "clear_collected_data", counting)

    def feeds() -> Iterator[Feeds]:
        for count in range(1, 6):
            yield tiny_graphs.rows(count)

    params = static_qdq.Params(calibration=calibration)
    static_qdq.apply(params, two_layers, two_layers.with_name("b.onnx"), feeds())
    assert max(held) == 1
    assert sum(held) == 5


def test_what_follows_an_operator_of_onnxruntimes_own_is_quantized_too(tmp_path: Path) -> None:
    # ONNX knows no com.microsoft types; without a note of them "after" would keep FP32 inputs
    nodes = [
        onnx.helper.make_node("MatMul", ["x", "first"], ["h"], name="before"),
        onnx.helper.make_node("Gelu", ["h"], ["g"], name="gelu", domain="com.microsoft"),
        onnx.helper.make_node("MatMul", ["g", "second"], ["y"], name="after"),
    ]
    made = tiny_graphs.model(nodes, list(tiny_graphs.two_layers().graph.initializer))
    made.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))
    path = tiny_graphs.save(made, tmp_path / "a.onnx")
    done = static_qdq.apply(STATIC, path, tmp_path / "b.onnx", [tiny_graphs.rows()])
    assert done.operators == {"MatMul": 2}
    feeds = tiny_graphs.rows()
    assert error(run(path, feeds), run(tmp_path / "b.onnx", feeds)) < 0.05


@pytest.mark.skipif(
    "avx2" not in environment.describe()["isa"] or "vnni" in environment.describe()["isa"],
    reason="x86 without VNNI saturates",
)
def test_8_bit_weights_saturate_without_vnni_and_7_bit_weights_do_not(two_layers: Path) -> None:
    target, feeds = two_layers.with_name("b.onnx"), tiny_graphs.rows()
    errors = []
    for reduce_range in (False, True):
        params = static_qdq.Params(per_channel=True, reduce_range=reduce_range)
        static_qdq.apply(params, two_layers, target, [feeds])
        errors.append(error(run(two_layers, feeds), run(target, feeds)))
    assert errors[0] > 2 * errors[1]


def test_a_range_covers_every_calibration_call(two_layers: Path) -> None:
    target, twice = two_layers.with_name("b.onnx"), two_layers.with_name("c.onnx")
    small, large = tiny_graphs.rows(), {"x": tiny_graphs.rows()["x"] * 10}
    static_qdq.apply(STATIC, two_layers, target, [small, large])
    static_qdq.apply(STATIC, two_layers, twice, [large, small])
    assert error(run(two_layers, large), run(target, large)) < 0.05
    assert target.read_bytes() == twice.read_bytes()


CODE = """
import sys
from pathlib import Path
import tiny_graphs
from harness.plugins.quantize import dynamic_int8, static_qdq
source, target = Path(sys.argv[1]), Path(sys.argv[2])
for plugin in (dynamic_int8, static_qdq):
    plugin.apply(plugin.Params(per_channel=True), source, target, [tiny_graphs.tokens()])
    sys.stdout.write(__import__("hashlib").sha256(target.read_bytes()).hexdigest() + " ")
"""


@pytest.mark.slow
def test_the_same_graph_gives_the_same_bytes_in_any_folder_and_process(tmp_path: Path) -> None:
    said = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        source = tiny_graphs.save(tiny_graphs.shared_table(), folder / "a.onnx")
        paths = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
        done = subprocess.run(
            [sys.executable, "-c", CODE, str(source), str(folder / "b.onnx")],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": paths},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert str(tmp_path).encode() not in (folder / "b.onnx").read_bytes()
        assert done.stderr == ""
        said.append(done.stdout)
    assert said[0] == said[1]
    assert len(said[0].split()) == 2


def test_quantizing_is_silent_and_leaves_logging_and_output_alone(
    two_layers: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    before = (list(root.handlers), list(root.filters), root.level)
    target = two_layers.with_name("b.onnx")
    static_qdq.apply(
        static_qdq.Params(calibration="entropy"), two_layers, target, [tiny_graphs.rows()]
    )
    dynamic_int8.apply(DYNAMIC, two_layers, target, ())
    assert capfd.readouterr() == ("", "")
    assert (list(root.handlers), list(root.filters), root.level) == before


@pytest.mark.parametrize("content", [b"", b"not a model at all, \xff\xfe"])
def test_a_file_that_is_not_onnx_is_one_clear_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"^a\.onnx is not an ONNX file"):
        dynamic_int8.apply(DYNAMIC, path, tmp_path / "b.onnx", ())


def test_missing_external_data_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    onnx.save(tiny_graphs.two_layers(), path, save_as_external_data=True, location="a.bin",
              size_threshold=0)  # fmt: skip
    assert graph.external_files(path) == {"a.bin"}
    assert dynamic_int8.apply(DYNAMIC, path, tmp_path / "b.onnx", ()).operators == {"MatMul": 2}
    assert graph.external_files(tmp_path / "b.onnx") == set()
    (tmp_path / "a.bin").unlink()
    with pytest.raises(ModelError, match=r"^a\.onnx: it or its external data is missing"):
        dynamic_int8.apply(DYNAMIC, path, tmp_path / "c.onnx", ())


@pytest.mark.parametrize("name", ["dynamic_int8", "static_qdq"])
def test_parameters_are_read_strictly_from_plain_annotations(name: str) -> None:
    from pydantic import TypeAdapter, ValidationError

    method = plugins.load("quantize", name)
    adapter = TypeAdapter(method.Params)
    read = adapter.validate_json('{"op_types": ["MatMul"], "left_out": ["*"]}', strict=True)
    assert read == method.Params(op_types=("MatMul",), left_out=("*",))
    for wrong in ('{"op_types": ["Matmul"]}', '{"per_channel": 1}', '{"weight_type": "int4"}'):
        with pytest.raises(ValidationError):
            adapter.validate_json(wrong, strict=True)


def test_per_channel_where_onnxruntime_ignores_it_is_refused() -> None:
    """onnxruntime 1.31's ConvInteger takes one scale per tensor: operators/conv.py, ConvInteger."""
    with pytest.raises(ValueError, match=r"^per_channel has no effect on Conv: onnxruntime"):
        dynamic_int8.Params(op_types=("Conv",), per_channel=True)
    assert dynamic_int8.Params(op_types=("Conv", "MatMul"), per_channel=True).per_channel
