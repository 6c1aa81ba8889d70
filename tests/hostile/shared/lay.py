"""Lays out a small experiment: clips c0.wav ... of which the oracle says `Frase <n>.`, two models.

A case's make.py imports it and writes the table, release or archive that the case is about.
"""

from __future__ import annotations

import io
import json
import tarfile
import wave
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

COUNT = 5


def content(n: int) -> bytes:
    """Clip n: noise of 0.5 s and a twentieth more for each."""
    samples = np.random.default_rng(n).integers(-9000, 9000, 8000 + 800 * n).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(samples.tobytes())
    return buffer.getvalue()


def clips(folder: str = ".", count: int = COUNT, suffix: str = ".wav") -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    for n in range(count):
        (Path(folder) / f"c{n}{suffix}").write_bytes(content(n))


def models() -> None:
    """Variants a and b: the same facts, and a graph that is opened and never run."""
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    other = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [value], [other])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    facts = {"texts": {str(8000 + 800 * n): f"Frase {n}." for n in range(COUNT)}, "other": "?"}
    for name in "ab":
        Path(name).mkdir()
        onnx.save(model, f"{name}/model.onnx")
        Path(name, "facts.json").write_text(json.dumps(facts), encoding="utf-8")


def experiment(dataset: str, name: str = "x") -> None:
    """<name>.yaml that evaluates this data set: `use: ..., path: ...`."""
    Path(f"{name}.yaml").write_text(
        f"""name: {name}
seed: 7
model: {{family: ./oracle.py, source: {{path: a}}}}
variants:
  - {{name: a}}
  - {{name: b, source: {{path: b}}}}
baseline: a
candidate: b
quality:
  - name: q
    dataset: {{{dataset}}}
    metrics: [wer]
    normaliser: spanish
gates:
  - {{metric: wer, over: a, max_increase: 0.02}}
budget: {{minutes: 1}}
report: {{language: en}}
""",
        encoding="utf-8",
    )


def release(folder: str = "cv/es", split: str = "test", rows: str = "", clip: str = ".wav") -> None:
    """A release of scripted speech; `rows` replaces its own."""
    clips(f"{folder}/clips", suffix=clip)
    own = "".join(f"s{n}\tc{n}{clip}\tFrase {n}.\n" for n in range(COUNT))
    text = "client_id\tpath\tsentence\n" + (rows or own)
    Path(folder, f"{split}.tsv").write_bytes(text.encode())


def tar(path: str, *members: tuple[str, bytes], mode: str = "w", folder: str = "") -> None:
    """An archive of these files, and of those of a folder."""
    with tarfile.open(path, mode) as file:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
        if folder:
            file.add(folder)
