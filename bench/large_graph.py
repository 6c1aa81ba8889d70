"""A graph of over 2 GB, quantized by dynamic_int8: seconds, peak memory, size, error.

    python bench/large_graph.py [GB]

Makes a graph of linear layers in a folder of its own (2.3 GB unless said), quantizes it in a
process of its own, opens the result and compares one answer; removes the folder.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper

WIDTH = 8192
BYTES = WIDTH * WIDTH * 4


def make(folder: Path, gigabytes: float) -> Path:
    """Layers of 268 MB each, whose weights are written one at a time."""
    layers = max(round(gigabytes * 1e9 / BYTES), 1)
    random, nodes, weights, name = np.random.default_rng(0), [], [], "x"
    with (folder / "weights.bin").open("wb") as file:
        for place in range(layers):
            values = random.standard_normal((WIDTH, WIDTH), dtype=np.float32)
            values /= np.float32(WIDTH**0.5)
            tensor = TensorProto(name=f"w{place}", data_type=TensorProto.FLOAT)
            tensor.dims[:] = [WIDTH, WIDTH]
            told = {"location": "weights.bin", "offset": file.tell(), "length": values.nbytes}
            for key, value in told.items():
                tensor.external_data.add(key=key, value=str(value))
            tensor.data_location = TensorProto.EXTERNAL
            file.write(values.tobytes())
            weights.append(tensor)
            nodes.append(
                helper.make_node("MatMul", [name, f"w{place}"], [f"y{place}"], f"layer{place}")
            )
            name = f"y{place}"
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", WIDTH]) for n in ("x", name)]
    graph = helper.make_graph(nodes, "large", ends[:1], ends[1:], weights)
    path = folder / "large.onnx"
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(made.SerializeToString())
    return path


def quantize(path: Path) -> None:
    """In a process of its own: what it took, as JSON."""
    from harness.plugins.quantize import dynamic_int8

    began = time.monotonic()
    params = dynamic_int8.Params(op_types=("MatMul",), per_channel=True)
    target = path.with_name("int8") / "large.onnx"
    target.parent.mkdir()
    done = dynamic_int8.apply(params, path, target, ())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    size = sum(one.stat().st_size for one in target.parent.iterdir())
    taken = time.monotonic() - began
    print(
        json.dumps(
            {"seconds": taken, "peak": peak, "size": size, "operators": dict(done.operators)}
        )
    )


def answer(path: Path) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    x = np.random.default_rng(1).standard_normal((1, WIDTH), dtype=np.float32)
    found: np.ndarray = session.run(None, {"x": x})[0]
    return found


def main() -> None:
    gigabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 2.3
    with tempfile.TemporaryDirectory() as folder:
        path = make(Path(folder), gigabytes)
        size = sum(one.stat().st_size for one in Path(folder).iterdir())
        told = subprocess.run(
            [sys.executable, __file__, "--quantize", str(path)],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        found = json.loads(told.splitlines()[-1])
        exact, other = answer(path), answer(path.with_name("int8") / path.name)
        error = float(np.linalg.norm(exact - other) / np.linalg.norm(exact))
    print(f"{size / 1e9:.2f} GB -> {found['size'] / 1e9:.2f} GB, {found['operators']}")
    print(f"{found['seconds']:.0f} s, peak memory {found['peak'] / 1e9:.1f} GB, error {error:.3f}")


if __name__ == "__main__":
    quantize(Path(sys.argv[2])) if sys.argv[1:2] == ["--quantize"] else main()
