"""Mutated graphs through what a variant goes through: a result, or one line; never anything else.

A crash of native code ends this
process and with it the test, as it should: the product opens such graphs in a child first.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
import tiny_graphs
from effort import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import AttributeProto, TensorProto, helper

from harness.errors import HarnessError
from harness.plugins.quantize import dynamic_int8, static_qdq
from harness.run.variants import folders
from harness.runtime import graph
from harness.runtime.session import open_session, trial

BOUNDED = settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
SEEDS = (tiny_graphs.two_layers, tiny_graphs.tied, tiny_graphs.shared_table, tiny_graphs.no_weights)
BYTES = [make().SerializeToString() for make in SEEDS]
FEEDS = [tiny_graphs.rows(), tiny_graphs.tokens()]
NUMBERS = st.sampled_from([-(2**63), -1, 0, 1, 2, 7, 16, 2**31, 2**40, 2**62])
NAMES = st.sampled_from(["", "x", "y", "first", "h", "table", "no such", "\ud800".encode(
    "utf-8", "replace").decode(), "../w.bin", "a" * 2000])  # fmt: skip


def as_a_variant(content: bytes, plugin: Any) -> None:
    """Either all goes well, or a HarnessError of one line."""
    said = "a result"
    with tempfile.TemporaryDirectory() as folder:
        path, target = Path(folder) / "a.onnx", Path(folder) / "b.onnx"
        path.write_bytes(content)
        try:
            graph.external_files(path)
            trial._infer(path)
            open_session(path, trial.PLAIN)
            graph.require_matches([path], ("*",))
            plugin.apply(plugin.Params(), path, target, FEEDS[:1])
            folders._check_face(path, target)
            open_session(target, trial.PLAIN)
        except HarnessError as error:
            said = str(error)
    assert said
    assert "\n" not in said


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Bytes changed, taken out or put in."""
    data = bytearray(draw(st.sampled_from(BYTES)))
    for _ in range(draw(st.integers(1, 4))):
        head = draw(st.booleans())  # the structure lies around the weights
        at = draw(st.integers(0, max(1, min(len(data), 300 if head else len(data))) - 1))
        how = draw(st.sampled_from(["set", "cut", "put", "end"]))
        if how == "set":
            data[at : at + 1] = bytes([draw(st.integers(0, 255))])
        elif how == "cut":
            del data[at : at + draw(st.integers(1, 9))]
        elif how == "put":
            data[at:at] = draw(st.binary(min_size=1, max_size=9))
        else:
            data = data[: max(1, at)]
    return bytes(data)


def _dims(draw: st.DrawFn, made: onnx.ModelProto) -> None:
    for tensor in made.graph.initializer[:1]:
        tensor.dims[:] = draw(st.lists(NUMBERS, max_size=4))


def _type(draw: st.DrawFn, made: onnx.ModelProto) -> None:
    for tensor in made.graph.initializer[:1]:
        tensor.data_type = draw(st.integers(0, 30))


def _external(draw: st.DrawFn, made: onnx.ModelProto) -> None:
    for tensor in made.graph.initializer[:1]:
        tensor.data_location = TensorProto.EXTERNAL
        keys = st.sampled_from(["location", "offset", "length", "checksum", "other"])
        values = st.one_of(NUMBERS.map(str), NAMES, st.just("a.onnx"))
        for key, value in draw(st.dictionaries(keys, values, max_size=4)).items():
            tensor.external_data.add(key=key, value=value)


def _names(draw: st.DrawFn, made: onnx.ModelProto) -> None:
    node = draw(st.sampled_from(list(made.graph.node)))
    field = draw(st.sampled_from([node.input, node.output]))
    field[:] = draw(st.lists(NAMES, max_size=4))


def _operator(draw: st.DrawFn, made: onnx.ModelProto) -> None:
    node = draw(st.sampled_from(list(made.graph.node)))
    kinds = ["MatMul", "Gemm", "Gather", "Conv", "LSTM", "If", "Loop", "Scan", "Constant",
             "Identity", "Transpose", "QuantizeLinear", "DequantizeLinear", "Attention", "Nobody",
             ""]  # fmt: skip
    node.op_type = draw(st.sampled_from(kinds))
    node.domain = draw(st.sampled_from(["", "ai.onnx", "com.microsoft", "com.nobody"]))


def _attribute(draw: st.DrawFn, made: onnx.ModelProto) -> None:
    node = draw(st.sampled_from(list(made.graph.node)))
    name = draw(st.sampled_from(["perm", "axis", "value", "to", "then_branch", "transB", "body"]))
    one = node.attribute.add(name=name, type=draw(st.integers(0, 14)))
    one.i = draw(NUMBERS)
    one.ints[:] = draw(st.lists(NUMBERS, max_size=4))
    if draw(st.booleans()):
        one.t.CopyFrom(tiny_graphs.weight("w", 2, 2))
    if draw(st.booleans()):
        one.g.CopyFrom(tiny_graphs.two_layers().graph)
        one.type = AttributeProto.GRAPH


def _header(draw: st.DrawFn, made: onnx.ModelProto) -> None:
    made.ir_version = draw(st.sampled_from([0, 1, 3, 4, 8, 13, 99, 2**62]))
    for opset in made.opset_import:
        opset.version = draw(st.sampled_from([0, 1, 6, 9, 10, 11, 13, 17, 22, 99, 2**62]))


def _inputs(draw: st.DrawFn, made: onnx.ModelProto) -> None:
    name = draw(NAMES)
    made.graph.input.append(helper.make_tensor_value_info(name, draw(st.integers(0, 20)), None))
    if draw(st.booleans()):
        del made.graph.output[:]


def _copies(draw: st.DrawFn, made: onnx.ModelProto) -> None:
    node = draw(st.sampled_from(list(made.graph.node)))
    made.graph.node.append(node)
    made.graph.initializer.extend(list(made.graph.initializer))


def _function(draw: st.DrawFn, made: onnx.ModelProto) -> None:
    own = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    body = [*made.graph.node[:1], helper.make_node("Own", ["a"], ["b"], domain="own")]
    made.functions.append(
        helper.make_function("own", draw(NAMES) or "Own", ["a"], ["b"], body, own)
    )
    made.graph.node[0].domain = "own"
    made.opset_import.append(helper.make_opsetid("own", 1))


CHANGES: list[Callable[[st.DrawFn, onnx.ModelProto], None]] = [
    _dims, _type, _external, _names, _operator, _attribute, _header, _inputs, _copies, _function,
]  # fmt: skip


@st.composite
def restructured(draw: st.DrawFn) -> bytes:
    """A graph that is still one, with something in it that cannot be."""
    made = draw(st.sampled_from(SEEDS))()
    for change in draw(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3)):
        change(draw, made)
    content: bytes = made.SerializeToString()
    return content


@pytest.mark.parametrize("plugin", [dynamic_int8, static_qdq])
def test_changed_bytes_are_a_graph_or_one_line(plugin: Any) -> None:
    @BOUNDED
    @given(mutated())
    def check(content: bytes) -> None:
        as_a_variant(content, plugin)

    check()


@pytest.mark.parametrize("plugin", [dynamic_int8, static_qdq])
def test_a_graph_that_cannot_be_is_one_line(plugin: Any) -> None:
    @BOUNDED
    @given(restructured())
    def check(content: bytes) -> None:
        as_a_variant(content, plugin)

    check()
