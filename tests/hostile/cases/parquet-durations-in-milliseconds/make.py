"""What the case is about, made anew."""

from pathlib import Path

import lay
import pyarrow as pa
import pyarrow.parquet as pq

lay.models()

audio = [{"bytes": lay.content(n), "path": f"c{n}.wav"} for n in range(5)]
table = {"audio": audio, "text": [f"Frase {n}." for n in range(5)]}
for name in ("duration", "duration_ms"):
    Path(name).mkdir()
    lengths = pa.table({**table, name: [500 + 50 * n for n in range(5)]})
    pq.write_table(lengths, f"{name}/test-0.parquet")
lay.experiment("use: hub, path: duration, minutes: 1")
lay.experiment("use: hub, path: duration_ms, minutes: 1", "told")
