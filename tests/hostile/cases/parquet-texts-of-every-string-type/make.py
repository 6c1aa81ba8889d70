"""What the case is about, made anew."""

from pathlib import Path

import lay
import pyarrow as pa
import pyarrow.parquet as pq

lay.models()

audio = [{"bytes": lay.content(n), "path": f"c{n}.wav"} for n in range(3)]
texts = pa.array(["Frase 0.", None, "Frase 2."])
for name, kind in {
    "dict": pa.dictionary(pa.int32(), pa.string()),
    "large": pa.large_string(),
}.items():
    Path(name).mkdir()
    table = pa.table(
        {"audio": audio, "text": texts.cast(kind) if name == "large" else texts.dictionary_encode()}
    )
    pq.write_table(table, f"{name}/test-0.parquet")
    lay.experiment(f"use: hub, path: {name}", name)
