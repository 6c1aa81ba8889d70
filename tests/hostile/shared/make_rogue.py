"""Twelve clips of noise and two models: the candidate does what do.py says, if that is there; a
metric own.py is added to the experiment, if that is there."""

import json
from pathlib import Path

import numpy as np
import onnx
import soundfile
from onnx import TensorProto, helper

WHERE = Path()
texts = {str(8000 + 100 * n): f"frase de prueba número {n}" for n in range(12)}
rows = []
for n, (count, text) in enumerate(texts.items()):
    noise = np.random.default_rng(n).normal(0, 0.05, int(count))
    soundfile.write(WHERE / f"c{n}.wav", noise, 16_000)
    rows.append(json.dumps({"audio_filepath": f"c{n}.wav", "text": text}, ensure_ascii=False))
(WHERE / "m.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", value[:1], value[1:])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
do = (WHERE / "do.py").read_text(encoding="utf-8") if (WHERE / "do.py").exists() else ""
for name, code in (("a", ""), ("b", do)):
    folder = WHERE / name
    folder.mkdir()
    onnx.save(model, folder / "model.onnx")
    facts = {"texts": texts, "do": code}
    (folder / "facts.json").write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
own = ", ./own.py" if (WHERE / "own.py").exists() else ""
(WHERE / "x.yaml").write_text(
    f"""\
name: rogue
model: {{family: ./rogue.py, source: {{path: a}}}}
variants:
  - {{name: a}}
  - {{name: b, source: {{path: b}}}}
baseline: a
candidate: b
quality:
  - name: q
    dataset: {{use: manifest, path: m.jsonl}}
    metrics: [wer{own}]
    normaliser: spanish
gates:
  - {{metric: wer, over: a, max_increase: 0.02}}
budget: {{minutes: 1}}
report: {{language: en}}
""",
    encoding="utf-8",
)
