"""What the case is about, made anew."""

from pathlib import Path

import lay
import pyarrow as pa
import pyarrow.parquet as pq

lay.models()

audio = [{"bytes": lay.content(n), "path": f"c{n}.wav"} for n in range(3)]
texts = {
    "list": [["Frase 0."]] * 3,
    "struct": [{"es": "Frase 0."}] * 3,
    "bytes": [b"Frase 0."] * 3,
    "int": [3] * 3,
    "double": [3.5] * 3,
    "bool": [True] * 3,
    "map": pa.array([[("es", "Frase")]] * 3, pa.map_(pa.string(), pa.string())),
    "time": pa.array([1, 2, 3], pa.timestamp("s")),
    "nothing": pa.nulls(3),
}
for name, values in texts.items():
    Path(name).mkdir()
    pq.write_table(pa.table({"audio": audio, "text": values}), f"{name}/test-0.parquet")
    lay.experiment(f"use: hub, path: {name}", name)
