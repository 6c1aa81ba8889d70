"""Makes what a case with oracle.py needs: three clips, m.jsonl, table.json and the model a/."""

import json
import wave
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

TEXTS = {
    16_000: "Entrando a la conferencia número.",
    17_600: "De una persona no identificada.",
    19_200: "Contraseña incorrecta. Por favor, intente de nuevo.",
}


def main():
    draw = np.random.default_rng(0)
    rows = []
    for number, (count, text) in enumerate(TEXTS.items()):
        with wave.open(f"c{number}.wav", "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16_000)
            file.writeframes(draw.integers(-3000, 3000, count).astype("<i2").tobytes())
        rows.append({"audio_filepath": f"c{number}.wav", "text": text})
    Path("m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    table = {str(count): text for count, text in TEXTS.items()}
    Path("table.json").write_text(json.dumps(table))
    Path("a").mkdir(exist_ok=True)
    Path("a/facts.json").write_text(json.dumps({"texts": table}))
    save(graph(), "a/model.onnx")


def graph(ir=8, opset=17, as_inputs=False):
    """x @ w -> y."""
    weight = numpy_helper.from_array(draw_weight(), "w")
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["b", 16])]
    if as_inputs:
        inputs.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [16, 16]))
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"], name="/mul")]
    made = helper.make_model(
        helper.make_graph(nodes, "tiny", inputs, [output], [weight]),
        opset_imports=[helper.make_opsetid("", opset)],
    )
    made.ir_version = ir
    return made


def draw_weight():
    return np.random.default_rng(1).normal(size=(16, 16)).astype(np.float32)


if __name__ == "__main__":
    main()
