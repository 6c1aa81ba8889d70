"""Puts voices into folders as plan.json says ({"a": {"wave": "speech"}, ...}) and sentences."""

import json
from pathlib import Path

import onnx
from onnx import TensorProto, helper

value = helper.make_tensor_value_info
graph = helper.make_graph(
    [helper.make_node("Identity", ["x"], ["y"])],
    "g",
    [value("x", TensorProto.FLOAT, ["n"])],
    [value("y", TensorProto.FLOAT, ["n"])],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
for name, facts in json.loads(Path("plan.json").read_text("utf-8")).items():
    Path(name).mkdir()
    onnx.save(model, f"{name}/model.onnx")
    Path(name, "facts.json").write_text(json.dumps(facts), "utf-8")
lines = [f"Esta es la frase número {n} de la prueba." for n in range(1, 13)]
Path("s.txt").write_text("\n".join(lines) + "\n", "utf-8")
