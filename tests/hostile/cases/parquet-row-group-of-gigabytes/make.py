"""What the case is about, made anew."""

from pathlib import Path

import lay
import pyarrow as pa
import pyarrow.parquet as pq

lay.models()


audio = pa.array([{"bytes": lay.content(0), "path": "c0.wav"}] + [None] * 63)
texts = pa.array(["Frase 0."] + [f"{n:07}" * 5_000_000 for n in range(63)], pa.large_string())
Path("ds").mkdir()
pq.write_table(
    pa.table({"audio": audio, "text": texts}),
    "ds/test-0.parquet",
    compression="zstd",
    use_dictionary=False,
    write_statistics=False,
)
lay.experiment("use: hub, path: ds")
