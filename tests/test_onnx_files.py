"""Graphs that are broken, odd or dangerous: quantized and opened, or one line that says why."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import tiny_graphs
from onnx import TensorProto, helper, numpy_helper

from harness.errors import HarnessError, ModelError, QuantizeError, limits
from harness.plugins.quantize import dynamic_int8, static_qdq
from harness.run.variants import folders
from harness.runtime import graph
from harness.runtime.session import SessionConfig, open_session, trial

DYNAMIC = dynamic_int8.Params(reduce_range=True)
node = helper.make_node


def external(tensor: onnx.TensorProto, location: str, **entries: int | str) -> None:
    """The tensor's bytes are said to lie in another file."""
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    del tensor.external_data[:]
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=str(value))


def weights_in(folder: Path, location: str, **entries: int | str) -> Path:
    """Two layers of which the first one's weights (1024 bytes) are said to lie elsewhere."""
    made = tiny_graphs.two_layers()
    raw = made.graph.initializer[0].raw_data
    external(made.graph.initializer[0], location, **entries)
    (folder / "w.bin").write_bytes(raw)
    return tiny_graphs.save_raw(made, folder / "a.onnx")


# ------------------------------------------------------------------------- weights in other files
WRONG: list[tuple[str, dict[str, int | str], str]] = [
    ("w.bin", {"offset": -4}, "offset -4 is negative"),
    ("w.bin", {"length": -1}, "length -1 is negative"),
    ("w.bin", {"offset": 4, "length": 1024}, "ends at byte 1028, w.bin has only 1024"),
    ("w.bin", {"offset": 10**15}, "has only 1024"),
    ("w.bin", {"length": 10}, "has 10 bytes, its shape needs 1024"),
    ("w.bin", {"length": 10**17}, "bytes, its shape needs 1024"),
    ("w.bin", {"offset": "9" * 30}, "is not a whole number"),
    ("w.bin", {"offset": "x"}, "offset 'x' is not a whole number"),
    ("w.bin", {"offset": "1e3"}, "is not a whole number"),
    ("missing.bin", {}, "external data is missing: no 'missing.bin'"),
    ("", {}, "must be a file in the folder of the graph"),
    (".", {}, "must be a file in the folder of the graph|is missing"),
    ("../w.bin", {}, "must be a file in the folder of the graph"),
    ("sub/../../w.bin", {}, "must be a file in the folder of the graph"),
    ("/etc/passwd", {}, "must be a file in the folder of the graph"),
    ("C:\\w.bin", {}, "must be a file in the folder of the graph"),
    ("sub\\w.bin", {}, "a path of Windows: save the graph again"),
    ("link.bin", {}, "a link that leaves the folder"),
    ("loop.bin", {}, "is missing"),
    ("a\0b", {}, "must be a file in the folder of the graph"),
    ("x" * 5000, {}, "is missing"),
]


@pytest.mark.parametrize(("location", "entries", "told"), WRONG)
@pytest.mark.parametrize("weights", [True, False])
def test_external_data_that_is_not_as_the_graph_says_is_one_line(
    tmp_path: Path, location: str, entries: dict[str, int | str], told: str, weights: bool
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "w.bin").write_bytes(bytes(1024))
    (folder / "link.bin").symlink_to(tmp_path / "w.bin")
    (folder / "loop.bin").symlink_to("loop.bin")
    path = weights_in(folder, location, **entries)
    with pytest.raises(ModelError, match=told) as caught:
        graph.read(path, weights=weights)
    assert "a.onnx" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("entries", [{}, {"offset": 0}, {"length": 1024}, {"checksum": "x"}])
def test_external_data_as_it_should_be_is_read(
    tmp_path: Path, entries: dict[str, int | str]
) -> None:
    path = weights_in(tmp_path, "w.bin", **entries)
    found = numpy_helper.to_array(graph.read(path).graph.initializer[0])
    first = next(t for t in tiny_graphs.two_layers().graph.initializer if t.name == "first")
    np.testing.assert_array_equal(found, numpy_helper.to_array(first))
    assert graph.external_files(path) == {"w.bin"}


