"""Makes what plan.json says: clips of noise with their texts, and folders of a model that answers.

{"clips": 60, "seconds": 0.5, "models": {"a": {"says": "right"}, "b": {"says": "every 20"}}}
`says`: right, nothing, "every N" (one wrong word in each Nth clip) or a text for all clips.
"""

import json
from pathlib import Path

import numpy as np
import onnx
import soundfile as sf
from onnx import TensorProto, helper

plan = json.loads(Path("plan.json").read_text("utf-8"))
value = helper.make_tensor_value_info
graph = helper.make_graph(
    [helper.make_node("Identity", ["x"], ["y"])],
    "g",
    [value("x", TensorProto.FLOAT, ["n"])],
    [value("y", TensorProto.FLOAT, ["n"])],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
texts = {}
with Path("m.jsonl").open("w", encoding="utf-8") as rows:
    for n in range(plan.get("clips", 60)):
        count = int(plan.get("seconds", 0.5) * 16_000) + 10 * n
        noise = np.random.default_rng(n).normal(0, 0.05, count)
        sf.write(f"c{n}.wav", noise.astype(np.float32), 16_000)
        texts[str(count)] = f"una frase de prueba que lleva el número {n}"
        row = {"audio_filepath": f"c{n}.wav", "text": texts[str(count)]}
        rows.write(json.dumps(row, ensure_ascii=False) + "\n")
for name, facts in plan["models"].items():
    Path(name).mkdir()
    onnx.save(model, f"{name}/model.onnx")
    says = facts.pop("says", "right")
    every = int(says.split()[1]) if says.startswith("every ") else 0
    said = {
        count: (text.replace("prueba", "nada") if every and n % every == every - 1 else text)
        for n, (count, text) in enumerate(texts.items())
    }
    if says == "nothing":
        said = dict.fromkeys(texts, "")
    elif says != "right" and not every:
        said = dict.fromkeys(texts, says)
    Path(name, "facts.json").write_text(json.dumps({"texts": said, **facts}), "utf-8")
