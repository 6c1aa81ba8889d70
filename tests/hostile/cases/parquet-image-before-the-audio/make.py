"""What the case is about, made anew."""

from pathlib import Path

import lay
import pyarrow as pa
import pyarrow.parquet as pq

lay.models()

audio = [{"bytes": lay.content(n), "path": f"c{n}.wav"} for n in range(3)]
table = {"image": [{"bytes": b"PNG", "path": "i.png"}] * 3, "audio": audio}
table["text"] = [f"Frase {n}." for n in range(3)]
Path("ds").mkdir()
pq.write_table(pa.table(table), "ds/test-0.parquet")
lay.experiment("use: hub, path: ds")