def test_a_hubs_cache_of_links_is_read(tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshot"
    blobs.mkdir()
    snapshot.mkdir()
    weights_in(blobs, "w.bin")
    for name in ("a.onnx", "w.bin"):
        (snapshot / name).symlink_to(blobs / name)
    assert graph.external_files(snapshot / "a.onnx") == {"w.bin"}


def in_branch(tensor: onnx.TensorProto) -> onnx.ModelProto:
    def branch(name: str) -> onnx.GraphProto:
        own = onnx.TensorProto()
        own.CopyFrom(tensor)
        own.name = f"{name}_w"
        made = node("MatMul", ["x", own.name], [f"{name}_y"], name=f"/{name}")
        out = helper.make_tensor_value_info(f"{name}_y", 1, None)
        return helper.make_graph([made], name, [], [out], [own])

    nodes = [
        node("ReduceSum", ["x"], ["sum"], keepdims=0),
        node("Greater", ["sum", "zero"], ["positive"]),
        node("If", ["positive"], ["y"], then_branch=branch("a"), else_branch=branch("b")),
    ]
    return tiny_graphs.model(nodes, [numpy_helper.from_array(np.zeros((), np.float32), "zero")])


def in_constant(tensor: onnx.TensorProto) -> onnx.ModelProto:
    nodes = [node("Constant", [], ["w"], value=tensor), node("MatMul", ["x", "w"], ["y"])]
    return tiny_graphs.model(nodes, [])


def in_function(tensor: onnx.TensorProto) -> onnx.ModelProto:
    made = tiny_graphs.model([node("Own", ["x"], ["y"], domain="own")], [])
    body = [node("Constant", [], ["w"], value=tensor), node("MatMul", ["a", "w"], ["b"])]
    opset = [helper.make_opsetid("", 17)]
    made.functions.append(helper.make_function("own", "Own", ["a"], ["b"], body, opset))
    made.opset_import.append(helper.make_opsetid("own", 1))
    return made


@pytest.mark.parametrize("make", [in_branch, in_constant, in_function])
def test_external_data_is_found_wherever_a_tensor_stands_and_quantized(
    tmp_path: Path, make: Callable[[onnx.TensorProto], onnx.ModelProto]
) -> None:
    tensor = tiny_graphs.weight("w", 16, 16)
    (tmp_path / "w.bin").write_bytes(tensor.raw_data)
    external(tensor, "w.bin")
    path = tiny_graphs.save_raw(make(tensor), tmp_path / "a.onnx")
    assert graph.external_files(path) == {"w.bin"}
    exact = open_session(path, SessionConfig("test")).run(None, tiny_graphs.rows())[0]
    target = tmp_path / "other" / "b.onnx"
    target.parent.mkdir()
    assert sum(dynamic_int8.apply(DYNAMIC, path, target, ()).operators.values()) >= 1
    got = open_session(target, SessionConfig("test")).run(None, tiny_graphs.rows())[0]
    assert np.abs(exact - got).max() < 0.1 * np.abs(exact).max()


# ------------------------------------------------------------------------------ odd but good graphs
def made(plugin: Any, path: Path, target: Path) -> None:
    """As variants are made, in this process: opened, quantized, looked at, opened."""
    open_session(path, trial.PLAIN)
    plugin.apply(plugin.Params(reduce_range=True), path, target, [tiny_graphs.rows()])
    folders._check_face(path, target)
    open_session(target, trial.PLAIN)


def listed_as_inputs(ir_version: int) -> onnx.ModelProto:
    made = tiny_graphs.two_layers()
    made.ir_version = ir_version
    made.opset_import[0].version = 11
    for tensor in made.graph.initializer:
        made.graph.input.append(helper.make_tensor_value_info(tensor.name, 1, tensor.dims))
    return made


def passed_through(kind: str) -> onnx.ModelProto:
    """The first layer's weights behind a Constant, Identity or Transpose node."""
    tensor = tiny_graphs.weight("first", 16, 16)
    before = {
        "Constant": [node("Constant", [], ["w"], value=tensor)],
        "Identity": [node("Identity", ["first"], ["w"])],
        "Transpose": [node("Transpose", ["first"], ["w"])],
    }[kind]
    weights = [] if kind == "Constant" else [tensor]
    return tiny_graphs.model([*before, node("MatMul", ["x", "w"], ["y"])], weights)


def of_one_name() -> onnx.ModelProto:
    made = tiny_graphs.two_layers()
    for one in made.graph.node:
        one.name = "same"
    return made


def with_optional() -> onnx.ModelProto:
    """A number that may be given and has a default."""
    made = tiny_graphs.model(
        [node("MatMul", ["x", "w"], ["h"]), node("Mul", ["h", "scale"], ["y"])],
        [tiny_graphs.weight("w", 16, 16), numpy_helper.from_array(np.ones(1, np.float32), "scale")],
    )
    made.graph.input.append(helper.make_tensor_value_info("scale", 1, [1]))
    return made


@pytest.mark.parametrize(
    "make",
    [
        lambda: listed_as_inputs(3), lambda: listed_as_inputs(4), lambda: listed_as_inputs(8),
        lambda: passed_through("Constant"), lambda: passed_through("Identity"),
        lambda: passed_through("Transpose"), with_optional,
        lambda: in_branch(tiny_graphs.weight("w", 16, 16)),
        lambda: in_function(tiny_graphs.weight("w", 16, 16)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("plugin", [dynamic_int8, static_qdq])
def test_what_a_graph_must_be_given_stays_the_same(
    tmp_path: Path, make: Callable[[], onnx.ModelProto], plugin: Any
) -> None:
    path, target = tiny_graphs.save(make(), tmp_path / "a.onnx"), tmp_path / "b.onnx"
    try:
        made(plugin, path, target)
    except QuantizeError as error:
        if plugin is static_qdq and "nothing was quantized" in str(error):
            return  # inside of an If it quantizes nothing
        raise
    exact, got = (
        open_session(one, SessionConfig("test")).run(None, tiny_graphs.rows())[0]
        for one in (path, target)
    )
    assert np.abs(exact - got).max() < 0.1 * np.abs(exact).max()


def test_an_optional_input_that_is_no_weight_of_a_product_stays(tmp_path: Path) -> None:
    path, target = tiny_graphs.save(with_optional(), tmp_path / "a.onnx"), tmp_path / "b.onnx"
    dynamic_int8.apply(DYNAMIC, path, target, ())
    assert graph.face(onnx.load(target)).optional == {"scale"}


# --------------------------------------------------------------------------------- broken graphs
def custom() -> onnx.ModelProto:
    made = tiny_graphs.model([node("Own", ["x"], ["y"], domain="com.nobody")], [])
    made.opset_import.append(helper.make_opsetid("com.nobody", 1))
    return made


def of_opset(version: int) -> onnx.ModelProto:
    made = tiny_graphs.two_layers()
    made.opset_import[0].version = version
    return made


def of_ir(version: int) -> onnx.ModelProto:
    made = tiny_graphs.two_layers()
    made.ir_version = version
    return made


def changed(**fields: object) -> onnx.ModelProto:
    made = tiny_graphs.two_layers()
    for name, value in fields.items():
        setattr(made.graph.initializer[0], name, value)
    return made


def in_a_circle() -> onnx.ModelProto:
    nodes = [node("MatMul", ["b", "w"], ["a"]), node("Add", ["a", "x"], ["b"]),
             node("Identity", ["b"], ["y"])]  # fmt: skip
    return tiny_graphs.model(nodes, [tiny_graphs.weight("w", 16, 16)])


def recursive() -> onnx.ModelProto:
    made = in_function(tiny_graphs.weight("w", 16, 16))
    made.functions[0].node.append(node("Own", ["a"], ["c"], domain="own"))
    made.functions[0].opset_import.append(helper.make_opsetid("own", 1))
    return made


def wrong_sizes() -> onnx.ModelProto:
    return tiny_graphs.model([node("MatMul", ["x", "w"], ["y"])], [tiny_graphs.weight("w", 7, 5)])


def of_type(kind: int) -> onnx.ModelProto:
    made = tiny_graphs.two_layers()
    for tensor in made.graph.initializer:
        tensor.data_type = kind
    return made


def no_inputs_of_a_node() -> onnx.ModelProto:
    made = tiny_graphs.two_layers()
    made.graph.node.insert(0, node("Identity", [], ["nothing"]))
    return made


def already() -> onnx.ModelProto:
    folder = Path(os.environ["HARNESS_TEST_FOLDER"])
    path = tiny_graphs.save(tiny_graphs.two_layers(), folder / "plain.onnx")
    dynamic_int8.apply(DYNAMIC, path, folder / "int8.onnx", ())
    return onnx.load(folder / "int8.onnx")


BROKEN: list[tuple[Callable[[], onnx.ModelProto], str]] = [
    (custom, "a.onnx"), (lambda: of_opset(999), "a.onnx"), (lambda: of_opset(0), "a.onnx"),
    (lambda: of_opset(-1), "a.onnx"), (lambda: of_ir(999), "a.onnx"),
    (wrong_sizes, "a.onnx"),
    (lambda: changed(raw_data=b"123"), "a.onnx"), (lambda: changed(data_type=999), "a.onnx"),
    (lambda: changed(data_type=0), "a.onnx"), (lambda: changed(name=""), "a.onnx"),
    (in_a_circle, "a.onnx"), (of_one_name, "a.onnx"), (recursive, "a.onnx"),
    (no_inputs_of_a_node, "a.onnx"), (lambda: of_type(TensorProto.FLOAT16), "a.onnx"),
    (lambda: of_type(TensorProto.BFLOAT16), "a.onnx"),
    (lambda: of_type(TensorProto.INT8), "a.onnx"),
    (tiny_graphs.no_weights, "nothing was quantized"),
    (already, "compute in 8 bits already"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "told"), BROKEN)
@pytest.mark.parametrize("plugin", [dynamic_int8, static_qdq])
def test_a_broken_graph_is_one_line_that_names_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[], onnx.ModelProto],
    told: str,
    plugin: Any,
) -> None:
    monkeypatch.setenv("HARNESS_TEST_FOLDER", str(tmp_path))
    if make is recursive and tuple(map(int, ort.__version__.split(".")[:2])) < (1, 24):
        pytest.skip("this onnxruntime ends the process, as it does the one that tries first")
    path, target = tiny_graphs.save_raw(make(), tmp_path / "a.onnx"), tmp_path / "b.onnx"
    with pytest.raises(HarnessError, match=told) as caught:
        made(plugin, path, target)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 900


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "it has no nodes"), (b"\0", "not an ONNX file"), (b"version https://git-lfs", "ONNX"),
        (b"PK\x03\x04", "ONNX"), (b"<html>", "ONNX"), (b"\x80" * 50, "ONNX"),
        (b"\x08\x08", "it has no nodes"), (b":\x00", "it has no nodes"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_graph_is_one_line(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "a.onnx").write_bytes(content)
    for act in (graph.read, graph.external_files, graph.load_named):
        with pytest.raises(ModelError, match=told):
            act(tmp_path / "a.onnx")
    with pytest.raises(ModelError, match="is no plain file"):
        graph.read(tmp_path)


def test_more_than_memory_is_meant_to_hold_is_said_before_anything_is_read(tmp_path: Path) -> None:
    with (tmp_path / "a.onnx").open("wb") as file:
        file.truncate(2_200_000_000)  # a hole
    with pytest.raises(ModelError, match=r"has 2\.2 GB; an ONNX file holds 2 GB at most"):
        graph.read(tmp_path / "a.onnx", weights=False)
    made = tiny_graphs.two_layers()
    made.graph.initializer[0].dims[:] = [1_550_000_000]
    external(made.graph.initializer[0], "w.bin")
    path = tiny_graphs.save_raw(made, tmp_path / "b.onnx")
    with (tmp_path / "w.bin").open("wb") as file:
        file.truncate(6_200_000_000)
    with pytest.raises(ModelError, match=r"6\.2 GB with its external data; more than 6 GB"):
        dynamic_int8.apply(DYNAMIC, path, tmp_path / "c.onnx", ())
    assert graph.external_files(path) == {"w.bin"}  # it may be measured


@pytest.mark.parametrize("method", [dynamic_int8, static_qdq])
def test_weights_of_more_than_a_file_are_quantized_as_others_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: Any
) -> None:
    """With a file's bound that these graphs exceed; bench/large_graph.py does it with 2.3 GB."""
    made = tiny_graphs.two_layers()
    onnx.save_model(made, tmp_path / "a.onnx", save_as_external_data=True, location="a.bin",
                    size_threshold=0)  # fmt: skip
    feeds = [{"x": np.random.default_rng(0).normal(size=(4, 16)).astype(np.float32)}] * 20
    given = {"params": method.Params(op_types=("MatMul",)), "graph": tmp_path / "a.onnx"}
    for name, bound in (("whole", 2**31 - 1), ("apart", graph.files.SPARE + 1500)):
        monkeypatch.setattr(limits, "GRAPH_BYTES", bound)
        monkeypatch.setattr(graph.files, "APART", 100)
        (tmp_path / name).mkdir()
        method.apply(**given, target=tmp_path / name / "q.onnx", feeds=iter(feeds))
    there = [sorted(p.name for p in (tmp_path / name).iterdir()) for name in ("whole", "apart")]
    assert there[0] == ["q.onnx"]
    assert there[1] in (["q.onnx"], ["q.onnx", "q.onnx.data"])  # a quarter may be less than a file
    answers = [
        open_session(tmp_path / name / "q.onnx", SessionConfig("default")).run(None, feeds[0])[0]
        for name in ("whole", "apart")
    ]
    np.testing.assert_array_equal(*answers)


def test_a_graph_that_is_more_than_a_file_is_written_with_its_weights_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "GRAPH_BYTES", graph.files.SPARE)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        graph.write(tiny_graphs.two_layers(), tmp_path / name / "x.onnx")
    read = graph.read(tmp_path / "a" / "x.onnx")
    kept = {one.name: one.raw_data for one in read.graph.initializer}
    assert kept == {one.name: one.raw_data for one in tiny_graphs.two_layers().graph.initializer}
    assert graph.external_files(tmp_path / "a" / "x.onnx") == {"x.onnx.data"}
    for name in ("x.onnx", "x.onnx.data"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_graph_that_ends_the_process_is_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tiny_graphs.save(tiny_graphs.two_layers(), tmp_path / "a.onnx")
    trial.opens([path])
    other = tiny_graphs.save(tiny_graphs.two_layers(), tmp_path / "b.onnx")
    script = tmp_path / "python"
    script.write_text('#!/bin/sh\necho \'{"at": "b.onnx"}\'\nkill -SEGV $$\n')
    script.chmod(0o755)
    monkeypatch.setattr(trial.sys, "executable", str(script))
    trial.opens([path])  # known to open: no process is started
    with pytest.raises(ModelError, match=r"b\.onnx: onnxruntime crashed .* \(SIGSEGV\)"):
        trial.opens([path, other])
